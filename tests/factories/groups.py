"""Groups for tests, made by the room's own verbs, and people who belong to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.groups import membership, service
from carbon_credits.groups.service import GroupKind, NewGroup
from carbon_credits.ledger.service import open_wallet
from tests.factories.residents import a_resident
from tests.factories.staff import a_member


def a_group(session: Session, now: datetime, kind: GroupKind = GroupKind.ESTATE, **told: Any) -> int:
    """The number of a group that staff made; its name may stand on boards unless told otherwise."""
    listed = told.pop("listed", kind is not GroupKind.HOUSEHOLD and "parent_id" not in told)
    names = told.pop("names", None if kind is GroupKind.HOUSEHOLD else Text("绿景花园", "Green View"))
    new = NewGroup(kind, names, listed=listed, **told)
    return service.make(session, new, a_member(session), now).group_id


def some_residents(session: Session, vault: Vault, many: int, at: datetime) -> list[int]:
    """Residents with wallets."""
    people = [a_resident(session, vault, at=at) for _ in range(many)]
    for person in people:
        open_wallet(session, person)
    return people


def admitted(session: Session, group_id: int, people: Sequence[int], at: datetime) -> None:
    """Let them in from a day on."""
    for person in people:
        membership.admit(session, group_id, person, "code", at)


def founded(session: Session, resident_id: int, now: datetime, kind: GroupKind = GroupKind.HOUSEHOLD) -> int:
    """The number of a group that a resident applied for, that staff let begin, and that the resident belongs to."""
    names = None if kind is GroupKind.HOUSEHOLD else Text("三友", "Three Friends")
    number = service.apply_for(session, NewGroup(kind, names), resident_id, now).group_id
    service.approve(session, number, a_member(session), now)
    membership.admit(session, number, resident_id, "founder", now)
    return number
