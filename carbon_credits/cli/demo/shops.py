"""The demonstration's merchants and what they offer: let in, topped up and approved by two people, like real ones."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.cli.demo import rules
from carbon_credits.cli.demo.stalls import STALLS, Stall
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import (
    clients,
    members,
    merchants,
    offer_approval,
    offers,
    point_value,
    purses,
    tills,
)
from carbon_credits.rewards.members import MemberRole
from carbon_credits.rewards.merchant_models import Merchant, MerchantClient
from carbon_credits.rewards.offer_models import Offer, Purse
from carbon_credits.staff.models import Staff
from carbon_credits.staff.service import Role, add

PROPOSER: Final = "demo-merchants"
APPROVER: Final = "demo-merchants-2"
ROLES: Final = (Role.MERCHANT, Role.FINANCE)
STAFF: Final = [rules.Member(name, tuple(role.value for role in ROLES)) for name in (PROPOSER, APPROVER)]
# what the demonstration's points were bought for: a hundred are one fen
MICRO_FEN: Final = 10_000
OPEN_FOR: Final = timedelta(days=180)
PURSES: Final[tuple[tuple[str, purses.Kind, Text, int], ...]] = (
    ("demo_programme", "programme", Text("区级补贴", "District subsidies"), 2_000_000),
    ("demo_sponsor", "sponsor", Text("演示赞助企业", "Demonstration sponsor"), 2_000_000),
)


def ensure(
    session: Session, vault: Vault, known: Iterable[Mapping[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """See that merchants, purses, offers and credentials are there; what is there stays. Returns what the file lists."""
    for member in STAFF:
        if session.scalar(select(Staff.staff_id).where(Staff.name == member.name)) is None:
            add(session, member.name, ROLES, by="demo")
    if not point_value.values(session):
        _enact(
            session,
            point_value.SET,
            {"in_force": rules.SINCE, "micro_fen": MICRO_FEN, "reason": rules.REASON},
        )
    for code, kind, names, fen in PURSES:
        if session.scalar(select(Purse.purse_id).where(Purse.code == code)) is None:
            number = purses.create(session, code, kind, names)
            _enact(session, purses.PAY_IN, {"purse_id": number, "amount_fen": fen})
    listed = {entry.get("code"): dict(entry) for entry in known}
    return [_stall(session, vault, stall, listed, now) for stall in STALLS]


def _stall(
    session: Session, vault: Vault, stall: Stall, listed: Mapping[Any, dict[str, Any]], now: datetime
) -> dict[str, Any]:
    told = stall.application
    try:
        merchant = merchants.by_code(session, told.code)
    except NotFound:
        merchants.apply(session, vault, told, now)
        _enact(session, merchants.ADMIT, merchants.admission(session, told.code))
        merchant = merchants.by_code(session, told.code)
    for draft, subsidy_fen, purse in stall.offers:
        mine = (
            Offer.merchant_id == merchant.merchant_id,
            Offer.title_zh == draft.title.zh,
            Offer.to_at > now,
        )
        if session.scalar(select(Offer.offer_id).where(*mine).limit(1)) is None:
            wanted = replace(draft, from_at=now, to_at=now + OPEN_FOR)
            made = offers.draft(session, merchant.merchant_id, wanted, now)
            offers.put_forward(session, merchant.merchant_id, made.offer_id)
            _enact(
                session,
                offer_approval.APPROVE,
                offer_approval.proposal(session, made.offer_id, subsidy_fen, purse),
            )
    return _credentials(session, vault, merchant, listed.get(told.code), now)


def _credentials(
    session: Session, vault: Vault, merchant: Merchant, known: dict[str, Any] | None, now: datetime
) -> dict[str, Any]:
    """As the file has them while they are live; a secret cannot be read back from the database."""
    live = set(
        session.scalars(
            select(MerchantClient.client_id).where(
                MerchantClient.merchant_id == merchant.merchant_id, MerchantClient.ended_at.is_(None)
            )
        )
    )
    if known and {known["client_id"], known["till"]["client_id"]} <= live:
        return known
    for lost in live:
        clients.end(session, merchant.merchant_id, lost, now)
    system = clients.add_system(session, vault, merchant.merchant_id, "demo", now)
    code = tills.begin_pairing(session, vault, merchant.merchant_id, "收银台 1", "demo", now).code
    till, _ = tills.pair(session, vault, code, now)
    return {
        "code": merchant.code,
        "name": {"zh": merchant.name_zh, "en": merchant.name_en},
        "client_id": system.client_id,
        "client_secret": system.client_secret,
        "till": {"client_id": till.client_id, "client_secret": till.client_secret},
        "members": [
            _member(session, vault, merchant.merchant_id, number, role)
            for number, role in ((1, MemberRole.OWNER), (7, MemberRole.CASHIER))
        ],
    }


def _member(
    session: Session, vault: Vault, merchant_id: int, number: int, role: MemberRole
) -> dict[str, Any]:
    pin = members.a_pin()
    given = {"merchant": merchant_id, "number": number}
    there = text("select 1 from merchant_member where merchant_id = :merchant and number = :number")
    if session.execute(there, given).scalar() is None:
        members.add(session, vault, merchant_id, number, f"演示店员 {number}", role, pin)
    else:
        members.change_pin(session, vault, merchant_id, number, pin)
    return {"number": number, "role": role.value, "pin": pin}


def _enact(session: Session, kind: str, payload: Mapping[str, Any]) -> None:
    proposed = approving.propose(session, kind, payload, rules.REASON, PROPOSER)
    approving.decide(session, proposed.approval_id, APPROVER, approve=True)
