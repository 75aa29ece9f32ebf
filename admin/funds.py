"""Funds: what was bought, granted and is free, what stands behind the points, who sponsors; purses beside them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import put_before
from admin.forms import Form, faults_of
from carbon_credits.approving import DEPOSIT
from carbon_credits.core.db import reading
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import fund_list, money_tags
from carbon_credits.ledger import funds as ledger
from carbon_credits.rewards import coverage, funding_refunds, fundings, purses
from carbon_credits.staff.service import Role

MOST: Final = 50
TAG: Final = ("tag-kind", "tag-instrument", "tag-issuer", "tag-matures_on", "tag-document")
DEPOSITED: Final = ("points", "amount", "reason", *TAG)
PAID_IN: Final = ("purse", "amount", "reason", *TAG)
ASKED: Final = ("sponsor", "fund_id", "points", "purse_id", "amount", "means", "reason", *TAG)
MEANS: Final[Mapping[str, Text]] = {
    "checkout": Text("付款链接", "by a link"),
    "intent": Text("赞助方自有页面", "on the sponsor's own page"),
}
# where the rooms speak of fen, forms ask for yuan
IN_YUAN: Final = {"amount_fen": "amount"}

blueprint = Blueprint("funds", __name__, url_prefix="/funds")


@blueprint.get("/")
def show() -> Response:
    """Every fund beside what stands behind its points, and the purses."""
    return _all()


@blueprint.get("/<int:fund>")
def one(fund: int) -> Response:
    """One fund with every purchase of points for it."""
    return _fund(fund)


@blueprint.get("/fundings")
def sponsors() -> Response:
    """Sponsors' payments."""
    return _fundings()


@blueprint.post("/<int:fund>/deposits")
def propose_deposit(fund: int) -> AnyResponse:
    """Propose to buy points for a fund, for no less than they are worth."""
    form = Form(*DEPOSITED)

    def propose() -> AnyResponse:
        points, fen, reason = form.whole("points", 1), form.yuan("amount"), form.reason()
        form.check()
        with reading() as session:
            fund_list.fund(session, fund)
            ledger.refuse_below_value(session, points, fen)
        payload = {"fund_id": fund, "points": points, "amount_fen": fen, **_tag(form)}
        return put_before(DEPOSIT, payload, reason)

    return _tried(propose, lambda status, faults: _fund(fund, status, form, faults), DEPOSITED)


@blueprint.post("/purses")
def propose_pay_in() -> AnyResponse:
    """Propose to book money that came in for a purse."""
    form = Form(*PAID_IN)

    def propose() -> AnyResponse:
        purse, fen, reason = form.whole("purse", 1, 2**31 - 1), form.yuan("amount", 1), form.reason()
        form.check()
        with reading() as session:
            purses.purse(session, purse)
        return put_before(purses.PAY_IN, {"purse_id": purse, "amount_fen": fen, **_tag(form)}, reason)

    return _tried(propose, lambda status, faults: _all(status, form, faults), PAID_IN)


@blueprint.post("/fundings")
def propose_funding() -> AnyResponse:
    """Propose to ask a sponsor for money, for points of a fund or into a purse."""
    form = Form(*ASKED)

    def propose() -> AnyResponse:
        payload, reason = _asked(form), form.reason()
        form.check()
        return put_before(fundings.KIND, payload, reason)

    return _tried(propose, lambda status, faults: _fundings(status, form, faults), ASKED)


@blueprint.post("/fundings/<int:funding>/refund")
def propose_refund(funding: int) -> AnyResponse:
    """Propose to give unspent money back to its sponsor."""
    names = ("points", "amount", "reason")
    form = Form(*names)

    def propose() -> AnyResponse:
        points = form.whole("points", 1) if form.typed["points"] else None
        fen = form.yuan("amount", 1) if form.typed["amount"] else None
        reason = form.reason()
        form.check()
        with reading() as session:
            payload = funding_refunds.payload_of(session, funding, points=points, amount_fen=fen)
        return put_before(funding_refunds.KIND, payload, reason)

    return _tried(propose, lambda status, faults: _fundings(status, form, faults), names)


def _tried(
    propose: Callable[[], AnyResponse],
    again: Callable[[int, Mapping[str, Text]], Response],
    names: tuple[str, ...],
) -> AnyResponse:
    """Propose, or show the form again with what was typed and what is wrong with it."""
    try:
        return propose()
    except Invalid as refused:
        found = faults_of(refused, (*names, *IN_YUAN))
        return again(422, {IN_YUAN.get(name, name): told for name, told in found.items()})
    except Conflict as refused:
        return again(409, {"": refused.detail})


def _asked(form: Form) -> dict[str, Any]:
    for_fund = bool(form.typed["fund_id"])
    return {
        "sponsor": form.text("sponsor", 100),
        "fund_id": form.whole("fund_id", 1, 2**31 - 1) if for_fund else None,
        "points": form.whole("points", 1) if for_fund else None,
        "purse_id": None if for_fund else form.whole("purse_id", 1, 2**31 - 1),
        "amount_fen": form.yuan("amount", 1),
        "means": form.choice("means", MEANS),
        **_tag(form),
    }


def _tag(form: Form) -> dict[str, Any]:
    """What sort of money it is, where that is said; the room refuses what does not fit, at its field."""
    if not form.typed["tag-kind"]:
        return {}
    told: dict[str, Any] = {name.removeprefix("tag-"): form.typed[name] for name in TAG}
    return {"tag": {**told, "matures_on": told["matures_on"] or None}}


def _all(status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None) -> Response:
    with reading() as session:
        rows, found, known = fund_list.funds(session), coverage.newest(session), purses.purses(session)
    return pages.render(
        "funds/list.html",
        status,
        funds=rows,
        coverage=found,
        behind={} if found is None else {each.code: each for each in found.funds},
        purses=known,
        may_propose=_may(),
        tags=money_tags.KINDS,
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _fund(
    fund: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    with reading() as session:
        found = fund_list.fund(session, fund)
        rows = fund_list.deposits(session, fund, request.args.get("before", type=int), MOST)
        newest = coverage.newest(session)
    behind = [each for each in newest.funds if each.code == found.code] if newest else []
    return pages.render(
        "funds/one.html",
        status,
        one=found,
        rows=rows,
        more=pages.url("funds.one", fund=fund, before=rows[-1].deposit_id) if len(rows) == MOST else "",
        behind=behind[0] if behind else None,
        may_propose=_may(),
        tags=money_tags.KINDS,
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _fundings(
    status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    with reading() as session:
        rows, known, held = fundings.listed(session, 200), fund_list.funds(session), purses.purses(session)
    return pages.render(
        "funds/fundings.html",
        status,
        rows=rows,
        funds={each.fund_id: Text(each.name_zh, each.name_en) for each in known},
        purses={each.purse_id: Text(each.name_zh, each.name_en) for each in held},
        means=MEANS,
        may_propose=_may(),
        tags=money_tags.KINDS,
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _may() -> bool:
    return Role.FINANCE in guard.member().roles
