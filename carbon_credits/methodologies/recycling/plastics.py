"""Plastics handed in for recycling.

Bottles and boxes at the value of HDPE, the lowest of the common kinds, since a scale cannot tell them apart. PVC and
dirty film are refused at the drop-off. That plastic is not burned is a benefit left unclaimed.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    plastics_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What clean plastics saves, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, plastics_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.plastics",
    number=16,
    title=Text("回收废塑料", "Recycling plastics"),
    summary=Text(
        "交投的塑料瓶、塑料盒等经造粒再生，替代原生塑料生产；不含聚氯乙烯与脏膜。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Plastics other than PVC and dirty film are recycled in place of primary plastic. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    boundary=drop_off.replacing(Text("塑料", "plastics")),
    parameters=drop_off.parameters(
        factor("plastics_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(30_000, "More than a household hands in at once."),
    ),
    formula=reduction,
    examples=(
        worked("1 千克清洁塑料", "1 kg of clean plastics", 810_000, mass_g=1000, contamination_ppm=0),
        worked(
            "0.8 千克，杂质 10%",
            "0.8 kg with 10 % contamination",
            581_600,
            mass_g=800,
            contamination_ppm=100_000,
        ),
        worked(
            "超过单次上限", "Above the ceiling of a drop-off", 24_300_000, mass_g=35_000, contamination_ppm=0
        ),
        worked("不足 200 克", "Less than 200 g", 0, "mass_too_small", mass_g=199, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
