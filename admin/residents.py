"""One resident, the phone masked: found by phone or number, and read in full for a reason that stays on record."""

from collections.abc import Mapping
from typing import cast

from flask import Blueprint, Response, redirect, request, url_for

from admin import guard, pages
from admin.forms import faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents import unmasking
from carbon_credits.residents.unmasking import Asking

blueprint = Blueprint("residents", __name__, url_prefix="/residents")


@blueprint.get("/")
def find() -> Response:
    """Where one looks somebody up."""
    return pages.render("residents.html", words="", faults={})


@blueprint.post("/")
def look_up() -> Response:
    """To the resident of a phone or of a number; a phone never stands in an address."""
    words = request.form.get("words", "")
    try:
        with reading() as session:
            found = unmasking.find(session, settings().vault, words, _asking())
    except (Invalid, NotFound) as error:
        return pages.render("residents.html", 422, words=words, faults={"words": error.detail})
    return cast(Response, redirect(url_for("console.residents.show", resident_id=found), 303))


@blueprint.get("/<int:resident_id>")
def show(resident_id: int) -> Response:
    """What staff see of a resident."""
    return _show(resident_id, {}, 200)


@blueprint.post("/<int:resident_id>/phone")
def unmask(resident_id: int) -> Response:
    """The phone in full, on this page alone."""
    reason = request.form.get("reason", "")
    try:
        with transaction() as session:
            phone = unmasking.show_phone(
                session, settings().vault, resident_id, _asking(), reason, clock.now()
            )
    except Invalid as error:
        return _show(resident_id, faults_of(error), 422)
    return _show(resident_id, {}, 200, phone)


def _show(resident_id: int, faults: Mapping[str, Text], status: int, phone: str | None = None) -> Response:
    with reading() as session:
        profile = unmasking.masked_profile(session, settings().vault, resident_id, _asking())
    return pages.render("resident.html", status, profile=profile, phone=phone, faults=faults)


def _asking() -> Asking:
    asking = guard.member()
    return Asking(asking.staff_id, asking.streets)
