"""Putting acts back on the work list: to be decided again, or with a verdict from outside the batch.

The batch alone moves money. It reverses what an earlier passage of the act was credited and decides the rest of its
resident's day again.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.locks import lock_shard

# a batch may hold a shard for seconds; whoever puts acts back waits for it
_PATIENCE: Final = text("select set_config('lock_timeout', '4s', true)")

# One row for each act, whatever it was before: one still on the list takes the verdict, a decided one comes back as its
# next generation with the class it had earned. Nothing happens to an act that stands so already.
PUT_BACK: Final = text("""
with act as (
  select a.resident_id, a.occurred_on, a.activity_id, ((a.resident_id - 1) / 16384)::smallint as shard_id,
         d.generation, d.state, d.reasons, d.evidence_class
  from unnest(cast(:residents as bigint[]), cast(:days as date[]), cast(:numbers as bigint[]))
         as a (resident_id, occurred_on, activity_id)
  left join lateral (
    select * from decision d
    where d.resident_id = a.resident_id and d.occurred_on = a.occurred_on and d.activity_id = a.activity_id
    order by d.generation desc limit 1
  ) d on true
)
insert into activity_queue as q (activity_id, resident_id, occurred_on, generation, shard_id, evidence_class,
  verdict, reasons)
select a.activity_id, a.resident_id, a.occurred_on, coalesce(a.generation, 0) + 1, a.shard_id,
       case when a.evidence_class in ('C', 'D') then a.evidence_class end, :verdict, cast(:reasons as text[])
from act a
where exists (select from activity_queue w
              where w.shard_id = a.shard_id and w.resident_id = a.resident_id and w.occurred_on = a.occurred_on
                and w.activity_id = a.activity_id)
   or (a.generation is not null
       and (a.state, a.reasons) is distinct from (cast(:verdict as text), cast(:reasons as text[])))
order by a.shard_id, a.resident_id, a.occurred_on, a.activity_id
on conflict (shard_id, resident_id, occurred_on, activity_id) do update
  set verdict = excluded.verdict, reasons = excluded.reasons
  where (q.verdict, q.reasons) is distinct from (excluded.verdict, excluded.reasons)
""")


class ActRef(NamedTuple):
    """Where an act stands: its resident, its day and its number."""

    resident_id: int
    occurred_on: date
    activity_id: int


def put_back(session: Session, acts: Collection[ActRef], verdict: str | None, reasons: Sequence[str]) -> int:
    """Put acts on the work list again, rejected or held for these reasons, or without a verdict to be decided anew.

    Returns how many changed; done again it changes nothing. Holds the acts' shards until the transaction ends. An act
    that waits for a look at its trace is on no list yet and stays where it is.
    """
    if not acts:
        return 0
    lock_shards(session, {shard_of(act.resident_id) for act in acts})
    residents, days, numbers = zip(*sorted(set(acts)), strict=True)
    given = {
        "residents": list(residents),
        "days": list(days),
        "numbers": list(numbers),
        "verdict": verdict,
        "reasons": list(reasons) if verdict is not None else None,
    }
    done = session.execute(PUT_BACK, given)
    return int(done.rowcount)  # type: ignore[attr-defined]


def lock_shards(session: Session, shards: Collection[int]) -> None:
    """Let no batch run in these shards until the transaction ends; in ascending order, so that nobody waits in a ring."""
    if shards:
        session.execute(_PATIENCE)
    for shard in sorted(shards):
        lock_shard(session, shard)
