"""Exports: asked for by a member of staff, written by a job, kept for a week, erased.

Its bytes lie in the database in pieces and on no machine's disk, so that whichever machine wrote them any can hand them
out, and so that they are erased with a statement. Who asked, what, for which days and what was written (rows, digest) is
audited and stays; so is every time it is handed out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Language, Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting.export_kinds import EXPORTS, Export
from carbon_credits.reporting.export_models import ExportAsked, ExportPiece
from carbon_credits.reporting.sheets import PIECE, TYPES
from carbon_credits.staff.service import Role

LONGEST_DAYS: Final = 366
# how many one member of staff may have waiting
MOST_WAITING: Final = 5
NO_EXPORT: Final = Text("没有此导出", "There is no such export")
WRONG: Final = Text("导出条件有误", "What is asked for is wrong")
UNFINISHED: Final = ("asked", "running")


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
    mine = select(ExportAsked.export_id).where(
        ExportAsked.asked_by == asker.staff_id, ExportAsked.state.in_(UNFINISHED)
    )
    if len(session.execute(mine.limit(MOST_WAITING)).all()) >= MOST_WAITING:
        said = Text("排队中的导出过多，请稍候", "You have too many exports waiting")
        raise Conflict("too_many_exports", said)
    filters = {"first": wish.first.isoformat(), "last": wish.last.isoformat(), **wish.filters}
    territory = None if asker.streets is None else sorted(asker.streets)
    values = {"kind": wish.kind, "format": wish.format, "language": wish.language, "filters": filters}
    made = insert(ExportAsked).values(asked_by=asker.staff_id, streets=territory, **values)
    number = session.execute(made.returning(ExportAsked.export_id)).scalar_one()
    audit.record(
        session, asker.actor, "export.asked", f"export:{number}", None, {**values, "streets": territory}
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

    Raises NotFound, also for another's, and Conflict while it is not written, or is erased.
    """
    row = session.get(ExportAsked, export_id, populate_existing=True)
    if row is None or not _sees(asker, row):
        raise NotFound("export_unknown", NO_EXPORT)
    if row.state != "done" or row.sha256 is None or row.size is None:
        raise Conflict(
            "export_not_there", Text("导出尚未完成或已删除", "It is not written yet, or has been erased")
        )
    audit.record(
        session, asker.actor, "export.read", f"export:{export_id}", None, {"sha256": row.sha256.hex()}
    )
    name = f"{row.kind}-{row.filters['first']}-{row.filters['last']}-{export_id}.{row.format}"
    return Written(export_id, name, TYPES[row.format], row.size, row.sha256, -(-row.size // PIECE))


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


def _sees(asker: Asker, row: ExportAsked) -> bool:
    """What one was allowed once is not what one may have now."""
    if asker.streets is not None and not set(row.streets or ("everywhere",)) <= asker.streets:
        return False
    return Role.AUDIT in asker.roles or (row.asked_by == asker.staff_id and _may(asker, EXPORTS[row.kind]))


def _faults(kind: Export, wish: Wish) -> Iterator[FieldFault]:
    if wish.format not in TYPES:
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
