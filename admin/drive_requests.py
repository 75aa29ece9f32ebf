"""Groups that ask by themselves to be put forward for a drive: taken up, or declined with a reason that they read."""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.deeds import deed
from admin.forms import Form, faults_of
from admin.groups import STREETS, within_territory
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups import drive_requests, group_list
from carbon_credits.staff.service import Role

MOST: Final = 50

blueprint = Blueprint("drive_requests", __name__, url_prefix="/drives/requests")


@blueprint.get("/")
def show() -> Response:
    """Who waits, the oldest first; nobody is named."""
    return _queue()


@blueprint.post("/<int:asking>/take-up")
def take_up(asking: int) -> AnyResponse:
    """Put the group forward as it asked; whoever does so does not review it."""

    def step(session: Session, by: int) -> int:
        _within_territory(session, asking)
        return drive_requests.take_up(session, asking, by, clock.now()).application_id

    try:
        Form().check()
        made = deed("drive.applied", "drive:{}", step, {"request": asking})
    except Conflict as refused:
        return _queue(409, None, {"": refused.detail})
    pages.note(Text("已受理并登记申请", "Taken up: the application is noted"))
    return redirect(pages.url("drives.application", application=made), 303)


@blueprint.post("/<int:asking>/decline")
def decline(asking: int) -> AnyResponse:
    """Say no; the group reads why."""
    form = Form("reason")

    def step(session: Session, by: int) -> None:
        _within_territory(session, asking)
        drive_requests.decline(session, asking, by, form.typed["reason"])

    try:
        reason = form.reason()
        form.check()
        deed("drive.request_declined", f"drive_request:{asking}", step, None, reason)
    except Invalid as refused:
        return _queue(422, form, faults_of(refused, ("reason",)), asking)
    except Conflict as refused:
        return _queue(409, form, {"": refused.detail}, asking)
    pages.note(Text("已答复不予受理", "Declined"))
    return redirect(pages.url("drive_requests.show"), 303)


def _within_territory(session: Session, asking: int) -> None:
    within_territory(session, drive_requests.request(session, asking).group_id)


def _queue(
    status: int = 200,
    form: Form | None = None,
    faults: Mapping[str, Text] | None = None,
    answered: int | None = None,
) -> Response:
    """The queue; `answered` is the request whose form was refused, with what was typed."""
    after = request.args.get("after", default=0, type=int)
    with reading() as session:
        rows = group_list.drive_requests(session, after, guard.member().streets, MOST)
    more = pages.url("drive_requests.show", after=rows[-1].request_id) if len(rows) == MOST else ""
    return pages.render(
        "drives/requests.html",
        status,
        rows=rows,
        more=more,
        may_answer=Role.PROGRAMME in guard.member().roles,
        typed="" if form is None else form.typed["reason"],
        faults=faults,
        answered=answered,
        streets=STREETS,
        words=words,
    )
