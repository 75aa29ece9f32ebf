"""Tills: brought in with a code that somebody in charge was shown, and who stands at them from when to when."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core.clients import NewClient
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import clients
from carbon_credits.rewards.clients import State
from carbon_credits.rewards.members import MemberRole, Right
from carbon_credits.rewards.merchant_models import Merchant, MerchantClient, TillPairing, TillShift

# letters that are not taken for one another; ten of them are fifty bits, for ten minutes, once
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH: Final = 10
CODE_LIFE: Final = timedelta(minutes=10)
PURPOSE: Final = "till-pairing"


@dataclass(frozen=True)
class PairingCode:
    """Shown once, to whoever is in charge; only its keyed digest is kept."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class OnDuty:
    """Who stands at a till now."""

    shift_id: int
    member_id: int
    number: int
    role: MemberRole
    began_at: datetime


def begin_pairing(
    session: Session, vault: Vault, merchant_id: int, label: str, made_by: str, now: datetime
) -> PairingCode:
    """A code that brings in one till of this merchant; `made_by` says who asked for it, as the audit does."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    row = {
        "code_mac": vault.blind(PURPOSE, code),
        "merchant_id": merchant_id,
        "label": label,
        "made_by": made_by,
        "expires_at": now + CODE_LIFE,
    }
    session.execute(insert(TillPairing).values(row))
    return PairingCode(code, now + CODE_LIFE)


def pair(session: Session, vault: Vault, code: str, now: datetime) -> tuple[NewClient, Merchant]:
    """Bring in a till with its code, once: of two that show one code one is a till. Blanks and dashes do not count.

    Raises NotFound, the same for a code that is unknown, used, or too old.
    """
    mac = vault.blind(PURPOSE, code.upper().replace("-", "").replace(" ", ""))
    asked = (
        select(TillPairing.merchant_id, TillPairing.label)
        .join(Merchant, Merchant.merchant_id == TillPairing.merchant_id)
        .where(
            TillPairing.code_mac == mac,
            TillPairing.used_at.is_(None),
            TillPairing.expires_at > now,
            Merchant.state.in_((State.ACTIVE, State.CLOSING)),
        )
        .with_for_update(of=TillPairing)
    )
    found = session.execute(asked).one_or_none()
    if found is None:
        detail = Text(
            "配对码无效或已过期，请重新获取", "The code is wrong, used or too old: ask for a new one"
        )
        raise NotFound("pairing_refused", detail)
    made = clients.add_till(session, vault, found.merchant_id, found.label, now)
    session.execute(
        update(TillPairing)
        .where(TillPairing.code_mac == mac)
        .values(used_at=now, client_id=made.client_id)
        .execution_options(synchronize_session=False)
    )
    return made, session.execute(
        select(Merchant).where(Merchant.merchant_id == found.merchant_id)
    ).scalar_one()


def begin_shift(session: Session, client_id: str, who: Right, now: datetime) -> OnDuty:
    """Somebody begins at a till; whoever stood there before is relieved. The same person again goes on.

    Raises NotFound for what is not a live till.
    """
    till = select(MerchantClient.client_id).where(
        MerchantClient.client_id == client_id,
        MerchantClient.kind == "till",
        MerchantClient.ended_at.is_(None),
    )
    # two who begin at one till at once do so one after the other
    if session.execute(till.with_for_update(key_share=True)).scalar_one_or_none() is None:
        raise NotFound("till_unknown", Text("没有此收银台", "There is no such till"))
    present = on_duty(session, client_id)
    if present is not None and present.member_id == who.member_id:
        return present
    end_shift(session, client_id, now)
    session.execute(insert(TillShift).values(client_id=client_id, member_id=who.member_id, began_at=now))
    begun = on_duty(session, client_id)
    if begun is None:
        raise Conflict("nobody_on_duty", Text("该店员已离职", "This person works here no more"))
    return begun


def end_shift(session: Session, client_id: str, now: datetime) -> None:
    """Whoever stands at a till goes; nobody there is no fault."""
    session.execute(
        text("""
            update till_shift set ended_at = greatest(:now, began_at)
            where client_id = :client and ended_at is null
        """),
        {"client": client_id, "now": now},
    )


def on_duty(session: Session, client_id: str) -> OnDuty | None:
    """Who stands at a till now, if anybody does."""
    row = session.execute(
        text("""
            select s.shift_id, s.member_id, m.number, m.role, s.began_at
            from till_shift s join merchant_member m using (member_id)
            where s.client_id = :client and s.ended_at is null and m.ended_at is null
        """),
        {"client": client_id},
    ).one_or_none()
    if row is None:
        return None
    return OnDuty(row.shift_id, row.member_id, row.number, MemberRole(row.role), row.began_at)


def tills_of(session: Session, merchant_id: int) -> list[Row[tuple[str, str, datetime, int | None]]]:
    """A merchant's live tills with the number of whoever stands there: client_id, label, created_at, number."""
    return list(
        session.execute(
            text("""
                select c.client_id, c.label, c.created_at, m.number
                from merchant_client c
                left join till_shift s on s.client_id = c.client_id and s.ended_at is null
                left join merchant_member m on m.member_id = s.member_id
                where c.merchant_id = :merchant and c.kind = 'till' and c.ended_at is null
                order by c.created_at, c.client_id
            """),
            {"merchant": merchant_id},
        ).all()
    )
