"""Exports: asked for by a member of staff, written by a job, kept for a week or until somebody erases them.

Its bytes lie in the database in pieces and on no machine's disk, so that whichever machine wrote them any can hand them
out, and so that they are erased with a statement. Who asked, what, for which days and what was written (rows, digest) is
audited and stays; so is every time it is handed out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Language, Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting.export_kinds import EXPORTS, Export
from carbon_credits.reporting.export_models import ExportAsked, ExportPiece
from carbon_credits.reporting.export_papers import PAPERS, TYPES
from carbon_credits.reporting.sheets import PIECE
from carbon_credits.reporting.sheets import TYPES as SHEETS
from carbon_credits.staff.service import Role

LONGEST_DAYS: Final = 366
# how many one member of staff may have waiting
MOST_WAITING: Final = 5
NO_EXPORT: Final = Text("没有此导出", "There is no such export")
WRONG: Final = Text("导出条件有误", "What is asked for is wrong")
NOT_THERE: Final = Text("导出尚未完成或已删除", "It is not written yet, or has been erased")
UNFINISHED: Final = ("asked", "running")
# of what is written once there is one in these states (an index of the table)
ONCE_IN: Final = (*UNFINISHED, "done")


@dataclass(frozen=True)
class Asker:
    """Who asks: number, roles, territory (None is the whole district)."""

    staff_id: int
    roles: frozenset[Role]
    streets: frozenset[str] | None

    @property
    def actor(self) -> str:
        """How the audit names them."""
        return f"staff:{self.staff_id}"


@dataclass(frozen=True)
class Wish:
    """What is asked for: a kind, `csv` or `xlsx`, the days (both included), and filters of that kind."""

    kind: str
    format: str
    first: date
    last: date
    filters: Mapping[str, str]
    language: Language = "zh"


@dataclass(frozen=True)
class Entry:
    """What goes on the list: a kind, how it is written, what it is of, whose streets; `once` where one is enough."""

    kind: str
    format: str
    language: Language
    filters: Mapping[str, Any]
    streets: Sequence[str] | None = None
    once: str | None = None


@dataclass(frozen=True)
class Written:
    """A finished export as it is handed out: in `pieces` pieces, numbered from 0, each read by itself (`piece`)."""

    export_id: int
    name: str
    content_type: str
    size: int
    digest: bytes
    pieces: int


def offered(asker: Asker) -> dict[str, Export]:
    """The kinds this member of staff may ask for."""
    return {name: kind for name, kind in EXPORTS.items() if _may(asker, kind)}


def ask(session: Session, asker: Asker, wish: Wish) -> int:
    """Put an export on the list; its number. The door rings for the job afterwards.

    Raises NotAllowed without a role, or a territory, for it, Invalid at the field, Conflict with too many waiting.
    """
    kind = EXPORTS.get(wish.kind)
    if kind is None:
        raise Invalid(
            "wrong_export", WRONG, faults=(_fault("/kind", "unknown_kind", "没有这种导出", "No such export"),)
        )
    if not _may(asker, kind):
        raise NotAllowed(
            "export_not_yours", Text("没有导出此类数据的权限", "Your role or territory does not allow it")
        )
    faults = tuple(_faults(kind, wish))
    if faults:
        raise Invalid("wrong_export", WRONG, faults=faults)
    filters = {"first": wish.first.isoformat(), "last": wish.last.isoformat(), **wish.filters}
    territory = None if asker.streets is None else sorted(asker.streets)
    return enter(session, asker, Entry(wish.kind, wish.format, wish.language, filters, territory))


def enter(session: Session, asker: Asker, entry: Entry) -> int:
    """Put what somebody may have on the list; its number, or that of the one there is where one is enough.

    Raises Conflict with too many waiting.
    """
    values = {
        "kind": entry.kind,
        "format": entry.format,
        "language": entry.language,
        "filters": entry.filters,
    }
    made = insert(ExportAsked).values(
        asked_by=asker.staff_id, streets=entry.streets, once=entry.once, **values
    )
    unless_there = made.on_conflict_do_nothing().returning(ExportAsked.export_id)
    number = session.execute(unless_there).scalar_one_or_none()
    if number is None:
        return _the_one(session, entry.once)
    mine = select(func.count()).where(
        ExportAsked.asked_by == asker.staff_id, ExportAsked.state.in_(UNFINISHED)
    )
    if session.execute(mine).scalar_one() > MOST_WAITING:
        said = Text("排队中的导出过多，请稍候", "You have too many exports waiting")
        raise Conflict("too_many_exports", said)
    audit.record(
        session, asker.actor, "export.asked", f"export:{number}", None, {**values, "streets": entry.streets}
    )
    return number


def listed(
    session: Session, staff_id: int | None, most: int = 50, before: int | None = None
) -> Sequence[ExportAsked]:
    """Exports, the newest first: one member's, or everybody's; those with numbers below `before`."""
    asked = select(ExportAsked).order_by(ExportAsked.export_id.desc()).limit(most)
    if staff_id is not None:
        asked = asked.where(ExportAsked.asked_by == staff_id)
    if before is not None:
        asked = asked.where(ExportAsked.export_id < before)
    return session.execute(asked.execution_options(populate_existing=True)).scalars().all()


def read(session: Session, asker: Asker, export_id: int) -> Written:
    """Hand out what was written, to whoever asked for it and still may, and to auditors of the whole district.

    A paper is for whoever may read it. Raises NotFound, also for another's, Conflict where it is not written or erased.
    """
    row = session.get(ExportAsked, export_id, populate_existing=True)
    if row is None or not _sees(asker, row):
        raise NotFound("export_unknown", NO_EXPORT)
    if row.state != "done" or row.sha256 is None or row.size is None:
        raise Conflict("export_not_there", NOT_THERE)
    audit.record(
        session, asker.actor, "export.read", f"export:{export_id}", None, {"sha256": row.sha256.hex()}
    )
    name = f"{_called(row)}.{row.format}"
    return Written(export_id, name, TYPES[row.format], row.size, row.sha256, -(-row.size // PIECE))


def erase(session: Session, asker: Asker, export_id: int, now: datetime) -> None:
    """Erase what was written before its week is over: whoever asked for it, and auditors of the whole district, may.

    That it was asked for, written and read stays on record. Raises NotFound, also for another's, Conflict where it is not
    there to be erased.
    """
    row = session.get(ExportAsked, export_id, populate_existing=True, with_for_update=True)
    if row is None or not may_erase(asker, row):
        raise NotFound("export_unknown", NO_EXPORT)
    if row.state != "done" or row.sha256 is None:
        raise Conflict("export_not_there", NOT_THERE)
    gone = update(ExportAsked).where(ExportAsked.export_id == export_id)
    session.execute(gone.values(state="expired", expires_at=now, erased_by=asker.staff_id))
    session.execute(delete(ExportPiece).where(ExportPiece.export_id == export_id))
    audit.record(
        session, asker.actor, "export.erased", f"export:{export_id}", {"sha256": row.sha256.hex()}, None
    )


def may_erase(asker: Asker, row: ExportAsked) -> bool:
    """Whether an export is theirs to erase by hand, also where they may read it no longer."""
    return row.asked_by == asker.staff_id or (Role.AUDIT in asker.roles and asker.streets is None)


def piece(session: Session, export_id: int, no: int) -> bytes:
    """One piece of an export that `read` has allowed; a door may take each in a transaction of its own.

    Raises NotFound where it is erased meanwhile.
    """
    asked = select(ExportPiece.content).where(ExportPiece.export_id == export_id, ExportPiece.no == no)
    content = session.execute(asked).scalar_one_or_none()
    if content is None:
        raise NotFound("export_unknown", NO_EXPORT)
    return content


def may_see_all(roles: Collection[Role]) -> bool:
    """Whether everybody's exports are listed: auditors see who took what out."""
    return Role.AUDIT in roles


