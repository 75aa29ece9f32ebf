"""A year's evaluation asked to be frozen, and its papers to be written: by a job, once, as exports are.

A paper is of a pack in a state and a format; a draft is a year's next version as whoever asks knew it. Either asked for
twice is one, however quickly it was written.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from carbon_credits.core.errors import FieldFault, Invalid, NotAllowed
from carbon_credits.core.i18n import Language, Text
from carbon_credits.reporting import evaluation, exports, indicators_readings
from carbon_credits.reporting.export_models import ExportAsked
from carbon_credits.reporting.export_papers import EVALUATION, FREEZING, PAPERS
from carbon_credits.reporting.exports import UNFINISHED, Asker, Entry
from carbon_credits.reporting.indicators_models import EvaluationPack

FORMATS: Final = PAPERS[EVALUATION].formats
MOST: Final = 10
NO_FORMAT: Final = Text("只能生成 PDF 或 XLSX", "PDF or XLSX alone")


def ask_freezing(session: Session, asker: Asker, year: int, seen: int, language: Language = "zh") -> int:
    """Have a draft of a year made; the number of its export. `seen` is the newest pack the asker knew of, 0 for none.

    Raises NotAllowed without the role, Conflict where nothing of the year was read or too many wait.
    """
    _check(asker, FREEZING)
    if indicators_readings.newest_of_year(session, year) is None:
        raise evaluation.not_read(year)
    version = evaluation.next_version(session, year, seen)
    of = {"year": year, "version": version}
    return exports.enter(
        session, asker, Entry(FREEZING, "json", language, of, once=f"freezing:{year}:{version}")
    )


def ask_paper(session: Session, asker: Asker, pack_id: int, written: str, language: Language = "zh") -> int:
    """Have a pack written as `pdf` or `xlsx`; the number of its export, be it an earlier one.

    Raises NotAllowed without a role for it, Invalid for another format, NotFound, Conflict with too many waiting.
    """
    _check(asker, EVALUATION)
    if written not in FORMATS:
        fault = FieldFault("/format", "unknown_format", NO_FORMAT)
        raise Invalid("wrong_export", exports.WRONG, faults=(fault,))
    pack = evaluation.pack_of(session, pack_id)
    of = {"pack": pack_id, "year": pack.year, "version": pack.version, "state": pack.state}
    return exports.enter(session, asker, Entry(EVALUATION, written, language, of, once=_once(pack, written)))


def papers_of(session: Session, packs: Iterable[EvaluationPack]) -> Mapping[int, Mapping[str, ExportAsked]]:
    """The newest paper of each pack, as it is now, by its number and format."""
    wanted = {_once(pack, written): (pack.pack_id, written) for pack in packs for written in FORMATS}
    found: dict[int, dict[str, ExportAsked]] = {number: {} for number, _ in wanted.values()}
    for row in _newest(session, ExportAsked.once.in_(wanted)):
        number, written = wanted[row.once or ""]
        found[number][written] = row
    return found


def freezings(session: Session) -> Sequence[ExportAsked]:
    """Drafts that are being made, or could not be and are not there yet, the newest first."""
    there = exists().where(
        EvaluationPack.year == ExportAsked.filters["year"].as_integer(),
        EvaluationPack.version == ExportAsked.filters["version"].as_integer(),
    )
    rows = _newest(session, (ExportAsked.kind == FREEZING) & ~there)
    told = [row for row in rows if row.state in (*UNFINISHED, "failed")]
    return sorted(told, key=lambda row: -row.export_id)[:MOST]


def _once(pack: EvaluationPack, written: str) -> str:
    return f"evaluation:{pack.pack_id}:{pack.state}:{written}"


def _newest(session: Session, which: Any) -> Sequence[ExportAsked]:
    """Of each `once` the newest."""
    asked = select(ExportAsked).where(ExportAsked.once.is_not(None), which)
    newest = asked.ext(distinct_on(ExportAsked.once))
    order = (ExportAsked.once, ExportAsked.export_id.desc())
    return session.scalars(newest.order_by(*order).execution_options(populate_existing=True)).all()


def _check(asker: Asker, kind: str) -> None:
    if not asker.roles & PAPERS[kind].asks:
        raise NotAllowed("export_not_yours", Text("没有生成评估文件的权限", "Your role does not allow it"))
