"""Glass handed in for recycling.

Glass is heavy for what it saves: more than some hundred kilometres in a small lorry would use a tenth of it up, so the
recycler lies near. The value is the lower of two sources.
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
    version=1,
    title=Text("回收废玻璃", "Recycling glass"),
    summary=Text(
        "交投的废玻璃经熔制再生，替代原生玻璃生产。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Glass is melted again in place of primary glass. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    status=Status.TRIAL,
    in_force=drop_off.SINCE,
    boundary=drop_off.replacing(Text("玻璃", "glass")),
    monitored=drop_off.MONITORED,
    parameters=(
        factor("glass_saving_kg_per_kg"),
        factor("collection_kg_per_kg"),
        drop_off.most_credited(20_000, "More than a household hands in at once."),
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
            Text("1 千克清洁玻璃", "1 kg of clean glass"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 0},
            reduction_mg=280_000,
        ),
        Example(
            Text("3 千克，杂质 10%", "3 kg with 10 % contamination"),
            date(2026, 3, 2),
            {"mass_g": 3000, "contamination_ppm": 100_000},
            reduction_mg=750_000,
        ),
        Example(
            Text("超过单次上限", "Above the ceiling of a drop-off"),
            date(2026, 3, 2),
            {"mass_g": 25_000, "contamination_ppm": 0},
            reduction_mg=5_600_000,
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
