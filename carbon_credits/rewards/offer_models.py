"""Offers' tables: what a point is worth, purses, offers, stock and shares."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")


class PointValue(Model):
    """What a merchant is paid for a point from a day on, in micro-fen (a millionth of a fen)."""

    __tablename__ = "point_value"

    in_force: Mapped[date] = mapped_column(Date, primary_key=True)
    micro_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    approval_id: Mapped[int] = mapped_column(BigInteger)


class Purse(Model):
    """Money that tops offers up, in fen: paid in, and of that reserved, spent, refunded."""

    __tablename__ = "purse"

    purse_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    paid_in_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    reserved_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    spent_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    refunded_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class PurseEntry(Model):
    """One movement of a purse, once for its cause. Never changed."""

    __tablename__ = "purse_entry"

    entry_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    purse_id: Mapped[int] = mapped_column(Integer, ForeignKey("purse.purse_id"))
    kind: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class Offer(Model):
    """One thing to be had at one price; approved, it never changes but in its state."""

    __tablename__ = "offer"

    offer_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    kind: Mapped[str] = mapped_column(Text)
    title_zh: Mapped[str] = mapped_column(Text)
    title_en: Mapped[str] = mapped_column(Text)
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    face_fen: Mapped[int] = mapped_column(BigInteger)
    value_micro_fen: Mapped[int | None] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    purse_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("purse.purse_id"))
    stock: Mapped[int]
    per_person: Mapped[int | None] = mapped_column(SmallInteger)
    streets: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    offline: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    from_at: Mapped[datetime] = mapped_column(_INSTANT)
    to_at: Mapped[datetime] = mapped_column(_INSTANT)
    state: Mapped[str] = mapped_column(Text, server_default=text("'draft'"))
    state_reason: Mapped[str | None] = mapped_column(Text)
    replaces: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("offer.offer_id"))
    approval_id: Mapped[int | None] = mapped_column(BigInteger)
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class OfferStock(Model):
    """One slot of an offer's stock: how many are left in it."""

    __tablename__ = "offer_stock"

    offer_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("offer.offer_id"), primary_key=True, autoincrement=False
    )
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    left_n: Mapped[int]


class OfferShare(Model):
    """How often a resident has had an offer that is limited, and the limit."""

    __tablename__ = "offer_share"

    offer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    taken: Mapped[int] = mapped_column(SmallInteger)
    most: Mapped[int] = mapped_column(SmallInteger)
