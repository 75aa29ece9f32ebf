"""An export at work: taken, its rows read by a cursor on the server, kept in pieces, erased after its week.

Whoever dies at it leaves it running; the next begins it again from its first row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Language
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting.export_kinds import EXPORTS, Export
from carbon_credits.reporting.export_models import ExportAsked, ExportPiece
from carbon_credits.reporting.export_papers import PAPERS, Making, Paper
from carbon_credits.reporting.exports import UNFINISHED
from carbon_credits.reporting.sheets import PIECE, Cell

KEPT: Final = timedelta(days=7)
MOST_ATTEMPTS: Final = 3
AT_ONCE: Final = 2_000
_PATIENTLY: Final = text("""
select set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)
""")


@dataclass(frozen=True)
class Order:
    """A table at work: how it is written and what its statement is given."""

    export_id: int
    kind: Export
    format: str
    language: Language
    given: Mapping[str, Any]


@dataclass(frozen=True)
class PaperOrder:
    """A paper at work: what it is of, and who asked for it."""

    export_id: int
    kind: Paper
    format: str
    of: Mapping[str, Any]
    by: int


def unfinished(session: Session) -> list[int]:
    """Exports to be written, or written again after whoever was at it died."""
    asked = (
        select(ExportAsked.export_id).where(ExportAsked.state.in_(UNFINISHED)).order_by(ExportAsked.export_id)
    )
    return list(session.execute(asked).scalars())


def begin(session: Session, export_id: int, now: datetime) -> Order | PaperOrder | None:
    """Take an export to be written, from its beginning; None when it is finished, or was tried too often."""
    row = session.execute(
        select(ExportAsked)
        .where(ExportAsked.export_id == export_id, ExportAsked.state.in_(UNFINISHED))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    session.execute(delete(ExportPiece).where(ExportPiece.export_id == export_id))
    row.state, row.attempts, row.rows_done, row.started_at = "running", row.attempts + 1, 0, now
    session.flush()
    # a kind may have gone with a release since it was asked for
    is_known = row.kind in EXPORTS or row.kind in PAPERS
    if not is_known or row.attempts > MOST_ATTEMPTS:
        fail(session, export_id, "never_came_back" if is_known else "unknown_kind", now)
        return None
    if row.kind in PAPERS:
        return PaperOrder(export_id, PAPERS[row.kind], row.format, row.filters, row.asked_by)
    return Order(
        export_id, EXPORTS[row.kind], row.format, "en" if row.language == "en" else "zh", _given(row)
    )


def blocks(session: Session, vault: Vault, order: Order) -> Iterator[list[list[Cell]]]:
    """The rows, some at a time, by a cursor on the server: one moment's picture, never all of it in memory."""
    session.execute(_PATIENTLY)
    found = session.execute(order.kind.statement, order.given, execution_options={"yield_per": AT_ONCE})
    shown = pseudonyms(vault)
    for rows in found.mappings().partitions(AT_ONCE):
        yield [order.kind.cells(row, shown) for row in rows]


def made(
    session: Session, order: PaperOrder, font: Path, tell: Callable[[int, int], None]
) -> Iterator[bytes]:
    """A paper's bytes, in pieces. What making it writes is written in this transaction."""
    session.execute(_PATIENTLY)
    content = order.kind.make(session, Making(order.of, order.format, order.by, font, tell))
    return (content[at : at + PIECE] for at in range(0, len(content), PIECE))


def progress(session: Session, export_id: int, rows: int, parts: int | None = None) -> None:
    """Say how many rows are written by now, or of how many parts."""
    at = update(ExportAsked).where(ExportAsked.export_id == export_id)
    session.execute(at.values(rows_done=rows, parts=parts))


def finish(session: Session, export_id: int, pieces: Iterable[bytes], now: datetime) -> None:
    """Keep what was written, piece by piece, and say that it is there."""
    digest, size = sha256(), 0
    for no, piece in enumerate(pieces):
        session.execute(insert(ExportPiece).values(export_id=export_id, no=no, content=piece))
        digest.update(piece)
        size += len(piece)
    done = {
        "state": "done",
        "size": size,
        "sha256": digest.digest(),
        "finished_at": now,
        "expires_at": now + KEPT,
    }
    row = _conclude(session, export_id, done)
    rows = {"rows": row.rows_done} if row.parts is None else {}
    after = {**rows, "size": size, "sha256": digest.hexdigest()}
    audit.record(session, f"staff:{row.asked_by}", "export.written", f"export:{export_id}", None, after)


def fail(session: Session, export_id: int, fault: str, now: datetime) -> None:
    """It could not be written; why."""
    _conclude(session, export_id, {"state": "failed", "fault": fault[:200], "finished_at": now})


def erase_due(session: Session, now: datetime, most: int) -> int:
    """Erase what was kept for its week; returns how many."""
    due = select(ExportAsked).where(ExportAsked.state == "done", ExportAsked.expires_at <= now)
    rows = session.execute(
        due.order_by(ExportAsked.export_id).limit(most).with_for_update(skip_locked=True)
    ).scalars()
    erased = [row.export_id for row in rows]
    session.execute(delete(ExportPiece).where(ExportPiece.export_id.in_(erased)))
    session.execute(update(ExportAsked).where(ExportAsked.export_id.in_(erased)).values(state="expired"))
    return len(erased)


def pseudonyms(vault: Vault) -> Callable[[int], str]:
    """What residents are called in exports: the same everywhere, and nobody's without the key."""
    return lambda resident_id: vault.blind("export", str(resident_id))[:8].hex()


def _given(row: ExportAsked) -> dict[str, Any]:
    kind = EXPORTS[row.kind]
    given: dict[str, Any] = {name: row.filters.get(name) or None for name in kind.filters}
    if given.get("methodology"):
        given["methodology"] = BY_CODE[given["methodology"]][-1].number
    if kind.by_street:
        given["streets"] = row.streets
    return {
        **given,
        "first": date.fromisoformat(row.filters["first"]),
        "last": date.fromisoformat(row.filters["last"]),
    }


def _conclude(session: Session, export_id: int, values: Mapping[str, Any]) -> ExportAsked:
    done = (
        update(ExportAsked).where(ExportAsked.export_id == export_id).values(**values).returning(ExportAsked)
    )
    return session.execute(done, execution_options={"populate_existing": True}).scalar_one()
