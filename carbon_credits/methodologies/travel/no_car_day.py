"""A day on which a private car stays where it is.

The odometer, read at both ends of a month or more, says how far the car goes on a usual day; a second car that hardly
moves saves hardly anything. Its owner still travels: what was credited that day as a trip counts there and is taken off
here, and the rest is deemed to go by bus. Days on which the plate may not drive anyway are excluded when the partner
registers the car, and so are operating vehicles. A figure of 8.17 kg a day is often quoted; it deducts nothing.
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
from carbon_credits.methodologies.formula import Number, Truth, least
from carbon_credits.methodologies.proposals import proposal


def reduction(
    distance_m: Number,
    credited_elsewhere_m: Number,
    car_g_per_km: Number,
    replacement_g_per_km: Number,
    most_credited_kg_per_day: Number,
) -> Number:
    """Metres times g/km are milligrams; the ceiling is turned into milligrams first."""
    avoided_mg = (distance_m - credited_elsewhere_m) * (car_g_per_km - replacement_g_per_km)
    return least(avoided_mg, most_credited_kg_per_day * 1_000_000)


def parked_all_day(parked_s: Number, fewest_s: Number) -> Truth:
    return parked_s >= fewest_s


def read_far_enough_apart(odometer_days: Number, fewest_days: Number) -> Truth:
    return odometer_days >= fewest_days


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.no_car_day",
    number=8,
    version=1,
    title=Text("停驶一天", "A day without the car"),
    summary=Text(
        "私家燃油车整日停驶。减排量等于里程表所示日均行程，扣除当日已另行计入的出行，"
        "乘以小客车与替代出行的排放之差，"
        "并设每日上限。尾号限行日、营运车辆不计。",
        "A private petrol car parked all day. The reduction is the usual day's way by the odometer, less "
        "what was credited "
        "as trips that day, times what a car emits above what replaces it, up to a ceiling a day. Days "
        "on which the plate "
        "may not drive and operating vehicles do not count.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text("车辆日均行驶的燃料排放", "Fuel of the car's usual day"),
        project=Text("替代出行按公交计", "Trips instead, deemed to go by bus"),
        leakage=Text("无", "None"),
    ),
    monitored=(
        Monitored("distance_m", Text("里程表所示日均行程", "Usual day's way, by odometer"), "m", 0, 500_000),
        Monitored(
            "credited_elsewhere_m",
            Text("车主当日已另行计入的行程", "What its owner was credited for that day as trips"),
            "m",
            0,
            500_000,
        ),
        Monitored("parked_s", Text("当日静止秒数", "Seconds without movement that day"), "s", 0, 86_400),
        Monitored(
            "odometer_days", Text("两次里程表读数相隔天数", "Days between the readings"), "days", 1, 1_000
        ),
    ),
    parameters=(
        factor("car_g_per_km"),
        factor("replacement_g_per_km"),
        proposal(
            "most_credited_kg_per_day",
            "kg/day",
            SINCE,
            5,
            Text("每日可计上限（千克）", "Most credited for one day (kg)"),
            "Well below the 8.17 kg often quoted, which is gross.",
        ),
        proposal(
            "fewest_s",
            "s",
            SINCE,
            86_400,
            Text("一整天的秒数", "Seconds of a whole day"),
            "A full calendar day.",
        ),
        proposal(
            "fewest_days",
            "days",
            SINCE,
            28,
            Text("两次读数最少相隔天数", "Fewest days between two readings"),
            "A month shows how a car is used; a week may be a holiday.",
        ),
    ),
    conditions=(
        Condition(
            "moved_that_day",
            Text("车辆须整日（{fewest_s} 秒）未移动", "The car stands still all day ({fewest_s} s)"),
            parked_all_day,
        ),
        Condition(
            "odometer_too_close",
            Text("两次读数至少相隔 {fewest_days} 天", "Readings lie at least {fewest_days} days apart"),
            read_far_enough_apart,
        ),
    ),
    formula=reduction,
    bases=("vehicle",),
    references=(Reference("vehicle", "vehicle", required=True),),
    needs_partner=True,
    verifiable=True,
    examples=(
        worked(
            "日均 25 公里的车停驶一天",
            "A car that goes 25 km a day",
            4_748_750,
            distance_m=25_000,
            credited_elsewhere_m=0,
            parked_s=86_400,
            odometer_days=31,
        ),
        worked(
            "其中 10 公里改乘地铁，已在地铁中计入",
            "Ten of them by metro, which counts there",
            2_849_250,
            distance_m=25_000,
            credited_elsewhere_m=10_000,
            parked_s=86_400,
            odometer_days=31,
        ),
        worked(
            "日均 60 公里止于上限",
            "60 km a day meet the ceiling",
            5_000_000,
            distance_m=60_000,
            credited_elsewhere_m=0,
            parked_s=86_400,
            odometer_days=31,
        ),
        worked(
            "当日另行计入的比平常开车还远",
            "More credited elsewhere than the car usually goes",
            0,
            raw_mg=-949_750,
            distance_m=5_000,
            credited_elsewhere_m=10_000,
            parked_s=86_400,
            odometer_days=31,
        ),
        worked(
            "傍晚还是开了出去",
            "Out in the evening after all",
            0,
            "moved_that_day",
            distance_m=25_000,
            credited_elsewhere_m=0,
            parked_s=82_800,
            odometer_days=31,
        ),
        worked(
            "里程表一周内读了两次",
            "Both readings within a week",
            0,
            "odometer_too_close",
            distance_m=25_000,
            credited_elsewhere_m=0,
            parked_s=86_400,
            odometer_days=7,
        ),
    ),
)

VERSIONS = (V1,)
