"""Partners' files: put aside, late or under way; one with what is wrong with it, let go on or refused for a reason."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, redirect, request

from admin import cursor, pages, queue_words
from admin.forms import Form, faults_of
from admin.guard import member
from carbon_credits.activities.acks import ack_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.doorbell import PARTNER_FILES
from carbon_credits.jobs.surroundings import redis_of
from carbon_credits.partners import file_decisions, progress
from carbon_credits.reconciliation import feed_board
from carbon_credits.reconciliation.feed_board import STATES
from carbon_credits.reporting.deeds import deeds_of
from carbon_credits.staff.service import Role

MOST_REASON: Final = 500
LISTS: Final[Mapping[str, Text]] = {
    "quarantined": Text("被隔离", "Put aside"),
    "late": Text("迟到", "Late"),
    "unfinished": Text("处理中", "Under way"),
    "all": Text("全部", "All"),
}

blueprint = Blueprint("file", __name__, url_prefix="/files")


@blueprint.get("/")
def index() -> Response:
    """Files of one kind, the newest first."""
    told, before = request.args, cursor.number()
    which = told["which"] if told.get("which") in STATES else "quarantined"
    feed = told.get("feed", "")[:80] or None
    with reading() as session:
        found = feed_board.files(session, which, before, cursor.PAGE + 1, feed=feed)
        feeds = [line.feed for line in feed_board.board(session, clock.now())]
    last = found[cursor.PAGE - 1].file_id if len(found) > cursor.PAGE else None
    kept = {"which": which, **({"feed": feed} if feed else {})}
    return pages.render(
        "file/index.html",
        files=found[: cursor.PAGE],
        more=pages.url("file.index", **kept, before=last) if last else "",
        which=which,
        lists=LISTS,
        feed=feed or "",
        feeds=feeds,
        words=queue_words,
    )


@blueprint.get("/alarms")
def alarms() -> Response:
    """Refusals that somebody must look at."""
    before = cursor.number()
    with reading() as session:
        found = feed_board.alarms(session, before, cursor.PAGE + 1)
    last = found[cursor.PAGE - 1].number if len(found) > cursor.PAGE else None
    more = pages.url("file.alarms", before=last) if last else ""
    return pages.render("file/alarms.html", alarms=found[: cursor.PAGE], more=more, words=queue_words)


@blueprint.get("/<int:number>")
def show(number: int) -> Response:
    """One file: what it says of itself, what became of its rows, why it stopped."""
    with reading() as session:
        return _page(session, number)


@blueprint.post("/<int:number>/release")
def release(number: int) -> Response:
    """Look at it again as it is."""
    return _decide(
        number, lambda session, me, why: file_decisions.release(session, number, me, why, waive=False)
    )


@blueprint.post("/<int:number>/waive")
def waive(number: int) -> Response:
    """Let it go on although its control figures differ."""
    return _decide(
        number, lambda session, me, why: file_decisions.release(session, number, me, why, waive=True)
    )


@blueprint.post("/<int:number>/refuse")
def refuse(number: int) -> Response:
    """Refuse it for good; its number may come again."""
    return _decide(
        number, lambda session, me, why: file_decisions.refuse(session, number, me, why, clock.now())
    )


def _decide(number: int, work: Any) -> Response:
    form = Form("reason")
    reason = form.text("reason", MOST_REASON)
    try:
        form.check()
        with transaction() as session:
            work(session, member().actor, reason)
    except (Invalid, Conflict) as refused:
        with reading() as session:
            return _page(session, number, form.typed, refused)
    doorbell.ring_bell(redis_of(), PARTNER_FILES)
    pages.note(Text(f"文件 #{number} 已处理", f"File #{number}: done"))
    return redirect(pages.url("file.show", number=number), 303)  # type: ignore[return-value]


def _page(
    session: Any,
    number: int,
    typed: Mapping[str, str] | None = None,
    refused: Invalid | Conflict | None = None,
) -> Response:
    row = progress.file_of(session, number)
    ack = ack_of(session, row, pages.language())
    codes = {row.fault["code"], *(one["code"] for one in row.fault.get("others", ()))} if row.fault else set()
    return pages.render(
        "file/show.html",
        200 if refused is None else 409 if isinstance(refused, Conflict) else 422,
        file=row,
        ack=ack,
        versions=feed_board.files(session, "all", None, 20, feed=ack["feed"], seq=row.seq),
        may_waive=bool(codes) and codes <= progress.WAIVABLE,
        may_decide=Role.PROGRAMME in member().roles and row.state == "quarantined",
        deeds=deeds_of(session, f"file:{number}"),
        typed=typed or {},
        faults=faults_of(refused) if isinstance(refused, Invalid) else {},
        refused=refused,
        words=queue_words,
    )
