"""Scrap steel handed in for recycling.

Weighed at a drop-off whose buyer is licensed. The saving is that of steel cans, the lowest of the sources. Steel that
would have gone to an incinerator is partly recovered from its ash: who files this methodology must settle how much, and
until then it is a trial. Industrial scrap is no household's.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    steel_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What clean steel saves, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, steel_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.steel",
    number=10,
    title=Text("回收废钢铁", "Recycling scrap steel"),
    summary=Text(
        "交投的废钢铁经熔炼再生，替代原生钢材生产。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Scrap steel is melted again in place of primary steel. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    boundary=drop_off.replacing(Text("钢材", "steel")),
    parameters=drop_off.parameters(
        factor("steel_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(20_000, "More than a household hands in at once."),
    ),
    formula=reduction,
    examples=(
        worked("1 千克清洁钢材", "1 kg of clean steel", 1_020_000, mass_g=1000, contamination_ppm=0),
        worked(
            "2.5 千克，杂质 10%",
            "2.5 kg with 10 % contamination",
            2_290_000,
            mass_g=2500,
            contamination_ppm=100_000,
        ),
        worked(
            "超过单次上限", "Above the ceiling of a drop-off", 20_400_000, mass_g=25_000, contamination_ppm=0
        ),
        worked("不足 200 克", "Less than 200 g", 0, "mass_too_small", mass_g=199, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
