"""What rails say happened to our money, kept as they said it, and the payments it bears out."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.payment_contract import StatementLine
from carbon_credits.rewards.settlement_models import ProviderLine

# a rail may list a line later than one that happened after it
OVERLAP: Final = timedelta(days=2)
FIRST_DAY: Final = timedelta(days=3650)
CHUNK: Final = 1_000
TRANSFERS: Final = ("transfer",)


def since(session: Session, provider: str, now: datetime) -> datetime:
    """From when on a rail's statement is to be read again."""
    asked = select(func.max(ProviderLine.occurred_at)).where(ProviderLine.provider == provider)
    newest = session.execute(asked).scalar()
    return now - FIRST_DAY if newest is None else newest - OVERLAP


def take_in(session: Session, provider: str, lines: Iterable[StatementLine]) -> int:
    """Keep what is new of these lines; returns how many. Raises Conflict where a line is told differently than before."""
    new = 0
    waiting = iter(lines)
    while rows := [_row(provider, line) for line in islice(waiting, CHUNK)]:
        new += _keep(session, provider, rows)
    return new


def _keep(session: Session, provider: str, rows: list[dict[str, Any]]) -> int:
    kept = insert(ProviderLine).values(rows).on_conflict_do_nothing().returning(ProviderLine.line_id)
    new = set(session.execute(kept).scalars())
    known = {row["line_id"]: row for row in rows if row["line_id"] not in new}
    _refuse_changes(session, provider, known)
    return len(new)


def reconcile(session: Session, rail: str) -> int:
    """Payments that a rail's own statement bears out, to the fen, are reconciled; returns how many are new."""
    rows = session.execute(
        text("""
            update payment p set state = 'reconciled', changed_at = clock_timestamp()
            from provider_line l
            where p.rail = :rail and p.state = 'paid' and l.provider = :rail and l.source_ref = p.provider_ref
              and l.kind = any(:transfers) and l.amount_fen = -p.amount_fen
            returning p.payment_id
        """),
        {"rail": rail, "transfers": list(TRANSFERS)},
    )
    return len(rows.all())


def unheard_returns(session: Session, rail: str) -> list[str]:
    """Payments of which more came back by the rail's statement than was written down: to be asked about."""
    rows = session.execute(
        text("""
            select p.provider_ref from payment p
            join provider_line l on l.provider = p.rail and l.source_ref = p.provider_ref and l.amount_fen > 0
            where p.rail = :rail group by p.payment_id having sum(l.amount_fen) > p.reversed_fen order by p.payment_id
        """),
        {"rail": rail},
    )
    return list(rows.scalars())


def lines_about(session: Session, provider: str, reference: str) -> list[StatementLine]:
    """What a provider said of one payment, oldest first."""
    asked = (
        select(ProviderLine)
        .where(ProviderLine.provider == provider, ProviderLine.source_ref == reference)
        .order_by(ProviderLine.occurred_at, ProviderLine.line_id)
    )
    return [_line(row) for row in session.execute(asked).scalars()]


def lines_between(session: Session, provider: str, since: datetime, until: datetime) -> list[StatementLine]:
    """What a provider said of a period, from `since` to before `until`, oldest first."""
    asked = (
        select(ProviderLine)
        .where(
            ProviderLine.provider == provider,
            ProviderLine.occurred_at >= since,
            ProviderLine.occurred_at < until,
        )
        .order_by(ProviderLine.occurred_at, ProviderLine.line_id)
    )
    return [_line(row) for row in session.execute(asked).scalars()]


def _refuse_changes(session: Session, provider: str, known: Mapping[str, Mapping[str, Any]]) -> None:
    asked = select(ProviderLine).where(ProviderLine.provider == provider, ProviderLine.line_id.in_(known))
    for kept in session.execute(asked).scalars():
        told = known[kept.line_id]
        if any(getattr(kept, name) != told[name] for name in ("kind", "amount_fen", "fee_fen", "source_ref")):
            said = Text(
                f"流水 {kept.line_id} 与此前不同", f"Line {kept.line_id} is told differently than before"
            )
            raise Conflict("line_changed", said)


def _row(provider: str, line: StatementLine) -> dict[str, Any]:
    return {
        "provider": provider,
        "line_id": line.line_id,
        "kind": line.kind,
        "amount_fen": line.amount_fen,
        "fee_fen": line.fee_fen,
        "source_ref": line.source_ref,
        "occurred_at": line.occurred_at,
        "told": json.loads(json.dumps(dict(line.told), default=str)),
    }


def _line(row: ProviderLine) -> StatementLine:
    return StatementLine(
        row.line_id, row.kind, row.amount_fen, row.fee_fen, row.source_ref, row.occurred_at, row.told
    )
