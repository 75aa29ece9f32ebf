"""Tables of the mass balance: what recyclers bought, which acts are held, which stations are named."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

Instant = DateTime(timezone=True)


class RecyclerPurchase(Model):
    """Grams of a material that the buyer downstream bought in a month, by one document."""

    __tablename__ = "recycler_purchase"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    document_no: Mapped[str] = mapped_column(Text, primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    methodology: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    buyer: Mapped[str] = mapped_column(Text)
    bought_g: Mapped[int] = mapped_column(BigInteger)
    approval_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))
    at: Mapped[datetime] = mapped_column(Instant)


class MassHold(Model):
    """An act that is held because its bag does not balance or its month is beyond what was bought."""

    __tablename__ = "mass_hold"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    held_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    activity_id: Mapped[int] = mapped_column(BigInteger)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    occurred_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)


class StationAlarm(Model):
    """A station that a test named, and what a person made of it."""

    __tablename__ = "station_alarm"

    alarm_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
    raised_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    figures: Mapped[Any] = mapped_column(JSONB)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.staff_id"))
    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"))
    methodology: Mapped[int | None] = mapped_column(SmallInteger)
    station: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)


class StationAlarmState(Model):
    """Which state of an alarm may follow which."""

    __tablename__ = "station_alarm_state"

    state: Mapped[str] = mapped_column(Text, primary_key=True)
    follows: Mapped[str] = mapped_column(Text, primary_key=True)
