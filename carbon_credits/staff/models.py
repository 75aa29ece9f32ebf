"""The tables of those who work for the programme, what they sign in with, and where they are signed in."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Identity, Integer, LargeBinary, Text, text
from sqlalchemy import SmallInteger as Small
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)


class Staff(Model):
    """One member of staff; a name is used once and never for another person. No streets: the whole district."""

    __tablename__ = "staff"

    staff_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=text("clock_timestamp()"))
    streets: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class Credential(Model):
    """What somebody signs in with: a password's hash, an authenticator's sealed secret, and the guesses counted."""

    __tablename__ = "staff_credential"

    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    password_set_at: Mapped[datetime] = mapped_column(_INSTANT)
    must_change: Mapped[bool] = mapped_column(server_default=text("false"))
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary)
    totp_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    totp_next: Mapped[bytes | None] = mapped_column(LargeBinary)
    wrong: Mapped[int] = mapped_column(Small, server_default="0")
    locked_until: Mapped[datetime | None] = mapped_column(_INSTANT)
    wrong_codes: Mapped[int] = mapped_column(Small, server_default="0")


class RecoveryCode(Model):
    """A code on paper that takes the authenticator's place, once."""

    __tablename__ = "staff_recovery_code"

    code_mac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    made_at: Mapped[datetime] = mapped_column(_INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class GuessingAddress(Model):
    """How many wrong guesses came from one address."""

    __tablename__ = "staff_address"

    address: Mapped[str] = mapped_column(Text, primary_key=True)
    wrong: Mapped[int] = mapped_column(Small)
    since: Mapped[datetime] = mapped_column(_INSTANT)
    locked_until: Mapped[datetime | None] = mapped_column(_INSTANT)


class KnownBrowser(Model):
    """A browser in which somebody has signed in, with the wrong guesses that came from it."""

    __tablename__ = "staff_browser"

    browser_mac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    known_at: Mapped[datetime] = mapped_column(_INSTANT)
    wrong: Mapped[int] = mapped_column(Small, server_default="0")
    locked_until: Mapped[datetime | None] = mapped_column(_INSTANT)


class Invitation(Model):
    """A link with which one person sets a password and an authenticator; its keyed digest alone is kept."""

    __tablename__ = "staff_invitation"

    code_mac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    made_by: Mapped[str] = mapped_column(Text)
    approval_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("approval.approval_id"), unique=True
    )
    made_at: Mapped[datetime] = mapped_column(_INSTANT)
    expires_at: Mapped[datetime] = mapped_column(_INSTANT)
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class StaffIdentity(Model):
    """Who somebody is at the provider of single sign-on; the subject's keyed digest alone is kept."""

    __tablename__ = "staff_identity"

    identity_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    issuer: Mapped[str] = mapped_column(Text)
    subject_mac: Mapped[bytes] = mapped_column(LargeBinary)
    connected_at: Mapped[datetime] = mapped_column(_INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class StaffSession(Model):
    """One sign-in in one browser; the token's keyed digest alone is kept."""

    __tablename__ = "staff_session"

    session_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    token_mac: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    begun_at: Mapped[datetime] = mapped_column(_INSTANT)
    seen_at: Mapped[datetime] = mapped_column(_INSTANT)
    idle_end: Mapped[datetime] = mapped_column(_INSTANT)
    absolute_end: Mapped[datetime] = mapped_column(_INSTANT)
    stepped_up_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    why: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)
