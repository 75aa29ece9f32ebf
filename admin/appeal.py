"""Residents' objections: those that are due, one with its act and the first decision, and the answer to it."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, redirect, request

from admin import cursor, pages, queue_words
from admin.forms import Form, faults_of
from admin.guard import member
from admin.review import SEES_TRACES
from carbon_credits.activities.traces import drawn_for
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.held_act import file_of
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import redis_of, settings
from carbon_credits.reconciliation import objections
from carbon_credits.reconciliation.objections import GRANT, PARTLY, REFUSE, Objection, Place
from carbon_credits.reporting.deeds import deeds_of
from carbon_credits.residents.service import Street

MOST_WORDS: Final = 1_000
VERDICTS: Final[Mapping[str, Text]] = {
    GRANT: Text("申诉成立", "Grant it"),
    PARTLY: Text("部分成立", "Grant it in part"),
    REFUSE: Text("维持原决定", "Uphold the decision"),
}
CLASSES: Final[Mapping[str, Text]] = {
    "": Text("按原等级重新核算", "Decide again in the same class"),
    "B": Text("B：合作方暂定记录", "B: a partner's provisional record"),
    "C": Text("C：手机申报，轨迹可信", "C: the phone with a credible trace"),
    "D": Text("D：仅手机申报", "D: the phone's word alone"),
}

blueprint = Blueprint("appeal", __name__, url_prefix="/appeals")


@blueprint.get("/")
def index() -> Response:
    """Open objections by the day they are due, those past it first."""
    told, after, now = request.args, cursor.read(), clock.now()
    against = told.get("against") if told.get("against") in objections.OUTCOMES else None
    street = told.get("street") if told.get("street") in set(Street) else None
    due = now if told.get("due") == "overdue" else None
    with reading() as session:
        found = objections.listed(
            session,
            Place(*after) if after else None,
            cursor.PAGE + 1,
            against=against,
            street=street,
            due=due,
            territory=member().streets,
        )
        counted = objections.count(session, now, member().streets)
    kept = {name: told[name] for name in ("against", "street", "due") if told.get(name)}
    last = found[cursor.PAGE - 1].place if len(found) > cursor.PAGE else None
    return pages.render(
        "appeal/index.html",
        appeals=found[: cursor.PAGE],
        more=pages.url("appeal.index", **kept, after=cursor.write(*last)) if last else "",
        counted=counted,
        against=against or "",
        street=street or "",
        due=told.get("due", ""),
        streets=[(one.value, one.text.in_language(pages.language())) for one in Street],
        now=now,
        words=queue_words,
    )


@blueprint.get("/<int:number>")
def show(number: int) -> Response:
    """One objection with its act."""
    with transaction() as session:
        return _page(session, objections.objection_of(session, number, member().streets))


@blueprint.post("/<int:number>")
def answer(number: int) -> Response:
    """Answer it; the resident reads the answer where they objected."""
    form, me = Form("verdict", "class", "zh", "en"), member()
    verdict = form.choice("verdict", tuple(VERDICTS))
    letter = form.choice("class", tuple(CLASSES)) if form.typed["class"] else ""
    words = Text(form.text("zh", MOST_WORDS), form.text("en", MOST_WORDS))
    try:
        form.check()
        with transaction() as session:
            asked = objections.objection_of(session, number, me.streets)
            objections.answer(
                session, settings().vault, asked, me.staff_id, verdict, words, clock.now(), letter or None
            )
    except (Invalid, Conflict, NotAllowed) as refused:
        with transaction() as session:
            asked = objections.objection_of(session, number, me.streets)
            return _page(session, asked, form.typed, refused)
    doorbell.ring(redis_of(), {shard_of(asked.resident_id)})
    pages.note(Text(f"已答复申诉 #{number}", f"Appeal #{number} is answered"))
    return redirect(pages.url("appeal.index"), 303)  # type: ignore[return-value]


def _page(
    session: Any,
    asked: Objection,
    typed: Mapping[str, str] | None = None,
    refused: Invalid | Conflict | NotAllowed | None = None,
) -> Response:
    me = member()
    act = file_of(session, asked.resident_id, asked.activity, me.streets)
    sees_trace = bool(me.roles & SEES_TRACES) and asked.state == "open" and act.has_trace
    drawing = (
        drawn_for(session, settings().vault, me.actor, act.resident_id, act.activity) if sees_trace else None
    )
    first = next((one for one in act.passages if one.generation == asked.generation), None)
    status = {Invalid: 422, Conflict: 409, NotAllowed: 403}.get(type(refused), 200) if refused else 200
    verdicts = [one for one in VERDICTS if one in objections.OUTCOMES[asked.against]]
    return pages.render(
        "appeal/show.html",
        status,
        asked=asked,
        act=act,
        first=first,
        drawing=drawing,
        verdicts=[(one, VERDICTS[one].in_language(pages.language())) for one in verdicts],
        classes=[(one, words.in_language(pages.language())) for one, words in CLASSES.items()],
        may_answer=asked.state == "open" and asked.owner_role in {role.value for role in me.roles},
        deeds=deeds_of(session, f"case:{asked.case_id}"),
        typed=typed or {},
        faults=faults_of(refused) if isinstance(refused, Invalid) else {},
        refused=refused,
        now=clock.now(),
        words=queue_words,
    )
