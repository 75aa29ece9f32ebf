"""Putting acts back on the work list, to be decided again or to be told what was found: each a new generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import shard_of

# The next generation of each act that is decided; one that waits on the work list already is left alone.
PUT_BACK = text("""
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id, evidence_class, verdict, reasons)
select d.activity_id, d.resident_id, d.occurred_on, max(d.generation) + 1, d.shard_id,
       cast(:evidence_class as char(1)), cast(:verdict as text), cast(:reasons as text[])
from decision d
join unnest(cast(:residents as bigint[]), cast(:days as date[]), cast(:activities as bigint[]),
            cast(:shards as smallint[])) as asked (resident_id, occurred_on, activity_id, shard_id)
  using (resident_id, occurred_on, activity_id, shard_id)
group by d.activity_id, d.resident_id, d.occurred_on, d.shard_id
order by d.resident_id, d.occurred_on, d.activity_id
on conflict do nothing
returning activity_id
""")


@dataclass(frozen=True)
class Decided:
    """An act that has been decided, by its key."""

    resident_id: int
    occurred_on: date
    activity_id: int


def put_back(
    session: Session,
    acts: Sequence[Decided],
    verdict: str | None,
    reasons: Sequence[str],
    evidence_class: str | None = None,
) -> int:
    """Put decided acts back: without a verdict to be decided again, else `rejected` or `held` for these reasons.

    `evidence_class` is what a person found the evidence to be worth (B, C or D). Returns how many were put back; one that
    waits on the work list already is none. The caller rings for their shards.
    """
    given = {
        "residents": [act.resident_id for act in acts],
        "days": [act.occurred_on for act in acts],
        "activities": [act.activity_id for act in acts],
        "shards": [shard_of(act.resident_id) for act in acts],
        "verdict": verdict,
        "reasons": list(reasons) or None,
        "evidence_class": evidence_class,
    }
    return len(session.execute(PUT_BACK, given).all())
