"""Settlement's tables: statements, payments, bank files, what providers say, money that comes in."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Computed,
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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")


class Settlement(Model):
    """One merchant's day: amounts in micro-fen, whole fen are paid, the rest is carried on."""

    __tablename__ = "settlement"

    settlement_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    day: Mapped[date] = mapped_column(Date)
    captures: Mapped[int]
    reversals: Mapped[int]
    carried_in: Mapped[int] = mapped_column(BigInteger)
    lines_micro_fen: Mapped[int] = mapped_column(BigInteger)
    adjusted_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    carried_out: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default=text("'frozen'"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    follows: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("settlement.settlement_id"))
    approval_id: Mapped[int | None] = mapped_column(BigInteger)
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class SettlementLine(Model):
    """A capture or its reversal in a settlement, once. Never changed."""

    __tablename__ = "settlement_line"

    settlement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("settlement.settlement_id"))
    capture_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("capture.capture_id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    micro_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    purse_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("purse.purse_id"))


class Payment(Model):
    """One attempt to pay a settlement; `key` is what a provider hears, derived from the row."""

    __tablename__ = "payment"

    payment_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    settlement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("settlement.settlement_id"))
    attempt: Mapped[int] = mapped_column(SmallInteger)
    account_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant_account.account_id"))
    rail: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(
        Text, Computed("'settlement:' || settlement_id || ':' || attempt"), unique=True
    )
    provider_ref: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text("'created'"))
    failure: Mapped[str | None] = mapped_column(Text)
    reversed_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class SettlementAdjustment(Model):
    """What a merchant's next statement is put right by, in fen: owed to it above zero, by it below. Never changed."""

    __tablename__ = "settlement_adjustment"

    adjustment_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    payment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("payment.payment_id"))
    kind: Mapped[str] = mapped_column(Text)
    fen: Mapped[int] = mapped_column(BigInteger)
    booked_on: Mapped[date] = mapped_column(Date)
    cause: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class SettlementAdjusted(Model):
    """Which settlement an adjustment went into, once. Never changed."""

    __tablename__ = "settlement_adjusted"

    adjustment_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("settlement_adjustment.adjustment_id"),
        primary_key=True,
        autoincrement=False,
    )
    settlement_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("settlement.settlement_id"))


class TakeBack(Model):
    """Money that was paid and is asked back, in fen; `key` is what a provider hears."""

    __tablename__ = "take_back"

    take_back_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    payment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("payment.payment_id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    approval_id: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(Text, Computed("'take_back:' || take_back_id"), unique=True)
    state: Mapped[str] = mapped_column(Text, server_default=text("'created'"))
    failure: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class BankFile(Model):
    """A file of payments for the bank, as it was written. Never changed."""

    __tablename__ = "bank_file"

    file_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    made_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    n: Mapped[int]
    total_fen: Mapped[int] = mapped_column(BigInteger)
    encoding: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)


class BankFileLine(Model):
    """Which payment stands on which line of which file. Never changed."""

    __tablename__ = "bank_file_line"

    payment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("payment.payment_id"), primary_key=True, autoincrement=False
    )
    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("bank_file.file_id"))
    line: Mapped[int]


class ProviderLine(Model):
    """What a provider says happened to our money, in fen, as it said it. Never changed."""

    __tablename__ = "provider_line"

    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    line_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    source_ref: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(_INSTANT)
    told: Mapped[Any] = mapped_column(JSONB)
    read_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class InboxEvent(Model):
    """What a provider told us unasked, by its own number: once, whole, as it came."""

    __tablename__ = "inbox_event"

    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    object_ref: Mapped[str | None] = mapped_column(Text)
    account_ref: Mapped[str | None] = mapped_column(Text)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    state: Mapped[str] = mapped_column(Text, server_default=text("'received'"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    processed_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    last_error: Mapped[str | None] = mapped_column(Text)


class Funding(Model):
    """A sponsor's payment for points of a fund, or into a purse, in fen."""

    __tablename__ = "funding"

    funding_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sponsor: Mapped[str] = mapped_column(Text)
    fund_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("fund.fund_id"))
    points: Mapped[int | None] = mapped_column(BigInteger)
    purse_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("purse.purse_id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    means: Mapped[str] = mapped_column(Text)
    approval_id: Mapped[int] = mapped_column(BigInteger)
    provider_ref: Mapped[str | None] = mapped_column(Text)
    intent_ref: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text("'created'"))
    refunded_fen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class FundingRefund(Model):
    """What is given back of a sponsor's payment, in fen."""

    __tablename__ = "funding_refund"

    refund_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    funding_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("funding.funding_id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int | None] = mapped_column(BigInteger)
    approval_id: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(Text, Computed("'refund:' || refund_id"), unique=True)
    provider_ref: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text("'created'"))
    failure: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
