"""Yearly evaluations: a draft frozen out of what was read, made final by two people, written as PDF and XLSX.

A job freezes and writes; the pages say how far it is and where the file is.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import may_read, put_before
from admin.exports import asker, listed
from admin.forms import Form, faults_of
from admin.indicators import FIRST_YEAR
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import redis_of
from carbon_credits.reporting import evaluation, evaluation_papers
from carbon_credits.reporting.evaluation_papers import FORMATS
from carbon_credits.reporting.exports import UNFINISHED
from carbon_credits.staff.service import Role, names_of

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
    """Have a draft made of a year; what was asked from one page is made once."""
    form = Form("year", "seen")
    try:
        year = form.whole("year", FIRST_YEAR, clock.today().year)
        seen = form.whole("seen")
        form.check()
        with transaction() as session:
            evaluation_papers.ask_freezing(session, asker(), year, seen, pages.language())
    except Invalid as refused:
        return _all(422, form, faults_of(refused, ("year",)))
    except Conflict as refused:
        return _all(409, form, {"year": refused.detail})
    doorbell.ring_bell(redis_of(), doorbell.EXPORTS)
    pages.note(Text(f"已申请生成 {year} 年草稿", f"A draft of {year} is asked for"))
    return redirect(pages.url("evaluations.show"), 303)


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


@blueprint.post("/<int:pack>/papers")
def write(pack: int) -> AnyResponse:
    """Have the pack written as PDF or as a spreadsheet; one that is there or on its way is not written again."""
    form = Form("format")
    try:
        written = form.choice("format", FORMATS)
        form.check()
        with transaction() as session:
            evaluation_papers.ask_paper(session, asker(), pack, written, pages.language())
    except Invalid as refused:
        return _page(pack, 422, None, faults_of(refused, ("format",)))
    except Conflict as refused:
        return _page(pack, 409, None, {"": refused.detail})
    doorbell.ring_bell(redis_of(), doorbell.EXPORTS)
    return redirect(pages.url("evaluations.one", pack=pack), 303)


def _all(status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None) -> Response:
    with reading() as session:
        rows = evaluation.packs(session)
        papers = evaluation_papers.papers_of(session, rows)
        made = evaluation_papers.freezings(session)
        names = names_of(session, {row.made_by for row in rows} | {row.asked_by for row in made})
    this = clock.today().year
    return pages.render(
        "evaluations/list.html",
        status,
        rows=rows,
        papers=papers,
        freezings=[listed(row, names) for row in made],
        under_way=any(row.state in UNFINISHED for row in made),
        seen=max((row.pack_id for row in rows), default=0),
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
        papers = evaluation_papers.papers_of(session, [found])[pack]
        names = names_of(session, {found.made_by, *(row.asked_by for row in papers.values())})
    return pages.render(
        "evaluations/one.html",
        status,
        one=found,
        papers={kind: listed(papers[kind], names) if kind in papers else None for kind in FORMATS},
        under_way=any(row.state in UNFINISHED for row in papers.values()),
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
