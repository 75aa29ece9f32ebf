"""The keys we sign with: for each purpose one signs, one is published ahead of its turn, old ones stay published.

Keys are ES256, sealed in the database, numbered by their RFC 7638 thumbprint. Every process keeps a copy of them
for half a minute; a token under a key it has not seen makes it look again, so a rotation needs no restart.
Access tokens live for minutes, signed codes for days and statements to banks for months: keys of statements are keys of
their own, so that none is published longer than what it signed may live, and neither kind passes for the other.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from sqlalchemy import DateTime, LargeBinary, Select, Text, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import Model
from carbon_credits.core.errors import Conflict, Unavailable
from carbon_credits.core.i18n import Text as Words

Purpose = Literal["access", "statement"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
TOKEN_LIFE: Final = timedelta(minutes=15)
# the longest that a statement to somebody outside may be valid; the tables hold it too
STATEMENT_LIFE: Final = timedelta(days=92)
KEPT_S: Final = 30.0
LOOK_AGAIN_S: Final = 1.0
PUBLISHED: Final = ("next", "signing", "retiring")
# what else is signed with the keys of access tokens and may be checked by others, who have only what is published
SIGNED_LIFE: Final = timedelta(days=10)
# an old key speaks for tokens while one that it signed may still be alive, and a little for clocks that differ
TOKENS_AFTER: Final = TOKEN_LIFE + timedelta(minutes=1)
# it stays published while anything that it signed may still be shown; the rest is for processes that have not looked yet
# and go on signing with it for KEPT_S, and for clocks that differ
RETIRED_AFTER: Final = SIGNED_LIFE + timedelta(minutes=1)
STATEMENTS_RETIRED_AFTER: Final = STATEMENT_LIFE + timedelta(hours=1)
_RETIRED_AFTER: Final[Mapping[Purpose, timedelta]] = {
    "access": RETIRED_AFTER,
    "statement": STATEMENTS_RETIRED_AFTER,
}
_LOCK: Final = 440_601


class SigningKey(Model):
    """One key pair; the private half is sealed for this row alone."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(Text, primary_key=True)
    public_jwk: Mapped[Any] = mapped_column(JSONB)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text, server_default="access")
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    changed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )


@dataclass(frozen=True)
class Keys:
    """What a process knows of the keys of one purpose at one moment."""

    signing_kid: str
    signing_key: ec.EllipticCurvePrivateKey
    public: Mapping[str, ec.EllipticCurvePublicKey]
    of_tokens: frozenset[str]
    jwks: Mapping[str, Any]
    loaded_s: float


class Keyring:
    """The published keys of a purpose, kept in the process for KEPT_S. Threads may share one."""

    def __init__(self, vault: Vault, issuer: str, purpose: Purpose = "access") -> None:
        self.issuer = issuer
        self.purpose: Purpose = purpose
        self._vault = vault
        self._keys: Keys | None = None
        self._lock = threading.Lock()
        self._others: dict[Purpose, Keyring] = {}

    def of(self, purpose: Purpose) -> "Keyring":
        """The ring of another purpose, of the same vault and issuer; the same one each time it is asked for."""
        if purpose == self.purpose:
            return self
        return self._others.setdefault(purpose, Keyring(self._vault, self.issuer, purpose))

    def keys(self, session: Session) -> Keys:
        """The keys as they were at most KEPT_S ago. Raises Unavailable when none were ever made."""
        return self._kept(session, KEPT_S)

    def public_key(self, session: Session, kid: str) -> ec.EllipticCurvePublicKey | None:
        """The public key of a number whose tokens may still be alive, or None."""
        key = self.any_key(session, kid)
        return key if kid in self.keys(session).of_tokens else None

    def any_key(self, session: Session, kid: str) -> ec.EllipticCurvePublicKey | None:
        """The public key of one of our numbers, or None; an unseen number makes us look, once a second."""
        return self.keys(session).public.get(kid) or self._kept(session, LOOK_AGAIN_S).public.get(kid)

    def jwks(self, session: Session) -> Mapping[str, Any]:
        """The published keys of this purpose, as RFC 7517 writes a set."""
        return self.keys(session).jwks

    def published(self, session: Session) -> dict[str, Any]:
        """The published keys of all purposes in one set. Raises Unavailable when this purpose has none."""
        keys = list(self.jwks(session)["keys"])
        for purpose in PURPOSES:
            if purpose != self.purpose:
                keys += self.of(purpose).jwks_if_any(session)
        return {"keys": keys}

    def jwks_if_any(self, session: Session) -> list[Any]:
        """The published keys of a purpose, none when none were made yet."""
        try:
            return list(self.jwks(session)["keys"])
        except Unavailable:
            return []

    def _kept(self, session: Session, most_s: float) -> Keys:
        kept = self._keys
        if kept is not None and time.monotonic() - kept.loaded_s <= most_s:
            return kept
        # one thread looks; another that finds it looking goes on with what is kept, where there is something
        if not self._lock.acquire(blocking=kept is None):
            assert kept is not None
            return kept
        try:
            self._keys = _load(session, self._vault, self.purpose)
            return self._keys
        finally:
            self._lock.release()


