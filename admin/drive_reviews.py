"""What is done with one application for a drive's list: filled, declared, reviewed by another, taken back."""

from hashlib import sha256

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from admin import pages
from admin.deeds import deed
from admin.drives import application_page
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups import drives

blueprint = Blueprint("drive_reviews", __name__, url_prefix="/drives/applications")


@blueprint.post("/<int:application>/fill")
def fill(application: int) -> AnyResponse:
    """Answer once more from our figures, as they are now."""
    deed(
        "drive.filled",
        f"drive:{application}",
        lambda session, by: drives.fill(session, drives.application(session, application), by, clock.now()),
    )
    pages.note(Text("已按当前数据重新填写", "Filled from our figures as they are now"))
    return _back(application)


@blueprint.post("/<int:application>/declare")
def declare(application: int) -> AnyResponse:
    """Answer a criterion with a document: its digest is kept, never the document."""
    form = Form("criterion", "met", "document", "sha256")
    try:
        code, met = form.text("criterion", 40), form.choice("met", ("yes", "no")) == "yes"
        document, digest = form.text("document", 300), _digest(form)
        form.check()
        told = drives.Declared(met, document, digest)
        deed(
            "drive.declared",
            f"drive:{application}",
            lambda session, by: drives.declare(session, application, code, told, by),
            {"criterion": code, "met": met, "sha256": digest.hex()},
        )
    except Invalid as refused:
        names = ("criterion", "met", "document", "sha256")
        return application_page(application, 422, form, faults_of(refused, names))
    pages.note(Text("已记录", "Noted"))
    return _back(application)


@blueprint.post("/<int:application>/recommend")
def recommend(application: int) -> AnyResponse:
    """Recommend it for the list, by somebody who did not apply."""
    return _review(application, recommended=True)


@blueprint.post("/<int:application>/refuse")
def refuse(application: int) -> AnyResponse:
    """Refuse it, by somebody who did not apply."""
    return _review(application, recommended=False)


@blueprint.post("/<int:application>/withdraw")
def withdraw(application: int) -> AnyResponse:
    """Take an application back that is not on the list."""
    deed(
        "drive.withdrawn",
        f"drive:{application}",
        lambda session, _: drives.withdraw(session, application),
    )
    pages.note(Text("已撤回申请", "The application is taken back"))
    return _back(application)


def _review(application: int, *, recommended: bool) -> AnyResponse:
    form = Form("reason")
    try:
        why = form.text("reason", 1_000)
        form.check()
        deed(
            "drive.reviewed",
            f"drive:{application}",
            lambda session, by: drives.review(session, application, by, why, recommend=recommended),
            {"recommended": recommended},
            why,
        )
    except Invalid as refused:
        return application_page(application, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return application_page(application, 409, form, {"": refused.detail})
    said = Text("已推荐", "Recommended"), Text("已记录为未通过", "Refused")
    pages.note(said[0] if recommended else said[1])
    return _back(application)


def _digest(form: Form) -> bytes:
    """Of the file that was chosen, or as it was typed."""
    chosen = request.files.get("file")
    if chosen is not None and chosen.filename:
        return sha256(chosen.stream.read()).digest()
    try:
        found = bytes.fromhex(form.typed["sha256"])
    except ValueError:
        found = b""
    if len(found) != 32:
        said = Text(
            "请选择文件，或填写其 SHA-256（64 位十六进制）",
            "Choose the file, or type its SHA-256, 64 hexadecimal digits",
        )
        form.faults.append(FieldFault("/sha256", "wrong_document", said))
    return found


def _back(application: int) -> AnyResponse:
    return redirect(pages.url("drives.application", application=application), 303)
