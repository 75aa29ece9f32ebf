"""Rubber and tyres handed in for recycling.

Credited as crumb or reclaim. A tyre that is retreaded or used again saves more and follows another methodology; whether
it is reclaimed or burned as fuel is the recycler's mass balance to show.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    rubber_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What clean rubber saves, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, rubber_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.rubber",
    number=17,
    title=Text("回收废橡胶", "Recycling rubber"),
    summary=Text(
        "交投的废橡胶、废轮胎制成胶粉或再生胶，替代原生橡胶。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Rubber and tyres become crumb or reclaim in place of primary rubber. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    boundary=drop_off.replacing(Text("橡胶", "rubber")),
    parameters=drop_off.parameters(
        factor("rubber_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(40_000, "Four tyres of a car."),
    ),
    formula=reduction,
    examples=(
        worked("1 千克清洁橡胶", "1 kg of clean rubber", 380_000, mass_g=1000, contamination_ppm=0),
        worked(
            "一条轮胎，杂质 10%",
            "One tyre with 10 % contamination",
            2_720_000,
            mass_g=8000,
            contamination_ppm=100_000,
        ),
        worked(
            "超过单次上限", "Above the ceiling of a drop-off", 15_200_000, mass_g=45_000, contamination_ppm=0
        ),
        worked("不足 200 克", "Less than 200 g", 0, "mass_too_small", mass_g=199, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
