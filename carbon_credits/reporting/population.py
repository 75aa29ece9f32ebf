"""How many people live in the district and its streets: what a bureau says, entered by one and approved by another.

There is no other place for it. Whoever needs a population asks `populations`. Until the district has an approved value
it is what the programme begins with (`population.toml`), and says of itself that nobody has approved it.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.reporting import indicators_official
from carbon_credits.reporting.indicators_declared import Official
from carbon_credits.reporting.indicators_own import POPULATION

FILE = Path(__file__).with_name("population.toml")


@dataclass(frozen=True)
class Population:
    """People living in the district, or in a street, on a day. `official` is None of what is assumed at the beginning."""

    street: str | None
    people: int
    as_of: date
    source: Text
    official: Official | None


@dataclass(frozen=True)
class Populations:
    """Every value that counts, one for a day, the newest day first."""

    approved: tuple[Population, ...]

    def on(self, day: date, street: str | None = None) -> Population | None:
        """The newest value that is not of a later day; before all of them the oldest. None for a street without one."""
        known = [one for one in self.approved if one.street == street]
        if known:
            return next((one for one in known if one.as_of <= day), known[-1])
        return assumed() if street is None else None

    def of_district(self, day: date) -> Population:
        """The district's on a day; there always is one."""
        return self.on(day) or assumed()


def populations(session: Session) -> Populations:
    """What bureaus say of the district and its streets, as two people approved it. One statement."""
    found: dict[tuple[str | None, str], Population] = {}
    for street, value in indicators_official.history(session, POPULATION):
        # a correction comes before what it corrects
        day = date.fromisoformat(value.as_of)
        found.setdefault((street, value.as_of), Population(street, value.value, day, _source(value), value))
    return Populations(tuple(found.values()))


@cache
def assumed() -> Population:
    """What the programme begins with."""
    told = tomllib.loads(FILE.read_text())
    return Population(None, told["people"], told["as_of"], Text(told["source_zh"], told["source_en"]), None)


def _source(value: Official) -> Text:
    said = " · ".join(part for part in (value.source_title, value.source_page) if part)
    return Text(said, said)
