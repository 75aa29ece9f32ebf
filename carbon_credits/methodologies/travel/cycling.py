"""Cycling a trip in place of the city's average mode.

Follows the practice of the Wuhan programme, whose credit per kilometre already weighs the trips that no car
would have made. The rider's own effort emits nothing inside the boundary. A phone's word about a bicycle
cannot be checked against a fare or a meter, so these grams are claimed for ever and never enter the verified
pool.
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


def reduction(distance_m: Number, cycling_g_per_km: Number) -> Number:
    """Metres times grams a kilometre are milligrams."""
    return distance_m * cycling_g_per_km


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.cycling",
    number=2,
    version=1,
    title=Text("骑自行车出行", "Cycling"),
    summary=Text(
        "以自行车代替城市平均出行方式。减排量等于骑行距离乘以每公里减排量。"
        "自行车出行无法与票务或计量记录核对，其减排量始终记为申报量，不计入核证量。",
        "A trip by bicycle in place of the average urban mode. The reduction is the distance times the "
        "reduction per kilometre. No fare or meter vouches for it, so the grams stay claimed.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text("被替代出行的燃料与电力排放", "Fuel and electricity of the trip that is replaced"),
        project=Text("无：人力骑行在边界内不产生排放", "None: the rider emits nothing inside the boundary"),
        leakage=Text(
            "自行车的生产不计入出行类方法学", "Making the bicycle lies outside a methodology for trips"
        ),
    ),
    monitored=(Monitored("distance_m", Text("骑行路程", "Length of the ride"), "m", least=0, most=100_000),),
    derived=("duration_s",),
    parameters=(
        factor("cycling_g_per_km"),
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
            10_000,
            Text("最长骑行距离", "Longest ride"),
            "Longer rides are mostly sport.",
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
            "Above it a motor helps.",
        ),
    ),
    conditions=(
        Condition(
            "ride_too_short",
            Text("单次骑行不少于 {shortest_m} 米", "A ride is at least {shortest_m} m"),
            long_enough,
        ),
        Condition(
            "ride_too_long",
            Text("单次骑行不超过 {longest_m} 米", "A ride is at most {longest_m} m"),
            short_enough,
        ),
        Condition(
            "ride_too_slow",
            Text(
                "平均时速不低于 {slowest_km_per_h} 公里", "The mean speed is at least {slowest_km_per_h} km/h"
            ),
            not_slower,
        ),
        Condition(
            "ride_too_fast",
            Text(
                "平均时速不高于 {fastest_km_per_h} 公里", "The mean speed is at most {fastest_km_per_h} km/h"
            ),
            not_faster,
        ),
    ),
    formula=reduction,
    bases=("person_motion", "vehicle"),
    references=(Reference("vehicle", "vehicle", required=False),),
    needs_partner=False,
    verifiable=False,
    cap_quantity="distance_m",
    examples=(
        Example(
            Text("骑行 3.2 公里上班，用时 16 分钟", "3.2 km to work in 16 minutes"),
            date(2026, 3, 2),
            {"distance_m": 3200, "duration_s": 960},
            reduction_mg=128_000,
        ),
        Example(
            Text("恰好 500 米", "Exactly 500 m"),
            date(2026, 3, 2),
            {"distance_m": 500, "duration_s": 180},
            reduction_mg=20_000,
        ),
        Example(
            Text("恰好 10 公里且恰好时速 25 公里", "Exactly 10 km at exactly 25 km/h"),
            date(2026, 3, 2),
            {"distance_m": 10_000, "duration_s": 1440},
            reduction_mg=400_000,
        ),
        Example(
            Text("只骑了 499 米", "Only 499 m"),
            date(2026, 3, 2),
            {"distance_m": 499, "duration_s": 180},
            reduction_mg=0,
            reasons=("ride_too_short",),
        ),
        Example(
            Text("周末长途运动", "A long weekend ride"),
            date(2026, 3, 7),
            {"distance_m": 32_000, "duration_s": 6400},
            reduction_mg=0,
            reasons=("ride_too_long",),
        ),
        Example(
            Text("推车逛了三小时", "Three hours beside the bicycle"),
            date(2026, 3, 7),
            {"distance_m": 3000, "duration_s": 10_800},
            reduction_mg=0,
            reasons=("ride_too_slow",),
        ),
        Example(
            Text("伪装成自行车的汽车", "A car in disguise"),
            date(2026, 3, 2),
            {"distance_m": 30_000, "duration_s": 1200},
            reduction_mg=0,
            reasons=("ride_too_long", "ride_too_fast"),
        ),
    ),
)

VERSIONS = (V1,)
