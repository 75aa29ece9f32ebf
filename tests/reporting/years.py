"""A year of credited acts for tests, written as the batch leaves it, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.ids import shard_of
from carbon_credits.methodologies.catalogue import BY_CODE
from tests.factories.residents import a_resident

_numbers = count(10_000_000)


@dataclass(frozen=True)
class Told:
    """One act: who did what on which day; milligrams in a pool, what was monitored, and what its source told besides."""

    resident_id: int
    code: str
    on: date
    mg: int = 1_000_000
    pool: str = "v"
    monitored: str = "{}"
    source: int = 1
    evidence: str | None = None


def people(session: Session, vault: Vault, how_many: int, street: str | None) -> list[int]:
    """Residents of a street."""
    made = [a_resident(session, vault, at=datetime(2024, 5, 1, 4, tzinfo=UTC)) for _ in range(how_many)]
    session.execute(
        text("update resident set street = :street where resident_id = any(:made)"),
        {"street": street, "made": made},
    )
    return made


def acts(session: Session, told: Sequence[Told]) -> list[int]:
    """Write acts and their decisions; returns their numbers."""
    if not told:
        return []
    days = [act.on for act in told]
    session.execute(
        text("select make_partitions(:first, :last)"),
        {"first": min(days), "last": max(days) + timedelta(days=1)},
    )
    rows = [_row(act) for act in told]
    session.execute(
        text("""
            insert into activity (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology,
                                  source_id, shard_id, evidence_class, monitored, evidence, evidence_digest)
            values (:activity, :resident, :begins, :ends, :day, :methodology, :source, :shard, 'B',
                    cast(:monitored as jsonb), cast(:evidence as jsonb), decode(md5('none'), 'hex'))
        """),
        rows,
    )
    session.execute(
        text("""
            insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points,
                                  bonus, release_id, occurred_on, methodology, generation, shard_id, evidence_class,
                                  pool, motion, state)
            values (:activity, :resident, :begins, :ends, :mg, :mg, 0, 0, 1, :day, :methodology, 1, :shard, 'B', :pool,
                    false, 'credited')
        """),
        rows,
    )
    return [row["activity"] for row in rows]


def _row(act: Told) -> dict[str, Any]:
    begins = datetime(act.on.year, act.on.month, act.on.day, 2, tzinfo=UTC)
    return {
        "activity": next(_numbers),
        "resident": act.resident_id,
        "shard": shard_of(act.resident_id),
        "begins": begins,
        "ends": begins + timedelta(minutes=10),
        "day": act.on,
        "methodology": BY_CODE[act.code][-1].number,
        "monitored": act.monitored,
        "source": act.source,
        "evidence": act.evidence,
        "mg": act.mg,
        "pool": act.pool,
    }
