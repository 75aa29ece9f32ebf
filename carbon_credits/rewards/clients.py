"""What merchants sign in with (core/clients.py says how): their systems, and each till by itself.

A merchant has at most two live systems, so that a new secret can be brought in before the old one ends. A till has its
own client, made when it is paired, with the least that a till needs. Whether a merchant's state allows what is asked is
said in `api/access.py` for each address: one that is suspended still reads what it is owed.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import tokens
from carbon_credits.core.clients import NewClient, new_client, secret_mac
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring
from carbon_credits.rewards.merchant_models import Merchant, MerchantClient

Kind = Literal["system", "till"]
MOST_SYSTEMS: Final = 2


class Scope(StrEnum):
    """What a client may do."""

    CAPTURES = "captures"
    REVERSALS = "reversals"
    SETTLEMENTS = "settlements"
    OFFERS = "offers"
    STAFF = "staff"
    HOOKS = "hooks"


class State(StrEnum):
    """What a merchant is; which may follow which stands in `reward_state`."""

    APPLIED = "applied"
    REFUSED = "refused"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSING = "closing"
    CLOSED = "closed"


# a merchant that signs in at all: the others have nothing to say, or are gone
SIGNS_IN: Final = (State.ACTIVE, State.SUSPENDED, State.CLOSING)
OF_A_SYSTEM: Final = frozenset(Scope)
OF_A_TILL: Final = frozenset({Scope.CAPTURES, Scope.REVERSALS})


def add_system(
    session: Session,
    vault: Vault,
    merchant_id: int,
    label: str,
    now: datetime,
    scopes: Collection[Scope] = OF_A_SYSTEM,
) -> NewClient:
    """Make a client for a merchant's system. Raises NotFound, and Conflict when two are live already."""
    code = _locked(session, merchant_id)
    live = select(func.count()).where(
        MerchantClient.merchant_id == merchant_id,
        MerchantClient.kind == "system",
        MerchantClient.ended_at.is_(None),
    )
    if session.execute(live).scalar_one() >= MOST_SYSTEMS:
        raise Conflict(
            "two_clients_live", Text("已有两个有效凭证，请先停用一个", "Two clients are live: end one first")
        )
    return _insert(session, vault, merchant_id, code, "system", label, scopes, now)


def add_till(session: Session, vault: Vault, merchant_id: int, label: str, now: datetime) -> NewClient:
    """Make a client for one till, with what a till needs. Raises NotFound."""
    code = _locked(session, merchant_id)
    return _insert(session, vault, merchant_id, code, "till", label, OF_A_TILL, now)


def secret_of(session: Session, client_id: str) -> bytes | None:
    """The kept digest of a live client's secret, of a merchant that signs in; None when there is none."""
    asked = (
        select(MerchantClient.secret_mac)
        .join(Merchant, Merchant.merchant_id == MerchantClient.merchant_id)
        .where(
            MerchantClient.client_id == client_id,
            MerchantClient.ended_at.is_(None),
            Merchant.state.in_(SIGNS_IN),
        )
    )
    return session.execute(asked).scalar_one_or_none()


_SPEAKS_FOR: Final = text("""
select c.merchant_id, c.scopes, m.state from merchant_client c join merchant m using (merchant_id)
where c.client_id = :client and c.ended_at is null
""")


def authenticate(session: Session, keyring: Keyring, token: str) -> tokens.Principal:
    """The merchant a token speaks for, what its client may do and what state the merchant is in.

    Raises NotAuthenticated for anything but a live client of a merchant that signs in.
    """
    client_id = str(tokens.read(session, keyring, token, "merchant")["sub"])
    found = session.execute(_SPEAKS_FOR, {"client": client_id}).one_or_none()
    if found is None or found.state not in SIGNS_IN:
        raise tokens.refused()
    return tokens.Principal(
        "merchant", found.merchant_id, client_id, scopes=frozenset(found.scopes), state=found.state
    )


def clients_of(session: Session, merchant_id: int) -> list[MerchantClient]:
    """A merchant's live clients, the oldest first; never their secrets."""
    asked = (
        select(MerchantClient)
        .where(MerchantClient.merchant_id == merchant_id, MerchantClient.ended_at.is_(None))
        .order_by(MerchantClient.created_at, MerchantClient.client_id)
    )
    return list(session.scalars(asked))


def client_of(session: Session, merchant_id: int, client_id: str) -> MerchantClient:
    """One client of a merchant, ended or not; raises NotFound, also for another merchant's."""
    asked = select(MerchantClient).where(
        MerchantClient.merchant_id == merchant_id, MerchantClient.client_id == client_id
    )
    found = session.execute(asked).scalar_one_or_none()
    if found is None:
        raise _unknown()
    return found


def end(session: Session, merchant_id: int, client_id: str, now: datetime) -> None:
    """End a client; its tokens are refused from the next request on. Ending twice is no fault. Raises NotFound."""
    ended = (
        update(MerchantClient)
        .where(MerchantClient.merchant_id == merchant_id, MerchantClient.client_id == client_id)
        .values(ended_at=func.coalesce(MerchantClient.ended_at, now))
        .returning(MerchantClient.client_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(ended).scalar_one_or_none() is None:
        raise _unknown()


def _locked(session: Session, merchant_id: int) -> str:
    """The merchant's code, its row held so that two who count its clients count one after the other."""
    asked = select(Merchant.code).where(Merchant.merchant_id == merchant_id, Merchant.state.in_(SIGNS_IN))
    code = session.execute(asked.with_for_update(key_share=True)).scalar_one_or_none()
    if code is None:
        raise NotFound("merchant_unknown", Text("没有此商户", "There is no such merchant"))
    return code


def _insert(
    session: Session,
    vault: Vault,
    merchant_id: int,
    code: str,
    kind: Kind,
    label: str,
    scopes: Collection[Scope],
    now: datetime,
) -> NewClient:
    made = new_client(code)
    row = {
        "client_id": made.client_id,
        "merchant_id": merchant_id,
        "kind": kind,
        "label": label,
        "scopes": sorted(scopes),
        "secret_mac": secret_mac(vault, made),
        "created_at": now,
    }
    session.execute(insert(MerchantClient).values(row))
    return made


def _unknown() -> NotFound:
    return NotFound("client_unknown", Text("没有此客户端", "There is no such client"))
