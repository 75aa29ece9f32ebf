"""LED lamps in place of older ones.

A lamp for a lamp of the same brightness, four hours a day. An old brochure's 68.6 kg a year for 49 W less rests on a
grid factor twice today's; with Guangdong's of 2023 it is 31.6 kg. The lamp replaced counts at no more than 60 W.
"""

from datetime import date

from carbon_credits.methodologies.base import Boundary, Methodology, Monitored, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, least
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.purchases import bill, device


def reduction(
    base_w: Number, lamp_w: Number, count: Number, most_base_w: Number, lit_h: Number, grid_kg_per_kwh: Number
) -> Number:
    """Watts times hours are Wh; times kg/kWh grams, times 1000 milligrams."""
    return (least(base_w, most_base_w) - lamp_w) * lit_h * count * grid_kg_per_kwh * 1000


V1 = Methodology(
    code="purchases.led",
    number=26,
    title=Text("更换 LED 灯", "LED lamps"),
    summary=Text(
        "以同等亮度的 LED 灯更换旧灯。使用每满一年，按瓦数之差、每年点亮时数、盏数与电网因子计算，"
        "最多计五年。购买当时不计；与家庭节电不可重复。",
        "LED lamps in place of older ones of the same brightness. After each year in use the watts saved "
        "count, times the hours lit in a year and the factor of the grid, for five years at most. Buying "
        "them earns nothing, and what is saved is not a household's saving as well.",
    ),
    boundary=Boundary(
        Text("被更换的灯每年用电", "A year's electricity of the lamp replaced"),
        Text("LED 灯每年用电", "A year's electricity of the LED lamp"),
        Text("无；制造不计", "None; making a lamp is not counted"),
    ),
    monitored=(
        Monitored("base_w", Text("旧灯功率", "Power of the lamp replaced"), "w", 1, 500),
        Monitored("lamp_w", Text("LED 灯功率", "Power of the LED lamp"), "w", 1, 500),
        Monitored("count", Text("盏数", "Lamps"), "count", 1, 20),
        device.AGE,
    ),
    parameters=(
        factor("lit_h"),
        factor("grid_kg_per_kwh"),
        proposal(
            "most_base_w",
            "w",
            bill.SINCE,
            60,
            Text("旧灯可计的最大功率", "Most that the lamp replaced counts"),
            "The common bulb; a stronger one is not a room's.",
        ),
        *device.YEARS,
    ),
    conditions=(device.USED_FOR_A_YEAR, device.WITHIN_FIVE_YEARS),
    formula=reduction,
    cap_quantity="count",
    examples=(
        worked(
            "11 瓦换 60 瓦，一盏",
            "11 W in place of 60 W, one lamp",
            31_613_526,
            base_w=60,
            lamp_w=11,
            count=1,
            age_days=365,
        ),
        worked(
            "一年前，旧电网因子",
            "A year before, under the older grid factor",
            31_499_062,
            on=date(2025, 12, 31),
            base_w=60,
            lamp_w=11,
            count=1,
            age_days=365,
        ),
        worked(
            "100 瓦只按 60 瓦计",
            "100 W count as 60 W",
            63_227_052,
            base_w=100,
            lamp_w=11,
            count=2,
            age_days=730,
        ),
        worked(
            "新灯更费电", "A stronger lamp", 0, raw_mg=-3_225_870, base_w=10, lamp_w=15, count=1, age_days=365
        ),
        worked("刚装上", "Just put in", 0, "year_not_over", base_w=60, lamp_w=11, count=1, age_days=30),
        worked(
            "第六年", "The sixth year", 0, "past_five_years", base_w=60, lamp_w=11, count=1, age_days=2190
        ),
    ),
    **device.YEARLY,
)

VERSIONS = (V1,)
