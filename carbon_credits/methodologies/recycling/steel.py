"""Scrap steel handed in for recycling.

Weighed at a drop-off whose buyer is licensed. The saving is that of steel cans, the lowest of the sources. Steel that
would have gone to an incinerator is partly recovered from its ash: who files this methodology must settle how much, and
until then it is a trial. Industrial scrap is no household's.
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
    version=1,
    title=Text("回收废钢铁", "Recycling scrap steel"),
    summary=Text(
        "交投的废钢铁经熔炼再生，替代原生钢材生产。"
        "减排量等于清洁重量乘以每千克减排量，再扣除收运排放；超过单次上限的重量不计。",
        "Scrap steel is melted again in place of primary steel. "
        "The reduction is the clean mass times the saving per kilogram, less collection, up to a ceiling a "
        "drop-off.",
    ),
    status=Status.TRIAL,
    in_force=drop_off.SINCE,
    boundary=drop_off.replacing(Text("钢材", "steel")),
    monitored=drop_off.MONITORED,
    parameters=(
        factor("steel_saving_kg_per_kg"),
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
            Text("1 千克清洁钢材", "1 kg of clean steel"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 0},
            reduction_mg=1_020_000,
        ),
        Example(
            Text("2.5 千克，杂质 10%", "2.5 kg with 10 % contamination"),
            date(2026, 3, 2),
            {"mass_g": 2500, "contamination_ppm": 100_000},
            reduction_mg=2_290_000,
        ),
        Example(
            Text("超过单次上限", "Above the ceiling of a drop-off"),
            date(2026, 3, 2),
            {"mass_g": 25_000, "contamination_ppm": 0},
            reduction_mg=20_400_000,
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
