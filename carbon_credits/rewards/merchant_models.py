"""Merchants' tables: who they are, accounts, clients, tills and people, what they are told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
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


class RewardState(Model):
    """Which state may follow which, for every machine of this floor."""

    __tablename__ = "reward_state"

    machine: Mapped[str] = mapped_column(Text, primary_key=True)
    follows: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, primary_key=True)


class Merchant(Model):
    """A shop, or whoever plants for a donation. `contact` is sealed."""

    __tablename__ = "merchant"

    merchant_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    street: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    licence_no: Mapped[str] = mapped_column(Text)
    licence_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    contact: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, server_default=text("'applied'"))
    state_reason: Mapped[str | None] = mapped_column(Text)
    applied_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    approval_id: Mapped[int | None] = mapped_column(BigInteger)


class MerchantAccount(Model):
    """What a merchant is paid to; holder and number are sealed, `number_end` is what people see."""

    __tablename__ = "merchant_account"

    account_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    rail: Mapped[str] = mapped_column(Text)
    provider_ref: Mapped[str | None] = mapped_column(Text)
    holder: Mapped[bytes | None] = mapped_column(LargeBinary)
    number: Mapped[bytes | None] = mapped_column(LargeBinary)
    number_end: Mapped[str | None] = mapped_column(Text)
    bank_code: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text("'proposed'"))
    approval_id: Mapped[int | None] = mapped_column(BigInteger)
    proposed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class AccountStanding(Model):
    """What a provider last said of an account: may it be paid to, and its last payout to a bank where that failed.

    `payout_amount` is in the smallest unit of `payout_currency`.
    """

    __tablename__ = "account_standing"

    account_id: Mapped[int] = mapped_column(
        Integer, ForeignKey("merchant_account.account_id"), primary_key=True, autoincrement=False
    )
    payable: Mapped[bool] = mapped_column(Boolean)
    payout_ref: Mapped[str | None] = mapped_column(Text)
    payout_failure: Mapped[str | None] = mapped_column(Text)
    payout_amount: Mapped[int | None] = mapped_column(BigInteger)
    payout_currency: Mapped[str | None] = mapped_column(Text)
    payout_made_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    asked_at: Mapped[datetime] = mapped_column(_INSTANT)


class MerchantClient(Model):
    """What a merchant's system or one till signs in with, and what it may do."""

    __tablename__ = "merchant_client"

    client_id: Mapped[str] = mapped_column(Text, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    kind: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_mac: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class TillPairing(Model):
    """A code that brings in one till, once and soon; only its keyed digest is kept."""

    __tablename__ = "till_pairing"

    code_mac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    label: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(_INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    client_id: Mapped[str | None] = mapped_column(Text, ForeignKey("merchant_client.client_id"))


class MerchantMember(Model):
    """Who stands at a till: a number within the merchant and a keyed digest of a PIN."""

    __tablename__ = "merchant_member"

    member_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    role: Mapped[str] = mapped_column(Text)
    pin_mac: Mapped[bytes] = mapped_column(LargeBinary)
    wrong: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    locked_until: Mapped[datetime | None] = mapped_column(_INSTANT)
    added_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class TillShift(Model):
    """Who is at which till from when to when."""

    __tablename__ = "till_shift"

    shift_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("merchant_client.client_id"))
    member_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant_member.member_id"))
    began_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class MerchantHook(Model):
    """Where a merchant wants to be told of things; the secrets are sealed, during a rotation both sign."""

    __tablename__ = "merchant_hook"

    hook_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant.merchant_id"))
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_until: Mapped[datetime | None] = mapped_column(_INSTANT)
    disabled_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    why: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class HookDelivery(Model):
    """One thing told to one address, until it was taken or given up."""

    __tablename__ = "hook_delivery"

    delivery_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    hook_id: Mapped[int] = mapped_column(Integer, ForeignKey("merchant_hook.hook_id"))
    event: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text)
    payload: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    state: Mapped[str] = mapped_column(Text, server_default=text("'waiting'"))
    last_status: Mapped[int | None] = mapped_column(SmallInteger)
    last_error: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None] = mapped_column(_INSTANT)
