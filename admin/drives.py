"""The plan's creation drives: what each asks, who applied, what was found, who reviewed, who is on the list."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import put_before
from admin.deeds import deed
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups import drive_criteria, drive_requests, drives, group_list, service

FIRST_YEAR: Final = 2025
CRITERION: Final = (
    "code",
    "in_force",
    "text_zh",
    "text_en",
    "filled",
    "figure",
    "threshold",
    "source",
    "assumed",
    "reason",
)
FIGURES: Final[Mapping[str, Text]] = {
    "members": Text("成员数", "members"),
    "members_share_pm": Text("成员占比（‰）", "members in a thousand"),
    "active_share_pm": Text("活跃占比（‰）", "active in a thousand"),
    "verified_mg_per_head": Text("人均核证减排（毫克）", "verified mg a head"),
    "travel_mg_per_head": Text("人均出行减排（毫克）", "travel mg a head"),
    "recycling_mg_per_head": Text("人均回收减排（毫克）", "recycling mg a head"),
}
FILLED: Final[Mapping[str, Text]] = {
    "data": Text("由数据填写", "filled from our figures"),
    "declared": Text("凭文件申报", "declared with a document"),
    "dropped": Text("不再要求", "asked no more"),
}

blueprint = Blueprint("drives", __name__, url_prefix="/drives")


@blueprint.get("/")
def show() -> Response:
    """The seven, with how their year stands."""
    year = _year()
    with reading() as session:
        known = drives.drives(session)
        counts = group_list.application_counts(session, year)
    return pages.render("drives/list.html", drives=known, counts=counts, year=year, words=words)


@blueprint.get("/<drive>")
def one(drive: str) -> Response:
    """One drive: what it asks today, and who applied in a year."""
    return _drive(drive)


@blueprint.post("/<drive>/apply")
def apply(drive: str) -> AnyResponse:
    """Put a group forward; what our figures answer is filled at once."""
    form = Form("group", "year")
    try:
        group, year = form.whole("group", 1, 2**31 - 1), form.whole("year", FIRST_YEAR, 2100)
        form.check()
        made = deed(
            "drive.applied",
            "drive:{}",
            lambda session, by: drives.apply(session, drive, group, year, by, clock.now()).application_id,
            {"drive": drive, "group": group, "year": year},
        )
    except Invalid as refused:
        return _drive(drive, 422, form, faults_of(refused, ("group", "year")))
    except Conflict as refused:
        return _drive(drive, 409, form, {"": refused.detail})
    pages.note(Text("已登记申请", "The application is noted"))
    return redirect(pages.url("drives.application", application=made), 303)


@blueprint.post("/<drive>/criteria")
def propose_criterion(drive: str) -> AnyResponse:
    """Propose what a drive asks from a day on."""
    form = Form(*CRITERION)
    try:
        payload = _criterion(form, drive)
        reason = form.reason()
        form.check()
        return put_before(drive_criteria.CRITERION, payload, reason)
    except Invalid as refused:
        return _drive(drive, 422, form, faults_of(refused, CRITERION))


@blueprint.get("/<drive>/awards/<int:year>")
def awards(drive: str, year: int) -> Response:
    """The list of a year, as it is put up and printed; what is recommended for it."""
    return _awards(drive, year)


@blueprint.post("/<drive>/awards/<int:year>/propose")
def propose_awards(drive: str, year: int) -> AnyResponse:
    """Ask a second person to put everything recommended on the list."""
    form = Form("reason")
    try:
        reason = form.reason()
        form.check()
        with reading() as session:
            payload = drives.award_list(session, drive, year)
        return put_before(drives.AWARD, payload, reason)
    except Invalid as refused:
        return _awards(drive, year, 422, form, faults_of(refused, ("reason",)))


@blueprint.get("/applications/<int:application>")
def application(application: int) -> Response:
    """One application: its checklist with answers, and what can be done with it."""
    return application_page(application)


def application_page(
    number: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    """The page of an application, with what was typed into the form that was refused."""
    with reading() as session:
        known = drives.application(session, number)
        (row,) = group_list.applications(session, numbers=[number])
        lines = drives.checklist(session, known)
        group = service.group(session, known.group_id)
        asked = drive_requests.behind(session, number)
    return pages.render(
        "drives/application.html",
        status,
        one=row,
        group=group,
        asked=asked,
        lines=lines,
        figures=FIGURES,
        lacking=[line for line in lines if line.answer is None or line.answer.met is not True],
        may_review=known.made_by != guard.member().staff_id,
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _drive(
    drive: str, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    year = _year()
    with reading() as session:
        known = [row for row in drives.drives(session) if row.drive == drive]
        asked = drives.criteria(session, drive, clock.today())
        rows = group_list.applications(
            session, drive=drive, year=year, before=request.args.get("before", type=int)
        )
        groups = group_list.fitting(session, known[0].kinds)
    return pages.render(
        "drives/one.html",
        status,
        drive=known[0],
        year=year,
        criteria=asked,
        rows=rows,
        groups=groups,
        filled=FILLED,
        figures=FIGURES,
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _awards(
    drive: str,
    year: int,
    status: int = 200,
    form: Form | None = None,
    faults: Mapping[str, Text] | None = None,
) -> Response:
    with reading() as session:
        drives.criteria(session, drive, clock.today())
        known = next(row for row in drives.drives(session) if row.drive == drive)
        rows = group_list.applications(session, drive=drive, year=year, most=1_000)
        waits = group_list.award_waiting(session, drive, year)
    return pages.render(
        "drives/awards.html",
        status,
        drive=known,
        year=year,
        recommended=[row for row in rows if row.state == "recommended"],
        awarded=[row for row in rows if row.state == "awarded"],
        waits=waits,
        typed="" if form is None else form.typed["reason"],
        faults=faults,
        words=words,
    )


def _criterion(form: Form, drive: str) -> dict[str, Any]:
    filled = form.choice("filled", FILLED)
    by_data = filled == "data"
    return {
        "drive": drive,
        "code": form.text("code", 40),
        "in_force": form.day("in_force").isoformat(),
        "text_zh": form.text("text_zh", 300),
        "text_en": form.text("text_en", 300),
        "filled": filled,
        "figure": form.choice("figure", FIGURES) if by_data else None,
        "threshold": form.whole("threshold", 1) if by_data else None,
        "source": form.text("source", 300),
        "assumed": form.yes("assumed"),
    }


def _year() -> int:
    asked = request.args.get("year", type=int)
    return asked if asked is not None and FIRST_YEAR <= asked <= 2100 else clock.today().year
