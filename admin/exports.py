"""Exports: a table is asked for, written by a job, handed out to who asked for it; everything of it is audited."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, redirect, request, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.attachments import attached
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import redis_of
from carbon_credits.ledger import fund_list
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting import exports
from carbon_credits.reporting.export_kinds import EXPORTS
from carbon_credits.reporting.export_models import ExportAsked
from carbon_credits.reporting.export_papers import PAPERS
from carbon_credits.reporting.exports import Asker, Wish, Written
from carbon_credits.reporting.sheets import TYPES
from carbon_credits.staff.service import names_of

MOST: Final = 50
FILTERS: Final = ("methodology", "fund")
FIELDS: Final = ("kind", "format", "first", "last", *FILTERS)
FORMATS: Final[Mapping[str, Text]] = {
    "xlsx": Text("XLSX（Excel、WPS）", "XLSX (Excel, WPS)"),
    "csv": Text("CSV（UTF-8）", "CSV (UTF-8)"),
}
FAULTS: Final[Mapping[str, Text]] = {
    "never_came_back": Text("生成时三次中断，已放弃，请重新申请", "It broke off three times: ask again"),
    "unknown_kind": Text("此类导出已取消", "There is no such export any more"),
    "became_final": Text("生成前已定稿，请重新申请", "It became final before it was written: ask again"),
    "newer_draft": Text("他人已先生成草稿", "Somebody made a draft before"),
    "not_read": Text("该年尚无读数", "Nothing of that year has been read"),
    "font_missing": Text(
        "未安装中文字体（见 CARBON_FONT）", "The Chinese font is not installed (see CARBON_FONT)"
    ),
}
FAULT: Final = Text(
    "生成时出错，已记录，请稍后重新申请", "It could not be written, which is recorded: ask again later"
)


@dataclass(frozen=True)
class Listed:
    """An export as it stands in the list, of days or of what else it is of; `digest` is SHA-256 in hexadecimal.

    `rows` are those written by now, of `parts` where those are known.
    """

    number: int
    name: Text
    days: str
    narrowed: str
    format: str
    state: str
    by: str
    rows: int
    parts: int | None
    size: int | None
    digest: str | None
    fault: Text | None
    asked_at: datetime
    expires_at: datetime | None
    eraser: str
    may_erase: bool


blueprint = Blueprint("exports", __name__, url_prefix="/exports")


@blueprint.get("/")
def show() -> Response:
    """What may be asked for, and what was; everybody's for who audits and wants them."""
    return _page()


@blueprint.post("/")
def ask() -> AnyResponse:
    """Ask for one; the job writes it meanwhile."""
    form = Form(*FIELDS)
    try:
        wish = _wish(form)
        form.check()
        with transaction() as session:
            number = exports.ask(session, asker(), wish)
    except Invalid as refused:
        return _page(422, form, faults_of(refused, FIELDS))
    except Conflict as refused:
        return _page(409, form, {"": refused.detail})
    doorbell.ring_bell(redis_of(), doorbell.EXPORTS)
    pages.note(Text(f"已申请导出 #{number}", f"Export #{number} is asked for"))
    return redirect(pages.url("exports.show"), 303)


@blueprint.get("/<int:export>/file")
def download(export: int) -> Response:
    """The file, piece by piece; that it was handed out is audited first."""
    with transaction() as session:
        found = exports.read(session, asker(), export)
    return attached(stream_with_context(_pieces(found)), found.name, found.content_type, found.size)


@blueprint.post("/<int:export>/erase")
def erase(export: int) -> AnyResponse:
    """Erase one before its week is over; who did it is audited."""
    Form().check()
    try:
        with transaction() as session:
            exports.erase(session, asker(), export, clock.now())
    except Conflict as refused:
        return _page(409, None, {"": refused.detail})
    pages.note(Text(f"导出 #{export} 已删除", f"Export #{export} is erased"))
    return redirect(pages.url("exports.show"), 303)


def asker() -> Asker:
    """Whoever is signed in, as exports know them."""
    me = guard.member()
    return Asker(me.staff_id, me.roles, me.streets)


def listed(row: ExportAsked, names: Mapping[int, str]) -> Listed:
    """An export as pages show it."""
    return Listed(
        row.export_id,
        _name(row),
        _days(row),
        "、".join(str(row.filters[name]) for name in FILTERS if row.filters.get(name)),
        row.format,
        row.state,
        names.get(row.asked_by, f"#{row.asked_by}"),
        row.rows_done,
        row.parts,
        row.size,
        None if row.sha256 is None else row.sha256.hex(),
        None if row.fault is None else FAULTS.get(row.fault, FAULT),
        row.asked_at,
        row.expires_at,
        "" if row.erased_by is None else names.get(row.erased_by, f"#{row.erased_by}"),
        row.state == "done" and exports.may_erase(asker(), row),
    )


def _pieces(found: Written) -> Iterator[bytes]:
    """Each in a transaction of its own: a slow reader holds none open."""
    for no in range(found.pieces):
        with reading() as session:
            content = exports.piece(session, found.export_id, no)
        yield content


def _wish(form: Form) -> Wish:
    offered = exports.offered(asker())
    return Wish(
        form.choice("kind", offered),
        form.choice("format", TYPES),
        form.day("first"),
        form.day("last"),
        {name: form.typed[name] for name in FILTERS if form.typed[name]},
        pages.language(),
    )


def _page(status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None) -> Response:
    me, before = asker(), request.args.get("before", type=int)
    every = exports.may_see_all(me.roles) and request.args.get("whose") == "all"
    with reading() as session:
        rows = exports.listed(session, None if every else me.staff_id, MOST, before)
        funds = fund_list.funds(session)
        names = names_of(session, {n for row in rows for n in (row.asked_by, row.erased_by) if n})
        shown = [listed(row, names) for row in rows]
    today = clock.today()
    usual = {"format": "xlsx", "first": today.replace(day=1).isoformat(), "last": today.isoformat()}
    whose = {"whose": "all"} if every else {}
    offered = exports.offered(me)
    return pages.render(
        "exports/list.html",
        status,
        rows=shown,
        kinds={code: kind.name for code, kind in offered.items()},
        narrowed={name for kind in offered.values() for name in kind.filters},
        formats=FORMATS,
        methodologies={code: Text(*versions[-1].title) for code, versions in sorted(BY_CODE.items())},
        funds={fund.code: Text(fund.name_zh, fund.name_en) for fund in funds},
        every=every,
        may_see_all=exports.may_see_all(me.roles),
        here=pages.url("exports.show", **whose, **({"before": before} if before else {})),
        more=pages.url("exports.show", before=rows[-1].export_id, **whose) if len(rows) == MOST else "",
        under_way=any(row.state in exports.UNFINISHED for row in shown),
        typed=usual if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _name(row: ExportAsked) -> Text:
    known = EXPORTS.get(row.kind) or PAPERS.get(row.kind)
    # a kind that is gone is shown by its code
    return Text(row.kind, row.kind) if known is None else known.name


def _days(row: ExportAsked) -> str:
    """The days of a table; a paper's year and version."""
    if "first" in row.filters:
        return f"{row.filters['first']} – {row.filters['last']}"
    return f"{row.filters['year']} v{row.filters['version']}" if "version" in row.filters else ""
