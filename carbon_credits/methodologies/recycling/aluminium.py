"""Scrap aluminium handed in for recycling.

Aluminium carries most of what recycling metals saves. The value is the lowest of three sources, that of ingot; Chinese
primary metal, smelted with coal, would give more than twice as much.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
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
    title=Text("回收废铝", "Recycling scrap aluminium"),
    summary=Text(
        "交投的废铝经熔炼再生，替代原生铝生产。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Scrap aluminium is melted again in place of primary aluminium. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    boundary=drop_off.replacing(Text("铝", "aluminium")),
    parameters=drop_off.parameters(
        factor("aluminium_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(5_000, "Some three hundred cans."),
    ),
    formula=reduction,
    examples=(
        worked("1 千克清洁铝", "1 kg of clean aluminium", 7_880_000, mass_g=1000, contamination_ppm=0),
        worked(
            "50 个易拉罐，杂质 10%",
            "Fifty cans with 10 % contamination",
            5_317_500,
            mass_g=750,
            contamination_ppm=100_000,
        ),
        worked(
            "超过单次上限", "Above the ceiling of a drop-off", 39_400_000, mass_g=10_000, contamination_ppm=0
        ),
        worked("不足 200 克", "Less than 200 g", 0, "mass_too_small", mass_g=199, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
