"""A resident's sessions: short access tokens, and refresh tokens that work once.

A refresh token that comes back after its use was copied by somebody, so its session ends for both; only when
it comes back within ten seconds did two tabs race, and the slower is refused without harm.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import tokens
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import TOKEN_LIFE, Keyring
from carbon_credits.residents.models import AuthSession, RefreshToken, Resident

REFRESH_LIFE: Final = timedelta(days=30)
RACE: Final = timedelta(seconds=10)
# asked by every request of a resident, so it is put together once
LIVING: Final = (
    select(Resident.language)
    .join(AuthSession, AuthSession.resident_id == Resident.resident_id)
    .where(
        AuthSession.session_id == bindparam("session"),
        AuthSession.resident_id == bindparam("resident"),
        AuthSession.ended_at.is_(None),
        Resident.status == "active",
    )
)
EndedWhy = Literal["logout", "reuse", "erasure", "staff"]


@dataclass(frozen=True)
class Tokens:
    """What a client keeps; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int = int(TOKEN_LIFE.total_seconds())
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name


@dataclass(frozen=True)
class Refused:
    """No new tokens. `revoked` says that the session was ended for it."""

    revoked: bool


def open_session(session: Session, vault: Vault, keyring: Keyring, resident_id: int, now: datetime) -> Tokens:
    """Begin a session for a resident. Raises NotAllowed when the account is frozen or erased."""
    if not _is_active(session, resident_id):
        raise NotAllowed("account_not_active", Text("账号已停用", "The account is not active"))
    opened = insert(AuthSession).values(resident_id=resident_id, created_at=now)
    session_id = session.execute(opened.returning(AuthSession.session_id)).scalar_one()
    return _issue(session, vault, keyring, resident_id, session_id, now)


def refresh(
    session: Session, vault: Vault, keyring: Keyring, refresh_token: str, now: datetime
) -> Tokens | Refused:
    """Exchange a refresh token for new tokens, once.

    The outcome is a value, because the end of a session must stay: the door commits first and then says no.
    """
    mac = _mac(vault, refresh_token)
    used = (
        update(RefreshToken)
        .where(RefreshToken.token_mac == mac, RefreshToken.used_at.is_(None), RefreshToken.expires_at > now)
        .values(used_at=now)
        .returning(RefreshToken.session_id)
        .execution_options(synchronize_session=False)
    )
    session_id = session.execute(used).scalar_one_or_none()
    if session_id is None:
        return Refused(revoked=_revoke_if_reused(session, mac, now))
    resident_id = session.execute(
        select(AuthSession.resident_id).where(
            AuthSession.session_id == session_id, AuthSession.ended_at.is_(None)
        )
    ).scalar_one_or_none()
    if resident_id is None or not _is_active(session, resident_id):
        return Refused(revoked=False)
    return _issue(session, vault, keyring, resident_id, session_id, now)


def sign_out(session: Session, session_id: UUID, now: datetime) -> None:
    """End one session; its tokens are refused from the next request on. Ending twice is no fault."""
    _end(session, session_id, "logout", now)


def end_all(session: Session, resident_id: int, why: EndedWhy, now: datetime) -> None:
    """End every session of a resident."""
    session.execute(
        update(AuthSession)
        .where(AuthSession.resident_id == resident_id, AuthSession.ended_at.is_(None))
        .values(ended_at=now, ended_why=why)
    )


def authenticate(session: Session, keyring: Keyring, token: str) -> tokens.Principal:
    """The resident a token speaks for, while the session lives and the account is active.

    One indexed read, so a logout counts from the next request on. Raises NotAuthenticated.
    """
    claims = tokens.read(session, keyring, token, "resident")
    try:
        resident_id, session_id = int(claims["sub"]), UUID(claims["sid"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise tokens.refused() from error
    given = {"session": session_id, "resident": resident_id}
    language = session.execute(LIVING, given).scalar_one_or_none()
    if language is None:
        raise tokens.refused()
    return tokens.Principal("resident", resident_id, claims["sub"], session_id, language)


def _issue(
    session: Session, vault: Vault, keyring: Keyring, resident_id: int, session_id: UUID, now: datetime
) -> Tokens:
    refresh_token = secrets.token_urlsafe(32)
    session.execute(
        insert(RefreshToken).values(
            token_mac=_mac(vault, refresh_token),
            session_id=session_id,
            issued_at=now,
            expires_at=now + REFRESH_LIFE,
        )
    )
    more = {"sid": str(session_id)}
    return Tokens(tokens.issue(session, keyring, "resident", str(resident_id), now, more), refresh_token)


def _revoke_if_reused(session: Session, mac: bytes, now: datetime) -> bool:
    known = select(RefreshToken.session_id, RefreshToken.used_at).where(RefreshToken.token_mac == mac)
    found = session.execute(known).one_or_none()
    if found is None or found.used_at is None or now - found.used_at <= RACE:
        return False
    return _end(session, found.session_id, "reuse", now)


def _end(session: Session, session_id: UUID, why: EndedWhy, now: datetime) -> bool:
    ended = (
        update(AuthSession)
        .where(AuthSession.session_id == session_id, AuthSession.ended_at.is_(None))
        .values(ended_at=now, ended_why=why)
        .returning(AuthSession.session_id)
    )
    return session.execute(ended).scalar_one_or_none() is not None


def _is_active(session: Session, resident_id: int) -> bool:
    status = select(Resident.status).where(Resident.resident_id == resident_id)
    return session.execute(status).scalar_one() == "active"


def _mac(vault: Vault, refresh_token: str) -> bytes:
    return vault.blind("refresh-token", refresh_token)
