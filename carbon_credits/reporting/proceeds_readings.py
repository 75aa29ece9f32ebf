"""The use of proceeds as it stood at the end of each day, kept: pages read it, and nobody has to trace it twice."""

from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Date, DateTime, LargeBinary, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from carbon_credits.core.db import Model
from carbon_credits.reporting import proceeds
from carbon_credits.reporting.indicators_readings import canonical

_A_DAY: Final = timedelta(days=1)


class ProceedsReading(Model):
    """What became of all money through a day that is over: `report` is `{"instruments": […]}`. Never changed."""

    __tablename__ = "proceeds_reading"

    through: Mapped[date] = mapped_column(Date, primary_key=True)
    report: Mapped[Any] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    taken_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )


def read_due(session: Session, today: date) -> int:
    """Keep the report through yesterday, unless it is kept already; returns 1 where it was not.

    Raises InvariantBroken where the books do not add up.
    """
    through = today - _A_DAY
    if session.get(ProceedsReading, through) is not None:
        return 0
    told = proceeds.report(session, through)
    document = {"instruments": [one.as_document() for one in told.instruments]}
    row = {"through": through, "report": document, "digest": sha256(canonical(document)).digest()}
    kept = insert(ProceedsReading).values(row).on_conflict_do_nothing().returning(ProceedsReading.through)
    return int(session.execute(kept).scalar() is not None)


def newest(session: Session, until: date | None = None) -> ProceedsReading | None:
    """The newest report that was kept, through a day at most; None before the first."""
    asked = select(ProceedsReading).order_by(ProceedsReading.through.desc()).limit(1)
    if until is not None:
        asked = asked.where(ProceedsReading.through <= until)
    return session.execute(asked).scalar_one_or_none()
