"""Tables of the proof: nightly replays, and restatements ordered."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

Instant = DateTime(timezone=True)


class ReplayRun(Model):
    """One replay of everything, and how far it is; finished when `finished_at` stands."""

    __tablename__ = "replay_run"

    replay_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    started_on: Mapped[date]
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    after_resident: Mapped[int] = mapped_column(BigInteger)
    credits: Mapped[int] = mapped_column(BigInteger)
    mismatches: Mapped[int] = mapped_column(BigInteger)
    first_found: Mapped[Any] = mapped_column(JSONB)


class Restatement(Model):
    """An order to state the grams of past acts anew under another version; approved by a second person."""

    __tablename__ = "restatement"

    restatement_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    methodology: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int] = mapped_column(SmallInteger)
    since: Mapped[date]
    until: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    approval_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Instant)
