"""Plastics handed in for recycling.

Bottles and boxes at the value of HDPE, the lowest of the common kinds, since a scale cannot tell them apart. PVC and
dirty film are refused at the drop-off. That plastic is not burned is a benefit left unclaimed.
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
    version=1,
    title=Text("回收废塑料", "Recycling plastics"),
    summary=Text(
        "交投的塑料瓶、塑料盒等经造粒再生，替代原生塑料生产；不含聚氯乙烯与脏膜。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Plastics other than PVC and dirty film are recycled in place of primary plastic. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    status=Status.TRIAL,
    in_force=drop_off.SINCE,
    boundary=drop_off.replacing(Text("塑料", "plastics")),
    monitored=drop_off.MONITORED,
    parameters=(
        factor("plastics_saving_kg_per_kg"),
        factor("collection_kg_per_kg"),
        drop_off.most_credited(30_000, "More than a household hands in at once."),
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
            Text("1 千克清洁塑料", "1 kg of clean plastics"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 0},
            reduction_mg=810_000,
        ),
        Example(
            Text("0.8 千克，杂质 10%", "0.8 kg with 10 % contamination"),
            date(2026, 3, 2),
            {"mass_g": 800, "contamination_ppm": 100_000},
            reduction_mg=581_600,
        ),
        Example(
            Text("超过单次上限", "Above the ceiling of a drop-off"),
            date(2026, 3, 2),
            {"mass_g": 35_000, "contamination_ppm": 0},
            reduction_mg=24_300_000,
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
