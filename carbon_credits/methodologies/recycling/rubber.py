"""Rubber and tyres handed in for recycling.

Credited as crumb or reclaim. A tyre that is retreaded or used again saves more and follows another methodology; whether
it is reclaimed or burned as fuel is the recycler's mass balance to show.
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
    version=1,
    title=Text("回收废橡胶", "Recycling rubber"),
    summary=Text(
        "交投的废橡胶、废轮胎制成胶粉或再生胶，替代原生橡胶。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Rubber and tyres become crumb or reclaim in place of primary rubber. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    status=Status.TRIAL,
    in_force=drop_off.SINCE,
    boundary=drop_off.replacing(Text("橡胶", "rubber")),
    monitored=drop_off.MONITORED,
    parameters=(
        factor("rubber_saving_kg_per_kg"),
        factor("collection_kg_per_kg"),
        drop_off.most_credited(40_000, "Four tyres of a car."),
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
            Text("1 千克清洁橡胶", "1 kg of clean rubber"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 0},
            reduction_mg=380_000,
        ),
        Example(
            Text("一条轮胎，杂质 10%", "One tyre with 10 % contamination"),
            date(2026, 3, 2),
            {"mass_g": 8000, "contamination_ppm": 100_000},
            reduction_mg=2_720_000,
        ),
        Example(
            Text("超过单次上限", "Above the ceiling of a drop-off"),
            date(2026, 3, 2),
            {"mass_g": 45_000, "contamination_ppm": 0},
            reduction_mg=15_200_000,
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
