"""Residents' tables. Nothing personal is readable here: phones are sealed, and found by a keyed index."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, LargeBinary, SmallInteger, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_NOW = text("clock_timestamp()")
_INSTANT = DateTime(timezone=True)


class Resident(Model):
    """A person enrolled. The number fixes the shard and never changes."""

    __tablename__ = "resident"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    shard_id: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    street: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text, server_default="zh")
    enrolled_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class ResidentKey(Model):
    """The resident's own key, sealed under the vault; without it nothing personal of theirs opens."""

    __tablename__ = "resident_key"

    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"), primary_key=True)
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)


class ResidentPhone(Model):
    """The phone number, sealed under the resident's key; one account for a number."""

    __tablename__ = "resident_phone"

    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"), primary_key=True)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class OtpChallenge(Model):
    """A code that was sent: five guesses, five minutes, used once, replaced by the next."""

    __tablename__ = "otp_challenge"

    challenge_id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=text("gen_random_uuid()")
    )
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_phone: Mapped[bytes] = mapped_column(LargeBinary)
    code_mac: Mapped[bytes] = mapped_column(LargeBinary)
    guesses: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    expires_at: Mapped[datetime] = mapped_column(_INSTANT)
    state: Mapped[str] = mapped_column(Text, server_default="open")


class Throttle(Model):
    """How often something was done in one hour: exact, and safe from a flushed cache."""

    __tablename__ = "throttle"

    bucket: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    hour: Mapped[datetime] = mapped_column(_INSTANT, primary_key=True)
    used: Mapped[int]


class AuthSession(Model):
    """One sign-in on one device, until it is ended."""

    __tablename__ = "auth_session"

    session_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("gen_random_uuid()"))
    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"))
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    ended_why: Mapped[str | None] = mapped_column(Text)


class RefreshToken(Model):
    """One link in a session's chain of refresh tokens; only its keyed digest is kept."""

    __tablename__ = "refresh_token"

    token_mac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth_session.session_id", ondelete="CASCADE"))
    issued_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    expires_at: Mapped[datetime] = mapped_column(_INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class Consent(Model):
    """What was agreed to, or withdrawn, when, and to which text. Append-only: the latest row counts."""

    __tablename__ = "consent"

    consent_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"))
    purpose: Mapped[str] = mapped_column(Text)
    partner_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("partner.partner_id"))
    granted: Mapped[bool]
    text_version: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class Binding(Model):
    """A partner's customer is one of our residents, while `ended_at` is null."""

    __tablename__ = "binding"

    partner_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("partner.partner_id"), primary_key=True)
    subject_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"))
    bound_at: Mapped[datetime] = mapped_column(_INSTANT, primary_key=True, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)
