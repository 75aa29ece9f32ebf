"""Riding the metro in place of the city's average mode.

Follows the Shenzhen methodology for low-carbon public transport (trial, 2021): the city's mean road trip is
the baseline, and the published figure is the difference to the metro, per passenger-kilometre. The distance
is the shortest route between the stations of the two taps, never the fare distance; a phone alone proves no
ride.
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
from carbon_credits.methodologies.travel.motion import long_enough, not_faster, not_slower


def reduction(distance_m: Number, metro_g_per_km: Number, most_credited_m: Number) -> Number:
    """Metres times grams a kilometre are milligrams; beyond the longest credited ride nothing is added."""
    return least(distance_m, most_credited_m) * metro_g_per_km


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.metro",
    number=6,
    version=1,
    title=Text("乘坐地铁", "Riding the metro"),
    summary=Text(
        "以地铁代替城市平均道路出行。减排量等于进出站之间的最短线路距离乘以每人公里减排量，"
        "超过单次上限的路程不计。须有地铁运营方的记录证实。",
        "A metro ride in place of the average trip by road. The reduction is the shortest route between the "
        "two taps times the reduction per passenger-kilometre, up to a ceiling a ride. The operator's record "
        "confirms it.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text(
            "城市道路出行的平均人公里排放", "Mean emissions of a passenger-kilometre by road in the city"
        ),
        project=Text(
            "地铁牵引与车站用电，已在每人公里减排量中扣除",
            "Electricity of trains and stations, already deducted",
        ),
        leakage=Text(
            "忽略；接驳段按各自方式计算", "Neglected; legs to and from the station count by their own mode"
        ),
    ),
    monitored=(
        Monitored(
            "distance_m",
            Text("进出站之间的最短线路距离", "Shortest route between the stations"),
            "m",
            least=0,
            most=200_000,
        ),
    ),
    derived=("duration_s",),
    parameters=(
        factor("metro_g_per_km"),
        proposal(
            "most_credited_m",
            "m",
            SINCE,
            60_000,
            Text("单次可计的最长距离", "Longest credited journey"),
            "About the length of the longest line through the two cities.",
        ),
        proposal(
            "shortest_m",
            "m",
            SINCE,
            300,
            Text("最短乘车距离", "Shortest journey"),
            "No two neighbouring stations lie closer.",
        ),
        proposal(
            "slowest_km_per_h",
            "km/h",
            SINCE,
            3,
            Text("进站到出站的最低平均时速", "Slowest mean speed from tap to tap"),
            "Slower is a stay inside the gates, not a ride.",
        ),
        proposal(
            "fastest_km_per_h",
            "km/h",
            SINCE,
            100,
            Text("进站到出站的最高平均时速", "Fastest mean speed from tap to tap"),
            "The region's express lines average less; faster, the two taps are not one ride.",
        ),
    ),
    conditions=(
        Condition(
            "journey_too_short",
            Text("乘车距离不少于 {shortest_m} 米", "A journey is at least {shortest_m} m"),
            long_enough,
        ),
        Condition(
            "journey_too_slow",
            Text(
                "进出站平均时速不低于 {slowest_km_per_h} 公里",
                "From tap to tap at least {slowest_km_per_h} km/h",
            ),
            not_slower,
        ),
        Condition(
            "journey_too_fast",
            Text(
                "进出站平均时速不高于 {fastest_km_per_h} 公里",
                "From tap to tap at most {fastest_km_per_h} km/h",
            ),
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
            Text("乘坐 10 公里，25 分钟", "10 km in 25 minutes"),
            date(2026, 3, 2),
            {"distance_m": 10_000, "duration_s": 1500},
            reduction_mg=467_000,
        ),
        Example(
            Text("80 公里只计 60 公里", "80 km count as 60 km"),
            date(2026, 3, 2),
            {"distance_m": 80_000, "duration_s": 5400},
            reduction_mg=2_802_000,
        ),
        Example(
            Text("毫克以下舍去", "Fractions of a milligram are dropped"),
            date(2026, 3, 2),
            {"distance_m": 1001, "duration_s": 300},
            reduction_mg=46_746,
        ),
        Example(
            Text("同站进出", "In and out at one station"),
            date(2026, 3, 2),
            {"distance_m": 0, "duration_s": 45},
            reduction_mg=0,
            reasons=("journey_too_short", "journey_too_slow"),
        ),
        Example(
            Text("在站内停留三小时", "Three hours inside the gates"),
            date(2026, 3, 2),
            {"distance_m": 5000, "duration_s": 10_800},
            reduction_mg=0,
            reasons=("journey_too_slow",),
        ),
        Example(
            Text("两次刷卡相距太远又太近", "Two taps too far apart in space, too close in time"),
            date(2026, 3, 2),
            {"distance_m": 30_000, "duration_s": 600},
            reduction_mg=0,
            reasons=("journey_too_fast",),
        ),
    ),
)

VERSIONS = (V1,)
