"""The plan's seven creation drives: what each asks, who applies, what is found, who looks at it, who is on the list.

The plan names the drives and has no list of criteria: those that the tables begin with are assumptions, marked as such,
until two people put the real ones (`groups.criterion`). What our figures can answer is filled when a group applies; the
rest is declared with a document. One person reviews, who is not the one who applied; the list is proposed by one and
approved by another (`groups.award`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups import figures, service
from carbon_credits.groups.drive_models import Criterion, Drive, DriveAnswer, DriveApplication, DriveRequest

AWARD: Final = "groups.award"
ApplicationState = Literal["applied", "recommended", "awarded", "refused", "withdrawn"]


@dataclass(frozen=True)
class Line:
    """One line of a checklist: what is asked, and what was answered last."""

    criterion: Criterion
    answer: DriveAnswer | None


@dataclass(frozen=True)
class Declared:
    """What somebody says of a criterion, and the document that says so with the digest of its bytes."""

    met: bool
    document: str
    sha256: bytes


def drives(session: Session) -> list[Drive]:
    """The seven, by code."""
    return list(session.scalars(select(Drive).order_by(Drive.drive)))


def criteria(session: Session, drive: str, day: date) -> list[Criterion]:
    """What a drive asks on a day, by code. Raises NotFound."""
    _drive(session, drive)
    newest = (
        select(Criterion)
        .where(Criterion.drive == drive, Criterion.in_force <= day)
        .ext(distinct_on(Criterion.code))
        .order_by(Criterion.code, Criterion.in_force.desc())
    )
    return [row for row in session.scalars(newest) if row.filled != "dropped"]


def apply(session: Session, drive: str, group_id: int, year: int, by: int, now: datetime) -> DriveApplication:
    """Put a group forward for a drive's list of a year; what our figures answer is filled at once.

    A request of the group's that waits for it is taken up by this. Raises NotFound, Invalid for a kind of group that the
    drive is not for, Conflict when it is put forward already.
    """
    today = day_of(now)
    known = service.held(session, group_id)
    if known.kind not in _drive(session, drive).kinds or known.parent_id is not None:
        raise Invalid(
            "kind_not_fitting", Text("该行动不面向此类组", "The drive is not for this kind of group")
        )
    if not 2025 <= year <= 2100:
        raise Invalid("wrong_year", Text("年份有误", "The year is wrong"))
    asked = _asked(session, drive, group_id, year)
    row = {"drive": drive, "group_id": group_id, "year": year, "criteria_on": today, "made_by": by}
    made = session.execute(
        upsert(DriveApplication).values(**row).on_conflict_do_nothing().returning(DriveApplication)
    ).scalar_one_or_none()
    if made is None:
        raise Conflict(
            "applied_already", Text("该组本年度已申请", "The group is put forward for that year already")
        )
    if asked is not None:
        answer = {"state": "taken_up", "decided_by": by, "application_id": made.application_id}
        session.execute(
            update(DriveRequest)
            .where(DriveRequest.request_id == asked)
            .values(**answer, changed_at=text("clock_timestamp()"))
            .execution_options(synchronize_session=False)
        )
    fill(session, made, by, now)
    return made


def fill(session: Session, application: DriveApplication, by: int, now: datetime) -> None:
    """Answer once more what our figures answer, as they are now. Raises Conflict when it is reviewed already."""
    _open(session, application.application_id)
    ours = figures.measured(session, application.group_id, day_of(now))
    for asked in criteria(session, application.drive, application.criteria_on):
        if asked.figure is None or asked.threshold is None:
            continue
        value = ours.get(asked.figure)
        met = None if value is None else value >= asked.threshold
        _answer(session, application, asked, by, value=value, met=met)


def declare(session: Session, application_id: int, code: str, told: Declared, by: int) -> None:
    """Answer a criterion that our figures do not. Raises NotFound, Invalid, Conflict when it is reviewed already."""
    application = _open(session, application_id)
    found = [row for row in criteria(session, application.drive, application.criteria_on) if row.code == code]
    if not found:
        raise NotFound("criterion_unknown", Text("没有此条件", "The drive asks no such thing"))
    if found[0].filled != "declared":
        raise Invalid("filled_from_data", Text("该条件由数据填写", "This is filled from our figures"))
    if not 0 < len(told.document.strip()) <= 300 or len(told.sha256) != 32:
        said = Text("须注明文件及其 SHA-256", "Name the document and its SHA-256, 64 hexadecimal digits")
        raise Invalid("wrong_document", said, faults=(FieldFault("/document", "wrong_document", said),))
    _answer(
        session, application, found[0], by, met=told.met, document=told.document, document_sha256=told.sha256
    )


def checklist(session: Session, application: DriveApplication) -> list[Line]:
    """Every criterion of an application with its newest answer."""
    newest = (
        select(DriveAnswer)
        .where(DriveAnswer.application_id == application.application_id)
        .ext(distinct_on(DriveAnswer.code))
        .order_by(DriveAnswer.code, DriveAnswer.answer_id.desc())
    )
    answers = {row.code: row for row in session.scalars(newest)}
    asked = criteria(session, application.drive, application.criteria_on)
    return [Line(row, answers.get(row.code)) for row in asked]


def application(session: Session, application_id: int) -> DriveApplication:
    """An application by number; raises NotFound."""
    known = session.get(DriveApplication, application_id, populate_existing=True)
    if known is None:
        raise NotFound("application_unknown", Text("没有此申请", "There is no such application"))
    return known


def applications(
    session: Session, drive: str | None = None, year: int | None = None
) -> list[DriveApplication]:
    """Applications, all or of a drive or year, by number."""
    asked = select(DriveApplication).order_by(DriveApplication.application_id)
    if drive is not None:
        asked = asked.where(DriveApplication.drive == drive)
    if year is not None:
        asked = asked.where(DriveApplication.year == year)
    return list(session.scalars(asked))


def review(session: Session, application_id: int, by: int, why: str, *, recommend: bool) -> DriveApplication:
    """Recommend or refuse, with reasons, by somebody who did not apply. Raises NotAllowed, Conflict, Invalid, NotFound.

    What is recommended has every criterion met.
    """
    known = _open(session, application_id)
    if known.made_by == by:
        raise NotAllowed("wrong_person", Text("申请人不得自行评审", "Who applied does not review"))
    if not 0 < len(why.strip()) <= 2_000:
        raise Invalid("reason_missing", Text("请写明理由", "Say why"))
    lacking = [
        line.criterion.code
        for line in checklist(session, known)
        if line.answer is None or line.answer.met is not True
    ]
    if recommend and lacking:
        listed = ", ".join(lacking)
        raise Conflict("not_all_met", Text(f"尚未满足：{listed}", f"Not met or not answered: {listed}"))
    state: ApplicationState = "recommended" if recommend else "refused"
    return _move(session, application_id, "applied", state=state, reviewed_by=by, review=why)


def withdraw(session: Session, application_id: int) -> DriveApplication:
    """Take an application back that is not on the list; raises NotFound, Conflict."""
    known = application(session, application_id)
    return _move(session, application_id, known.state, state="withdrawn")


def award_list(session: Session, drive: str, year: int) -> dict[str, Any]:
    """The proposal of a list: everything recommended for a drive's year. Raises Conflict when there is nothing."""
    found = [row.application_id for row in applications(session, drive, year) if row.state == "recommended"]
    if not found:
        raise Conflict("nothing_recommended", Text("没有已推荐的申请", "Nothing is recommended"))
    return {"drive": drive, "year": year, "applications": found}


