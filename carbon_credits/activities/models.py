"""The tables of acts: the act itself never changes; its decision is a row of its own.

The states an act may pass through are rows too (`activity_state`), read by the trigger that guards decisions.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CHAR, BigInteger, DateTime, Identity, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

Instant = DateTime(timezone=True)


class FormulaRelease(Model):
    """A methodology version with one set of parameter values, content-addressed."""

    __tablename__ = "formula_release"

    release_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    methodology: Mapped[int] = mapped_column(SmallInteger)
    code: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    in_force: Mapped[date]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    formula_digest: Mapped[bytes] = mapped_column(LargeBinary)
    parameters_digest: Mapped[bytes] = mapped_column(LargeBinary)
    document: Mapped[bytes] = mapped_column(LargeBinary)


class ActKey(Model):
    """Once: no date, no shard, so the same act stays the same act whatever else is said of it."""

    __tablename__ = "act_key"

    source_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    content_digest: Mapped[bytes] = mapped_column(LargeBinary)
    occurred_on: Mapped[date]


class Activity(Model):
    """What was done, as it was told."""

    __tablename__ = "activity"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    occurred_on: Mapped[date] = mapped_column(primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    occurred_from: Mapped[datetime] = mapped_column(Instant)
    occurred_to: Mapped[datetime] = mapped_column(Instant)
    told_at: Mapped[datetime] = mapped_column(Instant)
    methodology: Mapped[int] = mapped_column(SmallInteger)
    source_id: Mapped[int] = mapped_column(SmallInteger)
    evidence_class: Mapped[str] = mapped_column(CHAR(1))
    monitored: Mapped[dict[str, int]] = mapped_column(JSONB)
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    vehicle_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    item_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    transaction_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    meter_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    evidence_digest: Mapped[bytes] = mapped_column(LargeBinary)
    ext_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    match_key: Mapped[bytes | None] = mapped_column(LargeBinary)


class QueuedAct(Model):
    """One narrow row for each act that waits for its decision."""

    __tablename__ = "activity_queue"

    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    occurred_on: Mapped[date] = mapped_column(primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    queued_at: Mapped[datetime] = mapped_column(Instant)
    generation: Mapped[int] = mapped_column(SmallInteger)
    evidence_class: Mapped[str | None] = mapped_column(CHAR(1))
    verdict: Mapped[str | None] = mapped_column(Text)
    reasons: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class ActivityState(Model):
    """Which state may follow which."""

    __tablename__ = "activity_state"

    state: Mapped[str] = mapped_column(Text, primary_key=True)
    follows: Mapped[str] = mapped_column(Text, primary_key=True)


class Decision(Model):
    """What one passage (generation) of an act through the batch came to, and why not to more."""

    __tablename__ = "decision"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    occurred_on: Mapped[date] = mapped_column(primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    occurred_from: Mapped[datetime] = mapped_column(Instant)
    occurred_to: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime] = mapped_column(Instant)
    raw_mg: Mapped[int | None] = mapped_column(BigInteger)
    credited_mg: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    bonus: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    journal_id: Mapped[int | None] = mapped_column(BigInteger)
    against: Mapped[int | None] = mapped_column(BigInteger)
    release_id: Mapped[int | None] = mapped_column(Integer)
    fund_id: Mapped[int | None] = mapped_column(Integer)
    matures_on: Mapped[date | None]
    lot_on: Mapped[date | None]
    methodology: Mapped[int] = mapped_column(SmallInteger)
    evidence_class: Mapped[str] = mapped_column(CHAR(1))
    pool: Mapped[str | None] = mapped_column(CHAR(1))
    motion: Mapped[bool]
    state: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class Restated(Model):
    """The grams of one credited passage as a restatement has them; the newest counts. Points are not in it."""

    __tablename__ = "restated"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    restatement_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    old_mg: Mapped[int] = mapped_column(BigInteger)
    new_mg: Mapped[int] = mapped_column(BigInteger)
    raw_mg: Mapped[int | None] = mapped_column(BigInteger)
    journal_id: Mapped[int | None] = mapped_column(BigInteger)
    from_release: Mapped[int] = mapped_column(Integer)
    to_release: Mapped[int] = mapped_column(Integer)
    occurred_on: Mapped[date]
    reasons: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class RecordMatch(Model):
    """A phone's claim and a partner's record of the same act; ended, not deleted, when it no longer holds."""

    __tablename__ = "record_match"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    claim_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    record_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    matched_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    claim_on: Mapped[date]
    record_on: Mapped[date]
    score: Mapped[int] = mapped_column(Integer)
    source_id: Mapped[int] = mapped_column(SmallInteger)
    pass_: Mapped[str] = mapped_column("pass", Text)
    differs: Mapped[list[str]] = mapped_column(ARRAY(Text))


class VehicleClaim(Model):
    """One vehicle carries one act at a time."""

    __tablename__ = "vehicle_claim"

    vehicle_no: Mapped[int] = mapped_column(BigInteger)
    span: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger)


class MeterClaim(Model):
    """One meter's period is counted once."""

    __tablename__ = "meter_claim"

    meter_no: Mapped[int] = mapped_column(BigInteger)
    span: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger)


class ItemClaim(Model):
    """One thing (a tree's year, a device) is counted once."""

    __tablename__ = "item_claim"

    item_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger)
    resident_id: Mapped[int] = mapped_column(BigInteger)


class TransactionClaim(Model):
    """One order or deposit is counted once."""

    __tablename__ = "transaction_claim"

    transaction_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger)
    resident_id: Mapped[int] = mapped_column(BigInteger)


class TripTrace(Model):
    """A trace that waits for its verdict, or is kept a while after it; sealed with the resident's own key."""

    __tablename__ = "trip_trace"

    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(Instant)
    judged_at: Mapped[datetime | None] = mapped_column(Instant)
    occurred_on: Mapped[date]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class TripVerdict(Model):
    """What a look at a trace found; looking again, by machine or by a person, is another round."""

    __tablename__ = "trip_verdict"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    round: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    judged_at: Mapped[datetime] = mapped_column(Instant)
    occurred_on: Mapped[date]
    rules_version: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[int] = mapped_column(SmallInteger)
    by_staff: Mapped[int | None]
    decision: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scores: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    features: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class TripPrint(Model):
    """The keyed fingerprints a trace leaves for good, so that it cannot be told again."""

    __tablename__ = "trip_print"

    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    keyed_for: Mapped[int] = mapped_column(SmallInteger)
    exact: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    moves: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    route: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class Appeal(Model):
    """A resident's objection to one decision, and the answer to it."""

    __tablename__ = "appeal"

    appeal_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    activity_id: Mapped[int] = mapped_column(BigInteger)
    occurred_on: Mapped[date]
    generation: Mapped[int] = mapped_column(SmallInteger)
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
