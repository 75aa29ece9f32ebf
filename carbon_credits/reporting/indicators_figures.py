"""What residents' credited acts of a period come to, by street, methodology and month, with what may not be shown.

One statement counts everything (`indicators_query.py`); what of it is hidden is decided for all its tables together
(`suppression.py`): cells of a few people whole, and of other cells each amount that is nearly one person's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.dominance import slack
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reporting.cell_tables import FEWEST, TOTAL, Place, Table
from carbon_credits.reporting.indicators_query import AMOUNTS, APART, QUERY, parameters
from carbon_credits.reporting.indicators_strands import STRANDS
from carbon_credits.reporting.suppression import (
    WHOLE,
    amount_hidden,
    hidden,
    line_amount_hidden,
    line_hidden,
    together,
)
from carbon_credits.residents.service import Street

NO_STREET: Final = "none"
ROWS: Final = (*(street.value for street in Street), NO_STREET)
COLUMNS: Final = tuple(STRANDS)
# the bits that `grouping` sets for what is not in a set: street 8, strand 4, methodology 2, month 1
_STREET_STRAND, _STREET, _STRAND, _WHOLE, _METHODOLOGY, _MONTH_STRAND, _MONTH = 3, 7, 11, 15, 9, 10, 14


@dataclass(frozen=True)
class Cell:
    """People and what they did, in the units of AMOUNTS; all None where it may not be shown."""

    people: int | None
    amounts: tuple[int | None, ...]

    def of(self, amount: str) -> int | None:
        """One of AMOUNTS; None where it may not be shown."""
        return self.amounts[AMOUNTS.index(amount)]


NOBODY: Final = Cell(0, (0,) * len(AMOUNTS))
HIDDEN: Final = Cell(None, (None,) * len(AMOUNTS))
Shown = Mapping[tuple[str, str], Cell]


@dataclass(frozen=True)
class Figures:
    """A period's cells as they may be shown; "" stands for a total. Absent cells are of nobody.

    `streets` by (street, strand), `months` by ("2026-01", strand), `methodologies` by (strand, code). Of a period that is
    not a whole year only `months` at ("", strand) and ("", "") are there.
    """

    first: date
    through: date
    streets: Shown
    months: Shown
    methodologies: Shown
    verified_people: int | None

    @property
    def whole(self) -> Cell:
        """The district's."""
        return self.months.get((TOTAL, TOTAL), NOBODY)

    def strand(self, name: str) -> Cell:
        """One strand's, of the district."""
        return self.months.get((TOTAL, name), NOBODY)


def figures(session: Session, first: date, through: date, *, tables: bool) -> Figures:
    """Count a period. With `tables`, for whole years, by street, methodology and month too; else the district alone.

    All of the period's acts are read: the limits of doors do not apply.
    """
    session.execute(text("select set_config('statement_timeout', '0', true), set_config('jit', 'off', true)"))
    rows = session.execute(text(QUERY), parameters(first, through)).mappings().all()
    found = _read(rows)
    verified = next((int(row["verified_people"]) for row in rows if row["which"] == _WHOLE), 0)
    others = found.months.people.get(Place(TOTAL, TOTAL), 0) - verified
    told = None if 0 < verified < FEWEST or 0 < others < FEWEST else verified
    if not tables:
        return Figures(first, through, {}, _district(found.months), {}, told)
    streets, months = together(found.streets, found.months, hidden)
    apart = [_amount(found, n, streets, months) for n in range(len(AMOUNTS))]
    return Figures(
        first,
        through,
        _shown(found.streets, streets, [of_streets for of_streets, _ in apart]),
        _shown(found.months, months, [of_months for _, of_months in apart]),
        _by_methodology(found, streets, [of_streets for of_streets, _ in apart]),
        told,
    )


@dataclass(frozen=True)
class _Counted:
    """A cell as it is: people, their amounts, the two largest contributions to each."""

    people: int
    amounts: tuple[int, ...]
    largest: tuple[tuple[int, ...], ...]

    def slack(self, n: int) -> int:
        return slack(self.amounts[n], self.largest[n])


@dataclass(frozen=True)
class _Found:
    streets: Table
    months: Table
    methodologies: Mapping[str, Mapping[str, _Counted]]