def _may(asker: Asker, kind: Export) -> bool:
    return bool(asker.roles & kind.roles) and (asker.streets is None or kind.by_street)


def _the_one(session: Session, once: str | None) -> int:
    """The one there is; raises Conflict where it has just come to nothing, and may be asked for again."""
    found = select(ExportAsked.export_id).where(ExportAsked.once == once, ExportAsked.state.in_(ONCE_IN))
    number = session.execute(found).scalar_one_or_none()
    if number is None:
        raise Conflict("export_not_there", NOT_THERE)
    return number


def _called(row: ExportAsked) -> str:
    """What a file is called, without its ending."""
    paper = PAPERS.get(row.kind)
    if paper is not None:
        return paper.called.format(**row.filters)
    return f"{row.kind}-{row.filters['first']}-{row.filters['last']}-{row.export_id}"


def _sees(asker: Asker, row: ExportAsked) -> bool:
    """What one was allowed once is not what one may have now; a kind that is gone is nobody's but the auditors'."""
    paper, table = PAPERS.get(row.kind), EXPORTS.get(row.kind)
    if paper is not None:
        return bool(asker.roles & paper.reads)
    if asker.streets is not None and not set(row.streets or ("everywhere",)) <= asker.streets:
        return False
    return Role.AUDIT in asker.roles or (
        row.asked_by == asker.staff_id and table is not None and _may(asker, table)
    )


def _faults(kind: Export, wish: Wish) -> Iterator[FieldFault]:
    if wish.format not in SHEETS:
        yield _fault("/format", "unknown_format", "只能导出 CSV 或 XLSX", "CSV or XLSX alone")
    if wish.last < wish.first:
        yield _fault("/last", "wrong_period", "结束日期早于开始日期", "It ends before it begins")
    if (wish.last - wish.first).days >= LONGEST_DAYS:
        yield _fault("/last", "period_too_long", "最多导出 366 天", "At most 366 days")
    for name in sorted(set(wish.filters) - set(kind.filters)):
        yield _fault(
            f"/{name}", "unknown_filter", "此类导出没有这个条件", "This export is not narrowed by that"
        )
    for name in kind.needs:
        if not wish.filters.get(name):
            yield _fault(f"/{name}", "required", "必填", "Required")
    if wish.filters.get("methodology") and wish.filters["methodology"] not in BY_CODE:
        yield _fault("/methodology", "unknown_methodology", "没有这个方法学", "No such methodology")


def _fault(pointer: str, code: str, zh: str, en: str) -> FieldFault:
    return FieldFault(pointer, code, Text(zh, en))
