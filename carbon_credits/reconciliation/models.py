"""Tables of reconciliation. The migration writes the promises (checks, triggers, grants); these name them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    SmallInteger,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = sql("clock_timestamp()")


class FeedGrace(Model):
    """How many days longer than its watermark says a feed is waited for, from a day on."""

    __tablename__ = "feed_grace"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    in_force: Mapped[date] = mapped_column(Date, primary_key=True)
    days: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    set_by: Mapped[int] = mapped_column(ForeignKey("staff.staff_id"))
    at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class CaseKind(Model):
    """A kind of case: whose it is and in how many days it is to be answered."""

    __tablename__ = "recon_case_kind"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    owner_role: Mapped[str] = mapped_column(Text)
    days: Mapped[int] = mapped_column(SmallInteger)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)


class CaseState(Model):
    """Which state of a case may follow which."""

    __tablename__ = "recon_case_state"

    state: Mapped[str] = mapped_column(Text, primary_key=True)
    follows: Mapped[str] = mapped_column(Text, primary_key=True)


class Case(Model):
    """A thing that a person must look at: one act, one feed (and day), or one file."""

    __tablename__ = "recon_case"

    case_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, ForeignKey("recon_case_kind.kind"))
    subject: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("source.source_id"))
    file_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("partner_file.file_id"))
    resident_id: Mapped[int | None] = mapped_column(BigInteger)
    activity_id: Mapped[int | None] = mapped_column(BigInteger)
    occurred_on: Mapped[date | None]
    generation: Mapped[int | None] = mapped_column(SmallInteger)
    shard_id: Mapped[int | None] = mapped_column(SmallInteger)
    methodology: Mapped[int | None] = mapped_column(SmallInteger)
    owner_role: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.staff_id"))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(_INSTANT)
    opened_by: Mapped[str] = mapped_column(Text)
    deadline: Mapped[datetime] = mapped_column(_INSTANT)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    asked: Mapped[str | None] = mapped_column(Text)
    partner_said: Mapped[bool | None]
    partner_words: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    answer_zh: Mapped[str | None] = mapped_column(Text)
    answer_en: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class ClosedPeriod(Model):
    """A feed's month that was closed, with its figures as they stood. Never changed."""

    __tablename__ = "closed_period"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    closed_by: Mapped[int] = mapped_column(ForeignKey("staff.staff_id"))
    approval_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))
    waived: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    through_journal: Mapped[int] = mapped_column(BigInteger)
    figures: Mapped[Any] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
