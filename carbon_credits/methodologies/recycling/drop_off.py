"""What every material at a drop-off shares: how it is weighed, what is deducted, how little is too little.

Clean material replaces primary production; collection costs a little for every kilogram on the scale, dirt included.
Foshan burns its waste, so no landfill methane is claimed, nor what burning the material would have emitted: a
recycler's rejects are burned too.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Monitored,
    Parameter,
    Reference,
    Status,
    Text,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth, least
from carbon_credits.methodologies.proposals import proposal

SINCE = date(2025, 1, 1)
PPM = Decimal("0.000001")


def saved(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """Grams times kg/kg times 1000 are milligrams. Too much dirt makes it negative: statistics keep that."""
    credited_g = least(mass_g, most_credited_g)
    clean_g = credited_g * (1_000_000 - contamination_ppm) * PPM
    return (clean_g * saving_kg_per_kg - credited_g * collection_kg_per_kg) * 1000


def heavy_enough(mass_g: Number, lightest_g: Number) -> Truth:
    """At least what the scale can tell."""
    return mass_g >= lightest_g


def most_credited(grams: int, why: str) -> Parameter:
    """The ceiling of one drop-off; what lies beyond it is not counted."""
    return proposal(
        "most_credited_g",
        "g",
        SINCE,
        grams,
        Text("单次可计的最大重量", "Most mass credited for one drop-off"),
        why,
    )


MASS = Monitored("mass_g", Text("称重重量", "Mass on the scale"), "g", least=0, most=200_000)
CONTAMINATION = Monitored(
    "contamination_ppm", Text("杂质率（百万分之一）", "Contamination, parts per million"), "ppm", 0, 1_000_000
)
LIGHTEST = proposal(
    "lightest_g",
    "g",
    SINCE,
    200,
    Text("最小交投重量", "Least mass"),
    "Below it the scale's own error is too large.",
)
HEAVY_ENOUGH = Condition(
    "mass_too_small",
    Text("每次交投不少于 {lightest_g} 克", "A drop-off is at least {lightest_g} g"),
    heavy_enough,
)
# one kilogram has one owner: the order of the drop-off is claimed by one act alone
ORDER = Reference("transaction", "order_no", required=True)
COLLECTED = Text("再生生产与收运", "Recycled production and collection")
NOT_COUNTED = Text("不计", "Not counted")
REJECTS = Text("分拣剩余物按杂质率扣除", "Rejects are deducted through contamination")


def replacing(material: Text) -> Boundary:
    """The boundary of recycling in place of making anew."""
    baseline = Text(
        f"原生{material.zh}生产；垃圾焚烧的差异不计",
        f"Primary production of {material.en}; differences in burning are not counted",
    )
    return Boundary(baseline, COLLECTED, REJECTS)


# What every methodology of a drop-off declares alike; a file adds what makes its material different.
WEIGHED: Mapping[str, Any] = {
    "version": 1,
    "status": Status.TRIAL,
    "in_force": SINCE,
    "bases": ("transaction",),
    "references": (ORDER,),
    "needs_partner": True,
    "verifiable": True,
}
# weighed and recorded, and worth no grams; whether it earns points is policy
WITHOUT_GRAMS: Mapping[str, Any] = {**WEIGHED, "monitored": (MASS,), "parameters": (), "conditions": ()}


def credited(*also: Monitored) -> Mapping[str, Any]:
    """What a material that is credited by its clean mass declares, with what else its sorter tells."""
    monitored = (MASS, CONTAMINATION, *also)
    return {**WEIGHED, "monitored": monitored, "conditions": (HEAVY_ENOUGH,), "cap_quantity": "mass_g"}


def parameters(*savings: Parameter, most_credited: Parameter) -> tuple[Parameter, ...]:
    """The savings of a material, and what is deducted and asked of every drop-off."""
    return *savings, factor("collection_kg_per_kg"), most_credited, LIGHTEST
