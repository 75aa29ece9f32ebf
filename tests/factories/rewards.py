"""Merchants and offers for tests, let in and approved by the room's own verbs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from carbon_credits.core import approvals, clock
from carbon_credits.core.clients import NewClient
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards import clients, members, merchants, offer_approval, offers, point_value, purses
from carbon_credits.rewards.accounts import Bank, Settlement
from carbon_credits.rewards.licence import check_character
from carbon_credits.rewards.members import MemberRole
from carbon_credits.rewards.merchants import Application, Category
from carbon_credits.rewards.offers import Draft, OfferKind
from carbon_credits.staff.service import Role
from tests.factories.numbers import fresh
from tests.factories.staff import a_member


def a_licence() -> str:
    """A number nobody has had in this run, with its check; 440604 is the district."""
    first = f"91440604MA{fresh():07}"
    return first + check_character(first)


def an_account() -> Settlement:
    """A firm's account at a bank."""
    return Settlement("bank", Bank("佛山市禅城区三友饭店", f"4400{fresh():012}", "105588000011"))


def an_application(**changes: Any) -> Application:
    """A restaurant in Zumiao applies; changes are of the application's own fields."""
    number = fresh()
    return replace(
        Application(
            code=f"shop_{number}",
            names=Text(f"三友饭店 {number}", f"Three Friends {number}"),
            category=Category.FOOD,
            street=Street.ZUMIAO,
            address="佛山市禅城区祖庙路 1 号",
            licence_no=a_licence(),
            contact_name="何三友",
            contact_phone="13800000000",
            settlement=an_account(),
        ),
        **changes,
    )


def approved(session: Session, kind: str, payload: dict[str, Any], role: Role = Role.MERCHANT) -> int:
    """The number of an approval by two people; what it puts in force is the caller's to do."""
    proposed = approvals.propose(session, kind, payload, "test", a_member(session, role))
    return approvals.decide(session, proposed.approval_id, a_member(session, role), approve=True).approval_id


def a_merchant(session: Session, vault: Vault, **changes: Any) -> int:
    """The number of a merchant that two people let in."""
    made = merchants.apply(session, vault, an_application(**changes), clock.now())
    payload = merchants.admission(session, made.code)
    merchants.admit(session, approved(session, merchants.ADMIT, payload), payload)
    return made.merchant_id


def a_system(session: Session, vault: Vault, merchant_id: int, *scopes: clients.Scope) -> NewClient:
    """A client of a merchant's system; it may do everything unless told otherwise."""
    return clients.add_system(session, vault, merchant_id, "test", clock.now(), scopes or clients.OF_A_SYSTEM)


def a_till(session: Session, vault: Vault, merchant_id: int, label: str = "收银台 1") -> NewClient:
    """A till's client."""
    return clients.add_till(session, vault, merchant_id, label, clock.now())


def a_point_value(session: Session, micro_fen: int = 10_000) -> None:
    """What a point is worth from the beginning of the programme on: by default a hundredth of a fen."""
    payload = {"in_force": "2025-01-01", "micro_fen": micro_fen, "reason": "test"}
    point_value.enact(session, approved(session, point_value.SET, payload, Role.FINANCE), payload)


def a_purse(session: Session, fen: int = 1_000_000, kind: purses.Kind = "programme") -> str:
    """The code of a purse with money in it."""
    code = f"purse_{fresh()}"
    number = purses.create(session, code, kind, Text("补贴", "Subsidies"))
    if fen:
        purses.pay_in(session, number, fen, "test")
    return code


def a_draft(**changes: Any) -> Draft:
    """2,000 points for ten yuan off a lunch, a hundred of them, from yesterday for a month."""
    now = clock.now()
    return replace(
        Draft(
            kind=OfferKind.VOUCHER,
            title=Text("午餐抵 10 元", "10 yuan off lunch"),
            text=Text("每桌限用一张。", "One a table."),
            category=Category.FOOD,
            points=2_000,
            face_fen=1_000,
            stock=100,
            from_at=now - timedelta(days=1),
            to_at=now + timedelta(days=30),
        ),
        **changes,
    )


def an_offer(
    session: Session, merchant_id: int, subsidy_fen: int = 0, purse: str | None = None, **changes: Any
) -> int:
    """The number of an offer that two people approved; a point has its value before."""
    made = offers.draft(session, merchant_id, a_draft(**changes), clock.now())
    offers.put_forward(session, merchant_id, made.offer_id)
    payload = offer_approval.proposal(session, made.offer_id, subsidy_fen, purse)
    offer_approval.enact(session, approved(session, offer_approval.APPROVE, payload), payload)
    return made.offer_id


def a_member_of(
    session: Session,
    vault: Vault,
    merchant_id: int,
    number: int = 7,
    pin: str = "480213",
    role: MemberRole = MemberRole.CASHIER,
) -> int:
    """Somebody who works at a merchant, 陈小姐."""
    return members.add(session, vault, merchant_id, number, "陈小姐", role, pin)
