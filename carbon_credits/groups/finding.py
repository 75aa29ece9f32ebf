"""Finding groups: those that may be joined, those one applied for, the parts of a whole."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.groups.models import Group, Membership
from carbon_credits.groups.service import GroupKind, GroupState


def open_groups(session: Session, kind: str | None, street: str | None, after: int, most: int) -> list[Group]:
    """Active groups that stand by themselves, by number; no households, for those are nobody's to find."""
    asked = (
        select(Group)
        .where(
            Group.group_id > after,
            Group.state == GroupState.ACTIVE,
            Group.kind != GroupKind.HOUSEHOLD,
            Group.parent_id.is_(None),
        )
        .order_by(Group.group_id)
        .limit(most)
    )
    if kind is not None:
        asked = asked.where(Group.kind == kind)
    if street is not None:
        asked = asked.where(Group.street == street)
    return list(session.scalars(asked))


def history_of(session: Session, resident_id: int) -> list[tuple[Group, Membership]]:
    """Where somebody belonged and belongs, the newest first."""
    asked = (
        select(Group, Membership)
        .join(Membership, Membership.group_id == Group.group_id)
        .where(Membership.resident_id == resident_id)
        .order_by(Membership.from_on.desc(), Membership.membership_id.desc())
    )
    return [(row[0], row[1]) for row in session.execute(asked)]


def waiting_of(session: Session, resident_id: int) -> list[Group]:
    """What somebody applied for and is not decided, or was refused, by number."""
    states = (GroupState.APPLIED, GroupState.REFUSED)
    asked = select(Group).where(Group.founder_id == resident_id, Group.state.in_(states))
    return list(session.scalars(asked.order_by(Group.group_id)))


def parts_of(session: Session, group_id: int) -> list[Group]:
    """The active parts of a whole, by number."""
    asked = select(Group).where(Group.parent_id == group_id, Group.state == GroupState.ACTIVE)
    return list(session.scalars(asked.order_by(Group.group_id)))
