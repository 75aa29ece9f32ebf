"""Scrap copper handed in for recycling.

The US figure exceeds the footprint of primary copper itself and is not used; the value is a proposal well below both.
Cable invites theft: the drop-off keeps a declaration of origin, and the ceiling is low.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    copper_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What clean copper saves, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, copper_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.copper",
    number=11,
    title=Text("回收废铜", "Recycling scrap copper"),
    summary=Text(
        "交投的废铜经熔炼再生，替代原生铜生产；须留存来源声明。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Scrap copper, its origin declared, is melted again in place of primary copper. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    boundary=drop_off.replacing(Text("铜", "copper")),
    parameters=drop_off.parameters(
        factor("copper_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(5_000, "Copper tempts thieves: a household seldom holds more."),
    ),
    formula=reduction,
    examples=(
        worked("1 千克清洁铜", "1 kg of clean copper", 2_480_000, mass_g=1000, contamination_ppm=0),
        worked(
            "1.5 千克，杂质 10%",
            "1.5 kg with 10 % contamination",
            3_345_000,
            mass_g=1500,
            contamination_ppm=100_000,
        ),
        worked(
            "超过单次上限", "Above the ceiling of a drop-off", 12_400_000, mass_g=10_000, contamination_ppm=0
        ),
        worked("不足 200 克", "Less than 200 g", 0, "mass_too_small", mass_g=199, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
