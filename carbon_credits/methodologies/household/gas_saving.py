"""A household that burns less natural gas than it did, and less than others.

See `meter.py` for the baselines. Who cooks with electricity instead has moved the emission, not avoided it: electricity
above its own baseline in the same period is deducted, at the factor of the grid.
"""

from datetime import date

from carbon_credits.methodologies.base import Methodology, Monitored, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.household import meter


def reduction(
    base_l: Number,
    mean_l: Number,
    volume_l: Number,
    added_wh: Number,
    most_saved_share: Number,
    natural_gas_kg_per_m3: Number,
    grid_kg_per_kwh: Number,
) -> Number:
    """Litres times kg/m³ are grams, Wh times kg/kWh too; times 1000 they are milligrams."""
    gas_g = meter.saved(base_l, mean_l, volume_l, most_saved_share) * natural_gas_kg_per_m3
    return (gas_g - added_wh * grid_kg_per_kwh) * 1000


V1 = Methodology(
    code="household.gas_saving",
    number=37,
    title=Text("家庭节气", "Saving gas at home"),
    summary=Text(
        "计量期用气低于自身上年同期与本市户均用量中的较低者。减排量等于节约气量乘以天然气因子，"
        "扣除同期多用的电，最多计基准的两成；空置住房不计。",
        "Less gas than the lower of one's own year before and the city's mean. The reduction is the gas "
        "saved times the factor of natural gas, less electricity used instead, at most a fifth of the "
        "baseline; an empty dwelling does not count.",
    ),
    monitored=(
        Monitored("base_l", Text("自身基准用气量", "One's own baseline"), "l", 0, 2_000_000),
        Monitored("mean_l", Text("同期本市户均用气量", "The city's mean of the period"), "l", 0, 2_000_000),
        Monitored("volume_l", Text("计量期内用气量", "Gas used in the period"), "l", 0, 2_000_000),
        Monitored(
            "added_wh", Text("同期多用的电", "Electricity used above its baseline"), "wh", 0, 20_000_000
        ),
        meter.ENERGY,
        meter.PERIOD,
    ),
    parameters=(
        factor("natural_gas_kg_per_m3"),
        factor("grid_kg_per_kwh"),
        factor("most_saved_share"),
        *meter.OCCUPANCY,
    ),
    formula=reduction,
    examples=(
        worked(
            "节约 10 立方米",
            "10 m³ saved",
            21_600_000,
            on=date(2026, 3, 31),
            base_l=60_000,
            mean_l=60_000,
            volume_l=50_000,
            added_wh=0,
            energy_wh=260_000,
            period_days=60,
        ),
        worked(
            "其中一部分改用电磁炉",
            "Partly an induction stove instead",
            12_762_000,
            on=date(2026, 3, 31),
            base_l=60_000,
            mean_l=60_000,
            volume_l=50_000,
            added_wh=20_000,
            energy_wh=280_000,
            period_days=60,
        ),
        worked(
            "同样的改用，旧电网因子",
            "The same under the older grid factor",
            12_794_000,
            on=date(2025, 3, 31),
            base_l=60_000,
            mean_l=60_000,
            volume_l=50_000,
            added_wh=20_000,
            energy_wh=280_000,
            period_days=60,
        ),
        worked(
            "全部改用电：搬走的排放不是减排",
            "All of it by electricity: moved, not avoided",
            0,
            raw_mg=-18_270_000,
            base_l=60_000,
            mean_l=60_000,
            volume_l=0,
            added_wh=100_000,
            energy_wh=360_000,
            period_days=60,
        ),
        worked(
            "空置",
            "Nobody at home",
            0,
            "dwelling_empty",
            base_l=60_000,
            mean_l=60_000,
            volume_l=0,
            added_wh=0,
            energy_wh=5_000,
            period_days=60,
        ),
        worked(
            "只看一周",
            "One week alone",
            0,
            "period_too_short",
            base_l=7_000,
            mean_l=7_000,
            volume_l=6_000,
            added_wh=0,
            energy_wh=60_000,
            period_days=7,
        ),
    ),
    **meter.SAVING,
)

VERSIONS = (V1,)
