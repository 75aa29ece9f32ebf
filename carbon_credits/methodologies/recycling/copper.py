"""Scrap copper handed in for recycling.

The US figure exceeds the footprint of primary copper itself and is not used; the value is a proposal well below both.
Cable invites theft: the drop-off keeps a declaration of origin, and the ceiling is low.
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
    version=1,
    title=Text("回收废铜", "Recycling scrap copper"),
    summary=Text(
        "交投的废铜经熔炼再生，替代原生铜生产；须留存来源声明。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Scrap copper, its origin declared, is melted again in place of primary copper. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    status=Status.TRIAL,
    in_force=drop_off.SINCE,
    boundary=drop_off.replacing(Text("铜", "copper")),
    monitored=drop_off.MONITORED,
    parameters=(
        factor("copper_saving_kg_per_kg"),
        factor("collection_kg_per_kg"),
        drop_off.most_credited(5_000, "Copper tempts thieves: a household seldom holds more."),
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
            Text("1 千克清洁铜", "1 kg of clean copper"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 0},
            reduction_mg=2_480_000,
        ),
        Example(
            Text("1.5 千克，杂质 10%", "1.5 kg with 10 % contamination"),
            date(2026, 3, 2),
            {"mass_g": 1500, "contamination_ppm": 100_000},
            reduction_mg=3_345_000,
        ),
        Example(
            Text("超过单次上限", "Above the ceiling of a drop-off"),
            date(2026, 3, 2),
            {"mass_g": 10_000, "contamination_ppm": 0},
            reduction_mg=12_400_000,
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
