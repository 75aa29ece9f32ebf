"""The plan's figures with their lineage: the official value and its source, beside what our data supports, never mixed.

Official values are entered by staff (`indicators_official`), ours are read once a month and once for a year
(`indicators_readings`); each indicator is declared in `indicators_plan`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE as METHODOLOGIES
from carbon_credits.reporting import indicators_official, indicators_readings
from carbon_credits.reporting.cell_tables import TOTAL
from carbon_credits.reporting.indicators_declared import Ground, Indicator, Official, Own
from carbon_credits.reporting.indicators_figures import NO_STREET, Cell, Figures
from carbon_credits.reporting.indicators_plan import BY_CODE, INDICATORS
from carbon_credits.reporting.indicators_query import QUERY_SHA256
from carbon_credits.reporting.indicators_strands import STRANDS
from carbon_credits.reporting.population import Populations, populations
from carbon_credits.residents.service import Street

EVERYTHING: Final = Text("合计", "Total")
_STREETS: Final[Mapping[str, Text]] = {
    **{street.value: street.text for street in Street},
    NO_STREET: Text("未填镇街", "No street named"),
    TOTAL: EVERYTHING,
}
_AWARDS: Final = text("""
select drive, count(*) as n from drive_application where state = 'awarded' and year = :year group by drive
""")
_PILOTS: Final = text("""
select count(*) from resident_group where kind = 'pilot' and state in ('active', 'closed') and made_on <= :last
""")


@dataclass(frozen=True)
class Lineage:
    """An indicator in a year. `official` is of that year or None; `own` is None before the year's first reading."""

    indicator: Indicator
    official: Official | None
    own: Own | None
    through: date | None
    reading_id: int | None
    query_sha256: str


@dataclass(frozen=True)
class Row:
    """One line of a drill-down: what it is of, and what may be shown of it."""

    kind: str
    key: str
    name: Text
    strand: str
    strand_name: Text
    cell: Cell


def page(session: Session, year: int) -> list[Lineage]:
    """Every indicator in a year, in the plan's order, the wholes that others are held against last."""
    official = indicators_official.of_year(session, year)
    reading = indicators_readings.newest_of_year(session, year)
    ground = (
        None
        if reading is None
        else ground_of(session, indicators_readings.figures_of(reading), official, populations(session))
    )
    return [
        Lineage(
            indicator,
            official.get(indicator.code),
            None if ground is None else indicator.own(ground),
            None if reading is None else reading.through,
            None if reading is None else reading.reading_id,
            QUERY_SHA256,
        )
        for indicator in INDICATORS
    ]


def drill_down(session: Session, code: str, year: int) -> list[Row]:
    """By street, methodology and month what an indicator's own value is made of, hidden cells as None.

    Of a year that is not settled only the district's totals of strands. Raises NotFound for an unknown indicator.
    """
    indicator = indicator_of(code)
    reading = indicators_readings.newest_of_year(session, year)
    return [] if reading is None else rows(indicator, indicators_readings.figures_of(reading))


def trend(session: Session, code: str, year: int) -> list[tuple[date, Own]]:
    """An indicator's own value from the first of January through each day that was read, the oldest first.

    Raises NotFound for an unknown indicator.
    """
    indicator, official = indicator_of(code), indicators_official.of_year(session, year)
    living = populations(session)
    found = [
        (reading.through, indicators_readings.figures_of(reading))
        for reading in indicators_readings.of_year(session, year)
    ]
    return [
        (through, indicator.own(ground_of(session, figures, official, living))) for through, figures in found
    ]


def indicator_of(code: str) -> Indicator:
    """An indicator by code; raises NotFound."""
    found = BY_CODE.get(code)
    if found is None:
        raise NotFound("indicator_unknown", Text(f"没有指标 {code}", f"There is no indicator {code}"))
    return found


def ground_of(
    session: Session, figures: Figures, official: Mapping[str, Official], living: Populations
) -> Ground:
    """What own values of a year are made of."""
    awards = {row.drive: int(row.n) for row in session.execute(_AWARDS, {"year": figures.through.year})}
    pilots = int(session.execute(_PILOTS, {"last": figures.through}).scalar_one())
    return Ground(figures, awards, pilots, official, living.of_district(figures.through).official)


def rows(indicator: Indicator, figures: Figures) -> list[Row]:
    """The fixed cells of an indicator's strands; nobody chooses others."""
    found = []
    for (street, strand), cell in figures.streets.items():
        if strand in indicator.strands:
            found.append(_row("street", street, street_name(street), strand, cell))
    for (month, strand), cell in figures.months.items():
        if strand in indicator.strands:
            found.append(
                _row("month", month, EVERYTHING if month == TOTAL else Text(month, month), strand, cell)
            )
    for (strand, code), cell in figures.methodologies.items():
        if strand in indicator.strands:
            title = METHODOLOGIES[code][-1].title
            found.append(_row("methodology", code, Text(title.zh, title.en), strand, cell))
    return sorted(
        found, key=lambda row: (row.kind, indicator.strands.index(row.strand), row.key == TOTAL, row.key)
    )


def street_name(street: str) -> Text:
    """The name of a street, of those who named none, or of the whole."""
    return _STREETS[street]


def strand_name(strand: str) -> Text:
    """The name of a strand, or of all."""
    return EVERYTHING if strand == TOTAL else STRANDS[strand].title


def _row(kind: str, key: str, name: Text, strand: str, cell: Cell) -> Row:
    return Row(kind, key, name, strand, strand_name(strand), cell)
