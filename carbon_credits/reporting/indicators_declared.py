"""The words an indicator is declared in: what the plan wants, what our records can say beside it, and what they cannot.

Whole numbers throughout; the unit says of what. An official value and one of our own are never added or compared into
one figure: the platform sees those who take part and nobody else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from carbon_credits.core.i18n import Text
from carbon_credits.reporting.indicators_figures import Figures


class Unit(StrEnum):
    """What a whole number counts."""

    PPM = "ppm"  # parts of a million: 750,000 is 75 %
    GRAM = "g"
    METRE = "m"
    METRES_PER_10000 = "m/10000"  # metres for ten thousand people
    PEOPLE = "people"
    TRIPS = "trips"
    GROUPS = "groups"
    ITEMS = "items"
    WATT = "W"
    WATT_HOUR = "Wh"

    @property
    def text(self) -> Text:
        """Its name."""
        return _UNITS[self]


_UNITS: Mapping[Unit, Text] = {
    Unit.PPM: Text("百万分之一", "parts per million"),
    Unit.GRAM: Text("克", "grams"),
    Unit.METRE: Text("米", "metres"),
    Unit.METRES_PER_10000: Text("米/万人", "metres per 10,000 people"),
    Unit.PEOPLE: Text("人", "people"),
    Unit.TRIPS: Text("人次", "trips"),
    Unit.GROUPS: Text("个", "groups"),
    Unit.ITEMS: Text("件", "items"),
    Unit.WATT: Text("瓦", "watts"),
    Unit.WATT_HOUR: Text("瓦时", "watt-hours"),
}


@dataclass(frozen=True)
class Target:
    """What the plan wants by the end of a year; `at_least` is None where it names no figure."""

    year: int
    at_least: int | None


@dataclass(frozen=True)
class Official:
    """A bureau's figure: as of which day, where it is written, under which approval two people entered it."""

    value_id: int
    value: int
    unit: str
    as_of: str
    source_title: str
    source_address: str | None
    source_page: str | None
    approval_id: int
    entered_by: str
    approved_by: str


@dataclass(frozen=True)
class Ground:
    """What an own value may be made of: what acts came to, groups on the lists of drives, official figures by code.

    `population` is the district's that counts on the last day of the figures; None while nobody has approved one.
    """

    figures: Figures
    awards: Mapping[str, int]
    pilots: int
    official: Mapping[str, Official]
    population: Official | None


@dataclass(frozen=True)
class Coverage:
    """What part of a whole our records see, in `unit`; `whole`, of a day, and `ppm` (floored) are None until entered."""

    of: Text
    unit: Unit
    seen: int | None
    whole: int | None
    ppm: int | None
    as_of: str | None = None


@dataclass(frozen=True)
class Own:
    """What our data supports; None where it supports nothing, or only what a few people did."""

    value: int | None
    unit: Unit | None
    coverage: tuple[Coverage, ...] = ()


@dataclass(frozen=True)
class Indicator:
    """One figure of the plan. `section` and `says` are the plan's own; `own` computes ours by `method` from `strands`."""

    code: str
    title: Text
    unit: Unit
    section: str
    says: str
    targets: tuple[Target, ...]
    own: Callable[[Ground], Own]
    method: Text
    not_this: Text
    strands: tuple[str, ...] = ()
    # figures that others are held against: not the plan's, and without a value of ours
    is_basis: bool = field(default=False)


def coverage(of: Text, unit: Unit, seen: int | None, whole: Official | None) -> Coverage:
    """The part that is seen of a whole that a bureau stated."""
    if whole is None or whole.value <= 0:
        return Coverage(of, unit, seen, None, None)
    ppm = None if seen is None else seen * 1_000_000 // whole.value
    return Coverage(of, unit, seen, whole.value, ppm, whole.as_of)
