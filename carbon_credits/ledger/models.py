"""The ledger's tables. The migration writes the promises (checks, triggers, grants); these name them."""

from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
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
    Numeric,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model


class ContraKind(IntEnum):
    """The other side of a posting: what gave the resident points, or took them. Mirrors `contra_kind`."""

    GRANT = 1  # contra_ref is the fund
    BONUS = 2  # the fund
    MERCHANT = 3  # the merchant
    WRITE_OFF = 4  # the fund that bears it
    BREAKAGE = 5  # the fund whose points lapsed
    CLAWBACK = 6  # the fund that gets them back
    ADJUSTMENT = 7  # 0: a restatement moves grams alone, and no fund is touched


class JournalKind(IntEnum):
    """Why a journal was written. Mirrors `journal_kind`."""

    CREDIT = 1
    CAPTURE = 2
    EXPIRY = 3
    CLAWBACK = 4
    ADJUSTMENT = 5
    RESTATEMENT = 6
    REVERSAL = 7


def _key(kind: type[BigInteger | SmallInteger | Integer]) -> Mapped[int]:
    return mapped_column(kind, primary_key=True, autoincrement=False)


def _amount() -> Mapped[int]:
    return mapped_column(BigInteger, server_default=text("0"))


def _written_at() -> Mapped[datetime]:
    return mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class ContraKindRow(Model):
    """The names of contra kinds, for those who read the database alone."""

    __tablename__ = "contra_kind"
    contra_kind: Mapped[int] = _key(SmallInteger)
    name: Mapped[str] = mapped_column(Text, unique=True)


class JournalKindRow(Model):
    """The names of journal kinds, for those who read the database alone."""

    __tablename__ = "journal_kind"
    journal_kind: Mapped[int] = _key(SmallInteger)
    name: Mapped[str] = mapped_column(Text, unique=True)


class Wallet(Model):
    """A resident's balances: available + held + pending - debt is the sum of the postings."""

    __tablename__ = "wallet"
    resident_id: Mapped[int] = _key(BigInteger)
    available: Mapped[int] = _amount()
    held: Mapped[int] = _amount()
    pending: Mapped[int] = _amount()
    debt: Mapped[int] = _amount()
    verified_mg: Mapped[int] = _amount()
    claimed_mg: Mapped[int] = _amount()
    removal_mg: Mapped[int] = _amount()
    seq: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    shard_id: Mapped[int] = _key(SmallInteger)
    status: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))


class Lot(Model):
    """A calendar bucket of spendable points: usable through `expires_on`."""

    __tablename__ = "lot"
    resident_id: Mapped[int] = _key(BigInteger)
    expires_on: Mapped[date] = mapped_column(Date, primary_key=True)
    fund_id: Mapped[int] = _key(Integer)
    earned: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = _amount()
    shard_id: Mapped[int] = _key(SmallInteger)


class PendingLot(Model):
    """Points that wait until `matures_on` before they become a lot."""

    __tablename__ = "pending_lot"
    resident_id: Mapped[int] = _key(BigInteger)
    matures_on: Mapped[date] = mapped_column(Date, primary_key=True)
    expires_on: Mapped[date] = mapped_column(Date, primary_key=True)
    fund_id: Mapped[int] = _key(Integer)
    points: Mapped[int] = mapped_column(BigInteger)
    shard_id: Mapped[int] = _key(SmallInteger)


class Journal(Model):
    """One act of writing: its postings' count, sums and hash. Never changed."""

    __tablename__ = "journal"
    journal_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    created_at: Mapped[datetime] = _written_at()
    points_sum: Mapped[int] = mapped_column(BigInteger)
    verified_sum: Mapped[int] = mapped_column(BigInteger)
    claimed_sum: Mapped[int] = mapped_column(BigInteger)
    removal_sum: Mapped[int] = mapped_column(BigInteger)
    reverses: Mapped[int | None] = mapped_column(BigInteger)
    n: Mapped[int] = mapped_column(Integer)
    kind: Mapped[int] = mapped_column(SmallInteger, ForeignKey("journal_kind.journal_kind"))
    shard_id: Mapped[int] = _key(SmallInteger)
    cause: Mapped[str | None] = mapped_column(Text)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)


