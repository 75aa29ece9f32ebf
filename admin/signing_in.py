"""Signing in and out, and showing the second factor again; what was typed before waits in the page."""

from collections.abc import Mapping
from typing import Final, cast

from flask import Blueprint, Response, g, redirect, request, url_for

from admin import guard, keeping, pages
from admin.forms import faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.staff import second_factor, sessions, signing_in
from carbon_credits.staff.sessions import Member
from carbon_credits.staff.signing_in import Place, SignedIn

TOO_LATE: Final = Text("已超过五分钟，请重新登录", "More than five minutes have passed: sign in again")
CODE_WRONG: Final = Text(
    "验证码不正确或已用过，请等待下一个", "The code is wrong or has been used: wait for the next one"
)

blueprint = Blueprint("signing_in", __name__)


@blueprint.get("/sign-in")
def form() -> Response:
    """Where one signs in; who has is taken on."""
    kept = keeping.Kept(keeping.within(request.args.get("next", "")))
    if g.member is not None:
        return keeping.go_on(kept)
    return keeping.ask_to_sign_in(kept, 200)


@blueprint.post("/sign-in")
def password() -> Response:
    """The first factor. The guess is counted and committed before it is compared, outside any transaction."""
    now, vault, place = clock.now(), settings().vault, _place()
    name = request.form.get("name", "")
    with transaction() as session:
        account = signing_in.count(session, vault, name, place, now)
    compared = signing_in.compare(account, request.form.get("password", ""))
    if compared is None:
        refused = signing_in.refused().detail
        return keeping.ask_to_sign_in(keeping.read(), name=name, fault=refused)
    with transaction() as session:
        ticket = signing_in.half_way(session, vault, compared, place, now)
    return ask_for_code(ticket, keeping.read(), must_change=compared.account.must_change)


@blueprint.post("/sign-in/code")
def code() -> Response:
    """The second factor, and another password where one is due: the session begins."""
    now, vault, ticket = clock.now(), settings().vault, request.form.get("ticket", "")
    with transaction() as session:
        half = signing_in.read_ticket(session, vault, ticket, now)
    if half is None:
        return keeping.ask_to_sign_in(keeping.read(), fault=TOO_LATE)
    try:
        with transaction() as session:
            signed = signing_in.finish(
                session,
                vault,
                half,
                request.form.get("one_time_code", ""),
                now,
                _place(),
                request.form.get("new_password"),
            )
    except Invalid as error:
        faults = faults_of(error)
        return ask_for_code(ticket, keeping.read(), must_change=half.must_change, faults=faults)
    if signed is None:
        refused = signing_in.refused().detail
        return ask_for_code(ticket, keeping.read(), must_change=half.must_change, fault=refused)
    response = arrive(signed.session, keeping.read())
    guard.hold_browser(response, signed.browser)
    return response


@blueprint.post("/step-up")
def again() -> Response:
    """The second factor once more, for what is dangerous. Who is not signed in any more does so first."""
    kept = keeping.read()
    if g.member is None:
        return keeping.ask_to_sign_in(kept)
    asking, now = guard.member(), clock.now()
    with transaction() as session:
        shown = second_factor.check(
            session, settings().vault, asking.staff_id, request.form.get("one_time_code", ""), now
        )
        if shown:
            sessions.step_up(session, asking.session_id, now)
    if not shown:
        return pages.render("step_up.html", 401, kept=kept, fault=CODE_WRONG)
    # it was sent a moment ago, by this person, who has shown both factors since
    return keeping.go_on(kept, at_once=True)


@blueprint.post("/sign-out")
def leave() -> Response:
    """End this session."""
    asking = guard.member()
    with transaction() as session:
        sessions.end(session, asking.session_id, "signed_out", asking.actor, clock.now())
    response = cast(Response, redirect(url_for("console.signing_in.form"), 303))
    guard.drop_session(response)
    return response


def ask_for_code(
    ticket: str,
    kept: keeping.Kept,
    *,
    must_change: bool = False,
    fault: Text | None = None,
    faults: Mapping[str, Text] | None = None,
) -> Response:
    """The page between the first factor and the second."""
    return pages.render(
        "code.html",
        200 if fault is None and not faults else 401,
        kept=kept,
        ticket=ticket,
        must_change=must_change,
        fault=fault,
        faults=faults or {},
    )


def arrive(token: str, kept: keeping.Kept) -> Response:
    """With a session that has just begun, to where one wanted to."""
    g.member = _member_of(token)
    response = keeping.go_on(kept)
    guard.hold_session(response, token)
    return response


def begin(staff_id: int) -> SignedIn:
    """A session for who has just set both factors."""
    with transaction() as session:
        return signing_in.begin(session, settings().vault, staff_id, clock.now(), _place())


def _member_of(token: str) -> Member | None:
    with transaction() as session:
        return sessions.current(session, settings().vault, token, clock.now())


def _place() -> Place:
    return Place(request.remote_addr or "?", request.user_agent.string, guard.known_browser())
