"""Exports are written one after the other, each by whoever holds its lock, from the beginning again after a death."""

import logging
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import alone, beside, in_transaction, reading
from carbon_credits.core.errors import ProgrammeError
from carbon_credits.jobs.doorbell import EXPORTS, hear
from carbon_credits.jobs.surroundings import begin, redis_of, settings
from carbon_credits.reporting import export_work
from carbon_credits.reporting.sheets import Sheet, opened

log = logging.getLogger(__name__)

EXPORT_LOCK: Final = 440_612


def write_all() -> None:
    """RQ's entry: write every export that waits."""
    begin()
    hear(redis_of(), EXPORTS)
    for export_id in in_transaction(export_work.unfinished):
        with alone(EXPORT_LOCK, export_id % 2**31) as ours:
            if ours:
                write(export_id)


def write(export_id: int) -> None:
    """Write one export, or say of it that it failed."""
    order = in_transaction(lambda session: export_work.begin(session, export_id, clock.now()))
    if order is None:
        return
    try:
        if isinstance(order, export_work.PaperOrder):
            _make(order)
        else:
            _write(order)
    except ProgrammeError as error:
        log.warning("export refused", extra={"export": export_id, "fault": error.code})
        _fail(export_id, error.code)
    except Exception as error:
        # the outermost door: whoever asked reads what became of it, and the log says why
        log.exception("export failed", extra={"export": export_id})
        _fail(export_id, type(error).__name__)


def _fail(export_id: int, fault: str) -> None:
    in_transaction(lambda session: export_work.fail(session, export_id, fault, clock.now()))


def _make(order: export_work.PaperOrder) -> None:
    """A paper is made and kept in one transaction: there is none of what was frozen without its export, nor twice."""

    def tell(done: int, parts: int) -> None:
        with beside() as session:
            export_work.progress(session, order.export_id, done, parts)

    def work(session: Session) -> None:
        pieces = export_work.made(session, order, settings().font, tell)
        export_work.finish(session, order.export_id, pieces, clock.now())

    in_transaction(work)


def _write(order: export_work.Order) -> None:
    private = settings().home / "exports"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=private) as folder:
        headings = [heading.in_language(order.language) for heading in order.kind.headings]
        sheet = opened(order.format, Path(folder), order.kind.name.in_language(order.language), headings)
        _fill(sheet, order)
        in_transaction(
            lambda session: export_work.finish(session, order.export_id, sheet.pieces(), clock.now())
        )


def _fill(sheet: Sheet, order: export_work.Order) -> None:
    rows = 0
    with reading() as session:
        for block in export_work.blocks(session, settings().vault, order):
            sheet.write(block)
            rows += len(block)
            with beside() as other:
                export_work.progress(other, order.export_id, rows)
