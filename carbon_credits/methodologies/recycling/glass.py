"""Glass handed in for recycling.

Glass is heavy for what it saves: more than some hundred kilometres in a small lorry would use a tenth of it up, so the
recycler lies near. The value is the lower of two sources.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    glass_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What clean glass saves, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, glass_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.glass",
    number=18,
    title=Text("回收废玻璃", "Recycling glass"),
    summary=Text(
        "交投的废玻璃经熔制再生，替代原生玻璃生产。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Glass is melted again in place of primary glass. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    boundary=drop_off.replacing(Text("玻璃", "glass")),
    parameters=drop_off.parameters(
        factor("glass_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(20_000, "More than a household hands in at once."),
    ),
    formula=reduction,
    examples=(
        worked("1 千克清洁玻璃", "1 kg of clean glass", 280_000, mass_g=1000, contamination_ppm=0),
        worked(
            "3 千克，杂质 10%",
            "3 kg with 10 % contamination",
            750_000,
            mass_g=3000,
            contamination_ppm=100_000,
        ),
        worked(
            "超过单次上限", "Above the ceiling of a drop-off", 5_600_000, mass_g=25_000, contamination_ppm=0
        ),
        worked("不足 200 克", "Less than 200 g", 0, "mass_too_small", mass_g=199, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
