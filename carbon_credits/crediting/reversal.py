"""Undoing a credit: grams leave in full, points by the ledger's clawback order, the decision says so."""

from dataclasses import dataclass
from datetime import date

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import parse_public_id
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting import exclusivity
from carbon_credits.ledger.clawback import claw_back
from carbon_credits.ledger.locks import lock_shard

NEWEST = text("""
select generation, state, matures_on from decision
where resident_id = :resident and occurred_on = :day and activity_id = :activity
order by generation desc limit 1
""")
MARK = text("""
update decision
set state = :state, reasons = array[cast(:reason as text)], against = coalesce(cast(:against as bigint), against)
where resident_id = :resident and occurred_on = :day and activity_id = :activity and generation = :generation
  and shard_id = :shard and state = 'credited'
returning generation
""")


@dataclass(frozen=True)
class Credited:
    """One credited passage of an act, as the reversal needs to know it."""

    resident_id: int
    occurred_on: date
    activity_id: int
    generation: int
    matures_on: date | None


def reverse(session: Session, resident_id: int, name: str, reason: str, today: date) -> None:
    """Reverse a credited act by its public name. Raises Conflict when it is not credited (any more)."""
    day, activity = parse_public_id(name)
    lock_shard(session, shard_of(resident_id))
    given = {"resident": resident_id, "day": day, "activity": activity}
    newest = session.execute(NEWEST, given).first()
    if newest is None or newest.state != "credited":
        raise Conflict("not_credited", Text("该记录不在已计入状态", "This act is not credited"))
    credited = Credited(resident_id, day, activity, newest.generation, newest.matures_on)
    undo(session, credited, "reversed", reason, None, today)
    raw = session.connection().connection.driver_connection
    assert isinstance(raw, Connection)
    exclusivity.release(raw, activity)


def undo(
    session: Session, credited: Credited, state: str, reason: str, against: int | None, today: date
) -> None:
    """Take back what one passage had earned and mark it reversed or replaced, under the shard's lock."""
    claw_back(
        session,
        credited.resident_id,
        credited.activity_id,
        credited.generation,
        reason,
        today,
        matures_on=credited.matures_on,
    )
    given = {
        "resident": credited.resident_id,
        "day": credited.occurred_on,
        "activity": credited.activity_id,
        "generation": credited.generation,
        "shard": shard_of(credited.resident_id),
        "state": state,
        "reason": reason,
        "against": against,
    }
    session.execute(MARK, given).one()
