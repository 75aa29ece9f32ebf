"""Groups: made by staff or applied for by a resident, said how large they are, closed; never deleted.

`group_state` holds which state may follow which; a change is one conditional update, so of two there is one winner.
Who may do what is the door's to ask; here a member of staff is a number.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import exists, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.core.db import constraint_name
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups.models import Group, GroupSize, JoinCode, Membership

MOST_NAME: Final = 100
HOUSEHOLD_NAME: Final = Text("家庭", "Household")


# a hub's last month is the one before this; what was named for later never counts
_END_STATIONS: Final = text("""
update hub_station set to_month = greatest(from_month, cast(:month as date)), ended_by = :by, changed_at = :now
where group_id = :group and to_month is null
""")


class GroupKind(StrEnum):
    """What sort of people act together."""

    HOUSEHOLD = "household"
    ESTATE = "estate"
    SCHOOL = "school"
    FIRM = "firm"
    PUBLIC_BODY = "public_body"
    MALL = "mall"
    BUILDING = "building"
    HUB = "hub"
    PILOT = "pilot"


class GroupState(StrEnum):
    """Where a group is; `group_state` says which may follow which."""

    APPLIED = "applied"
    ACTIVE = "active"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True)
class NewGroup:
    """What is said of a group at first. `listed`: its name may stand on boards. A household is given no names."""

    kind: GroupKind
    names: Text | None = None
    street: str | None = None
    parent_id: int | None = None
    listed: bool = False


def make(session: Session, told: NewGroup, by: int, now: datetime) -> Group:
    """A member of staff makes a group, active at once. Raises Invalid at the field that is wrong."""
    return _write(session, told, now, made_by=by, decided_by=by, state=GroupState.ACTIVE)


def apply_for(session: Session, told: NewGroup, resident_id: int, now: datetime) -> Group:
    """A resident applies for a group; staff decide. Raises Invalid, Conflict when one of the kind waits already."""
    try:
        with session.begin_nested():
            return _write(session, told, now, founder_id=resident_id)
    except IntegrityError as error:
        if constraint_name(error) != "resident_group_waits_once":
            raise
        said = Text("您已有一项同类申请待审", "An application of yours for this kind waits already")
        raise Conflict("applied_already", said) from error


def group(session: Session, group_id: int) -> Group:
    """A group by number, in whatever state; raises NotFound."""
    known = session.get(Group, group_id, populate_existing=True)
    if known is None:
        raise unknown()
    return known


def held(session: Session, group_id: int) -> Group:
    """An active group that stays so until this transaction ends; raises NotFound."""
    asked = select(Group).where(Group.group_id == group_id, Group.state == GroupState.ACTIVE)
    locked = asked.with_for_update(read=True).execution_options(populate_existing=True)
    known = session.execute(locked).scalar_one_or_none()
    if known is None:
        raise unknown()
    return known


def all_of_them(session: Session, state: GroupState | None = None) -> list[Group]:
    """Every group, or those in one state, by number."""
    asked = select(Group).order_by(Group.group_id)
    return list(session.scalars(asked if state is None else asked.where(Group.state == state)))


def approve(session: Session, group_id: int, by: int, now: datetime) -> Group:
    """Let a group that was applied for begin, with its founder as its first member; raises Conflict, NotFound."""
    return _move(session, group_id, (GroupState.APPLIED, GroupState.ACTIVE), by, None, now)


def refuse(session: Session, group_id: int, by: int, reason: str, now: datetime) -> Group:
    """Say no to an application, with a reason its founder reads; raises Conflict, NotFound."""
    return _move(session, group_id, (GroupState.APPLIED, GroupState.REFUSED), by, reason, now)


def close(session: Session, group_id: int, by: int, reason: str, now: datetime) -> Group:
    """End a group: memberships, requests, codes and a hub's stations end, history stays.

    Raises Conflict while parts are active.
    """
    parts = select(exists().where(Group.parent_id == group_id, Group.state == GroupState.ACTIVE))
    if session.execute(parts).scalar_one():
        raise Conflict("parts_active", Text("请先关闭下级组", "Close its parts first"))
    closed = _move(session, group_id, (GroupState.ACTIVE, GroupState.CLOSED), by, reason, now)
    end = {"group": group_id, "today": day_of(now)}
    session.execute(
        text("""update membership set to_on = greatest(from_on, cast(:today as date)), sealed_name = null
                where group_id = :group and to_on is null"""),
        end,
    )
    session.execute(
        text(
            "update group_request set state = 'refused', decided_by = :by where group_id = :group and state = 'asked'"
        ),
        {"group": group_id, "by": by},
    )
    this = {"group": group_id, "month": day_of(now).replace(day=1), "by": by, "now": now}
    session.execute(_END_STATIONS, this)
    session.execute(
        text("""update drive_request set state = 'declined', decided_by = :by, reason = :reason, changed_at = :now
                where group_id = :group and state = 'asked'"""),
        {"group": group_id, "by": by, "reason": reason, "now": now},
    )
    session.execute(
        update(JoinCode)
        .where(JoinCode.group_id == group_id, JoinCode.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    return closed


def list_on_boards(session: Session, group_id: int, now: datetime, *, listed: bool) -> None:
    """Let a group's name stand on boards, or no longer. Raises NotFound, Invalid for a household."""
    if held(session, group_id).kind == GroupKind.HOUSEHOLD:
        raise Invalid("household_not_listed", Text("家庭不上榜", "Households stand on no board"))
    session.execute(
        update(Group)
        .where(Group.group_id == group_id)
        .values(listed=listed, changed_at=now)
        .execution_options(synchronize_session=False)
    )


