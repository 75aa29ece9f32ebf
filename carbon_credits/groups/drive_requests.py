"""A group asks by itself to be put forward for a drive: whoever founded it and belongs to it asks, staff answer.

A request puts nobody forward: a member of staff takes it up, and applies by that, or declines it with a reason that the
group reads. A group that staff made has nobody who runs it here, and is put forward by staff at its written request; so
is a school always, for its people are children.

Locks are taken in one order: group, membership, request, application.
"""

from datetime import datetime
from typing import Final, Literal

from sqlalchemy import exists, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups import drives, service
from carbon_credits.groups.drive_models import Drive, DriveApplication, DriveRequest
from carbon_credits.groups.models import Group, Membership
from carbon_credits.groups.service import GroupKind, GroupState

RequestState = Literal["asked", "taken_up", "declined", "withdrawn"]
MOST_REASON: Final = 500
# an application in one of these is over, and the group may be put forward again
OVER: Final = ("refused", "withdrawn")


def ask(
    session: Session, drive: str, group_id: int, resident_id: int, now: datetime
) -> tuple[DriveRequest, bool]:
    """Ask for this year's list; answers the request and whether it is new: one that waits already is the same one.

    Raises NotFound, NotAllowed for all but whoever founded the group and belongs to it, Conflict when it is put forward
    already.
    """
    known = _organised(session, group_id, resident_id)
    row = session.get(Drive, drive)
    if row is None or known.kind not in row.kinds or known.parent_id is not None:
        said = Text(
            "没有面向此组的这一行动，请见 GET …/drives", "No such drive for this group: see GET …/drives"
        )
        raise NotFound("drive_not_for_group", said)
    year = day_of(now).year
    if in_force(session, drive, group_id, year):
        said = Text(
            "该组本年度已申请，无须再提", "The group is put forward for this year: there is nothing to ask"
        )
        raise Conflict("applied_already", said)
    place = {"drive": drive, "group_id": group_id, "year": year}
    told = {**place, "kind": known.kind, "resident_id": resident_id, "asked_at": now}
    made = session.execute(
        upsert(DriveRequest).values(**told).on_conflict_do_nothing().returning(DriveRequest)
    ).scalar_one_or_none()
    if made is not None:
        return made, True
    waiting = select(DriveRequest).filter_by(**place, state="asked")
    return session.execute(waiting.execution_options(populate_existing=True)).scalar_one(), False


def withdraw(session: Session, drive: str, group_id: int, request_id: int, resident_id: int) -> bool:
    """Take back what one asked; answers whether it waited until now. Raises NotFound, Conflict when staff answered."""
    mine = select(DriveRequest.state).where(
        DriveRequest.request_id == request_id,
        DriveRequest.drive == drive,
        DriveRequest.group_id == group_id,
        DriveRequest.resident_id == resident_id,
    )
    state = session.execute(mine.with_for_update()).scalar_one_or_none()
    if state is None:
        raise _no_request()
    if state == "withdrawn":
        return False
    if state != "asked":
        raise _answered()
    _answer(session, request_id, "withdrawn")
    return True


def take_up(session: Session, request_id: int, by: int, now: datetime) -> DriveApplication:
    """Put the group forward as it asked. Raises NotFound, Conflict when the request was answered or taken back."""
    asked = request(session, request_id)
    if asked.state != "asked":
        raise _answered()
    # the group before the request, as who closes it has them
    service.held(session, asked.group_id)
    waits = select(DriveRequest.state).where(DriveRequest.request_id == request_id).with_for_update()
    if session.execute(waits).scalar_one() != "asked":
        raise _answered()
    return drives.apply(session, asked.drive, asked.group_id, asked.year, by, now)


def decline(session: Session, request_id: int, by: int, reason: str) -> DriveRequest:
    """Say no, with a reason that the group reads. Raises NotFound, Invalid without one, Conflict when it was answered."""
    if not 0 < len(reason.strip()) <= MOST_REASON:
        said = Text(f"请写明理由，1–{MOST_REASON} 字", f"Say why, in 1 to {MOST_REASON} characters")
        raise Invalid("reason_missing", said, faults=(FieldFault("/reason", "reason_missing", said),))
    request(session, request_id)
    return _answer(session, request_id, "declined", decided_by=by, reason=reason)


def request(session: Session, request_id: int) -> DriveRequest:
    """A request by number; raises NotFound."""
    known = session.get(DriveRequest, request_id, populate_existing=True)
    if known is None:
        raise _no_request()
    return known


def behind(session: Session, application_id: int) -> DriveRequest | None:
    """The request that an application took up, if the group asked."""
    found = select(DriveRequest).where(DriveRequest.application_id == application_id)
    return session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()


def in_force(session: Session, drive: str, group_id: int, year: int) -> bool:
    """Whether a group is put forward for a drive's year, and neither refused nor taken back."""
    found = exists().where(
        DriveApplication.drive == drive,
        DriveApplication.group_id == group_id,
        DriveApplication.year == year,
        DriveApplication.state.not_in(OVER),
    )
    return session.execute(select(found)).scalar_one()


def may_run(known: Group, resident_id: int) -> bool:
    """Whether a member speaks for a group: whoever founded it, and for a school nobody."""
    return known.founder_id == resident_id and known.kind != GroupKind.SCHOOL


def _organised(session: Session, group_id: int, resident_id: int) -> Group:
    """An active group that nobody changes or puts forward until this transaction ends, for whoever runs it."""
    active = select(Group).where(Group.group_id == group_id, Group.state == GroupState.ACTIVE)
    held = active.with_for_update(key_share=True).execution_options(populate_existing=True)
    known = session.execute(held).scalar_one_or_none()
    mine = select(Membership.membership_id).where(
        Membership.group_id == group_id, Membership.resident_id == resident_id, Membership.to_on.is_(None)
    )
    belongs = session.execute(mine.with_for_update(read=True)).scalar_one_or_none() is not None
    if known is None or (known.kind == GroupKind.HOUSEHOLD and not belongs):
        raise service.unknown()
    if known.kind == GroupKind.SCHOOL:
        said = Text(
            "学校由工作人员按其书面申请登记，居民不能代为提出",
            "A school is put forward by staff at its written request, never by a resident",
        )
        raise NotAllowed("school_by_staff", said)
    if not belongs or not may_run(known, resident_id):
        said = Text(
            "仅该组的创建人（且仍为成员）可以提出；其他情况请书面联系工作人员",
            "Only who founded the group and still belongs to it asks; else write to the programme's staff",
        )
        raise NotAllowed("not_the_organiser", said)
    return known


def _answer(session: Session, request_id: int, state: RequestState, **values: int | str) -> DriveRequest:
    moved = session.execute(
        update(DriveRequest)
        .where(DriveRequest.request_id == request_id, DriveRequest.state == "asked")
        .values(state=state, changed_at=text("clock_timestamp()"), **values)
        .returning(DriveRequest)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if moved is None:
        raise _answered()
    return moved


def _answered() -> Conflict:
    said = Text("此请求已有答复或已撤回", "This request is answered or taken back already")
    return Conflict("answered_already", said)


def _no_request() -> NotFound:
    return NotFound("request_unknown", Text("没有此请求", "There is no such request"))
