"""A household that uses less electricity than it did, and less than others.

See `meter.py` for the baselines. A household that goes from gas to electric stoves uses more here: its saving is of
gas, and there the electricity is deducted.
"""

from datetime import date

from carbon_credits.methodologies.base import Methodology, Monitored, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.household import meter


def reduction(
    base_wh: Number, mean_wh: Number, energy_wh: Number, most_saved_share: Number, grid_kg_per_kwh: Number
) -> Number:
    """Watt-hours times kg/kWh are grams; times 1000 they are milligrams."""
    return meter.saved(base_wh, mean_wh, energy_wh, most_saved_share) * grid_kg_per_kwh * 1000


V1 = Methodology(
    code="household.electricity_saving",
    number=36,
    title=Text("家庭节电", "Saving electricity at home"),
    summary=Text(
        "计量期用电低于自身上年同期与本市户均用量中的较低者。减排量等于节约电量乘以电网因子，"
        "最多计基准的两成；空置住房不计。已按标识计入的高效电器、屋顶光伏和需求响应不可重复。",
        "Less electricity than the lower of one's own year before and the city's mean. The reduction is "
        "the energy saved times the factor of the grid, at most a fifth of the baseline; an empty "
        "dwelling does not count, nor what an efficient device, the roof or demand response was credited "
        "for.",
    ),
    monitored=(
        Monitored("base_wh", Text("自身基准用电量", "One's own baseline"), "wh", 0, 20_000_000),
        Monitored(
            "mean_wh", Text("同期本市户均用电量", "The city's mean of the period"), "wh", 0, 20_000_000
        ),
        meter.ENERGY,
        meter.PERIOD,
    ),
    parameters=(factor("grid_kg_per_kwh"), factor("most_saved_share"), *meter.OCCUPANCY),
    formula=reduction,
    examples=(
        worked(
            "基准 300 千瓦时，用了 260",
            "260 kWh where 300 were used before",
            17_676_000,
            on=date(2026, 3, 31),
            base_wh=300_000,
            mean_wh=320_000,
            energy_wh=260_000,
            period_days=31,
        ),
        worked(
            "一年前，旧电网因子",
            "A year before, under the older grid factor",
            17_612_000,
            on=date(2025, 3, 31),
            base_wh=300_000,
            mean_wh=320_000,
            energy_wh=260_000,
            period_days=31,
        ),
        worked(
            "大户型：与户均相比没有节约",
            "A large home saves nothing against the mean",
            0,
            raw_mg=-57_447_000,
            base_wh=500_000,
            mean_wh=320_000,
            energy_wh=450_000,
            period_days=31,
        ),
        worked(
            "节约一半只计两成",
            "Half saved counts as a fifth",
            26_514_000,
            base_wh=300_000,
            mean_wh=320_000,
            energy_wh=150_000,
            period_days=31,
        ),
        worked(
            "出差两个月",
            "Two months away",
            0,
            "dwelling_empty",
            base_wh=300_000,
            mean_wh=320_000,
            energy_wh=12_000,
            period_days=31,
        ),
        worked(
            "只看一周",
            "One week alone",
            0,
            "period_too_short",
            base_wh=70_000,
            mean_wh=75_000,
            energy_wh=60_000,
            period_days=7,
        ),
    ),
    **meter.SAVING,
)

VERSIONS = (V1,)
