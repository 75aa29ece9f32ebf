"""Partners sign in with OAuth 2 client credentials (RFC 6749 §4.4): a secret buys a short token, no refresh.

A partner has at most two live clients, so that a new secret can be brought in before the old one ends.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import tokens
from carbon_credits.core.crypto import Vault, same
from carbon_credits.core.errors import Conflict, NotAuthenticated, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import TOKEN_LIFE, Keyring
from carbon_credits.partners.models import Partner, PartnerClient

MOST_LIVE: Final = 2
_CLIENT_ID: Final = re.compile(r"[a-z0-9_-]{4,60}")


@dataclass(frozen=True)
class NewClient:
    """Shown once, to whoever asked for it; the secret is kept nowhere."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class PartnerToken:
    """An access token for a partner; `expires_in` is in seconds."""

    access_token: str
    expires_in: int = int(TOKEN_LIFE.total_seconds())
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name


def add_client(session: Session, vault: Vault, partner_id: int, now: datetime) -> NewClient:
    """Make a client for a partner. Raises NotFound, and Conflict when two are live already."""
    locked = select(Partner.code).where(Partner.partner_id == partner_id, Partner.status == "active")
    code = session.execute(locked.with_for_update(key_share=True)).scalar_one_or_none()
    if code is None:
        raise NotFound("partner_unknown", Text("没有此合作方", "There is no such partner"))
    live = select(func.count()).where(
        PartnerClient.partner_id == partner_id, PartnerClient.ended_at.is_(None)
    )
    if session.execute(live).scalar_one() >= MOST_LIVE:
        raise Conflict("two_clients_live", Text("已有两个有效凭证", "Two clients are live: end one first"))
    made = NewClient(f"{code.replace('_', '-')}-{secrets.token_hex(5)}", secrets.token_urlsafe(32))
    mac = _mac(vault, made.client_id, made.client_secret)
    session.execute(
        insert(PartnerClient).values(
            client_id=made.client_id, partner_id=partner_id, secret_mac=mac, created_at=now
        )
    )
    return made


def issue_token(
    session: Session, vault: Vault, keyring: Keyring, client_id: str, client_secret: str, now: datetime
) -> PartnerToken:
    """A token for the right secret of a live client of an active partner.

    Raises NotAuthenticated (`invalid_client`), the same for an unknown client and a wrong secret.
    """
    known: bytes | None = None
    if _CLIENT_ID.fullmatch(client_id):
        asked = _live(client_id).with_only_columns(PartnerClient.secret_mac)
        known = session.execute(asked).scalar_one_or_none()
    # compared also when there is nothing to compare with: an unknown client takes as long as a wrong secret
    right = same(known or bytes(16), _mac(vault, client_id, client_secret))
    if known is None or not right:
        raise NotAuthenticated("invalid_client", Text("客户端凭证无效", "The client or its secret is wrong"))
    return PartnerToken(tokens.issue(session, keyring, "partner", client_id, now))


def authenticate(session: Session, keyring: Keyring, token: str) -> tokens.Principal:
    """The partner a token speaks for, while its client is live; raises NotAuthenticated."""
    client_id = str(tokens.read(session, keyring, token, "partner")["sub"])
    partner_id = session.execute(
        _live(client_id).with_only_columns(PartnerClient.partner_id)
    ).scalar_one_or_none()
    if partner_id is None:
        raise tokens.refused()
    return tokens.Principal("partner", partner_id, client_id)


def end_client(session: Session, client_id: str, now: datetime) -> None:
    """End a client; its tokens are refused from the next request on. Ending twice is no fault.

    Raises NotFound.
    """
    ended = (
        update(PartnerClient)
        .where(PartnerClient.client_id == client_id)
        .values(ended_at=func.coalesce(PartnerClient.ended_at, now))
        .returning(PartnerClient.client_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(ended).scalar_one_or_none() is None:
        raise NotFound("client_unknown", Text("没有此客户端", "There is no such client"))


def _live(client_id: str) -> Select[PartnerClient]:
    return (
        select(PartnerClient)
        .join(Partner, Partner.partner_id == PartnerClient.partner_id)
        .where(
            PartnerClient.client_id == client_id,
            PartnerClient.ended_at.is_(None),
            Partner.status == "active",
        )
    )


def _mac(vault: Vault, client_id: str, client_secret: str) -> bytes:
    return vault.blind("client-secret", f"{client_id}:{client_secret}")
