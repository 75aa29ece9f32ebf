"""What residents' credited acts of a period come to, by street, methodology and month, with what may not be shown.

One statement counts everything; what of it is hidden is decided for all its tables together (`suppression.py`). People
are distinct residents; a street is the one a resident has named by now. Grams are as the newest restatement has them,
quantities as they were monitored, of acts that stand as credited.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.methodologies.catalogue import BY_CODE, BY_NUMBER
from carbon_credits.reporting.indicators_strands import STRAND_OF, STRANDS
from carbon_credits.reporting.suppression import FEWEST, TOTAL, Place, Table, hidden, line_hidden
from carbon_credits.residents.service import Street

# what is added up, in this order: acts, milligrams by pool, metres travelled, grams on the scale, watt-hours made or not
# drawn, trees and vehicles. The last five are of few strands each: a total over strands would tell one, so there is none.
AMOUNTS: Final = (
    "acts",
    "verified_mg",
    "claimed_mg",
    "removal_mg",
    "distance_m",
    "mass_g",
    "energy_wh",
    "items",
)
APART: Final = 5
NO_STREET: Final = "none"
ROWS: Final = (*(street.value for street in Street), NO_STREET)
COLUMNS: Final = tuple(STRANDS)
QUERY: Final = """
with strand as (
  select * from unnest(cast(:numbers as smallint[]), cast(:strands as text[])) as s (methodology, strand)
), passage as (
  select distinct on (resident_id, occurred_on, activity_id)
         resident_id, occurred_on, activity_id, generation, methodology, pool, state, credited_mg
  from decision where occurred_on >= :first and occurred_on < :after
  order by resident_id, occurred_on, activity_id, generation desc
), newest as (
  select distinct on (resident_id, activity_id, generation) resident_id, activity_id, generation, new_mg
  from restated where occurred_on >= :first and occurred_on < :after
  order by resident_id, activity_id, generation, restatement_id desc
), act as (
  select p.resident_id, coalesce(r.street, 'none') as street, s.strand, p.methodology,
         to_char(p.occurred_on, 'YYYY-MM') as month, p.pool, coalesce(n.new_mg, p.credited_mg) as mg,
         case when s.strand in ('walking_cycling', 'shared_travel', 'cars')
              then (a.monitored ->> 'distance_m')::bigint end as distance_m,
         (a.monitored ->> 'mass_g')::bigint as mass_g,
         case s.strand when 'photovoltaics' then (a.monitored ->> 'energy_wh')::bigint
                       when 'demand_response'
                       then greatest((a.monitored ->> 'base_wh')::bigint - (a.monitored ->> 'energy_wh')::bigint, 0)
         end as energy_wh,
         case when p.methodology = any(cast(:counted as smallint[]))
              then coalesce((a.monitored ->> 'count')::bigint, 1) end as items
  from passage p
  join strand s using (methodology)
  join resident r using (resident_id)
  join activity a using (resident_id, occurred_on, activity_id)
  left join newest n using (resident_id, activity_id, generation)
  where p.state = 'credited'
)
select grouping(street, strand, methodology, month) as which, street, strand, methodology, month,
       count(distinct resident_id) as people,
       count(distinct resident_id) filter (where pool = 'v') as verified_people,
       count(*) as acts,
       coalesce(sum(mg) filter (where pool = 'v'), 0)::bigint as verified_mg,
       coalesce(sum(mg) filter (where pool = 'c'), 0)::bigint as claimed_mg,
       coalesce(sum(mg) filter (where pool = 'r'), 0)::bigint as removal_mg,
       coalesce(sum(distance_m), 0)::bigint as distance_m, coalesce(sum(mass_g), 0)::bigint as mass_g,
       coalesce(sum(energy_wh), 0)::bigint as energy_wh, coalesce(sum(items), 0)::bigint as items
