"""Who did what to what, outside the ledger: one row, in the transaction of the deed.

Nothing personal goes in: subjects are numbers and codes, and `before` and `after` hold what changed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Text, insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

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
