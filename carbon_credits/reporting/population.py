"""How many people the district has, by `population.toml`: dated, each with its source."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from carbon_credits.core.i18n import Text

FILE = Path(__file__).with_name("population.toml")


@dataclass(frozen=True)
class Population:
    """People living in the district from a day on, and who says so."""

    since: date
    people: int
    source: Text


@cache
def _stated() -> tuple[Population, ...]:
    rows = tomllib.loads(FILE.read_text())["district"]
    stated = (Population(r["since"], r["people"], Text(r["source_zh"], r["source_en"])) for r in rows)
    return tuple(sorted(stated, key=lambda one: one.since))


def population_on(day: date) -> Population:
    """The newest figure not after a day; the oldest there is before it."""
    stated = _stated()
    return next((one for one in reversed(stated) if one.since <= day), stated[0])
