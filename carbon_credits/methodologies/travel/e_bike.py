"""Riding a shared e-bike in place of the city's average mode.

As for the bicycle, less the electricity of the ride: the motor's consumption times the grid's factor of the day. The
operator's record brings time and distance. An e-bike charged at home is household electricity and no business of this
methodology.
"""

from datetime import date

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Example,
    Methodology,
    Monitored,
    Reference,
    Status,
    Text,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.travel.motion import long_enough, not_faster, not_slower, short_enough


def reduction(
    distance_m: Number, e_bike_g_per_km: Number, consumption_wh_per_km: Number, grid_kg_per_kwh: Number
) -> Number:
    """Wh/km times kg/kWh are g/km; metres times grams a kilometre are milligrams."""
    return distance_m * (e_bike_g_per_km - consumption_wh_per_km * grid_kg_per_kwh)


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.e_bike",
    number=4,
    version=1,
    title=Text("骑共享电动自行车出行", "Riding a shared e-bike"),
    summary=Text(
        "以共享电动自行车代替城市平均出行方式。减排量等于骑行距离乘以每公里减排量，再扣除骑行用电的排放。"
        "须有运营方的记录证实。",
        "A trip by shared e-bike in place of the average urban mode. The reduction is the distance times the "
        "reduction per kilometre, less the electricity of the ride. The operator's record confirms it.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text("被替代出行的燃料与电力排放", "Fuel and electricity of the trip that is replaced"),
        project=Text("骑行用电", "Electricity of the ride"),
        leakage=Text(
            "车辆生产与调度不计入出行类方法学",
            "Making and moving e-bikes lies outside a methodology for trips",
        ),
    ),
    monitored=(Monitored("distance_m", Text("骑行路程", "Length of the ride"), "m", least=0, most=100_000),),
    derived=("duration_s",),
    parameters=(
        factor("e_bike_g_per_km"),
        factor("consumption_wh_per_km"),
        factor("grid_kg_per_kwh"),
        proposal(
            "shortest_m",
            "m",
            SINCE,
            500,
            Text("最短骑行距离", "Shortest ride"),
            "Below this a ride replaces a walk.",
        ),
        proposal(
            "longest_m",
            "m",
            SINCE,
            15_000,
            Text("最长骑行距离", "Longest ride"),
            "A battery and a commute seldom reach further.",
        ),
        proposal(
            "slowest_km_per_h",
            "km/h",
            SINCE,
            4,
            Text("最低平均时速", "Slowest mean speed"),
            "Below it one walks.",
        ),
        proposal(
            "fastest_km_per_h",
            "km/h",
            SINCE,
            25,
            Text("最高平均时速", "Fastest mean speed"),
            "The limit for such vehicles.",
        ),
    ),
    conditions=(
        Condition(
            "e_bike_ride_too_short",
            Text("电动自行车单次骑行不少于 {shortest_m} 米", "A ride by e-bike is at least {shortest_m} m"),
            long_enough,
        ),
        Condition(
            "e_bike_ride_too_long",
            Text("电动自行车单次骑行不超过 {longest_m} 米", "A ride by e-bike is at most {longest_m} m"),
            short_enough,
        ),
        Condition(
            "e_bike_ride_too_slow",
            Text(
                "电动自行车平均时速不低于 {slowest_km_per_h} 公里",
                "By e-bike at least {slowest_km_per_h} km/h",
            ),
            not_slower,
        ),
        Condition(
            "e_bike_ride_too_fast",
            Text(
                "电动自行车平均时速不高于 {fastest_km_per_h} 公里",
                "By e-bike at most {fastest_km_per_h} km/h",
            ),
            not_faster,
        ),
    ),
    formula=reduction,
    bases=("person_motion", "vehicle"),
    references=(Reference("vehicle", "vehicle", required=False),),
    needs_partner=True,
    verifiable=True,
    cap_quantity="distance_m",
    examples=(
        Example(
            Text("骑行 10 公里，40 分钟", "10 km in 40 minutes"),
            date(2026, 3, 2),
            {"distance_m": 10_000, "duration_s": 2400},
            reduction_mg=346_972,
        ),
        Example(
            Text("同样的骑行，上一年的电网因子", "The same ride under the grid factor of the year before"),
            date(2025, 3, 3),
            {"distance_m": 10_000, "duration_s": 2400},
            reduction_mg=347_164,
        ),
        Example(
            Text("只骑了 499 米", "Only 499 m"),
            date(2026, 3, 2),
            {"distance_m": 499, "duration_s": 120},
            reduction_mg=0,
            reasons=("e_bike_ride_too_short",),
        ),
        Example(
            Text("送一天外卖", "A day of deliveries"),
            date(2026, 3, 2),
            {"distance_m": 60_000, "duration_s": 10_800},
            reduction_mg=0,
            reasons=("e_bike_ride_too_long",),
        ),
        Example(
            Text("推着没电的车", "Pushing it home without a charge"),
            date(2026, 3, 2),
            {"distance_m": 2000, "duration_s": 2400},
            reduction_mg=0,
            reasons=("e_bike_ride_too_slow",),
        ),
        Example(
            Text("伪装成电动自行车的摩托车", "A motorcycle in disguise"),
            date(2026, 3, 2),
            {"distance_m": 12_000, "duration_s": 900},
            reduction_mg=0,
            reasons=("e_bike_ride_too_fast",),
        ),
    ),
)

VERSIONS = (V1,)
