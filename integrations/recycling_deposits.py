"""One deposit in a recycling box, whatever the format it was told in, and the vocabulary of materials."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from carbon_credits.partners.contract import Record, StationDeposit
from integrations.telling import Told, refused

# where nobody measured dirt: less than a sorting centre finds in mixed boxes would credit what is burned
ASSUMED_CONTAMINATION_PPM: Final = 100_000
HEAVIEST_G: Final = 200_000


class Material(NamedTuple):
    """A material's methodology, and what it asks beside the mass."""

    methodology: str
    has_contamination: bool = True
    has_reuse: bool = False


_PAPER, _PLASTICS = Material("recycling.paper"), Material("recycling.plastics")
_GLASS, _RUBBER = Material("recycling.glass"), Material("recycling.rubber")
_STEEL, _COPPER = Material("recycling.steel"), Material("recycling.copper")
_ALUMINIUM, _E_WASTE = Material("recycling.aluminium"), Material("recycling.e_waste")
_TEXTILES = Material("recycling.textiles", has_reuse=True)
_LEAD, _ZINC = Material("recycling.lead", False), Material("recycling.zinc", False)
_FOOD_WASTE, _MIXED = Material("recycling.food_waste", False), Material("recycling.mixed", False)

# their words for it, mapped to ours: the last part of a material's address, or a category of a box
MATERIALS: Final[Mapping[str, Material]] = {
    "paper": _PAPER,
    "废纸": _PAPER,
    "纸类": _PAPER,
    "plastics": _PLASTICS,
    "plastic": _PLASTICS,
    "塑料": _PLASTICS,
    "glass": _GLASS,
    "玻璃": _GLASS,
    "rubber": _RUBBER,
    "橡胶": _RUBBER,
    "steel": _STEEL,
    "废钢": _STEEL,
    "copper": _COPPER,
    "废铜": _COPPER,
    "aluminium": _ALUMINIUM,
    "aluminum": _ALUMINIUM,
    "废铝": _ALUMINIUM,
    "textiles": _TEXTILES,
    "织物": _TEXTILES,
    "旧衣": _TEXTILES,
    "e_waste": _E_WASTE,
    "废旧家电": _E_WASTE,
    "lead": _LEAD,
    "废铅": _LEAD,
    "zinc": _ZINC,
    "废锌": _ZINC,
    "food_waste": _FOOD_WASTE,
    "厨余": _FOOD_WASTE,
    "mixed": _MIXED,
    "混合": _MIXED,
}


class Deposit(NamedTuple):
    """What was put in, by whom, and where; `material` is their word, `order_no` the session at the box."""

    record_id: str
    line: int
    machine: str
    subject_token: str
    material: str
    mass_g: int
    at: datetime
    order_no: str
    contamination_ppm: int | None = None
    reused_ppm: int = 0
    is_flagged: bool = False


def told_of(deposit: Deposit) -> Told:
    """The deposit as an act, or why it is none."""
    facts = {"deposits": 1, "mass_g": deposit.mass_g, f"mass_g:{deposit.material}": deposit.mass_g}
    material = MATERIALS.get(deposit.material)
    reasons = {
        "unknown_material": material is None,
        "violation_flagged": deposit.is_flagged,
        "implausible_mass": deposit.mass_g > HEAVIEST_G,
        "subject_missing": not deposit.subject_token,
    }
    found = tuple(reason for reason, is_found in reasons.items() if is_found)
    in_bag = in_bag_of(deposit)
    if material is None or found:
        return Told(replace(refused(deposit.record_id, deposit.line, *found), deposits=in_bag), facts)
    record = Record(
        record_id=deposit.record_id,
        subject_token=deposit.subject_token,
        methodology=material.methodology,
        occurred_from=deposit.at,
        occurred_to=deposit.at,
        monitored=_monitored(deposit, material),
        references={"order_no": deposit.order_no},
        evidence={
            "machine": deposit.machine,
            "contamination": "assumed" if deposit.contamination_ppm is None else "measured",
        },
        line=deposit.line,
        deposits=in_bag,
    )
    return Told(record, facts)


def in_bag_of(deposit: Deposit, *, is_withdrawn: bool = False) -> tuple[StationDeposit, ...]:
    """What lies in the station's bag: also what is no act, unless its material or mass cannot be believed."""
    material = MATERIALS.get(deposit.material)
    if material is None or deposit.mass_g > HEAVIEST_G:
        return ()
    of = (deposit.record_id, deposit.machine, material.methodology, deposit.at, deposit.mass_g)
    return (StationDeposit(*of, is_withdrawn=is_withdrawn),)


def _monitored(deposit: Deposit, material: Material) -> Mapping[str, int]:
    monitored = {"mass_g": deposit.mass_g}
    if material.has_contamination:
        told = deposit.contamination_ppm
        monitored["contamination_ppm"] = ASSUMED_CONTAMINATION_PPM if told is None else told
    if material.has_reuse:
        monitored["reused_ppm"] = deposit.reused_ppm
    return monitored
