"""Offers: what merchants put forward, who pays what of each, put up by two people, refused or ended by one."""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import put_before
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards import offer_approval, offer_register, point_value, purses
from carbon_credits.rewards.offer_list import split
from carbon_credits.staff.service import Role

MOST: Final = 50
FIELDS: Final = ("subsidy", "purse", "reason")
STREETS: Final[Mapping[str, Text]] = {street.value: street.text for street in Street}

blueprint = Blueprint("offers", __name__, url_prefix="/offers")


@blueprint.get("/")
def show() -> Response:
    """Offers, the newest first; what waits is asked for by its state."""
    state = request.args.get("state") or None
    with reading() as session:
        rows = offer_register.listed(
            session,
            state,
            before=request.args.get("before", type=int),
            streets=guard.member().streets,
            most=MOST,
        )
    more = pages.url("offers.show", state=state, before=rows[-1].offer_id) if len(rows) == MOST else ""
    return pages.render("offers/list.html", rows=rows, state=state or "", more=more, words=words)


@blueprint.get("/<int:offer>")
def one(offer: int) -> Response:
    """One offer: its texts in both languages, its terms, who pays what."""
    return _page(offer)


@blueprint.post("/<int:offer>/propose")
def propose(offer: int) -> AnyResponse:
    """Propose to put it up as it stands, with so much of a purse's money on top of the points."""
    form = Form(*FIELDS)
    try:
        fen = form.yuan("subsidy") if form.typed["subsidy"] else 0
        reason, purse = form.reason(), form.typed["purse"] or None
        form.check()
        with reading() as session:
            offer_register.one(session, offer, guard.member().streets)
            payload = offer_approval.proposal(session, offer, fen, purse)
        return put_before(offer_approval.APPROVE, payload, reason)
    except Invalid as refused:
        faults = faults_of(refused, (*FIELDS, "subsidy_fen"))
        renamed = {name.replace("subsidy_fen", "subsidy"): told for name, told in faults.items()}
        return _page(offer, 422, form, renamed)
    except Conflict as refused:
        return _page(offer, 409, form, {"": refused.detail})


@blueprint.post("/<int:offer>/stop")
def stop(offer: int) -> AnyResponse:
    """Say no to it, or end it for good; the merchant reads why."""
    form = Form("step", "reason")
    try:
        reason, step = form.reason(), form.choice("step", ("refuse", "end"))
        form.check()
        with transaction() as session:
            offer_register.one(session, offer, guard.member().streets)
            offer_register.stop(
                session, offer, "refuse" if step == "refuse" else "end", reason, guard.member().staff_id
            )
    except Invalid as refused:
        return _page(offer, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return _page(offer, 409, form, {"": refused.detail})
    pages.note(Text("已拒绝", "Refused") if step == "refuse" else Text("已结束", "Ended"))
    return redirect(pages.url("offers.one", offer=offer), 303)


def _page(
    offer: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    with reading() as session:
        found = offer_register.one(session, offer, guard.member().streets)
        value = found.value_micro_fen or point_value.value_on(session, clock.today())
        known = purses.purses(session)
    parts = (
        None
        if value is None
        else split(
            found.face_fen, found.points, value, found.subsidy_fen, by_sponsor=found.purse_kind == "sponsor"
        )
    )
    return pages.render(
        "offers/one.html",
        status,
        one=found,
        parts_of_value=parts,
        purses=known,
        may_decide=Role.MERCHANT in guard.member().roles,
        typed={} if form is None else form.typed,
        faults=faults,
        streets=STREETS,
        words=words,
    )
