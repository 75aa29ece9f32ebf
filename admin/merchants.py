"""Merchants: who applied and with what, who is let in, suspended, resumed; tills and people, to look at only."""

from collections.abc import Mapping
from typing import Final, cast

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import put_before
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents.service import Street
from carbon_credits.rewards import (
    accounts,
    leaving,
    members,
    merchant_list,
    merchants,
    offer_register,
    standing,
    tills,
)
from carbon_credits.rewards.merchant_list import Step
from carbon_credits.staff.service import Role

MOST: Final = 50
KINDS: Final = [merchants.ADMIT, leaving.RESUME, accounts.CHANGE]
STREETS: Final[Mapping[str, Text]] = {street.value: street.text for street in Street}
DONE: Final[Mapping[Step, Text]] = {
    "refuse": Text("已拒绝申请", "The application is refused"),
    "suspend": Text("已暂停，即时生效", "Suspended, from now on"),
    "close": Text("已开始退出", "It is closing"),
}

blueprint = Blueprint("merchants", __name__, url_prefix="/merchants")


@blueprint.get("/")
def show() -> Response:
    """Merchants by code; those that applied first where one asks for them."""
    state, streets = request.args.get("state") or None, guard.member().streets
    with reading() as session:
        rows = merchant_list.listed(
            session, state, request.args.get("after", ""), None if streets is None else sorted(streets), MOST
        )
    more = pages.url("merchants.show", state=state, after=rows[-1].code) if len(rows) == MOST else ""
    return pages.render(
        "merchants/list.html", rows=rows, state=state or "", more=more, streets=STREETS, words=words
    )


@blueprint.get("/<code>")
def one(code: str) -> Response:
    """One merchant, with what a reviewer looks at; nobody's name, number or account is shown whole."""
    return _page(code)


@blueprint.post("/<code>/admission")
def propose_admission(code: str) -> AnyResponse:
    """Propose to let it in with the account it gave."""
    return _propose(code, merchants.ADMIT)


@blueprint.post("/<code>/resumption")
def propose_resumption(code: str) -> AnyResponse:
    """Propose to let a suspended one go on."""
    return _propose(code, leaving.RESUME)


@blueprint.post("/<code>/account")
def propose_account(code: str) -> AnyResponse:
    """Propose to pay it to the account it gave last."""
    return _propose(code, accounts.CHANGE)


@blueprint.post("/<code>/stop")
def stop(code: str) -> AnyResponse:
    """Refuse, suspend or close it, and say why: the merchant reads it."""
    form = Form("step", "reason")
    try:
        reason, wanted = form.reason(), cast(Step, form.choice("step", DONE))
        form.check()
        with transaction() as session:
            merchant_list.within(session, code, guard.member().streets)
            merchant_list.stop(session, code, wanted, reason, guard.member().staff_id, clock.now())
    except Invalid as refused:
        return _page(code, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return _page(code, 409, form, {"": refused.detail})
    pages.note(DONE[wanted])
    return redirect(pages.url("merchants.one", code=code), 303)


def _propose(code: str, kind: str) -> AnyResponse:
    form = Form("reason")
    try:
        reason = form.reason()
        form.check()
        with reading() as session:
            known = merchant_list.within(session, code, guard.member().streets)
            if kind == merchants.ADMIT:
                payload = merchants.admission(session, code)
            elif kind == accounts.CHANGE:
                payload = accounts.change(session, known.merchant_id)
            else:
                payload = {"merchant_id": known.merchant_id, "code": code}
        return put_before(kind, payload, reason)
    except Invalid as refused:
        return _page(code, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return _page(code, 409, form, {"": refused.detail})


def _page(
    code: str, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    vault, roles = settings().vault, guard.member().roles
    with reading() as session:
        known = merchant_list.within(session, code, guard.member().streets)
        held = {
            "in_force": accounts.in_force(session, known.merchant_id),
            "proposed": accounts.proposed(session, known.merchant_id),
        }
        asked = next((each for each in (held["in_force"], held["proposed"]) if each is not None), None)
        return pages.render(
            "merchants/one.html",
            status,
            one=known,
            licence_sha256=None if known.licence_sha256 is None else bytes(known.licence_sha256).hex(),
            contact={name: masked(told) for name, told in merchants.contact(vault, known).items()},
            accounts=held,
            standing=None if asked is None else standing.says(standing.of(session, asked.account_id)),
            waiting=merchant_list.proposals_of(session, known.merchant_id, KINDS),
            tills=tills.tills_of(session, known.merchant_id),
            people=members.members_of(session, vault, known.merchant_id),
            offers=offer_register.listed(session, merchant_id=known.merchant_id, most=20),
            may_stop=Role.MERCHANT in roles,
            may_pay=Role.FINANCE in roles,
            masked=masked,
            typed="" if form is None else form.typed["reason"],
            faults=faults,
            streets=STREETS,
            words=words,
        )


def masked(personal: str) -> str:
    """A name or a number of somebody's, enough of it to be recognised by who knows it."""
    if len(personal) >= 7:
        return f"{personal[:3]}{'*' * (len(personal) - 5)}{personal[-2:]}"
    return personal[:1] + "*" * (len(personal) - 1)
