"""A household that uses less tap water than it did, and less than others.

See `meter.py` for the baselines. Only the supply counts; treating the sewage and heating the water are left
unclaimed. That somebody lives there is told by the electricity of the same period.
"""

from datetime import date

from carbon_credits.methodologies.base import Methodology, Monitored, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.household import meter


def reduction(
    base_l: Number, mean_l: Number, volume_l: Number, most_saved_share: Number, water_kg_per_t: Number
) -> Number:
    """A litre is a kilogram: litres times kg/t are grams; times 1000 they are milligrams."""
    return meter.saved(base_l, mean_l, volume_l, most_saved_share) * water_kg_per_t * 1000


V1 = Methodology(
    code="household.water_saving",
    number=38,
    title=Text("家庭节水", "Saving water at home"),
    summary=Text(
        "计量期用水低于自身上年同期与本市户均用量中的较低者。减排量等于节约水量乘以供水因子，"
        "最多计基准的两成；污水处理与热水能耗不计；空置住房不计。",
        "Less water than the lower of one's own year before and the city's mean. The reduction is the "
        "water saved times the factor of supplying it, at most a fifth of the baseline; sewage and "
        "heating are not counted, nor is an empty dwelling.",
    ),
    monitored=(
        Monitored("base_l", Text("自身基准用水量", "One's own baseline"), "l", 0, 2_000_000),
        Monitored("mean_l", Text("同期本市户均用水量", "The city's mean of the period"), "l", 0, 2_000_000),
        Monitored("volume_l", Text("计量期内用水量", "Water used in the period"), "l", 0, 2_000_000),
        meter.ENERGY,
        meter.PERIOD,
    ),
    parameters=(factor("water_kg_per_t"), factor("most_saved_share"), *meter.OCCUPANCY),
    formula=reduction,
    examples=(
        worked(
            "两个月节约 4 吨",
            "4 t saved in two months",
            672_000,
            on=date(2026, 3, 31),
            base_l=30_000,
            mean_l=32_000,
            volume_l=26_000,
            energy_wh=500_000,
            period_days=60,
        ),
        worked(
            "节约一半只计两成",
            "Half saved counts as a fifth",
            1_008_000,
            base_l=30_000,
            mean_l=32_000,
            volume_l=15_000,
            energy_wh=500_000,
            period_days=60,
        ),
        worked(
            "比上年多用",
            "More than the year before",
            0,
            raw_mg=-336_000,
            base_l=30_000,
            mean_l=32_000,
            volume_l=32_000,
            energy_wh=500_000,
            period_days=60,
        ),
        worked(
            "空置",
            "Nobody at home",
            0,
            "dwelling_empty",
            base_l=30_000,
            mean_l=32_000,
            volume_l=200,
            energy_wh=5_000,
            period_days=60,
        ),
        worked(
            "只看一周",
            "One week alone",
            0,
            "period_too_short",
            base_l=3_500,
            mean_l=3_600,
            volume_l=3_000,
            energy_wh=60_000,
            period_days=7,
        ),
    ),
    **meter.SAVING,
)

VERSIONS = (V1,)
