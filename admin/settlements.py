"""Settlements: days that wait for approval beside the days before, what was paid and how, what a rail says of it."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import put_before
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import (
    payments,
    rail_report,
    settlement_approval,
    settlement_runs,
    standing,
    statements,
    take_backs,
)

MOST: Final = 100
LONGEST: Final = timedelta(days=366)
RAILS: Final[Mapping[str, Text]] = {
    "bank": Text("银行文件", "Bank file"),
    "stripe": Text("Stripe", "Stripe"),
}
LINES: Final[Mapping[str, Text]] = {
    "opening": Text("期初余额", "Opening balance"),
    "received": Text("收到", "Received"),
    "given_back": Text("退还赞助方", "Given back to sponsors"),
    "transfers": Text("付给商户", "Paid to merchants"),
    "reversals": Text("退回", "Came back"),
    "adjustments": Text("自有账户间划转", "Between our own accounts"),
    "fees": Text("手续费", "Fees"),
    "other": Text("其他", "Other"),
    "closing": Text("期末余额", "Closing balance"),
    "in_transit": Text("在途（两天内）", "In transit, of the last two days"),
    "unexplained": Text("无法解释", "Unexplained"),
}
NO_DAY: Final = Text("没有这个日期的结算", "Nothing is settled of that day")

blueprint = Blueprint("settlements", __name__, url_prefix="/settlements")


@blueprint.get("/")
def show() -> Response:
    """Days, the newest first; what waits stands out."""
    before = _day(request.args["before"]) if "before" in request.args else None
    with reading() as session:
        runs = settlement_runs.runs(session, before, clock.today())
    oldest = (before or clock.today()) - timedelta(days=settlement_runs.DAYS)
    return pages.render(
        "settlements/list.html", runs=runs, more=pages.url("settlements.show", before=oldest.isoformat())
    )


@blueprint.get("/days/<day>")
def run(day: str) -> Response:
    """One day: its totals, each merchant beside the statement before, what can be done with it."""
    return _run(_day(day))


@blueprint.post("/days/<day>/propose")
def propose(day: str) -> AnyResponse:
    """Ask a second person to approve a day as it stands."""
    wanted, form = _day(day), Form("reason")
    try:
        reason = form.reason()
        form.check()
        with reading() as session:
            payload = settlement_approval.payload_of(session, wanted)
        return put_before(settlement_approval.KIND, payload, reason)
    except Invalid as refused:
        return _run(wanted, 422, form, faults_of(refused, ("reason",)))


@blueprint.get("/<int:settlement>")
def one(settlement: int) -> Response:
    """One merchant's day: its sums, its lines by page, its payments, and whether it is what was frozen."""
    return _one(settlement)


@blueprint.post("/<int:settlement>/keep-out")
def keep_out(settlement: int) -> AnyResponse:
    """Keep one out of what is approved with its day."""
    return _turn(settlement, let_in=False)


@blueprint.post("/<int:settlement>/let-in")
def let_in(settlement: int) -> AnyResponse:
    """Let one wait for approval again."""
    return _turn(settlement, let_in=True)


@blueprint.post("/<int:settlement>/retry")
def retry(settlement: int) -> AnyResponse:
    """Begin another attempt after a payment that failed."""
    with transaction() as session:
        payments.retry(session, settlement, guard.member().staff_id)
    pages.note(Text("已开始新的付款", "Another payment was begun"))
    return redirect(pages.url("settlements.one", settlement=settlement), 303)


@blueprint.get("/payments")
def paid() -> Response:
    """Payments and how they stand."""
    state = request.args.get("state") or None
    with reading() as session:
        rows = settlement_runs.payments(session, state, request.args.get("before", type=int), MOST)
    more = pages.url("settlements.paid", state=state, before=rows[-1].payment_id) if len(rows) == MOST else ""
    return pages.render("settlements/payments.html", rows=rows, state=state or "", more=more, words=words)


