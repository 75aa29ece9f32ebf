"""Every methodology, named by hand. A duplicate or an overlap stops the programme at import."""

from collections.abc import Iterable, Mapping
from datetime import date

from carbon_credits.methodologies.base import Methodology, Text
from carbon_credits.methodologies.declaration import DeclarationError
from carbon_credits.methodologies.household import (
    demand_response,
    electricity_saving,
    gas_saving,
    rooftop_pv,
    water_saving,
)
from carbon_credits.methodologies.lifecycle import may_credit, may_succeed
from carbon_credits.methodologies.planting import donation, tree
from carbon_credits.methodologies.purchases import (
    air_conditioner,
    clean_plate,
    cutlery,
    e_invoice,
    green_certificate,
    heat_pump_water_heater,
    led,
    new_energy_vehicle,
    own_bag,
    own_cup,
    refrigerator,
    second_hand,
)
from carbon_credits.methodologies.quantification import explain
from carbon_credits.methodologies.recycling import (
    aluminium,
    copper,
    e_waste,
    food_waste,
    glass,
    lead,
    mixed,
    paper,
    plastics,
    rubber,
    steel,
    textiles,
    zinc,
)
from carbon_credits.methodologies.releases import releases
from carbon_credits.methodologies.travel import (
    bus,
    carpool,
    cycling,
    e_bike,
    electric_car,
    metro,
    no_car_day,
    shared_bicycle,
    walking,
)


def catalogued(methodologies: Iterable[Methodology]) -> Mapping[str, tuple[Methodology, ...]]:
    """Versions by code, oldest first. Raises DeclarationError where numbers, versions or periods collide."""
    by_code: dict[str, tuple[Methodology, ...]] = {}
    owners: dict[int, str] = {}
    for methodology in methodologies:
        code, number = methodology.code, methodology.number
        if owners.setdefault(number, code) != code:
            raise DeclarationError(f"number {number} of {code} already belongs to {owners[number]}")
        earlier = by_code.get(code, ())
        if earlier:
            _follows(earlier[-1], methodology)
        by_code[code] = (*earlier, methodology)
    _one_text_a_reason(versions[-1] for versions in by_code.values())
    return by_code


def with_drafts(
    by_code: Mapping[str, tuple[Methodology, ...]], declared: Iterable[Methodology]
) -> Mapping[str, tuple[Methodology, ...]]:
    """Every version by code, its drafts after those that credit. Raises DeclarationError where numbers collide."""
    found = dict(by_code)
    for draft in (methodology for methodology in declared if not may_credit(methodology)):
        earlier = found.get(draft.code, ())
        if earlier and (draft.number != earlier[-1].number or draft.version <= earlier[-1].version):
            raise DeclarationError(
                f"draft {draft.code} v{draft.version} does not follow v{earlier[-1].version}"
            )
        if any(draft.number == versions[0].number for code, versions in found.items() if code != draft.code):
            raise DeclarationError(f"draft {draft.code}: number {draft.number} belongs to another")
        found[draft.code] = (*earlier, draft)
    return found


def _one_text_a_reason(newest_ones: Iterable[Methodology]) -> None:
    """A reason code may serve several methodologies only while it says the same, numbers included, in each."""
    said: dict[str, tuple[str, Text]] = {}
    for methodology in newest_ones:
        release = releases(methodology)[-1]
        for reason in methodology.reasons:
            text = explain(methodology, reason, release)
            code, before = said.setdefault(reason, (methodology.code, text))
            if before != text:
                raise DeclarationError(f"{reason} of {methodology.code} says otherwise in {code}")


def _follows(earlier: Methodology, later: Methodology) -> None:
    place = f"{later.code} v{later.version}"
    if later.number != earlier.number:
        raise DeclarationError(f"{place}: its number changed from {earlier.number} to {later.number}")
    if later.version <= earlier.version:
        raise DeclarationError(
            f"{place} is named after v{earlier.version}: versions rise and none appears twice"
        )
    if earlier.until is None or earlier.until > later.in_force:
        raise DeclarationError(
            f"{place} begins on {later.in_force} while v{earlier.version} is still in force"
        )
    if not may_succeed(earlier, later):
        raise DeclarationError(f"{place} is {later.status} while v{earlier.version} is {earlier.status}")


DECLARED: tuple[Methodology, ...] = (
    *walking.VERSIONS,
    *cycling.VERSIONS,
    *shared_bicycle.VERSIONS,
    *e_bike.VERSIONS,
    *bus.VERSIONS,
    *metro.VERSIONS,
    *carpool.VERSIONS,
    *no_car_day.VERSIONS,
    *electric_car.VERSIONS,
    *steel.VERSIONS,
    *copper.VERSIONS,
    *aluminium.VERSIONS,
    *lead.VERSIONS,
    *zinc.VERSIONS,
    *paper.VERSIONS,
    *plastics.VERSIONS,
    *rubber.VERSIONS,
    *glass.VERSIONS,
    *textiles.VERSIONS,
    *food_waste.VERSIONS,
    *e_waste.VERSIONS,
    *mixed.VERSIONS,
    *tree.VERSIONS,
    *donation.VERSIONS,
    *air_conditioner.VERSIONS,
    *refrigerator.VERSIONS,
    *led.VERSIONS,
    *heat_pump_water_heater.VERSIONS,
    *new_energy_vehicle.VERSIONS,
    *second_hand.VERSIONS,
    *cutlery.VERSIONS,
    *own_bag.VERSIONS,
    *own_cup.VERSIONS,
    *clean_plate.VERSIONS,
    *e_invoice.VERSIONS,
    *green_certificate.VERSIONS,
    *rooftop_pv.VERSIONS,
    *electricity_saving.VERSIONS,
    *gas_saving.VERSIONS,
    *water_saving.VERSIONS,
    *demand_response.VERSIONS,
)

# what acts may be credited under; drafts are told apart once, here
METHODOLOGIES: tuple[Methodology, ...] = tuple(m for m in DECLARED if may_credit(m))
BY_CODE: Mapping[str, tuple[Methodology, ...]] = catalogued(METHODOLOGIES)
BY_NUMBER: Mapping[int, tuple[Methodology, ...]] = {
    versions[0].number: versions for versions in BY_CODE.values()
}
VERSIONS: Mapping[str, tuple[Methodology, ...]] = with_drafts(BY_CODE, DECLARED)


def version_of(code: str, version: int) -> Methodology:
    """A version by its number, drafts too. Raises KeyError for an unknown one."""
    found = next((m for m in VERSIONS[code] if m.version == version), None)
    if found is None:
        raise KeyError(f"{code} v{version}")
    return found


def newest(code: str) -> Methodology:
    """The newest version of a methodology. Raises KeyError for an unknown code."""
    return BY_CODE[code][-1]


def on(code: str, day: date) -> Methodology | None:
    """The version that decides acts of a day, if any is in force. Raises KeyError for an unknown code."""
    return next((methodology for methodology in BY_CODE[code] if methodology.in_force_on(day)), None)
