"""Tables of green finance: banks, programmes with their tiers, statements and their status, outcomes."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")


class Bank(Model):
    """A bank or an insurer; statements for it are addressed to `audience`. The contact is sealed."""

    __tablename__ = "bank"

    bank_id: Mapped[int] = mapped_column(SmallInteger, Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    audience: Mapped[str] = mapped_column(Text)
    contact: Mapped[bytes] = mapped_column(LargeBinary)
    partner_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("partner.partner_id"))
    added_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class Incentive(Model):
    """One version of a programme; its terms change in a draft alone."""

    __tablename__ = "incentive"

    incentive_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    bank_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("bank.bank_id"))
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    benefit: Mapped[str] = mapped_column(Text)
    benefit_zh: Mapped[str] = mapped_column(Text)
    benefit_en: Mapped[str] = mapped_column(Text)
    grade: Mapped[str] = mapped_column(Text)
    families: Mapped[list[str]] = mapped_column(ARRAY(Text))
    window_months: Mapped[int] = mapped_column(SmallInteger)
    valid_days: Mapped[int] = mapped_column(SmallInteger)
    consent_zh: Mapped[str] = mapped_column(Text)
    consent_en: Mapped[str] = mapped_column(Text)
    consent_version: Mapped[str] = mapped_column(Text)
    no_adverse_zh: Mapped[str] = mapped_column(Text)
    no_adverse_en: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text("'draft'"))
    state_reason: Mapped[str | None] = mapped_column(Text)
    approval_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class IncentiveTier(Model):
    """From how many grams on, and what it brings: basis points of rate, limit or premium, or fen of subsidy."""

    __tablename__ = "incentive_tier"

    incentive_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("incentive.incentive_id"), primary_key=True
    )
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    from_g: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)


class StatusList(Model):
    """Places for the status of statements; `revision` counts the changes."""

    __tablename__ = "status_list"

    list_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    size: Mapped[int] = mapped_column(Integer, server_default=text("131072"))
    revision: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    opened_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class IncentiveStatement(Model):
    """What was signed for a resident, not the signed text; `grams` is sealed under the resident's own key."""

    __tablename__ = "incentive_statement"

    jti: Mapped[str] = mapped_column(Text, primary_key=True)
    incentive_id: Mapped[int] = mapped_column(BigInteger)
    tier: Mapped[str] = mapped_column(Text)
    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"))
    list_id: Mapped[int] = mapped_column(Integer, ForeignKey("status_list.list_id"))
    idx: Mapped[int] = mapped_column(Integer)
    kid: Mapped[str] = mapped_column(Text, ForeignKey("signing_key.kid"))
    consent_version: Mapped[str] = mapped_column(Text)
    grams: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime] = mapped_column(_INSTANT)
    expires_at: Mapped[datetime] = mapped_column(_INSTANT)
    revoked_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    revoked_why: Mapped[str | None] = mapped_column(Text)


class IncentiveOutcome(Model):
    """What a bank made of a statement; the highest version counts. Never changed."""

    __tablename__ = "incentive_outcome"

    jti: Mapped[str] = mapped_column(Text, ForeignKey("incentive_statement.jti"), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    outcome: Mapped[str] = mapped_column(Text)
    benefit_fen: Mapped[int | None] = mapped_column(BigInteger)
    from_on: Mapped[date | None]
    to_on: Mapped[date | None]
    reported_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    reported_by: Mapped[str] = mapped_column(Text)