@blueprint.get("/rails")
def rails() -> Response:
    """One rail's account over a period: does opening and what moved make the closing balance, line by line."""
    today = clock.today()
    typed = {
        "rail": request.args.get("rail", "bank"),
        "since": request.args.get("since") or today.replace(day=1).isoformat(),
        "until": request.args.get("until") or today.isoformat(),
    }
    try:
        rail, since, until = _period(typed)
    except Invalid as refused:
        return pages.render(
            "settlements/rails.html", 422, typed=typed, rails=RAILS, found=None, faults=faults_of(refused)
        )
    with reading() as session:
        found = rail_report.report(session, rail, since, until, clock.now())
        owing = take_backs.receivable(session)
    return pages.render(
        "settlements/rails.html",
        typed=typed,
        rails=RAILS,
        names=LINES,
        words=words,
        found=found,
        lines=rail_report.lines(found),
        owing=owing,
        faults=None,
    )


def _run(
    day: date, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    after = request.args.get("after", default=0, type=int)
    with reading() as session:
        found = settlement_runs.run_of(session, day)
        before = settlement_runs.day_before(session, day)
        rows = settlement_runs.merchants_of(session, day, after, MOST)
    last = rows[-1].row.settlement_id if len(rows) == MOST else None
    return pages.render(
        "settlements/run.html",
        status,
        run=found,
        before=before,
        rows=rows,
        more=pages.url("settlements.run", day=day.isoformat(), after=last) if last else "",
        typed="" if form is None else form.typed["reason"],
        faults=faults,
        words=words,
    )


def _one(
    settlement: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    kind, capture = request.args.get("kind"), request.args.get("capture")
    after = (_capture(capture), kind) if capture and kind else None
    with reading() as session:
        found = statements.whole(session, settlement)
        lines = statements.lines_of(session, settlement, after, MOST)
        merchant = settlement_runs.merchant_of(session, found.settlement.merchant_id)
        altered = bool(statements.altered(session, [settlement]))
        waits = standing.why_unpaid(session, found.settlement)
    last = lines[-1] if len(lines) == MOST else None
    return pages.render(
        "settlements/one.html",
        status,
        one=found.settlement,
        digest=bytes(found.settlement.digest).hex(),
        payments=found.payments,
        adjustments=found.adjustments,
        lines=lines,
        merchant=merchant,
        altered=altered,
        waits=waits,
        more=pages.url("settlements.one", settlement=settlement, capture=last.capture_id, kind=last.kind)
        if last
        else "",
        typed="" if form is None else form.typed["reason"],
        faults=faults,
        words=words,
    )


def _turn(settlement: int, *, let_in: bool) -> AnyResponse:
    form = Form("reason")
    try:
        reason = form.reason()
        form.check()
        with transaction() as session:
            move = settlement_approval.let_in if let_in else settlement_approval.keep_out
            move(session, settlement, reason, guard.member().staff_id)
    except Invalid as refused:
        return _one(settlement, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return _one(settlement, 409, form, {"": refused.detail})
    done = Text("已恢复待批", "It waits for approval again"), Text("已暂缓", "It is kept out")
    pages.note(done[0] if let_in else done[1])
    return redirect(pages.url("settlements.one", settlement=settlement), 303)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        raise NotFound("no_settlements", NO_DAY) from error


def _capture(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError as error:
        raise NotFound("no_settlements", NO_DAY) from error


def _period(typed: Mapping[str, str]) -> tuple[str, datetime, datetime]:
    """A rail and the instants of a first and a last day, both included. Raises Invalid at the field."""
    faults = []
    if typed["rail"] not in RAILS:
        faults.append(FieldFault("/rail", "not_offered", Text("没有这个渠道", "There is no such rail")))
    days = []
    for name in ("since", "until"):
        try:
            days.append(date.fromisoformat(typed[name]))
        except ValueError:
            said = Text("应为日期，如 2027-01-31", "A day such as 2027-01-31")
            faults.append(FieldFault("/" + name, "not_a_day", said))
    if not faults and not days[0] <= days[1] < days[0] + LONGEST:
        said = Text("应在起始日之后一年之内", "Not before the first day, and within a year of it")
        faults.append(FieldFault("/until", "wrong_period", said))
    if faults:
        raise Invalid("wrong_period", Text("期间有误", "The period is wrong"), faults=tuple(faults))
    first = datetime.combine(days[0], time(0), clock.PROGRAMME_ZONE)
    end = datetime.combine(days[1] + timedelta(days=1), time(0), clock.PROGRAMME_ZONE)
    return typed["rail"], first, end
