"""One's own account: sessions, the password, the authenticator, the codes for paper."""

from collections.abc import Mapping
from typing import cast

from flask import Blueprint, Response, redirect, request, url_for

from admin import guard, pages, pictures
from admin.forms import faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents.service import Street
from carbon_credits.staff import credentials, identities, second_factor, sessions

OLD_WRONG = Text("原密码不正确", "The old password is wrong")
NOT_ALIKE = Text("两次输入不一致", "The two are not alike")

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("/")
def show() -> Response:
    """Who one is here, and where one is signed in."""
    asking, now, told = guard.member(), clock.now(), settings()
    with reading() as session:
        signed = sessions.sessions_of(session, asking.staff_id, now)
        left = second_factor.recovery_codes_left(session, asking.staff_id)
        connected = identities.is_connected(session, asking.staff_id, told.oidc_issuer)
    streets = [Street(one) for one in sorted(asking.streets or ())]
    return pages.render(
        "account.html",
        sessions=signed,
        left=left,
        streets=streets,
        offered=bool(told.oidc_issuer),
        connected=connected,
    )


@blueprint.post("/sessions/<int:session_id>/end")
def end_session(session_id: int) -> Response:
    """End one of one's own sessions."""
    asking = guard.member()
    with transaction() as session:
        sessions.end_of(session, asking.staff_id, session_id, asking.actor, clock.now())
    pages.note(Text("该会话已结束", "The session has ended"))
    return _back()


@blueprint.post("/sessions/end-others")
def end_others() -> Response:
    """End all of one's own sessions but this one."""
    asking = guard.member()
    with transaction() as session:
        sessions.end_all(session, asking.staff_id, "ended", asking.actor, clock.now(), but=asking.session_id)
    pages.note(Text("其他会话均已结束", "The other sessions have ended"))
    return _back()


@blueprint.get("/password")
def password_form() -> Response:
    """Where the password is changed; the second factor was asked for before anything is typed."""
    return pages.render("password.html", faults={})


@blueprint.post("/password")
def change_password() -> Response:
    """Change it; one's other sessions end."""
    given = request.form
    if given.get("new_password") != given.get("password_again"):
        return pages.render("password.html", 422, faults={"password_again": NOT_ALIKE})
    try:
        with transaction() as session:
            changed = credentials.change_password(
                session,
                guard.member(),
                request.remote_addr or "?",
                given.get("password", ""),
                given.get("new_password", ""),
                clock.now(),
            )
    except Invalid as error:
        told = faults_of(error)
        return pages.render("password.html", 422, faults={"new_password": told.get("password", error.detail)})
    if not changed:
        return pages.render("password.html", 422, faults={"password": OLD_WRONG})
    pages.note(Text("密码已更改，其他会话均已结束", "The password is changed, the other sessions have ended"))
    return _back()


@blueprint.get("/authenticator")
def authenticator() -> Response:
    """Another authenticator's picture; the old one counts until the first code of this one."""
    return _picture({}, 200)


@blueprint.post("/authenticator")
def take_authenticator() -> Response:
    """Its first code: from now on it counts alone."""
    code = request.form.get("code", "")
    try:
        with transaction() as session:
            codes = credentials.take_authenticator(
                session, settings().vault, guard.member(), code, clock.now()
            )
    except Invalid as error:
        return _picture(faults_of(error), 422)
    pages.note(Text("新验证器已启用", "The new authenticator counts from now on"))
    return pages.render("recovery_codes.html", codes=codes, is_first=False)


@blueprint.post("/recovery-codes")
def recovery_codes() -> Response:
    """Other codes for paper, shown this once."""
    with transaction() as session:
        codes = credentials.renew_recovery_codes(session, settings().vault, guard.member(), clock.now())
    return pages.render("recovery_codes.html", codes=codes, is_first=False)


def _picture(faults: Mapping[str, Text], status: int) -> Response:
    asking = guard.member()
    with transaction() as session:
        secret = credentials.propose_authenticator(session, settings().vault, asking.staff_id)
    picture = pictures.qr(second_factor.address_of(secret, asking.name))
    return pages.render("authenticator.html", status, secret=secret, picture=picture, faults=faults)


def _back() -> Response:
    return cast(Response, redirect(url_for("console.account.show"), 303))
