"""Merchants for tests, let in by the room's own verbs."""

from dataclasses import replace
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from carbon_credits.core import approvals, clock
from carbon_credits.core.clients import NewClient
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards import clients, merchants
from carbon_credits.rewards.accounts import Bank, Settlement
from carbon_credits.rewards.licence import check_character
from carbon_credits.rewards.merchants import Application, Category
from carbon_credits.staff.service import Role
from tests.factories.staff import a_member

_numbers = count(1)


def a_licence() -> str:
    """A number nobody has had in this run, with its check; 440604 is the district."""
    first = f"91440604MA{next(_numbers):07}"
    return first + check_character(first)


def an_account() -> Settlement:
    """A firm's account at a bank."""
    return Settlement("bank", Bank("佛山市禅城区三友饭店", f"4400{next(_numbers):012}", "105588000011"))


def an_application(**changes: Any) -> Application:
    """A restaurant in Zumiao applies; changes are of the application's own fields."""
    number = next(_numbers)
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
