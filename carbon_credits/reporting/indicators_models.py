"""Tables of the plan's indicators: official values, readings of what our records come to, evaluation packs."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")


class IndicatorValue(Model):
    """What a bureau says an indicator was, and where it says so; a correction is another row. Never changed."""

    __tablename__ = "indicator_value"

    value_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    indicator: Mapped[str] = mapped_column(Text)
    street: Mapped[str | None] = mapped_column(Text)
    value: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(Text)
    as_of: Mapped[date] = mapped_column(Date)
    source_title: Mapped[str] = mapped_column(Text)
    source_address: Mapped[str | None] = mapped_column(Text)
    source_page: Mapped[str | None] = mapped_column(Text)
    approval_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))
    at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class IndicatorReading(Model):
    """What credited acts from the first of January through a day come to, as it may be shown. Never changed."""

    __tablename__ = "indicator_reading"

    reading_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    through: Mapped[date] = mapped_column(Date)
    version: Mapped[int] = mapped_column(SmallInteger)
    with_tables: Mapped[bool] = mapped_column(Boolean)
    figures: Mapped[Any] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str | None] = mapped_column(Text)
    taken_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class EvaluationPack(Model):
    """A year as it was evaluated: the snapshot that its papers are made of. Only its state changes."""

    __tablename__ = "evaluation_pack"

    pack_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int] = mapped_column(SmallInteger)
    snapshot: Mapped[Any] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, server_default=text("'draft'"))
    made_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    approval_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))
