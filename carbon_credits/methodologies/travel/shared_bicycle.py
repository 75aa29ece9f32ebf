"""Riding a shared bicycle in place of the city's average mode, as the operator's own record tells it.

Follows the trial methodologies of Guangzhou (2023) and Shenzhen (2022) for internet-rental bicycles: only rides of
residents who authorise the operator to report them count, and each ride once. The record names the vehicle and the times,
so these grams can be verified; a phone's word alone waits for it. Vans that move bicycles about are a small share of the
saving and are covered by the low factor.
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
from carbon_credits.methodologies.formula import Number, Truth
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.travel.motion import long_enough, not_faster, not_slower, short_enough


def reduction(distance_m: Number, cycling_g_per_km: Number) -> Number:
    """Metres times grams a kilometre are milligrams."""
    return distance_m * cycling_g_per_km


def rented_long_enough(duration_s: Number, shortest_rental_s: Number) -> Truth:
    """A rental of seconds is a bicycle that was tried and put back."""
    return duration_s >= shortest_rental_s


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.shared_bicycle",
    number=3,
    version=1,
    title=Text("骑共享单车出行", "Riding a shared bicycle"),
    summary=Text(
        "以共享单车代替城市平均出行方式。减排量等于骑行距离乘以每公里减排量，须由运营企业的骑行记录证实。"
        "运营记录没有路程时，按起讫站点间的大圆距离计，只少不多。",
        "A shared bicycle in place of the average urban mode. The reduction is the distance times the reduction "
        "per kilometre, confirmed by the operator's record. Where that has no distance, the great circle between "
        "the stations stands in, which is never too long.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text("被替代出行的燃料与电力排放", "Fuel and electricity of the trip that is replaced"),
        project=Text(
            "车辆调度与平台用电，占比很小，由偏低的因子覆盖",
            "Moving bicycles about: small, covered by a low factor",
        ),
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
        proposal(
            "shortest_rental_s",
            "s",
            SINCE,
            180,
            Text("最短租用时间", "Shortest rental"),
            "Rentals under three minutes are mostly bicycles that were tried and put back.",
        ),
    ),
    conditions=(
        Condition(
            "shared_rental_too_brief",
            Text("租用不少于 {shortest_rental_s} 秒", "A rental lasts at least {shortest_rental_s} s"),
            rented_long_enough,
        ),
        Condition(
            "shared_ride_too_short",
            Text("单次骑行不少于 {shortest_m} 米", "A ride is at least {shortest_m} m"),
            long_enough,
        ),
        Condition(
            "shared_ride_too_long",
            Text("单次骑行不超过 {longest_m} 米", "A ride is at most {longest_m} m"),
            short_enough,
        ),
        Condition(
            "shared_ride_too_slow",
            Text(
                "平均时速不低于 {slowest_km_per_h} 公里", "The mean speed is at least {slowest_km_per_h} km/h"
            ),
            not_slower,
        ),
        Condition(
            "shared_ride_too_fast",
            Text(
                "平均时速不高于 {fastest_km_per_h} 公里", "The mean speed is at most {fastest_km_per_h} km/h"
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
            Text("骑行 3.2 公里，用时 16 分钟", "3.2 km in 16 minutes"),
            date(2026, 3, 2),
            {"distance_m": 3200, "duration_s": 960},
            reduction_mg=128_000,
        ),
        Example(
            Text("扫码后发现车坏，两分钟还车", "A broken bicycle put back after two minutes"),
            date(2026, 3, 2),
            {"distance_m": 0, "duration_s": 120},
            reduction_mg=0,
            reasons=("shared_rental_too_brief", "shared_ride_too_short", "shared_ride_too_slow"),
        ),
        Example(
            Text("锁忘了关，过夜还车", "A lock forgotten for hours"),
            date(2026, 3, 2),
            {"distance_m": 2000, "duration_s": 21_600},
            reduction_mg=0,
            reasons=("shared_ride_too_slow",),
        ),
        Example(
            Text("装上汽车运走", "Carried off in a van"),
            date(2026, 3, 2),
            {"distance_m": 18_000, "duration_s": 1500},
            reduction_mg=0,
            reasons=("shared_ride_too_long", "shared_ride_too_fast"),
        ),
    ),
)

VERSIONS = (V1,)
