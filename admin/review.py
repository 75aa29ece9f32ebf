"""Acts that wait for a person: the queue, one act with its evidence, and a word on it or on many."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response, redirect, request

from admin import cursor, pages, queue_words
from admin.forms import Form, faults_of
from admin.guard import member
from carbon_credits.activities.names import parse_public_id
from carbon_credits.activities.traces import drawn_for
from carbon_credits.activities.trips.measures import Measure, measures_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting import held, rulings
from carbon_credits.crediting.held import Place, Wanted
from carbon_credits.crediting.held_act import HeldActFile, file_of
from carbon_credits.crediting.rulings import CODES, OUTCOMES, Ruling
from carbon_credits.crediting.standings import Standing, estimates, standings
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import redis_of, settings
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting.deeds import deeds_of
from carbon_credits.residents.service import Street
from carbon_credits.staff.service import Role

AGES: Final = ("1", "3", "7", "14", "30")
# who may see the way a resident went, as long as somebody has to decide on it
SEES_TRACES: Final = frozenset({Role.SUPPORT, Role.STREET})
FILTERS: Final = ("kind", "methodology", "street", "why", "days")
KEYS: Final = {"credit": "a", "reject": "r", "keep": "h"}
MOST_WORDS: Final = 1_000

blueprint = Blueprint("review", __name__, url_prefix="/reviews")


@blueprint.get("/")
def index() -> Response:
    """The queue."""
    wanted, after, now = _wanted(), cursor.read(), clock.now()
    with reading() as session:
        acts = held.listed(session, wanted, now, Place(*after) if after else None, cursor.PAGE + 1)
        whole = Wanted(wanted.kind, territory=wanted.territory)
        counted = held.tally(session, whole, now)
        found = counted if wanted == whole else held.tally(session, wanted, now)
    shown = acts[: cursor.PAGE]
    more = cursor.write(*shown[-1].place) if len(acts) > cursor.PAGE else ""
    return pages.render(
        "review/index.html",
        acts=shown,
        more=pages.url("review.index", **_kept(), after=more) if more else "",
        found=found,
        wanted=wanted,
        choices=_choices(counted),
        kept=_kept(),
        keys=KEYS,
        outcomes=OUTCOMES,
        words=queue_words,
    )


@blueprint.get("/<int:resident>/<name>")
def show(resident: int, name: str) -> Response:
    """One act with all that is known of it."""
    with transaction() as session:
        return _page(session, file_of(session, resident, name, member().streets))


@blueprint.post("/<int:resident>/<name>")
def decide(resident: int, name: str) -> Response:
    """A word on one act; then the next one of the queue."""
    form = Form("outcome", "cause", "reason", *FILTERS)
    outcome = form.choice("outcome", tuple(OUTCOMES))
    ruling = Ruling(
        outcome, form.choice("cause", tuple(CODES.get(outcome, {}))), form.text("reason", MOST_WORDS)
    )
    me = member()
    try:
        form.check()
        with transaction() as session:
            done = rulings.rule(session, resident, name, ruling, me.staff_id, clock.today(), me.streets)
    except (Invalid, Conflict) as refused:
        with transaction() as session:
            act = file_of(session, resident, name, me.streets)
            return _page(session, act, typed=form.typed, refused=refused)
    doorbell.ring(redis_of(), {shard_of(resident)})
    said = OUTCOMES[outcome]
    pages.note(Text(f"{name}：{said.zh}", f"{name}: {said.en}"))
    return _on(done)


@blueprint.post("/confirm")
def confirm() -> Response:
    """What will happen to the acts that are ticked; of more than a few, a sample is looked at first."""
    form = Form("outcome", "act", "looked", *FILTERS)
    outcome = form.choice("outcome", tuple(OUTCOMES))
    form.check()
    return _confirm(outcome, _ticked(), looked=form.yes("looked"))


@blueprint.post("/decide")
def decide_many() -> Response:
    """A word on all that are ticked."""
    form = Form("outcome", "cause", "reason", "act", "looked", *FILTERS)
    outcome = form.choice("outcome", tuple(OUTCOMES))
    form.check()
    ruling = Ruling(
        outcome, form.choice("cause", tuple(CODES.get(outcome, {}))), form.text("reason", MOST_WORDS)
    )
    acts, me = _ticked(), member()
    if len(acts) > rulings.SAMPLE_FROM and not form.yes("looked"):
        return _confirm(outcome, acts, looked=False)
    try:
        form.check()
        with transaction() as session:
            done, refused = rulings.rule_many(session, acts, ruling, me.staff_id, clock.today(), me.streets)
    except Invalid as wrong:
        return _confirm(outcome, acts, looked=True, typed=form.typed, refused=wrong)
    doorbell.ring(redis_of(), {shard_of(act.resident_id) for act in done})
    with reading() as session:
        earlier = {
            one.activity: deeds_of(
                session, rulings.subject_of(one.activity), list(rulings.ACTIONS.values()), 1
            )
            for one in refused
        }
    return pages.render(
        "review/done.html",
        done=done,
        refused=refused,
        earlier=earlier,
        outcome=OUTCOMES[outcome],
        kept=_kept(),
        words=queue_words,
    )


def _page(
    session: Any,
    act: HeldActFile,
    typed: Mapping[str, str] | None = None,
    refused: Invalid | Conflict | None = None,
) -> Response:
    """The page of an act; its trace is opened only for who may decide on it, and while somebody has to."""
    me, wanted = member(), _wanted()
    sees_trace = bool(me.roles & SEES_TRACES) and bool(act.reasons) and act.has_trace
    drawing = (
        drawn_for(session, settings().vault, me.actor, act.resident_id, act.activity) if sees_trace else None
    )
    following = _next(session, _place(act), wanted)
    return pages.render(
        "review/show.html",
        200 if refused is None else 409 if isinstance(refused, Conflict) else 422,
        act=act,
        drawing=drawing,
        sees_trace=sees_trace,
        measures=_measures(act),
        precedents=rulings.precedents(session, act) if act.reasons else [],
        deeds=deeds_of(session, rulings.subject_of(act.activity)),
        may_decide=Role.SUPPORT in me.roles,
        following=following,
        codes=CODES,
        outcomes=OUTCOMES,
        keys=KEYS,
        typed=typed or {},
        faults=faults_of(refused) if isinstance(refused, Invalid) else {},
        refused=refused,
        kept=_kept(),
        now=clock.now(),
        words=queue_words,
    )


def _measures(act: HeldActFile) -> list[Measure]:
    """What the newest look of the rules measured; nothing where there was no trace."""
    features = next((one.features for one in act.looks if one.features is not None), None)
    told = act.monitored.get("distance_m", 0)
    return [] if features is None else measures_of(act.methodology, features, told)


def _next(session: Any, place: Place | None, wanted: Wanted) -> str:
    """The address of the act after this place in the queue; of the queue when there is none."""
    found = held.listed(session, wanted, clock.now(), place, 1)
    if not found:
        return pages.url("review.index", **_kept())
    return pages.url("review.show", resident=found[0].resident_id, name=found[0].activity, **_kept())


def _place(act: HeldActFile) -> Place | None:
    if act.is_held:
        return Place(act.passages[0].decided_at, act.activity_id)
    return Place(act.looks[0].judged_at, act.activity_id) if act.is_sample else None


def _on(done: Standing) -> Response:
    place = None if done.since is None else Place(done.since, done.activity_id)
    with reading() as session:
        return _to(_next(session, place, _wanted()))


def _to(address: str) -> Response:
    return redirect(address, 303)  # type: ignore[return-value]


def _confirm(
    outcome: str,
    acts: Sequence[tuple[int, str]],
    *,
    looked: bool,
    typed: Mapping[str, str] | None = None,
    refused: Invalid | None = None,
) -> Response:
    """The acts in a table with what each will come to; or, of many, five of them at random to be looked at first."""
    is_sample = len(acts) > rulings.SAMPLE_FROM and not looked
    with reading() as session:
        known = list(standings(session, acts[: rulings.MOST], member().streets).values())
        if is_sample:
            known = secrets.SystemRandom().sample(known, min(rulings.SAMPLE, len(known)))
        come_to = estimates(session, known)
    return pages.render(
        "review/confirm.html",
        200 if refused is None else 422,
        acts=acts,
        files=known,
        come_to=come_to,
        is_sample=is_sample,
        too_many=len(acts) > rulings.MOST,
        most=rulings.MOST,
        outcome=outcome,
        outcomes=OUTCOMES,
        codes=CODES[outcome],
        typed=typed or {},
        faults=faults_of(refused) if refused else {},
        refused=refused,
        kept=_kept(),
        words=queue_words,
    )


def _ticked() -> list[tuple[int, str]]:
    """The acts that are ticked, each once. Raises Invalid for none, and for what is no act."""
    found = []
    for told in dict.fromkeys(request.form.getlist("act")):
        resident, _, name = told.partition("/")
        if not (resident.isascii() and resident.isdigit() and len(resident) < 19):
            raise NotFound("activity_not_found", Text("没有这条记录", "No such activity"))
        parse_public_id(name)
        found.append((int(resident), name))
    if not found:
        raise Invalid("nothing_ticked", Text("请至少勾选一条", "Tick at least one"))
    return found


def _choices(counted: held.Tally) -> Mapping[str, list[tuple[str, str]]]:
    """What may be filtered by, with how many wait of each."""
    reader = pages.language()

    def of(found: Mapping[str, int], in_words: Callable[[str], Text]) -> list[tuple[str, str]]:
        told = [(code, f"{in_words(code).in_language(reader)} ({n:,})") for code, n in found.items()]
        return [("", Text("全部", "All").in_language(reader)), *told]

    def days(n: str) -> str:
        return Text(f"{n} 天以上", f"{n} days or more").in_language(reader)

    return {
        "methodology": of(counted.methodologies, queue_words.methodology),
        "street": of(counted.streets, queue_words.street),
        "why": of(counted.reasons, queue_words.reason),
        "days": [("", Text("不限", "Any time").in_language(reader)), *((n, days(n)) for n in AGES)],
    }


def _wanted() -> Wanted:
    """What the address asks for; a value there is not asks for nothing."""
    told = request.values
    days, kind = told.get("days", ""), told.get("kind", "")
    street, code = told.get("street", ""), told.get("methodology", "")
    return Wanted(
        kind=kind if kind in held.KINDS else held.HELD,
        methodology=code if code in BY_CODE else None,
        street=street if street == "-" or street in set(Street) else None,
        reason=told.get("why", "")[:80] or None,
        days=int(days) if days in AGES else None,
        territory=member().streets,
    )


def _kept() -> dict[str, str]:
    """The filters of the address at hand, to be carried on."""
    return {name: request.values[name] for name in FILTERS if request.values.get(name)}