def check_award(payload: Mapping[str, Any]) -> None:
    """Raise Invalid unless the proposal is one that `award_list` makes."""
    given = payload.get("applications")
    fits = set(payload) == {"drive", "year", "applications"} and isinstance(given, list) and given
    if not fits or any(type(number) is not int for number in given or ()):
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"))


def enact_award(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Put what was approved on the list, all of it or nothing. Raises Conflict when one is not recommended any more."""
    wanted: Sequence[int] = payload["applications"]
    moved = session.execute(
        update(DriveApplication)
        .where(
            DriveApplication.application_id.in_(wanted),
            DriveApplication.drive == payload["drive"],
            DriveApplication.year == payload["year"],
            DriveApplication.state == "recommended",
        )
        .values(state="awarded", approval_id=approval_id, changed_at=text("clock_timestamp()"))
        .returning(DriveApplication.application_id)
        .execution_options(synchronize_session=False)
    ).all()
    if len(moved) != len(set(wanted)):
        raise Conflict(
            "not_recommended",
            Text("名单中有申请已不在推荐状态", "One of the list is not recommended any more"),
        )


def awards_of(session: Session, group_id: int) -> list[tuple[Drive, int]]:
    """The lists a group is on, with their years, the newest first."""
    asked = (
        select(Drive, DriveApplication.year)
        .join(DriveApplication, DriveApplication.drive == Drive.drive)
        .where(DriveApplication.group_id == group_id, DriveApplication.state == "awarded")
        .order_by(DriveApplication.year.desc(), Drive.drive)
    )
    return [(row[0], row[1]) for row in session.execute(asked)]


def _asked(session: Session, drive: str, group_id: int, year: int) -> int | None:
    """The open request of a group for a drive's year, ours until this transaction ends."""
    waiting = select(DriveRequest.request_id).where(
        DriveRequest.drive == drive,
        DriveRequest.group_id == group_id,
        DriveRequest.year == year,
        DriveRequest.state == "asked",
    )
    return session.execute(waiting.with_for_update()).scalar_one_or_none()


def _drive(session: Session, code: str) -> Drive:
    known = session.get(Drive, code)
    if known is None:
        raise NotFound("drive_unknown", Text("没有此创建行动", "There is no such drive"))
    return known


def _open(session: Session, application_id: int) -> DriveApplication:
    """An application that nobody reviews until this transaction ends."""
    known = application(session, application_id)
    locked = select(DriveApplication.state).where(DriveApplication.application_id == application_id)
    if session.execute(locked.with_for_update()).scalar_one() != "applied":
        raise _wrong_state()
    return known


def _answer(
    session: Session,
    known: DriveApplication,
    asked: Criterion,
    by: int,
    **answer: int | bool | str | bytes | None,
) -> None:
    place = {"application_id": known.application_id, "drive": asked.drive, "code": asked.code}
    session.execute(insert(DriveAnswer).values(**place, in_force=asked.in_force, said_by=by, **answer))


def _move(session: Session, application_id: int, follows: str, **values: int | str) -> DriveApplication:
    ends = follows in {"awarded", "refused", "withdrawn"}
    moved = (
        None
        if ends
        else session.execute(
            update(DriveApplication)
            .where(DriveApplication.application_id == application_id, DriveApplication.state == follows)
            .values(**values, changed_at=text("clock_timestamp()"))
            .returning(DriveApplication)
            .execution_options(populate_existing=True)
        ).scalar_one_or_none()
    )
    if moved is None:
        raise _wrong_state()
    return moved


def _wrong_state() -> Conflict:
    return Conflict(
        "wrong_state", Text("该申请当前状态不允许此操作", "Not in the state this application is in")
    )
