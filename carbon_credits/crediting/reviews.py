"""Trips a person looks at: those the rules were not sure of, and a few they accepted, to learn how often wrongly.

The person's word is another round of the verdict. Yes lets a held act pass through the batch again, as a trip whose trace
was accepted; no rejects it, or reverses what a sampled one was credited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import verification
from carbon_credits.activities.names import parse_public_id, public_id
from carbon_credits.activities.trips.judging import Verdict
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.reversal import reverse
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.methodologies.catalogue import BY_NUMBER

ACCEPTED: Final = Verdict("accept", 0, (("trip_accepted_by_staff", 0),), None)
REFUSED: Final = Verdict("reject", 0, (("trip_refused_by_staff", 0),), None)

# The newest round asks for a person; oldest first.
OPEN = text("""
select v.resident_id, v.activity_id, v.occurred_on, v.judged_at, v.decision, v.score, v.reasons, v.scores, v.features,
       a.methodology, a.monitored
from trip_verdict v
join activity a using (resident_id, occurred_on, activity_id, shard_id)
where (v.decision = 'review' or 'sampled' = any(v.reasons))
  and not exists (select from trip_verdict later
                  where later.resident_id = v.resident_id and later.activity_id = v.activity_id
                    and later.shard_id = v.shard_id and later.round > v.round)
order by v.judged_at, v.activity_id
limit :most
""")
STANDING = text("""
select d.generation, d.state, v.decision, 'sampled' = any(v.reasons) as sampled
from trip_verdict v
join decision d using (resident_id, occurred_on, activity_id, shard_id)
where v.resident_id = :resident and v.activity_id = :activity and v.occurred_on = :day
order by v.round desc, d.generation desc limit 1
""")
AGAIN = text("""
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id, evidence_class)
values (:activity, :resident, :day, :generation, :shard, 'C')
""")
REFUSE = text("""
update decision set state = 'rejected', reasons = array['trip_refused_by_staff']
where resident_id = :resident and occurred_on = :day and activity_id = :activity and generation = :generation
  and shard_id = :shard
""")


@dataclass(frozen=True)
class OpenReview:
    """A trip that waits for a person: what was claimed, what was found, and since when."""

    resident_id: int
    activity: str
    methodology: str
    monitored: Mapping[str, int]
    decision: str
    score: int
    reasons: tuple[tuple[str, int], ...]
    features: Mapping[str, int] | None
    since: datetime


def open_reviews(session: Session, most: int) -> list[OpenReview]:
    """Trips that wait for a person, the one waiting longest first."""
    return [_open(row) for row in session.execute(OPEN, {"most": most})]


def decide(
    session: Session, resident_id: int, name: str, staff_id: int, today: date, *, accepted: bool
) -> None:
    """A person's word on a trip, by the act's public name. Raises Conflict when the trip waits for nobody."""
    day, activity = parse_public_id(name)
    shard = shard_of(resident_id)
    lock_shard(session, shard)
    act = {"activity": activity, "resident": resident_id, "day": day, "shard": shard}
    found = session.execute(STANDING, act).one_or_none()
    if found is None or not (found.decision == "review" or found.sampled):
        raise Conflict("no_review", Text("该行程不在待核对之列", "This trip does not wait for a person"))
    if accepted and found.state == "held":
        session.execute(AGAIN, {**act, "generation": found.generation + 1})
    elif not accepted and found.state == "held":
        session.execute(REFUSE, {**act, "generation": found.generation})
    elif not accepted and found.state == "credited":
        reverse(session, resident_id, name, "trip_refused_by_staff", today)
    verification.record(session, act, ACCEPTED if accepted else REFUSED, by=staff_id)


def _open(row: Any) -> OpenReview:
    return OpenReview(
        row.resident_id,
        public_id(row.occurred_on, row.activity_id),
        BY_NUMBER[row.methodology][-1].code,
        row.monitored,
        row.decision,
        row.score,
        tuple(zip(row.reasons, row.scores, strict=True)),
        row.features,
        row.judged_at,
    )
