"""How a group stands in the drives that are for its kind, as its members read it: what is asked, what is found so far."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import any_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.groups import drive_requests, drives, figures, membership, service
from carbon_credits.groups.drive_models import Criterion, Drive, DriveApplication, DriveRequest
from carbon_credits.groups.models import Group
from carbon_credits.groups.service import GroupKind, GroupState

# while one of these is looked at, its own answers are shown; else what our figures say today
LOOKED_AT = ("applied", "recommended")


@dataclass(frozen=True)
class Found:
    """A criterion and what is found of it; `value` is in the unit that ends the figure's name, None where nothing is."""

    criterion: Criterion
    value: int | None
    met: bool | None


@dataclass(frozen=True)
class Standing:
    """A drive and a group: what is found, the newest request and application of any year, the years it is on the list."""

    drive: Drive
    checklist: Sequence[Found]
    request: DriveRequest | None
    application: DriveApplication | None
    awards: Sequence[int]
    may_ask: bool


def standings(session: Session, group_id: int, resident_id: int, today: date) -> list[Standing]:
    """The drives of a group's kind, by code, for one of its members; a part of a whole has none.

    Raises NotFound for a group that is not active, or a household of others; NotAllowed for who does not belong.
    """
    known = _own(session, group_id, resident_id)
    if known.parent_id is not None:
        return []
    for_it = select(Drive).where(any_(Drive.kinds) == known.kind).order_by(Drive.drive)
    measured = figures.measured(session, group_id, today)
    applications, requests = _applications(session, group_id), _requests(session, group_id)
    awards: dict[str, list[int]] = defaultdict(list)
    for drive, year in drives.awards_of(session, group_id):
        awards[drive.drive].append(year)
    runs = drive_requests.may_run(known, resident_id)
    return [
        Standing(
            row,
            _found(session, row.drive, applications.get(row.drive), measured, today),
            requests.get(row.drive),
            applications.get(row.drive),
            awards[row.drive],
            runs and _may_ask(session, row.drive, known, requests.get(row.drive), today.year),
        )
        for row in session.scalars(for_it)
    ]


def _own(session: Session, group_id: int, resident_id: int) -> Group:
    known = service.group(session, group_id)
    if known.state != GroupState.ACTIVE:
        raise service.unknown()
    if membership.membership_in(session, group_id, resident_id) is None:
        if known.kind == GroupKind.HOUSEHOLD:
            raise service.unknown()
        said = Text("仅成员可查看，请先加入该组", "For members: join the group first")
        raise NotAllowed("not_a_member", said)
    return known


def _found(
    session: Session,
    drive: str,
    application: DriveApplication | None,
    measured: Mapping[str, int],
    today: date,
) -> list[Found]:
    if application is not None and application.state in LOOKED_AT:
        lines = drives.checklist(session, application)
        return [
            Found(line.criterion, None, None)
            if line.answer is None
            else Found(line.criterion, line.answer.value, line.answer.met)
            for line in lines
        ]
    return [_today(asked, measured) for asked in drives.criteria(session, drive, today)]


def _today(asked: Criterion, measured: Mapping[str, int]) -> Found:
    value = None if asked.figure is None else measured.get(asked.figure)
    met = None if value is None or asked.threshold is None else value >= asked.threshold
    return Found(asked, value, met)


def _may_ask(session: Session, drive: str, known: Group, newest: DriveRequest | None, year: int) -> bool:
    waits = newest is not None and newest.state == "asked" and newest.year == year
    return not waits and not drive_requests.in_force(session, drive, known.group_id, year)


def _applications(session: Session, group_id: int) -> dict[str, DriveApplication]:
    newest = (
        select(DriveApplication)
        .where(DriveApplication.group_id == group_id)
        .ext(distinct_on(DriveApplication.drive))
        .order_by(
            DriveApplication.drive, DriveApplication.year.desc(), DriveApplication.application_id.desc()
        )
        .execution_options(populate_existing=True)
    )
    return {row.drive: row for row in session.scalars(newest)}


def _requests(session: Session, group_id: int) -> dict[str, DriveRequest]:
    newest = (
        select(DriveRequest)
        .where(DriveRequest.group_id == group_id)
        .ext(distinct_on(DriveRequest.drive))
        .order_by(DriveRequest.drive, DriveRequest.request_id.desc())
        .execution_options(populate_existing=True)
    )
    return {row.drive: row for row in session.scalars(newest)}