from act
group by grouping sets ((street, strand), (street), (strand), (), (strand, methodology), (month, strand), (month))
order by 1, 2, 3, 4, 5
"""
QUERY_SHA256: Final = sha256(QUERY.encode()).hexdigest()
_COUNTED: Final = ("planting.tree", "purchases.new_energy_vehicle")
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
_UNTOLD: Final = (None,) * APART
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


def parameters(first: date, through: date) -> dict[str, Any]:
    """What QUERY is asked with, for a period by its first and last day."""
    return {
        "numbers": [versions[-1].number for versions in BY_CODE.values()],
        "strands": [STRAND_OF[code] for code in BY_CODE],
        "counted": [BY_CODE[code][-1].number for code in _COUNTED],
        "first": first,
        "after": date.fromordinal(through.toordinal() + 1),
    }


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
    streets, months = _hidden_together(found.streets, found.months)
    return Figures(
        first,
        through,
        _shown(found.streets, streets),
        _shown(found.months, months),
        _by_methodology(found.methodologies, streets),
        told,
    )


@dataclass(frozen=True)
class _Found:
    streets: Table
    months: Table
    methodologies: Mapping[str, Mapping[str, Cell]]


def _read(rows: Iterable[Mapping[Any, Any]]) -> _Found:
    streets: dict[Place, Cell] = {}
    months: dict[Place, Cell] = {}
    methodologies: dict[str, dict[str, Cell]] = {}
    for row in rows:
        cell = Cell(int(row["people"]), tuple(int(row[name]) for name in AMOUNTS))
        which, strand = row["which"], row["strand"] or TOTAL
        if which in (_STREET_STRAND, _STREET, _STRAND, _WHOLE):
            streets[Place(row["street"] or TOTAL, strand)] = cell
        if which in (_MONTH_STRAND, _MONTH, _STRAND, _WHOLE):
            months[Place(row["month"] or TOTAL, strand)] = cell
        if which == _METHODOLOGY:
            methodologies.setdefault(strand, {})[BY_NUMBER[row["methodology"]][-1].code] = cell
    named = sorted({place.row for place in months} - {TOTAL})
    return _Found(_table(ROWS, streets), _table(named, months), methodologies)


def _table(rows: Iterable[str], cells: Mapping[Place, Cell]) -> Table:
    people = {place: cell.people or 0 for place, cell in cells.items()}
    amounts = {place: tuple(n or 0 for n in cell.amounts) for place, cell in cells.items()}
    return Table(tuple(rows), COLUMNS, people, amounts, APART)


def _hidden_together(streets: Table, months: Table) -> tuple[frozenset[Place], frozenset[Place]]:
    """Both tables end in the same totals of strands: what one hides of them the other hides too, until they agree."""
    of_streets, of_months = hidden(streets), hidden(months)
    while _totals(of_streets) != _totals(of_months):
        both = _totals(of_streets) | _totals(of_months)
        of_streets, of_months = hidden(streets, both), hidden(months, both)
    return of_streets, of_months


def _totals(concealed: Iterable[Place]) -> set[Place]:
    return {place for place in concealed if place.row == TOTAL}


def _shown(table: Table, concealed: frozenset[Place]) -> Shown:
    return {
        (place.row, place.column): HIDDEN if place in concealed else _cell(table, place)
        for place in table.places()
    }


def _cell(table: Table, place: Place) -> Cell:
    amounts = table.amounts[place]
    told = amounts if place.column != TOTAL else (*amounts[:-APART], *_UNTOLD)
    return Cell(table.people[place], told)


def _district(months: Table) -> Shown:
    """Totals alone: of a period that is not over nothing smaller is told."""
    people = {column: months.people.get(Place(TOTAL, column), 0) for column in COLUMNS}
    few = 0 < months.people.get(Place(TOTAL, TOTAL), 0) < FEWEST
    away = line_hidden(people, total_hidden=few) | ({TOTAL} if few else set())
    told = _shown(months, frozenset(Place(TOTAL, column) for column in away))
    return {key: cell for key, cell in told.items() if key[0] == TOTAL}


def _by_methodology(
    found: Mapping[str, Mapping[str, Cell]], concealed: frozenset[Place]
) -> dict[tuple[str, str], Cell]:
    shown: dict[tuple[str, str], Cell] = {}
    for strand, cells in found.items():
        people = {code: cell.people or 0 for code, cell in cells.items()}
        away = line_hidden(people, total_hidden=Place(TOTAL, strand) in concealed)
        shown |= {(strand, code): HIDDEN if code in away else cell for code, cell in cells.items()}
    return shown
