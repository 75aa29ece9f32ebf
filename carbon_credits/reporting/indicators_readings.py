"""Readings: what acts of a year came to, read once for good, so that nobody can ask again and subtract.

Of a year under way the district's totals are read once a month, of months that are over; streets, methodologies and
months are in the reading of a whole year alone, taken when partners' late records are in. A period that has to be read
again is another version, for a reason that stays.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.reporting import indicators_figures, indicators_query
from carbon_credits.reporting.indicators_figures import HIDDEN, Cell, Figures, Shown
from carbon_credits.reporting.indicators_models import IndicatorReading

# partners may be late by 35 days
SETTLED_DAYS: Final = 36
_LOCK: Final = 440632


def due(today: date) -> list[date]:
    """The last days of what is to be read: the year before once it is settled, and the newest month of this one."""
    found = [date(today.year - 1, 12, 31)] if today >= settled_on(today.year - 1) else []
    month_end = today.replace(day=1) - timedelta(days=1)
    return [*found, month_end] if month_end.year == today.year else found


def settled_on(year: int) -> date:
    """The first day on which a year's tables are read."""
    return date(year, 12, 31) + timedelta(days=SETTLED_DAYS)


def read_due(session: Session, today: date) -> int:
    """Take one of the readings that are due and were not taken; returns 0 where there is none."""
    for through in due(today):
        if newest(session, through) is None:
            _take(session, through, None)
            return 1
    return 0


def read_again(session: Session, through: date, reason: str, by: int) -> IndicatorReading:
    """Another version of a period that was read. Raises NotFound where it was not."""
    if newest(session, through) is None:
        raise NotFound("not_read", Text("该期间尚未读数", "That period has not been read"))
    made = _take(session, through, reason)
    told = {"through": through.isoformat(), "version": made.version, "reason": reason}
    audit.record(session, f"staff:{by}", "indicator.read_again", f"reading:{made.reading_id}", None, told)
    return made


def newest(session: Session, through: date) -> IndicatorReading | None:
    """The version that counts of the reading through a day; None where it was not taken."""
    asked = select(IndicatorReading).where(IndicatorReading.through == through)
    return session.execute(asked.order_by(IndicatorReading.version.desc()).limit(1)).scalar_one_or_none()


def newest_of_year(session: Session, year: int) -> IndicatorReading | None:
    """The newest reading of a year that counts; None before the first."""
    asked = select(IndicatorReading).where(
        IndicatorReading.through >= date(year, 1, 1), IndicatorReading.through <= date(year, 12, 31)
    )
    order = (IndicatorReading.through.desc(), IndicatorReading.version.desc())
    return session.execute(asked.order_by(*order).limit(1)).scalar_one_or_none()


def of_year(session: Session, year: int) -> Sequence[IndicatorReading]:
    """The version that counts of every reading of a year, the earliest period first."""
    asked = select(IndicatorReading).where(
        IndicatorReading.through >= date(year, 1, 1), IndicatorReading.through <= date(year, 12, 31)
    )
    newest = asked.ext(distinct_on(IndicatorReading.through))
    order = (IndicatorReading.through, IndicatorReading.version.desc())
    return session.scalars(newest.order_by(*order)).all()


def figures_of(reading: IndicatorReading) -> Figures:
    """The figures of a reading."""
    told: Mapping[str, Any] = reading.figures
    return Figures(
        date.fromisoformat(told["first"]),
        date.fromisoformat(told["through"]),
        _cells(told["streets"]),
        _cells(told["months"]),
        _cells(told["methodologies"]),
        told["verified_people"],
    )


def not_settled(year: int) -> Conflict:
    """That a year's figures are not whole yet."""
    day = settled_on(year)
    return Conflict(
        "not_settled", Text(f"{year} 年数据自 {day} 起方可定稿", f"{year} is whole from {day} on")
    )


def canonical(document: Mapping[str, Any]) -> bytes:
    """One form of a document without floats, the same before and after the database."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _take(session: Session, through: date, reason: str | None) -> IndicatorReading:
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = newest(session, through)
    if before is not None and reason is None:
        return before
    tables = (through.month, through.day) == (12, 31)
    found = indicators_figures.figures(session, date(through.year, 1, 1), through, tables=tables)
    document = _document(found)
    row = {
        "through": through,
        "version": 1 if before is None else before.version + 1,
        "with_tables": tables,
        "figures": document,
        "digest": sha256(canonical(document)).digest(),
        "reason": reason,
    }
    return session.execute(insert(IndicatorReading).values(row).returning(IndicatorReading)).scalar_one()


def _document(found: Figures) -> dict[str, Any]:
    return {
        "first": found.first.isoformat(),
        "through": found.through.isoformat(),
        "amounts": list(indicators_query.AMOUNTS),
        "streets": _rows(found.streets),
        "months": _rows(found.months),
        "methodologies": _rows(found.methodologies),
        "verified_people": found.verified_people,
        "query_sha256": indicators_query.QUERY_SHA256,
    }


def _rows(shown: Shown) -> list[list[Any]]:
    """`[row, column, people, [amounts]]` for each cell; null for what may not be shown."""
    return [
        [*key, cell.people, None if cell.people is None else list(cell.amounts)]
        for key, cell in sorted(shown.items())
    ]


def _cells(rows: list[list[Any]]) -> dict[tuple[str, str], Cell]:
    return {
        (row, column): HIDDEN if people is None else Cell(people, tuple(amounts))
        for row, column, people, amounts in rows
    }
