"""Riding the bus in place of the city's average mode.

Follows the Shenzhen methodology for low-carbon public transport (trial, 2021), as the metro does; the published figure
is that of a battery-electric bus. A tap on boarding says where a ride began and nothing of its end: the operator's
record brings the distance, from a tap on leaving or from matching stops, and a phone alone proves no ride.
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
from carbon_credits.methodologies.formula import Number, least
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.travel.motion import long_enough, not_faster


def reduction(distance_m: Number, bus_g_per_km: Number, most_credited_m: Number) -> Number:
    """Metres times grams a kilometre are milligrams; beyond the longest credited ride nothing is added."""
    return least(distance_m, most_credited_m) * bus_g_per_km


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.bus",
    number=5,
    version=1,
    title=Text("乘坐公交车", "Riding the bus"),
    summary=Text(
        "以公交车代替城市平均道路出行。减排量等于乘车距离乘以每人公里减排量，超过单次上限的路程不计。"
        "须有公交运营方的记录证实。",
        "A bus ride in place of the average trip by road. The reduction is the distance ridden times the "
        "reduction per passenger-kilometre, up to a ceiling a ride. The operator's record confirms it.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text(
            "城市道路出行的平均人公里排放", "Mean emissions of a passenger-kilometre by road in the city"
        ),
        project=Text(
            "纯电动公交车用电，已在每人公里减排量中扣除",
            "Electricity of a battery-electric bus, already deducted",
        ),
        leakage=Text("忽略", "Neglected"),
    ),
    monitored=(Monitored("distance_m", Text("乘车距离", "Distance ridden"), "m", least=0, most=200_000),),
    derived=("duration_s",),
    parameters=(
        factor("bus_g_per_km"),
        proposal(
            "most_credited_m",
            "m",
            SINCE,
            30_000,
            Text("单次可计的最长距离", "Longest credited ride"),
            "About the length of the longest line of the city.",
        ),
        proposal(
            "shortest_m", "m", SINCE, 300, Text("最短乘车距离", "Shortest ride"), "Less than one stop apart."
        ),
        proposal(
            "fastest_km_per_h",
            "km/h",
            SINCE,
            80,
            Text("最高平均时速", "Fastest mean speed"),
            "Faster, the two stops are not one ride.",
        ),
    ),
    conditions=(
        Condition(
            "bus_ride_too_short",
            Text("公交乘车距离不少于 {shortest_m} 米", "A bus ride is at least {shortest_m} m"),
            long_enough,
        ),
        Condition(
            "bus_ride_too_fast",
            Text("公交平均时速不高于 {fastest_km_per_h} 公里", "By bus at most {fastest_km_per_h} km/h"),
            not_faster,
        ),
    ),
    formula=reduction,
    bases=("person_motion", "transaction"),
    references=(Reference("transaction", "order_no", required=False),),
    needs_partner=True,
    verifiable=True,
    cap_quantity="distance_m",
    examples=(
        Example(
            Text("乘坐 5 公里，20 分钟", "5 km in 20 minutes"),
            date(2026, 3, 2),
            {"distance_m": 5000, "duration_s": 1200},
            reduction_mg=134_500,
        ),
        Example(
            Text("毫克以下舍去", "Fractions of a milligram are dropped"),
            date(2026, 3, 2),
            {"distance_m": 1001, "duration_s": 240},
            reduction_mg=26_926,
        ),
        Example(
            Text("40 公里只计 30 公里", "40 km count as 30 km"),
            date(2026, 3, 2),
            {"distance_m": 40_000, "duration_s": 5400},
            reduction_mg=807_000,
        ),
        Example(
            Text("刚上车就下车", "On and off at once"),
            date(2026, 3, 2),
            {"distance_m": 120, "duration_s": 60},
            reduction_mg=0,
            reasons=("bus_ride_too_short",),
        ),
        Example(
            Text("两次刷卡相距太远", "Two stops too far apart"),
            date(2026, 3, 2),
            {"distance_m": 25_000, "duration_s": 600},
            reduction_mg=0,
            reasons=("bus_ride_too_fast",),
        ),
    ),
)

VERSIONS = (V1,)