def declare_size(session: Session, group_id: int, people: int, as_of: date, source: str, by: int) -> None:
    """Say how many people a group has on a day, by what source. Raises NotFound, Invalid."""
    held(session, group_id)
    if not 1 <= people <= 10_000_000 or not source.strip():
        said = Text("人数应为正整数，并注明来源", "A whole number of people above zero, and where it is from")
        raise Invalid("wrong_size", said)
    row = {"group_id": group_id, "people": people, "as_of": as_of, "source": source, "said_by": by}
    session.execute(insert(GroupSize).values(row))


def size_of(session: Session, group_id: int) -> GroupSize | None:
    """What was said last of how many people there are, if anything."""
    asked = select(GroupSize).where(GroupSize.group_id == group_id)
    newest = asked.order_by(GroupSize.as_of.desc(), GroupSize.size_id.desc()).limit(1)
    return session.execute(newest).scalar_one_or_none()


def groups_of(session: Session, resident_id: int) -> list[tuple[Group, Membership]]:
    """What somebody belongs to now, by number."""
    asked = (
        select(Group, Membership)
        .join(Membership, Membership.group_id == Group.group_id)
        .where(Membership.resident_id == resident_id, Membership.to_on.is_(None))
        .order_by(Group.group_id)
    )
    return [(row[0], row[1]) for row in session.execute(asked)]


def unknown() -> NotFound:
    """There is no such group, or not for you: the two look the same."""
    return NotFound("group_unknown", Text("没有此组", "There is no such group"))


def _write(session: Session, told: NewGroup, now: datetime, **by: int | str) -> Group:
    _check(session, told)
    names = told.names or HOUSEHOLD_NAME
    row = {
        "kind": told.kind.value,
        "name_zh": names.zh,
        "name_en": names.en,
        "street": told.street,
        "parent_id": told.parent_id,
        "listed": told.listed,
        "made_on": day_of(now),
        "changed_at": now,
    }
    return session.execute(insert(Group).values(**row, **by).returning(Group)).scalar_one()


def _check(session: Session, told: NewGroup) -> None:
    faults = []
    if (told.kind is GroupKind.HOUSEHOLD) is not (told.names is None):
        said = Text(
            "家庭没有名称，其他组须有中英文名称",
            "A household has no name; all else has one in both languages",
        )
        faults.append(FieldFault("/name", "not_fitting", said))
    if told.names is not None and not all(0 < len(name.strip()) <= MOST_NAME for name in told.names):
        faults.append(
            FieldFault("/name", "wrong_length", Text("中英文名称各 1–100 字", "1 to 100 characters each"))
        )
    if told.kind is GroupKind.HOUSEHOLD and (told.listed or told.parent_id is not None):
        faults.append(
            FieldFault("/kind", "household_apart", Text("家庭不上榜，也无上级", "A household is by itself"))
        )
    if told.parent_id is not None:
        parent = held(session, told.parent_id)
        if parent.kind != told.kind or parent.parent_id is not None:
            fitting = Text("上级须为同类且自身无上级", "The whole is of the same kind and itself no part")
            faults.append(FieldFault("/parent", "not_fitting", fitting))
    if faults:
        raise Invalid(
            "wrong_group", Text("组信息有误", "What is said of the group is wrong"), faults=tuple(faults)
        )


def _move(
    session: Session,
    group_id: int,
    step: tuple[GroupState, GroupState],
    by: int,
    reason: str | None,
    now: datetime,
) -> Group:
    moved = session.execute(
        update(Group)
        .where(Group.group_id == group_id, Group.state == step[0])
        .values(state=step[1].value, state_reason=reason, decided_by=by, changed_at=now)
        .returning(Group)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if moved is None:
        group(session, group_id)
        raise Conflict("wrong_state", Text("该组当前状态不允许此操作", "Not in the state this group is in"))
    return moved
