"""What partners sign in with (core/clients.py says how).

A partner has at most two live clients, so that a new secret can be brought in before the old one ends.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import tokens
from carbon_credits.core.clients import NewClient, new_client, secret_mac
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring
from carbon_credits.partners.models import Partner, PartnerClient

MOST_LIVE: Final = 2


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
    made = new_client(code)
    session.execute(
        insert(PartnerClient).values(
            client_id=made.client_id,
            partner_id=partner_id,
            secret_mac=secret_mac(vault, made),
            created_at=now,
        )
    )
    return made


def secret_of(session: Session, client_id: str) -> bytes | None:
    """The kept digest of a live client's secret, of an active partner; None when there is none."""
    asked = _live(client_id).with_only_columns(PartnerClient.secret_mac)
    return session.execute(asked).scalar_one_or_none()


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
