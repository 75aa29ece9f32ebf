"""Cases of reconciliation: by deadline, one with both sides' evidence; taken, given away, asked about, decided."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, redirect, request

from admin import cursor, pages, queue_words
from admin.forms import Form, faults_of
from admin.guard import member
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.held_act import HeldActFile, file_of
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import redis_of, settings
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reconciliation import case_list, cases, feed_board, questions, service
from carbon_credits.reconciliation.case_list import STATES, CaseView, Place, Wanted
from carbon_credits.reconciliation.service import Word
from carbon_credits.reporting.deeds import deeds_of
from carbon_credits.staff.service import Role, require_role

MOST_WORDS: Final = 1_000
CLASSES: Final = ("", "B", "C", "D")
FILTERS: Final = ("state", "kind", "owner", "due")

blueprint = Blueprint("case", __name__, url_prefix="/cases")
Refusal = Invalid | Conflict | NotAllowed | NotFound


@blueprint.get("/")
def index() -> Response:
    """Cases, the one to be answered first on top."""
    wanted, after, now = _wanted(), cursor.read(), clock.now()
    with reading() as session:
        found = case_list.listed(session, wanted, Place(*after) if after else None, cursor.PAGE + 1)
        kinds = {one.kind: Text(one.name_zh, one.name_en) for one in case_list.kinds(session)}
        counted = {one.kind: one for one in cases.counts(session, now)} if wanted.territory is None else {}
    kept = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    more = cursor.write(*found[cursor.PAGE - 1].place) if len(found) > cursor.PAGE else ""
    return pages.render(
        "case/index.html",
        cases=found[: cursor.PAGE],
        more=pages.url("case.index", **kept, after=more) if more else "",
        kinds=kinds,
        counted=counted,
        wanted=wanted,
        told=request.args,
        now=now,
        may_take=bool(member().roles & {Role.SUPPORT, Role.PROGRAMME, Role.FINANCE}),
        words=queue_words,
    )


@blueprint.get("/<int:number>")
def show(number: int) -> Response:
    """One case with the evidence of both sides."""
    with reading() as session:
        return _page(session, number)


@blueprint.post("/<int:number>/take")
def take(number: int) -> Response:
    """Become its owner."""
    form = Form("seen")
    return _hand_over(number, member().staff_id, form)


@blueprint.post("/<int:number>/owner")
def hand_over(number: int) -> Response:
    """Give it to somebody else."""
    form = Form("owner", "seen")
    to = form.whole("owner", 1, 2**31 - 1)
    return _hand_over(number, to, form)


@blueprint.post("/take")
def take_many() -> Response:
    """Become the owner of those ticked that are nobody's."""
    form = Form("case")
    told = [one for one in request.form.getlist("case") if one.isascii() and one.isdigit() and len(one) < 19]
    form.check()
    with transaction() as session:
        taken, left = case_list.take_many(session, map(int, told), member().staff_id)
    said = ", ".join(f"#{one}" for one in left) or "—"
    pages.note(
        Text(
            f"已领取 {len(taken)} 项；未领取：{said}",
            f"Taken: {len(taken)}; not taken, for they are others': {said}",
        )
    )
    return redirect(pages.url("case.index", owner="mine"), 303)  # type: ignore[return-value]


@blueprint.post("/<int:number>/question")
def ask(number: int) -> Response:
    """Ask the partner of a feed about it."""
    form = Form("feed", "question")
    feed, question = form.text("feed", 80), form.text("question", MOST_WORDS)

    def asked(session: Any) -> None:
        me = member()
        found = case_list.case_view(session, number, me.streets)
        require_role(session, me.staff_id, Role(found.owner_role))
        questions.ask(session, number, feed, question, me.staff_id, clock.now())

    return _done(
        number, form, asked, Text("已询问合作方，七日内答复", "The partner was asked; it has seven days")
    )


@blueprint.post("/<int:number>/decision")
def decide(number: int) -> Response:
    """Decide it, and carry that out."""
    form = Form("outcome", "class", "zh", "en")
    outcome = form.choice("outcome", ("upheld", "rejected"))
    letter = form.choice("class", CLASSES) if form.typed["class"] else ""
    answer = Text(form.text("zh", MOST_WORDS), form.text("en", MOST_WORDS))

    def decided(session: Any) -> None:
        me, word = member(), Word(outcome, answer, letter or None)
        case_list.case_view(session, number, me.streets)
        service.decide(session, settings().vault, number, me.staff_id, word, clock.now())

    return _done(number, form, decided, Text("已决定", "Decided"))


def _hand_over(number: int, to: int, form: Form) -> Response:
    seen = form.whole("seen", 1, 2**31 - 1) if form.typed["seen"] else None

    def handed(session: Any) -> None:
        me = member()
        case_list.case_view(session, number, me.streets)
        case_list.hand_over(session, number, to, me.staff_id, seen)

    return _done(number, form, handed, Text("已指定负责人", "It has an owner"))


def _done(number: int, form: Form, work: Any, said: Text) -> Response:
    """Do it in one transaction, or show the case again as it stands now, with what was typed and why not."""
    try:
        form.check()
        with transaction() as session:
            work(session)
    except (Invalid, Conflict, NotAllowed) as refused:
        with reading() as session:
            return _page(session, number, form.typed, refused)
    with reading() as session:
        resident = case_list.case_view(session, number).resident_id
    if resident is not None:
        doorbell.ring(redis_of(), {shard_of(resident)})
    pages.note(Text(f"#{number}：{said.zh}", f"#{number}: {said.en}"))
    return redirect(pages.url("case.show", number=number), 303)  # type: ignore[return-value]


def _page(
    session: Any, number: int, typed: Mapping[str, str] | None = None, refused: Refusal | None = None
) -> Response:
    me = member()
    found = case_list.case_view(session, number, me.streets)
    act, records = _act_of(session, found)
    feed = feed_board.line_of(session, clock.now(), found.feed) if found.feed and not found.activity else None
    status = {Invalid: 422, Conflict: 409, NotAllowed: 403}.get(type(refused), 200) if refused else 200
    return pages.render(
        "case/show.html",
        status,
        case=found,
        act=act,
        records=records,
        feed=feed,
        feeds=[line.feed for line in feed_board.board(session, clock.now())] if found.is_unfinished else [],
        people=case_list.people_for(session, found),
        has_role=found.owner_role in {role.value for role in me.roles},
        me=me,
        deeds=deeds_of(session, f"case:{number}"),
        typed=typed or {},
        faults=faults_of(refused) if isinstance(refused, Invalid) else {},
        refused=refused,
        now=clock.now(),
        words=queue_words,
    )


def _act_of(session: Any, case: CaseView) -> tuple[HeldActFile | None, list[case_list.RecordTold]]:
    """The act that a case is about, and what partners told of its time."""
    if case.activity is None or case.resident_id is None:
        return None, []
    act = file_of(session, case.resident_id, case.activity)
    number = BY_CODE[act.methodology][-1].number
    return act, case_list.records_beside(session, case, act.occurred_from, act.occurred_to, number)


def _wanted() -> Wanted:
    told, me = request.args, member()
    owner = told.get("owner")
    return Wanted(
        state=told["state"] if told.get("state") in STATES else "unfinished",
        kind=told.get("kind", "")[:40] or None,
        owner=me.staff_id if owner == "mine" else None,
        nobodys=owner == "nobodys",
        due=clock.now() if told.get("due") == "overdue" else None,
        territory=me.streets,
    )
