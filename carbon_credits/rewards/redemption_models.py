"""Redemptions' tables: what was reserved, its codes, captures and reversals, gifts of many."""

from datetime import date, datetime
from uuid import UUID

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
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")


class Gift(Model):
    """A gift of many: points pledged until the goal is met, or given back at the deadline."""

    __tablename__ = "gift"

    gift_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    offer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("offer.offer_id"))
    begun_by: Mapped[int] = mapped_column(BigInteger)
    shard_id: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(Text)
    goal: Mapped[int] = mapped_column(BigInteger)
    pledged: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    join_mac: Mapped[bytes] = mapped_column(LargeBinary)
    deadline: Mapped[datetime] = mapped_column(_INSTANT)
    state: Mapped[str] = mapped_column(Text, server_default=text("'open'"))
    begun_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    resolved_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class Redemption(Model):
    """What one resident takes of one offer, as it was agreed; its number is that of the hold."""

    __tablename__ = "redemption"

    redemption_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    offer_id: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    face_fen: Mapped[int] = mapped_column(BigInteger)
    value_micro_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    gift_id: Mapped[int | None] = mapped_column(BigInteger)
    merchant_id: Mapped[int]
    purse_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(Text, server_default=text("'reserved'"))
    kind: Mapped[str] = mapped_column(Text)
    reserved_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    expires_at: Mapped[datetime] = mapped_column(_INSTANT)
    resolved_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(SmallInteger)


class RedemptionCode(Model):
    """How a till finds a redemption: the keyed digest of its long or its short code. Never changed."""

    __tablename__ = "redemption_code"

    code_mac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(Uuid)
    merchant_id: Mapped[int]
    shard_id: Mapped[int] = mapped_column(SmallInteger)
    is_short: Mapped[bool] = mapped_column(Boolean)
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class WrongCode(Model):
    """How many wrong codes a till showed within an hour."""

    __tablename__ = "wrong_code"

    client_id: Mapped[str] = mapped_column(Text, ForeignKey("merchant_client.client_id"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(_INSTANT, primary_key=True)
    n: Mapped[int] = mapped_column(SmallInteger)


class Capture(Model):
    """That a merchant took a redemption, once, and what it is paid for it. Never changed."""

    __tablename__ = "capture"

    capture_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    redemption_id: Mapped[UUID] = mapped_column(Uuid)
    shard_id: Mapped[int] = mapped_column(SmallInteger)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    offer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("offer.offer_id"))
    client_id: Mapped[str | None] = mapped_column(Text, ForeignKey("merchant_client.client_id"))
    member_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("merchant_member.member_id"))
    journal_id: Mapped[int] = mapped_column(BigInteger)
    captured_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    occurred_at: Mapped[datetime] = mapped_column(_INSTANT)
    booked_on: Mapped[date] = mapped_column(Date)
    points: Mapped[int] = mapped_column(BigInteger)
    face_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    purse_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("purse.purse_id"))
    paid_micro_fen: Mapped[int] = mapped_column(BigInteger)
    is_offline: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    reference: Mapped[str | None] = mapped_column(Text)


class CaptureReversal(Model):
    """That a capture was undone the same day, and why. Never changed."""

    __tablename__ = "capture_reversal"

    capture_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("capture.capture_id"), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    client_id: Mapped[str | None] = mapped_column(Text, ForeignKey("merchant_client.client_id"))
    member_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("merchant_member.member_id"))
    journal_id: Mapped[int] = mapped_column(BigInteger)
    reversed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    booked_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)


class ExpiryNotice(Model):
    """That somebody was told of points about to lapse, or could not be. Never changed."""

    __tablename__ = "expiry_notice"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    expires_on: Mapped[date] = mapped_column(Date, primary_key=True)
    days_before: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    points: Mapped[int] = mapped_column(BigInteger)
    told: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
