"""Walking a trip of daily life.

A trip on foot with a beginning and an end somewhere: no laps, no treadmill, no dog. Walking never replaces a trip in the
baselines of the UN's methodologies, which hold motorised services alone; the value is borrowed from cycling, which
already weighs the trips no car would have made, and is a proposal. Steps alone prove no trip, and no partner vouches for
one: these grams are claimed for ever.
"""

from datetime import date

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Example,
    Methodology,
    Monitored,
    Status,
    Text,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.travel.motion import long_enough, not_faster, not_slower, short_enough


def reduction(distance_m: Number, walking_g_per_km: Number) -> Number:
    """Metres times grams a kilometre are milligrams."""
    return distance_m * walking_g_per_km


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.walking",
    number=1,
    version=1,
    title=Text("步行出行", "Walking"),
    summary=Text(
        "有明确起讫点的日常步行出行。减排量等于步行距离乘以每公里减排量。"
        "步行无法与票务或计量记录核对，其减排量始终记为申报量，不计入核证量。",
        "A trip on foot from one place to another. The reduction is the distance times the reduction per "
        "kilometre. No fare or meter vouches for it, so the grams stay claimed.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text("被替代出行的燃料与电力排放", "Fuel and electricity of the trip that is replaced"),
        project=Text("无：步行在边界内不产生排放", "None: the walker emits nothing inside the boundary"),
        leakage=Text("无", "None"),
    ),
    monitored=(Monitored("distance_m", Text("步行路程", "Length of the walk"), "m", least=0, most=100_000),),
    derived=("duration_s",),
    parameters=(
        factor("walking_g_per_km"),
        proposal(
            "shortest_m",
            "m",
            SINCE,
            800,
            Text("最短步行距离", "Shortest walk"),
            "Below this nobody would drive.",
        ),
        proposal(
            "longest_m",
            "m",
            SINCE,
            4_000,
            Text("最长步行距离", "Longest walk"),
            "Longer walks are mostly leisure.",
        ),
        proposal(
            "slowest_km_per_h",
            "km/h",
            SINCE,
            2,
            Text("最低平均时速", "Slowest mean speed"),
            "Below it one strolls or waits.",
        ),
        proposal(
            "fastest_km_per_h",
            "km/h",
            SINCE,
            8,
            Text("最高平均时速", "Fastest mean speed"),
            "Above it one runs or rides.",
        ),
    ),
    conditions=(
        Condition(
            "walk_too_short",
            Text("单次步行不少于 {shortest_m} 米", "A walk is at least {shortest_m} m"),
            long_enough,
        ),
        Condition(
            "walk_too_long",
            Text("单次步行不超过 {longest_m} 米", "A walk is at most {longest_m} m"),
            short_enough,
        ),
        Condition(
            "walk_too_slow",
            Text("步行平均时速不低于 {slowest_km_per_h} 公里", "On foot at least {slowest_km_per_h} km/h"),
            not_slower,
        ),
        Condition(
            "walk_too_fast",
            Text("步行平均时速不高于 {fastest_km_per_h} 公里", "On foot at most {fastest_km_per_h} km/h"),
            not_faster,
        ),
    ),
    formula=reduction,
    bases=("person_motion",),
    needs_partner=False,
    verifiable=False,
    cap_quantity="distance_m",
    examples=(
        Example(
            Text("步行 1.2 公里买菜，用时 15 分钟", "1.2 km to the market in 15 minutes"),
            date(2026, 3, 2),
            {"distance_m": 1200, "duration_s": 900},
            reduction_mg=48_000,
        ),
        Example(
            Text("恰好 4 公里且恰好时速 8 公里", "Exactly 4 km at exactly 8 km/h"),
            date(2026, 3, 2),
            {"distance_m": 4000, "duration_s": 1800},
            reduction_mg=160_000,
        ),
        Example(
            Text("下楼取快递", "Down to fetch a parcel"),
            date(2026, 3, 2),
            {"distance_m": 799, "duration_s": 600},
            reduction_mg=0,
            reasons=("walk_too_short",),
        ),
        Example(
            Text("周末徒步", "A hike at the weekend"),
            date(2026, 3, 7),
            {"distance_m": 9000, "duration_s": 7200},
            reduction_mg=0,
            reasons=("walk_too_long",),
        ),
        Example(
            Text("逛街一下午", "An afternoon in the shops"),
            date(2026, 3, 7),
            {"distance_m": 2000, "duration_s": 10_800},
            reduction_mg=0,
            reasons=("walk_too_slow",),
        ),
        Example(
            Text("跑步", "A run"),
            date(2026, 3, 7),
            {"distance_m": 3000, "duration_s": 900},
            reduction_mg=0,
            reasons=("walk_too_fast",),
        ),
    ),
)

VERSIONS = (V1,)
