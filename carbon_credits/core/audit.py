"""Who did what to what, outside the ledger: one row, in the transaction of the deed.

Nothing personal goes in: subjects are numbers and codes, and `before` and `after` hold what changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, DateTime, Identity, Text, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from carbon_credits.core.clock import midnight
from carbon_credits.core.db import Model


class AuditEntry(Model):
    """One deed. Append-only: the database refuses to change or delete it."""

    __tablename__ = "audit_entry"

    audit_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    before: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str | None] = mapped_column(Text)


def record(
    session: Session,
    actor: str,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    request_id: str | None = None,
    reason: str | None = None,
) -> None:
    """Write one deed: `record(session, "staff:3", "fund.deposited", "fund:1", None, {"points": 5000})`.

    `reason` is what whoever did it said of why, where they had to.
    """
    session.execute(
        insert(AuditEntry).values(
            actor=actor,
            action=action,
            subject=subject,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
            request_id=request_id,
            reason=reason,
        )
    )


# numbers rise with time but for deeds done at one moment: a day is found by its numbers, and then read exactly
_ASIDE: Final = 10_000


@dataclass(frozen=True)
class Wanted:
    """Which deeds are looked for; days are the programme's, both included. What is None is any."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    first: date | None = None
    last: date | None = None


def search(session: Session, wanted: Wanted, most: int, before: int | None = None) -> Sequence[AuditEntry]:
    """Deeds, the newest first, at most `most`; `before` is the number of the last one of the page before."""
    asked = select(AuditEntry).order_by(AuditEntry.audit_id.desc()).limit(most)
    for column, value in (
        (AuditEntry.actor, wanted.actor),
        (AuditEntry.action, wanted.action),
        (AuditEntry.subject, wanted.subject),
    ):
        if value is not None:
            asked = asked.where(column == value)
    if wanted.first is not None:
        since = midnight(wanted.first)
        oldest = select(AuditEntry.audit_id).where(AuditEntry.at >= since).order_by(AuditEntry.at).limit(1)
        asked = asked.where(AuditEntry.at >= since, AuditEntry.audit_id >= oldest.scalar_subquery() - _ASIDE)
    if wanted.last is not None:
        until = midnight(wanted.last + timedelta(days=1))
        newest = (
            select(AuditEntry.audit_id).where(AuditEntry.at < until).order_by(AuditEntry.at.desc()).limit(1)
        )
        asked = asked.where(AuditEntry.at < until, AuditEntry.audit_id <= newest.scalar_subquery() + _ASIDE)
    if before is not None:
        asked = asked.where(AuditEntry.audit_id < before)
    return session.scalars(asked).all()


# each action is found from the one before it in the index: as many steps as there are actions, however many deeds
_ACTIONS: Final = text("""
with recursive found as (
  (select action from audit_entry order by action limit 1)
  union all
  select (select a.action from audit_entry a where a.action > f.action order by a.action limit 1)
  from found f where f.action is not null)
select action from found where action is not null
""")


def actions(session: Session) -> Sequence[str]:
    """What has been done so far, by kind."""
    return session.scalars(_ACTIONS).all()
