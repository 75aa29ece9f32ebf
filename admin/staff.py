"""Who works for the programme: the roster, proposals to a second person, links for those let in, ends."""

from collections.abc import Mapping
from typing import Any, Final, cast

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin import approvals, audit_words, guard, pages, proposals
from admin.forms import faults_of
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents.service import Street
from carbon_credits.staff import administering, credentials, invitations, roster, sessions
from carbon_credits.staff.service import Role

REASON_MISSING: Final = Text("请说明理由", "Say why")
_LONGEST_REASON: Final = 500
_SHOWN: Final = 20

blueprint = Blueprint("staff", __name__, url_prefix="/staff")


@blueprint.get("/")
def everybody() -> Response:
    """The roster, and what waits for a second person."""
    with reading() as session:
        listed = roster.everybody(session, clock.now())
        waiting = administering.pending(session)
    names = {one.staff_id: one.name for one in listed}
    return pages.render(
        "staff.html", listed=listed, waiting=waiting, names=names, title_of=proposals.title_of
    )


@blueprint.get("/new")
def form() -> Response:
    """Where somebody is proposed."""
    return _form({}, {}, 200)


@blueprint.post("/new")
def admit() -> AnyResponse:
    """Propose somebody to a second person."""
    payload = {"name": request.form.get("name", "").strip(), **_rights()}
    try:
        return approvals.put_before(administering.ADMIT, payload, _reason())
    except Invalid as error:
        return _form(faults_of(error), payload, 422)


@blueprint.get("/<int:staff_id>")
def one(staff_id: int) -> Response:
    """One member of staff."""
    return _one(staff_id, {}, 200)


@blueprint.post("/<int:staff_id>/rights")
def change(staff_id: int) -> AnyResponse:
    """Propose other roles or streets, on what the page has shown."""
    before = {
        "roles": request.form.getlist("before_roles"),
        "streets": request.form.getlist("before_streets") or None,
    }
    payload = {"staff_id": staff_id, **_rights(), "before": before}
    try:
        return approvals.put_before(administering.CHANGE, payload, _reason())
    except Invalid as error:
        return _one(staff_id, faults_of(error), 422)


@blueprint.post("/<int:staff_id>/reset")
def reset(staff_id: int) -> AnyResponse:
    """Propose that they set a new password and authenticator."""
    try:
        return approvals.put_before(administering.RESET, {"staff_id": staff_id}, _reason())
    except Invalid as error:
        return _one(staff_id, faults_of(error), 422)


@blueprint.post("/invitations/<int:approval_id>")
def invite(approval_id: int) -> Response:
    """The link that two have decided on, shown this once, to be handed to the person."""
    asking, told = guard.member(), settings()
    with transaction() as session:
        code = administering.invite(session, told.vault, approval_id, asking.staff_id, clock.now())
    return pages.render("invitation.html", link=told.public_url + invitations.PATH + code)


@blueprint.post("/<int:staff_id>/close")
def close(staff_id: int) -> Response:
    """Close an account at once."""
    try:
        reason = _reason()
        with transaction() as session:
            administering.close(session, staff_id, guard.member().actor, clock.now(), reason)
    except Invalid as error:
        return _one(staff_id, faults_of(error), 422)
    pages.note(Text("账号已停用", "The account is closed"))
    return _to("staff.one", staff_id=staff_id)


@blueprint.post("/<int:staff_id>/sessions/end")
def end_sessions(staff_id: int) -> Response:
    """End all of somebody's sessions."""
    with transaction() as session:
        sessions.end_all(session, staff_id, "ended", guard.member().actor, clock.now())
    pages.note(Text("其会话均已结束", "Their sessions have ended"))
    return _to("staff.one", staff_id=staff_id)


@blueprint.post("/<int:staff_id>/password")
def require_change(staff_id: int) -> Response:
    """Ask for another password at the next sign-in, and end the sessions there are."""
    try:
        reason, by = _reason(), guard.member().actor
        with transaction() as session:
            credentials.require_change(session, staff_id, by, reason)
            sessions.end_all(session, staff_id, "ended", by, clock.now())
    except Invalid as error:
        return _one(staff_id, faults_of(error), 422)
    pages.note(Text("其下次登录须更换密码", "They change the password at the next sign-in"))
    return _to("staff.one", staff_id=staff_id)


def _reason() -> str:
    """Why, as it was typed; raises Invalid when nothing was."""
    given = request.form.get("reason", "").strip()[:_LONGEST_REASON]
    if not given:
        raise pages.fault("reason", REASON_MISSING)
    return given


def _rights() -> dict[str, list[str] | None]:
    return {
        "roles": sorted(set(request.form.getlist("roles"))),
        "streets": sorted(set(request.form.getlist("streets"))) or None,
    }


def _form(faults: Mapping[str, Text], given: Mapping[str, Any], status: int) -> Response:
    return pages.render("staff_new.html", status, faults=faults, given=given, roles=Role, streets=Street)


def _one(staff_id: int, faults: Mapping[str, Text], status: int) -> Response:
    now = clock.now()
    with reading() as session:
        found = roster.one(session, staff_id, now)
        signed = sessions.sessions_of(session, staff_id, now)
        found_deeds = audit.search(session, audit.Wanted(subject=f"staff:{staff_id}"), _SHOWN)
        names = audit_words.names(session, found_deeds)
    return pages.render(
        "staff_one.html",
        status,
        one=found,
        sessions=signed,
        deeds=found_deeds,
        names=names,
        words=audit_words.words,
        faults=faults,
        given={"roles": [*found.roles], "streets": found.streets, **(_rights() if faults else {})},
        roles=Role,
        streets=Street,
    )


def _to(endpoint: str, **values: Any) -> Response:
    return cast(Response, redirect(url_for("console." + endpoint, **values), 303))
