"""Sharing a private car that was going there anyway.

Follows T/CCAA 38-2021: what the riders would have used, less the driver's detour and the platform's electricity. The
driver's own way is the same with and without, so it cancels. What is saved is shared by passenger-kilometres; the share
is floored once at intake, and each seat claims its own. The platform matched real names and took no fare above cost;
ride-hailing is none of this, nor is a ride whose saving the platform sells elsewhere.
"""

from datetime import date

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Methodology,
    Monitored,
    Reference,
    Status,
    Text,
    worked,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.travel.motion import PPM, long_enough, not_faster, short_enough


def reduction(
    distance_m: Number,
    ridden_m: Number,
    share_ppm: Number,
    replaced_mode_g_per_km: Number,
    car_g_per_km: Number,
    detour_share: Number,
    platform_wh_per_order: Number,
    grid_kg_per_kwh: Number,
) -> Number:
    """Metres times g/km are mg; Wh times kg/kWh times 1000 are mg. A long detour for a short ride is negative."""
    replaced_mg = ridden_m * replaced_mode_g_per_km
    detour_mg = distance_m * detour_share * car_g_per_km
    platform_mg = platform_wh_per_order * grid_kg_per_kwh * 1000
    return (replaced_mg - detour_mg - platform_mg) * share_ppm * PPM


def shared(count: Number, fewest_count: Number) -> Truth:
    return count >= fewest_count


def no_further_than_the_car(distance_m: Number, ridden_m: Number, count: Number) -> Truth:
    """Riders together travel at most the car's way each."""
    return ridden_m <= distance_m * (count - 1)


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.carpool",
    number=7,
    version=1,
    title=Text("合乘出行", "Sharing a car"),
    summary=Text(
        "实名撮合、分摊成本的私家车合乘。减排量等于合乘者本来方式的排放，扣除绕行与平台用电，"
        "再按人公里比例分给车上每个人。"
        "网约车、已由平台另行出售减排量的行程不计。",
        "A private car shared by people whom a platform matched by real name, at no more than cost. The "
        "reduction is what "
        "the riders would have emitted, less the detour and the platform's electricity, shared by "
        "passenger-kilometres. "
        "Ride-hailing and rides whose saving is sold elsewhere do not count.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text("合乘者本来出行方式的排放", "What the riders would have used"),
        project=Text("接送合乘者的绕行、平台用电", "The detour to fetch riders, the platform's electricity"),
        leakage=Text("无", "None"),
    ),
    monitored=(
        Monitored("distance_m", Text("车辆载有合乘者的行程", "The car's way with riders"), "m", 0, 200_000),
        Monitored("ridden_m", Text("各合乘者行程之和", "The riders' ways together"), "m", 0, 1_200_000),
        Monitored("share_ppm", Text("本人所占人公里比例", "One's own share of it"), "ppm", 0, 1_000_000),
        Monitored("count", Text("车上人数（含司机）", "People in the car, driver included"), "count", 1, 7),
    ),
    derived=("duration_s",),
    parameters=(
        factor("replaced_mode_g_per_km"),
        factor("car_g_per_km"),
        factor("detour_share"),
        factor("platform_wh_per_order"),
        factor("grid_kg_per_kwh"),
        proposal(
            "fewest_count", "count", SINCE, 2, Text("最少人数", "Fewest people"), "A driver and a rider."
        ),
        proposal("shortest_m", "m", SINCE, 1_000, Text("最短行程", "Shortest ride"), "Below it people walk."),
        proposal(
            "longest_m",
            "m",
            SINCE,
            60_000,
            Text("最长行程", "Longest ride"),
            "Across Foshan and Guangzhou; a longer ride replaces a coach or a train.",
        ),
        proposal(
            "fastest_km_per_h",
            "km/h",
            SINCE,
            120,
            Text("最高平均时速", "Fastest mean speed"),
            "The limit of motorways.",
        ),
    ),
    conditions=(
        Condition(
            "carpool_alone", Text("车上至少 {fewest_count} 人", "At least {fewest_count} people"), shared
        ),
        Condition(
            "carpool_further_than_the_car",
            Text("合乘者行程之和不应超过车辆行程乘以合乘人数", "Riders travel no further than the car"),
            no_further_than_the_car,
        ),
        Condition(
            "carpool_too_short",
            Text("合乘行程不少于 {shortest_m} 米", "A shared ride is at least {shortest_m} m"),
            long_enough,
        ),
        Condition(
            "carpool_too_long",
            Text("合乘行程不超过 {longest_m} 米", "A shared ride is at most {longest_m} m"),
            short_enough,
        ),
        Condition(
            "carpool_too_fast",
            Text("平均时速不高于 {fastest_km_per_h} 公里", "At most {fastest_km_per_h} km/h on average"),
            not_faster,
        ),
    ),
    formula=reduction,
    bases=("transaction", "person_motion"),
    # the platform's order, a stroke and the seat: each person's share once
    references=(Reference("transaction", "order_no", required=True),),
    needs_partner=True,
    verifiable=True,
    cap_quantity="distance_m",
    examples=(
        worked(
            "两人同行 10 公里，各计一半",
            "Two people, 10 km, half each",
            249_081,
            distance_m=10_000,
            ridden_m=10_000,
            share_ppm=500_000,
            count=2,
            duration_s=1500,
        ),
        worked(
            "一年前，旧电网因子",
            "A year before, under the older grid factor",
            249_097,
            on=date(2025, 3, 3),
            distance_m=10_000,
            ridden_m=10_000,
            share_ppm=500_000,
            count=2,
            duration_s=1500,
        ),
        worked(
            "绕远接一段短途：得不偿失",
            "A long detour for a short ride costs more than it saves",
            0,
            raw_mg=-49_719,
            distance_m=10_000,
            ridden_m=2_000,
            share_ppm=500_000,
            count=2,
            duration_s=1500,
        ),
        worked(
            "独自驾车",
            "Driving alone",
            0,
            "carpool_alone",
            distance_m=10_000,
            ridden_m=0,
            share_ppm=1_000_000,
            count=1,
            duration_s=1500,
        ),
        worked(
            "一名合乘者比车走得还远",
            "One rider further than the car",
            0,
            "carpool_further_than_the_car",
            distance_m=10_000,
            ridden_m=10_001,
            share_ppm=500_000,
            count=2,
            duration_s=1500,
        ),
        worked(
            "捎到路口",
            "To the next corner",
            0,
            "carpool_too_short",
            distance_m=999,
            ridden_m=999,
            share_ppm=500_000,
            count=2,
            duration_s=200,
        ),
        worked(
            "城际长途",
            "From city to city",
            0,
            "carpool_too_long",
            distance_m=150_000,
            ridden_m=150_000,
            share_ppm=500_000,
            count=2,
            duration_s=7200,
        ),
        worked(
            "时间对不上",
            "The times cannot be right",
            0,
            "carpool_too_fast",
            distance_m=50_000,
            ridden_m=50_000,
            share_ppm=500_000,
            count=2,
            duration_s=1200,
        ),
    ),
)

VERSIONS = (V1,)
