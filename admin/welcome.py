"""An invited person's first visit: a password, an authenticator, codes for paper.

The code of the link is moved into a cookie at once, so that no address that is logged, shown or sent on holds it.
"""

from collections.abc import Mapping
from typing import Final, cast

from flask import Blueprint, Response, g, redirect, request, url_for

from admin import guard, pages, pictures, signing_in
from admin.forms import faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.staff import invitations, sessions

COOKIE: Final = "welcome"
_AN_HOUR: Final = 3_600
NOT_ALIKE: Final = Text("两次输入不一致", "The two are not alike")

blueprint = Blueprint("welcome", __name__, url_prefix="/welcome")


@blueprint.get("/<code>")
def take(code: str) -> Response:
    """The link: it opens the page below."""
    told = settings()
    response = cast(Response, redirect(url_for("console.welcome.show"), 303))
    # Lax, for one comes from a message: a Strict cookie would not be sent on
    response.set_cookie(
        guard.cookie_name(told, COOKIE),
        code,
        max_age=_AN_HOUR,
        path="/",
        secure=guard.is_https(told),
        httponly=True,
        samesite="Lax",
    )
    return response


@blueprint.get("/")
def show() -> Response:
    """Where the password and the authenticator are set."""
    return _form(_code(), {}, 200)


@blueprint.post("/")
def accept() -> Response:
    """Set them, show the codes for paper this once, and begin the first session."""
    code = _code()
    if request.form.get("password") != request.form.get("password_again"):
        return _form(code, {"password_again": NOT_ALIKE}, 422)
    given = request.form.get("password", ""), request.form.get("code", "")
    try:
        with transaction() as session:
            staff_id, codes = invitations.accept(session, settings().vault, code, *given, clock.now())
    except Invalid as error:
        return _form(code, faults_of(error), 422)
    signed = signing_in.begin(staff_id)
    with transaction() as session:
        g.member = sessions.current(session, settings().vault, signed.session, clock.now())
    response = pages.render("recovery_codes.html", codes=codes, is_first=True)
    guard.hold_session(response, signed.session)
    guard.hold_browser(response, signed.browser)
    response.delete_cookie(guard.cookie_name(settings(), COOKIE), path="/")
    return response


def _code() -> str:
    return request.cookies.get(guard.cookie_name(settings(), COOKIE), "")


def _form(code: str, faults: Mapping[str, Text], status: int) -> Response:
    with reading() as session:
        found = invitations.opened(session, settings().vault, code, clock.now())
    picture = pictures.qr(found.otpauth)
    return pages.render("welcome.html", status, found=found, picture=picture, faults=faults)
