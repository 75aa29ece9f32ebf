"""Every methodology, named by hand. A duplicate or an overlap stops the programme at import."""

from collections.abc import Iterable, Mapping
from datetime import date

from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.declaration import DeclarationError
from carbon_credits.methodologies.planting import tree
from carbon_credits.methodologies.purchases import cutlery
from carbon_credits.methodologies.recycling import paper
from carbon_credits.methodologies.travel import cycling, metro


def catalogued(methodologies: Iterable[Methodology]) -> Mapping[str, tuple[Methodology, ...]]:
    """Versions by code, oldest first. Raises DeclarationError where numbers, versions or periods collide.

    A reason code too belongs to one methodology: whoever meets it in a decision finds one text for it.
    """
    by_code: dict[str, tuple[Methodology, ...]] = {}
    owners: dict[int | str, str] = {}
    for methodology in methodologies:
        code = methodology.code
        marks: list[int | str] = [
            methodology.number,
            *(condition.reason for condition in methodology.conditions),
        ]
        for mark in marks:
            if owners.setdefault(mark, code) != code:
                raise DeclarationError(f"{mark} of {code} already belongs to {owners[mark]}")
        earlier = by_code.get(code, ())
        if earlier:
            _follows(earlier[-1], methodology)
        by_code[code] = (*earlier, methodology)
    return by_code


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


METHODOLOGIES: tuple[Methodology, ...] = (
    *cycling.VERSIONS,
    *metro.VERSIONS,
    *paper.VERSIONS,
    *tree.VERSIONS,
    *cutlery.VERSIONS,
)

BY_CODE: Mapping[str, tuple[Methodology, ...]] = catalogued(METHODOLOGIES)
BY_NUMBER: Mapping[int, tuple[Methodology, ...]] = {
    versions[0].number: versions for versions in BY_CODE.values()
}


def newest(code: str) -> Methodology:
    """The newest version of a methodology. Raises KeyError for an unknown code."""
    return BY_CODE[code][-1]


def on(code: str, day: date) -> Methodology | None:
    """The version that decides acts of a day, if any is in force. Raises KeyError for an unknown code."""
    return next((methodology for methodology in BY_CODE[code] if methodology.in_force_on(day)), None)
