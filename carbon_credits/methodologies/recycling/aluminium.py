"""Scrap aluminium handed in for recycling.

Aluminium carries most of what recycling metals saves. The value is the lowest of three sources, that of ingot; Chinese
primary metal, smelted with coal, would give more than twice as much.
"""

from datetime import date

from carbon_credits.methodologies.base import Example, Methodology, Status, Text
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    aluminium_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What clean aluminium saves, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, aluminium_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.aluminium",
    number=12,
    version=1,
    title=Text("回收废铝", "Recycling scrap aluminium"),
    summary=Text(
        "交投的废铝经熔炼再生，替代原生铝生产。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Scrap aluminium is melted again in place of primary aluminium. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    status=Status.TRIAL,
    in_force=drop_off.SINCE,
    boundary=drop_off.replacing(Text("铝", "aluminium")),
    monitored=drop_off.MONITORED,
    parameters=(
        factor("aluminium_saving_kg_per_kg"),
        factor("collection_kg_per_kg"),
        drop_off.most_credited(5_000, "Some three hundred cans."),
        drop_off.LIGHTEST,
    ),
    conditions=(drop_off.HEAVY_ENOUGH,),
    formula=reduction,
    bases=("transaction",),
    references=(drop_off.ORDER,),
    needs_partner=True,
    verifiable=True,
    cap_quantity="mass_g",
    examples=(
        Example(
            Text("1 千克清洁铝", "1 kg of clean aluminium"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 0},
            reduction_mg=7_880_000,
        ),
        Example(
            Text("50 个易拉罐，杂质 10%", "Fifty cans with 10 % contamination"),
            date(2026, 3, 2),
            {"mass_g": 750, "contamination_ppm": 100_000},
            reduction_mg=5_317_500,
        ),
        Example(
            Text("超过单次上限", "Above the ceiling of a drop-off"),
            date(2026, 3, 2),
            {"mass_g": 10_000, "contamination_ppm": 0},
            reduction_mg=39_400_000,
        ),
        Example(
            Text("不足 200 克", "Less than 200 g"),
            date(2026, 3, 2),
            {"mass_g": 199, "contamination_ppm": 0},
            reduction_mg=0,
            reasons=("mass_too_small",),
        ),
    ),
)

VERSIONS = (V1,)