def _read(rows: Iterable[Mapping[Any, Any]]) -> _Found:
    streets: dict[Place, _Counted] = {}
    months: dict[Place, _Counted] = {}
    methodologies: dict[str, dict[str, _Counted]] = {}
    for row in rows:
        amounts = tuple(int(row[name]) for name in AMOUNTS)
        largest = tuple(tuple(row[f"{name}_two"] or ()) for name in AMOUNTS)
        cell = _Counted(int(row["people"]), amounts, largest)
        which, strand = row["which"], row["strand"] or TOTAL
        if which in (_STREET_STRAND, _STREET, _STRAND, _WHOLE):
            streets[Place(row["street"] or TOTAL, strand)] = cell
        if which in (_MONTH_STRAND, _MONTH, _STRAND, _WHOLE):
            months[Place(row["month"] or TOTAL, strand)] = cell
        if which == _METHODOLOGY:
            methodologies.setdefault(strand, {})[BY_NUMBER[row["methodology"]][-1].code] = cell
    named = sorted({place.row for place in months} - {TOTAL})
    return _Found(_table(ROWS, streets), _table(named, months), methodologies)


def _table(rows: Iterable[str], cells: Mapping[Place, _Counted]) -> Table:
    people = {place: cell.people for place, cell in cells.items()}
    amounts = {place: cell.amounts for place, cell in cells.items()}
    largest = {place: cell.largest for place, cell in cells.items()}
    return Table(tuple(rows), COLUMNS, people, amounts, APART, largest)


def _amount(
    found: _Found, n: int, streets: frozenset[Place], months: frozenset[Place]
) -> tuple[frozenset[Place], frozenset[Place]]:
    """What is hidden of one amount, in the table of streets and in that of months."""

    def hide(table: Table, also: Iterable[Place]) -> frozenset[Place]:
        return amount_hidden(table, n, streets if table is found.streets else months, also)

    return together(found.streets, found.months, hide)


def _shown(table: Table, concealed: frozenset[Place], apart: Sequence[frozenset[Place]]) -> Shown:
    return {
        (place.row, place.column): HIDDEN
        if place in concealed
        else Cell(table.people[place], tuple(_told(table, place, n, away) for n, away in enumerate(apart)))
        for place in table.places()
    }


def _told(table: Table, place: Place, n: int, away: frozenset[Place]) -> int | None:
    """One amount of a cell; what is apart has no total over strands."""
    is_apart = n >= len(AMOUNTS) - APART
    return None if place in away or (is_apart and place.column == TOTAL) else table.amounts[place][n]


def _district(months: Table) -> Shown:
    """Totals alone: of a period that is not over nothing smaller is told."""
    people = {column: months.people.get(Place(TOTAL, column), 0) for column in COLUMNS}
    few = 0 < months.people.get(WHOLE, 0) < FEWEST
    away = line_hidden(people, total_hidden=few) | ({TOTAL} if few else set())
    apart = [_district_amount(months, n, people, away) for n in range(len(AMOUNTS))]
    told = _shown(months, _of_district(away), [_of_district(names) for names in apart])
    return {key: cell for key, cell in told.items() if key[0] == TOTAL}


def _district_amount(
    months: Table, n: int, people: Mapping[str, int], away: frozenset[str]
) -> frozenset[str]:
    measure = months.measure(n)
    far = {
        column: measure.slack[Place(TOTAL, column)]
        for column in COLUMNS
        if measure.of.get(Place(TOTAL, column))
    }
    if measure.untold:
        # no total is told, from which one could be had
        return away | {column for column, one in far.items() if one < 0}
    none = measure.slack.get(WHOLE, 0) < 0
    return line_amount_hidden(people, far, away, total_hidden=none) | ({TOTAL} if none else set())


def _of_district(names: Iterable[str]) -> frozenset[Place]:
    return frozenset(Place(TOTAL, name) for name in names)


def _by_methodology(
    found: _Found, concealed: frozenset[Place], apart: Sequence[frozenset[Place]]
) -> dict[tuple[str, str], Cell]:
    shown: dict[tuple[str, str], Cell] = {}
    for strand, cells in found.methodologies.items():
        total = Place(TOTAL, strand)
        people = {code: cell.people for code, cell in cells.items()}
        away = line_hidden(people, total_hidden=total in concealed)
        lines = [
            line_amount_hidden(
                people,
                {code: cell.slack(n) for code, cell in cells.items() if cell.amounts[n]},
                away,
                total_hidden=total in apart[n],
            )
            for n in range(len(AMOUNTS))
        ]
        for code, cell in cells.items():
            told = (None if code in lines[n] else cell.amounts[n] for n in range(len(AMOUNTS)))
            shown[strand, code] = HIDDEN if code in away else Cell(cell.people, tuple(told))
    return shown
