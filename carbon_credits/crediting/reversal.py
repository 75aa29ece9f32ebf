"""Undoing credits: grams leave in full, points by the ledger's clawback order, the decisions say so."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import parse_public_id
from carbon_credits.core.db import raw_connection
from carbon_credits.core.errors import Conflict, InvariantBroken
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting import exclusivity
from carbon_credits.ledger.clawback import Passage, claw_back
from carbon_credits.ledger.locks import lock_shard

NEWEST = text("""
select generation, state, matures_on from decision
where resident_id = :resident and occurred_on = :day and activity_id = :activity
order by generation desc limit 1
""")
MARK = text("""
update decision d
set state = u.state, reasons = array[u.reason], against = coalesce(u.against, d.against)
from unnest(cast(:residents as bigint[]), cast(:days as date[]), cast(:acts as bigint[]),
            cast(:generations as smallint[]), cast(:states as text[]), cast(:reasons as text[]),
            cast(:against as bigint[]))
       as u (resident_id, occurred_on, activity_id, generation, state, reason, against)
where d.resident_id = u.resident_id and d.occurred_on = u.occurred_on and d.activity_id = u.activity_id
  and d.generation = u.generation and d.shard_id = :shard and d.state = 'credited'
returning 1
""")


class Undoing(NamedTuple):
    """One credited passage of an act, and what becomes of it: reversed or replaced, why, and because of which act."""

    resident_id: int
    occurred_on: date
    activity_id: int
    generation: int
    matures_on: date | None
    state: str
    reason: str
    against: int | None = None


def reverse(session: Session, resident_id: int, name: str, reason: str, today: date) -> None:
    """Reverse a credited act by its public name. Raises Conflict when it is not credited (any more)."""
    day, activity = parse_public_id(name)
    shard_id = shard_of(resident_id)
    lock_shard(session, shard_id)
    given = {"resident": resident_id, "day": day, "activity": activity}
    newest = session.execute(NEWEST, given).first()
    if newest is None or newest.state != "credited":
        raise Conflict("not_credited", Text("该记录不在已计入状态", "This act is not credited"))
    undoing = Undoing(resident_id, day, activity, newest.generation, newest.matures_on, "reversed", reason)
    undo(session, shard_id, [undoing], today)
    exclusivity.release(raw_connection(session), activity)


def undo(session: Session, shard_id: int, undoings: Sequence[Undoing], today: date) -> None:
    """Take back what passages of one shard's acts had earned and mark them reversed or replaced, under its lock.

    Raises InvariantBroken when one of them is not credited.
    """
    if not undoings:
        return
    taken = [Passage(u.resident_id, u.activity_id, u.generation, u.matures_on, u.reason) for u in undoings]
    claw_back(session, shard_id, taken, today)
    columns = zip(*undoings, strict=True)
    residents, days, acts, generations, _, states, reasons, against = map(list, columns)
    given = {
        "residents": residents,
        "days": days,
        "acts": acts,
        "generations": generations,
        "states": states,
        "reasons": reasons,
        "against": against,
        "shard": shard_id,
    }
    marked = len(session.execute(MARK, given).all())
    if marked != len(undoings):
        raise InvariantBroken(f"shard {shard_id}: {len(undoings)} credits to undo, {marked} stood")