class Posting(Model):
    """One row, both legs: the resident gains what the contra account gives. Never changed."""

    __tablename__ = "posting"
    journal_id: Mapped[int] = _key(BigInteger)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    verified_mg: Mapped[int] = _amount()
    claimed_mg: Mapped[int] = _amount()
    removal_mg: Mapped[int] = _amount()
    balance_after: Mapped[int] = mapped_column(BigInteger)
    activity_id: Mapped[int | None] = mapped_column(BigInteger)
    line: Mapped[int] = _key(Integer)
    wallet_seq: Mapped[int] = mapped_column(Integer)
    contra_ref: Mapped[int] = mapped_column(Integer)
    booked_on: Mapped[date] = mapped_column(Date, primary_key=True)
    effective_on: Mapped[date] = mapped_column(Date)
    lot_on: Mapped[date | None] = mapped_column(Date)
    generation: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    contra_kind: Mapped[int] = mapped_column(SmallInteger)
    shard_id: Mapped[int] = _key(SmallInteger)


class Hold(Model):
    """Points set aside for one merchant until they are captured, voided or lapse."""

    __tablename__ = "hold"
    hold_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    resident_id: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    merchant_id: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text, server_default=text("'held'"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = _written_at()
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    journal_id: Mapped[int | None] = mapped_column(BigInteger)
    shard_id: Mapped[int] = _key(SmallInteger)


class HoldLot(Model):
    """Which buckets a hold was taken from."""

    __tablename__ = "hold_lot"
    hold_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    expires_on: Mapped[date] = mapped_column(Date, primary_key=True)
    fund_id: Mapped[int] = _key(Integer)
    points: Mapped[int] = mapped_column(BigInteger)
    shard_id: Mapped[int] = _key(SmallInteger)


class Fund(Model):
    """Where points come from; `budget` and `unallocated` are in points. A campaign's is filled by a transfer alone."""

    __tablename__ = "fund"
    fund_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    budget: Mapped[int] = _amount()
    unallocated: Mapped[int] = _amount()
    kind: Mapped[str] = mapped_column(Text, server_default=text("'general'"))


class FundDeposit(Model):
    """A purchase of points under one approval, at a price that never changes; below zero what was taken back of one."""

    __tablename__ = "fund_deposit"
    deposit_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    fund_id: Mapped[int] = mapped_column(Integer, ForeignKey("fund.fund_id"))
    points: Mapped[int] = mapped_column(BigInteger)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    # the approvals' table lives in core without a model here; the database holds the reference
    approval_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = _written_at()
    fund_kind: Mapped[str] = mapped_column(Text, Computed("'general'", persisted=True))


class FundTransfer(Model):
    """Points that moved from one fund to another, and the fen behind them: one row is both sides. Never changed."""

    __tablename__ = "fund_transfer"
    transfer_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    from_fund: Mapped[int] = mapped_column(Integer, ForeignKey("fund.fund_id"))
    to_fund: Mapped[int] = mapped_column(Integer, ForeignKey("fund.fund_id"))
    points: Mapped[int] = mapped_column(BigInteger)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str] = mapped_column(Text)
    # the campaigns' table lives a floor below without being known here
    campaign_id: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = _written_at()


class FundSlot(Model):
    """The part of a fund that one shard may spend without asking the others."""

    __tablename__ = "fund_slot"
    fund_id: Mapped[int] = _key(Integer)
    shard_id: Mapped[int] = _key(SmallInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)


class Clawback(Model):
    """That one credited act was taken back, and where its points were found."""

    __tablename__ = "clawback"
    resident_id: Mapped[int] = _key(BigInteger)
    activity_id: Mapped[int] = _key(BigInteger)
    generation: Mapped[int] = _key(SmallInteger)
    journal_id: Mapped[int | None] = mapped_column(BigInteger)
    from_pending: Mapped[int] = _amount()
    from_lot: Mapped[int] = _amount()
    from_other: Mapped[int] = _amount()
    from_breakage: Mapped[int] = _amount()
    to_debt: Mapped[int] = _amount()
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = _written_at()
    shard_id: Mapped[int] = _key(SmallInteger)


class Seal(Model):
    """A closed block of journals, chained to the one before."""

    __tablename__ = "seal"
    seal_no: Mapped[int] = _key(BigInteger)
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary)
    merkle_root: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    n_journals: Mapped[int] = mapped_column(Integer)
    n_postings: Mapped[int] = mapped_column(BigInteger)
    points_sum: Mapped[Decimal] = mapped_column(Numeric)
    verified_sum: Mapped[Decimal] = mapped_column(Numeric)
    claimed_sum: Mapped[Decimal] = mapped_column(Numeric)
    removal_sum: Mapped[Decimal] = mapped_column(Numeric)
    sealed_at: Mapped[datetime] = _written_at()


class SealMember(Model):
    """Which journal is which leaf of which seal."""

    __tablename__ = "seal_member"
    journal_id: Mapped[int] = _key(BigInteger)
    seal_no: Mapped[int] = mapped_column(BigInteger, ForeignKey("seal.seal_no"))
    leaf: Mapped[int] = mapped_column(Integer)
    shard_id: Mapped[int] = _key(SmallInteger)
