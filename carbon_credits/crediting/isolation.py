"""The one act that makes a batch of one fail is held for a person, so that nothing queues behind it."""

import logging

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.ledger.locks import lock_shard

log = logging.getLogger(__name__)

HOLD_FIRST = text("""
with first as (
  select * from activity_queue where shard_id = :shard order by resident_id, occurred_on, activity_id limit 1
), held as (
  insert into decision (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, generation,
    shard_id, evidence_class, motion, state, reasons)
  select a.activity_id, a.resident_id, a.occurred_from, a.occurred_to, a.occurred_on, a.methodology, f.generation,
         a.shard_id, a.evidence_class, false, 'held', array['could_not_be_decided']
  from first f
  join activity a using (resident_id, occurred_on, activity_id, shard_id)
)
delete from activity_queue q using first f
where q.shard_id = f.shard_id and q.resident_id = f.resident_id and q.occurred_on = f.occurred_on
  and q.activity_id = f.activity_id
returning q.activity_id
""")


def hold_first(session: Session, shard_id: int) -> int | None:
    """Hold the act at the head of a shard's work list; returns its number, None when there is none."""
    lock_shard(session, shard_id)
    held = session.execute(HOLD_FIRST, {"shard": shard_id}).scalar()
    if held is not None:
        log.error("act held: it cannot be decided", extra={"shard": shard_id, "activity": held})
    return None if held is None else int(held)