def ensure_keys(session: Session, vault: Vault) -> None:
    """Make each purpose's first signing key and its successor where there are none. Said when the programme starts."""
    _lock(session)
    there = {
        (row.purpose, row.state) for row in session.execute(select(SigningKey.purpose, SigningKey.state))
    }
    for purpose in PURPOSES:
        for state in ("signing", "next"):
            if (purpose, state) not in there:
                _make(session, vault, purpose, state)


def rotate(session: Session, vault: Vault, now: datetime, purpose: Purpose = "access") -> str:
    """The next key signs from now on, the old one stays published, a new next is made; returns the new number.

    Raises Conflict when another rotation came first: two at a time rotate once.
    """
    coming = session.execute(_kids(purpose, "next")).scalars().first()
    _lock(session)
    if coming is None or coming not in session.execute(_kids(purpose, "next")).scalars():
        raise Conflict("rotated_already", Words("密钥刚刚轮换过", "The keys have just been rotated"))
    retire_old(session, now)
    for old, new in (("signing", "retiring"), ("next", "signing")):
        wanted = SigningKey.kid == coming if old == "next" else SigningKey.state == old
        moved = update(SigningKey).where(wanted, SigningKey.purpose == purpose)
        session.execute(moved.values(state=new, changed_at=now))
    _make(session, vault, purpose, "next")
    return coming


def retire_old(session: Session, now: datetime) -> int:
    """Stop publishing keys when the last thing they signed has run out; returns how many."""
    done = 0
    for purpose, after in _RETIRED_AFTER.items():
        old = update(SigningKey).where(
            SigningKey.purpose == purpose,
            SigningKey.state == "retiring",
            SigningKey.changed_at < now - after,
        )
        retired = session.execute(old.values(state="retired", changed_at=now).returning(SigningKey.kid))
        done += len(retired.all())
    return done


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _kids(purpose: Purpose, state: str) -> Select[str]:
    return (
        select(SigningKey.kid)
        .where(SigningKey.purpose == purpose, SigningKey.state == state)
        .order_by(SigningKey.created_at, SigningKey.kid)
    )


def _make(session: Session, vault: Vault, purpose: Purpose, state: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = _public_jwk(key.public_key())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = vault.seal("signing-key", der, _place(jwk["kid"]))
    session.execute(
        insert(SigningKey).values(kid=jwk["kid"], public_jwk=jwk, sealed=sealed, state=state, purpose=purpose)
    )


def _load(session: Session, vault: Vault, purpose: Purpose) -> Keys:
    still = (SigningKey.state != "retiring") | (
        SigningKey.changed_at >= func.clock_timestamp() - TOKENS_AFTER
    )
    columns = (
        SigningKey.kid,
        SigningKey.public_jwk,
        SigningKey.sealed,
        SigningKey.state,
        still.label("of_tokens"),
    )
    rows = session.execute(
        select(*columns)
        .where(SigningKey.purpose == purpose, SigningKey.state.in_(PUBLISHED))
        .order_by(SigningKey.created_at, SigningKey.kid)
    ).all()
    private = {row.kid: _open(vault, row.kid, row.sealed) for row in rows}
    signing = next((row.kid for row in rows if row.state == "signing"), None)
    if signing is None:
        raise Unavailable("no_signing_key", Words("尚无签名密钥", "There is no signing key yet"))
    return Keys(
        signing_kid=signing,
        signing_key=private[signing],
        public={kid: key.public_key() for kid, key in private.items()},
        of_tokens=frozenset(row.kid for row in rows if row.of_tokens),
        jwks={"keys": [row.public_jwk for row in rows]},
        loaded_s=time.monotonic(),
    )


def _open(vault: Vault, kid: str, sealed: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_der_private_key(vault.unseal("signing-key", sealed, _place(kid)), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _place(kid: str) -> str:
    return f"signing_key|sealed|{kid}"


def _public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _base64url(numbers.x), "y": _base64url(numbers.y)}
    thumbprint = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    kid = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    return {**members, "kid": kid, "alg": "ES256", "use": "sig"}


def _base64url(coordinate: int) -> str:
    return base64.urlsafe_b64encode(coordinate.to_bytes(32, "big")).rstrip(b"=").decode()
