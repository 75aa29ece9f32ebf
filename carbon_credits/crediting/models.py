"""Tables of the proof, nightly replays and restatements ordered; what campaigns gave for acts, or would give."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
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


class Bonus(Model):
    """What a campaign gave for one passage of an act: earned, left by the person's caps, paid. Never changed.

    It stands as long as the decision of that passage is `credited`.
    """

    __tablename__ = "bonus"

    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entitled: Mapped[int] = mapped_column(BigInteger)
    due_points: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    journal_id: Mapped[int | None] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(Integer)
    fund_id: Mapped[int] = mapped_column(Integer)
    occurred_on: Mapped[date] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    reasons: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class Simulation(Model):
    """What campaigns would have cost in the past: asked for, begun, finished with a result or a failure."""

    __tablename__ = "simulation"

    simulation_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("campaign.campaign_id"))
    definitions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    digests: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    weeks: Mapped[int] = mapped_column(SmallInteger)
    asked_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    asked_at: Mapped[datetime] = mapped_column(Instant, server_default=sql_text("clock_timestamp()"))
    begun_at: Mapped[datetime | None] = mapped_column(Instant)
    touched_at: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=sql_text("0"))
    acts_done: Mapped[int] = mapped_column(BigInteger, server_default=sql_text("0"))
    acts: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    result: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    failure: Mapped[str | None] = mapped_column(Text)
