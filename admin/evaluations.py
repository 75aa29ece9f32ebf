"""Yearly evaluations: a draft frozen out of what was read, made final by two people, written as PDF and XLSX."""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import may_read, put_before
from admin.attachments import attached
from admin.forms import Form, faults_of
from admin.indicators import FIRST_YEAR
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.reporting import evaluation
from carbon_credits.reporting.indicators_models import EvaluationPack
from carbon_credits.reporting.sheets import TYPES
from carbon_credits.staff.service import Role, names_of

PDF: Final = "application/pdf"

blueprint = Blueprint("evaluations", __name__, url_prefix="/evaluations")


@blueprint.get("/")
def show() -> Response:
    """Every pack, the newest year and version first."""
    return _all()


@blueprint.get("/<int:pack>")
def one(pack: int) -> Response:
    """One pack with its digest."""
    return _page(pack)


@blueprint.post("/")
def freeze() -> AnyResponse:
    """Make a draft of a year."""
    form = Form("year")
    try:
        year = form.whole("year", FIRST_YEAR, clock.today().year)
        form.check()
        with transaction() as session:
            made = evaluation.freeze(session, year, guard.member().staff_id).pack_id
    except Invalid as refused:
        return _all(422, form, faults_of(refused, ("year",)))
    except Conflict as refused:
        return _all(409, form, {"year": refused.detail})
    pages.note(Text("草稿已生成", "The draft is made"))
    return redirect(pages.url("evaluations.one", pack=made), 303)


@blueprint.post("/<int:pack>/propose")
def propose(pack: int) -> AnyResponse:
    """Propose to make a draft final, by its digest."""
    form = Form("reason")
    try:
        reason = form.reason()
        form.check()
        with reading() as session:
            payload = evaluation.payload_of(session, pack)
        return put_before(evaluation.KIND, payload, reason)
    except Invalid as refused:
        return _page(pack, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return _page(pack, 409, form, {"": refused.detail})


@blueprint.get("/<int:pack>/evaluation.pdf")
def pdf(pack: int) -> Response:
    """The pack on paper; the same pack is the same bytes."""
    from carbon_credits.reporting import evaluation_pdf  # noqa: PLC0415 - half a second, for papers alone

    with reading() as session:
        found = evaluation.pack_of(session, pack)
        content = evaluation_pdf.pdf(found, settings().font)
    return attached(content, _name(found, "pdf"), PDF)


@blueprint.get("/<int:pack>/evaluation.xlsx")
def xlsx(pack: int) -> Response:
    """The pack as a spreadsheet; the same pack is the same bytes."""
    from carbon_credits.reporting import evaluation_xlsx  # noqa: PLC0415 - half a second, for papers alone

    with reading() as session:
        found = evaluation.pack_of(session, pack)
        content = evaluation_xlsx.xlsx(found)
    return attached(content, _name(found, "xlsx"), TYPES["xlsx"])


def _name(pack: EvaluationPack, ending: str) -> str:
    return f"evaluation-{pack.year}-v{pack.version}-{pack.state}.{ending}"


def _all(status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None) -> Response:
    with reading() as session:
        rows = evaluation.packs(session)
        names = names_of(session, {row.made_by for row in rows})
    this = clock.today().year
    return pages.render(
        "evaluations/list.html",
        status,
        rows=rows,
        names=names,
        years=[(str(year), str(year)) for year in range(this, FIRST_YEAR - 1, -1)],
        usual=this - 1,
        may_change=_may(),
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _page(
    pack: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    with reading() as session:
        found = evaluation.pack_of(session, pack)
        names = names_of(session, {found.made_by})
    return pages.render(
        "evaluations/one.html",
        status,
        one=found,
        may_read=may_read(evaluation.KIND),
        maker=names.get(found.made_by, ""),
        is_unchanged=evaluation.digest_of(found.snapshot) == found.digest,
        may_change=_may(),
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _may() -> bool:
    return Role.PROGRAMME in guard.member().roles
