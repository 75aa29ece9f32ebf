"""Looking at traces: a claim that brought one waits here until it is judged, then joins the work list with the result.

What the rules say is `trips/`; this file brings them what only the database knows and writes down what they found. One
look at a time in the whole programme, so that the same trace told twice at once is seen by the second look.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, insert, text
from sqlalchemy.orm import Session

from carbon_credits.activities import traces
from carbon_credits.activities.models import TripPrint
from carbon_credits.activities.trips.fingerprint import Prints, overlap_ppm, prints_of
from carbon_credits.activities.trips.judging import Surroundings, TripClaim, Verdict, judge
from carbon_credits.activities.trips.trace import BrokenTrace, Trace, read_claim
from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.residents.service import resident_key

log = logging.getLogger(__name__)

ONE_AT_A_TIME: Final = 7_205_759  # the advisory lock of all looks
SAMPLED_PER_MILLE: Final = 20  # accepted trips that a person looks at too: how often the rules accept wrongly
SAMPLED: Final = "sampled"

WAITING = text("""
select t.activity_id, t.resident_id, t.occurred_on, t.shard_id, t.sealed, a.methodology, a.occurred_from, a.occurred_to,
       a.monitored, a.evidence, r.enrolled_at
from trip_trace t
join activity a using (resident_id, occurred_on, activity_id, shard_id)
join resident r using (resident_id)
where t.judged_at is null
order by t.received_at, t.activity_id
limit :most
for update of t
""")
# Traces that share a print with this one, those with most in common first; only they are compared in full. A print is a
# 64-bit keyed digest, so what shares none is another trip.
KIN = text("""
select exact, moves, route
from (
  select exact, moves, route, exact || moves as prints from trip_print
  where keyed_for = :year and activity_id <> :activity
    and (exact && cast(:exact as bigint[]) or moves && cast(:moves as bigint[]))
  offset 0
) kin
order by (select count(*) from unnest(kin.prints) p
          where p = any(cast(:exact as bigint[]) || cast(:moves as bigint[]))) desc
limit 20
""")
RECORD = text("""
insert into trip_verdict (activity_id, resident_id, occurred_on, shard_id, round, rules_version, score, by_staff,
  decision, reasons, scores, features)
select :activity, :resident, :day, :shard, coalesce(max(round), 0) + 1, :rules, :score, :by, :decision,
       cast(:reasons as text[]), cast(:scores as smallint[]), cast(:features as jsonb)
from trip_verdict where activity_id = :activity and resident_id = :resident
""")
QUEUE = text("""
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id, evidence_class, verdict, reasons)
values (:activity, :resident, :day, 1, :shard, :evidence_class, :verdict, cast(:reasons as text[]))
""")
DONE = text(
    "update trip_trace set judged_at = :now, sealed = :sealed where activity_id = :activity and shard_id = :shard"
)
LATEST = text("""
select round, decision, score, reasons, scores, rules_version, judged_at, by_staff is not null as by_a_person, features
from trip_verdict where resident_id = :resident and activity_id = :activity order by round desc limit 1
""")


class Fate(NamedTuple):
    """How an act joins the work list: the class it earned, what was found instead, and the reasons to be kept."""

    evidence_class: str
    verdict: str | None
    reasons: list[str]


@dataclass(frozen=True)
class TripView:
    """The newest look at a trip, as its resident may see it."""

    decision: str
    reasons: tuple[str, ...]
    rules_version: int
    judged_at: datetime
    by_a_person: bool
    features: Mapping[str, int] | None


def judge_waiting(session: Session, vault: Vault, now: datetime, most: int) -> tuple[int, set[int]]:
    """Judge up to `most` waiting traces and queue their acts; how many, and the shards to ring for.

    The caller's transaction holds the look's lock to its end; where another one looks, nothing is done.
    """
    mine = session.execute(text("select pg_try_advisory_xact_lock(:lock)"), {"lock": ONE_AT_A_TIME})
    if not mine.scalar_one():
        return 0, set()
    rows = session.execute(WAITING, {"most": most}).mappings().all()
    for row in rows:
        _judge(session, vault, row, now)
    return len(rows), {row["shard_id"] for row in rows}


def trip_of(session: Session, resident_id: int, activity_id: int) -> TripView | None:
    """The newest look at a resident's trip; None where there was no trace or nobody looked yet."""
    found = session.execute(LATEST, {"resident": resident_id, "activity": activity_id}).one_or_none()
    if found is None:
        return None
    told = tuple(code for code, score in zip(found.reasons, found.scores, strict=True) if score <= 0)
    return TripView(
        found.decision, told, found.rules_version, found.judged_at, found.by_a_person, found.features
    )


def _judge(session: Session, vault: Vault, row: RowMapping, now: datetime) -> None:
    act = {
        "activity": row["activity_id"],
        "resident": row["resident_id"],
        "day": row["occurred_on"],
        "shard": row["shard_id"],
    }
    try:
        key = resident_key(session, vault, row["resident_id"])
        trace = read_claim(traces.opened(key, row["activity_id"], row["sealed"]), row["occurred_from"])
    except (NotFound, CannotOpen, BrokenTrace) as error:
        # the person's key is gone, or the points cannot be read after all: the act stands by its own word
        code = getattr(error, "code", "trace_cannot_be_opened")
        log.warning("trace not read", extra={"activity": row["activity_id"], "reason": code})
        verdict = Verdict("unverified", 0, ((code, 0),), None)
        kept = row["sealed"]
    else:
        verdict = _look(session, vault, row, trace, now)
        kept = traces.shortened(key, row["activity_id"], trace, row["occurred_from"])
    record(session, act, verdict)
    fate = fate_of(verdict, needs_partner=BY_NUMBER[row["methodology"]][-1].needs_partner)
    session.execute(QUEUE, {**act, **fate._asdict()})
    session.execute(DONE, {**act, "now": now, "sealed": kept})


def _look(session: Session, vault: Vault, row: RowMapping, trace: Trace, now: datetime) -> Verdict:
    claim = TripClaim(
        methodology=BY_NUMBER[row["methodology"]][-1].code,
        occurred_from=row["occurred_from"],
        occurred_to=row["occurred_to"],
        distance_m=row["monitored"].get("distance_m", 0),
        steps=(row["evidence"] or {}).get("steps"),
    )
    seen = _remember(session, vault, row, trace, now.year)
    age = (now - row["enrolled_at"]).days
    around = Surroundings(seen_exact_ppm=seen[0], seen_moves_ppm=seen[1], account_age_days=age)
    verdict = judge(trace, claim, around)
    if verdict.decision == "accept" and _sampled(vault, row["activity_id"]):
        return Verdict("accept", verdict.score, (*verdict.reasons, (SAMPLED, 0)), verdict.features)
    return verdict


def _remember(session: Session, vault: Vault, row: RowMapping, trace: Trace, year: int) -> tuple[int, int]:
    """Keep the trace's prints; the greatest shares (exact points, movements; ppm) found in one other trace."""
    shares = [(0, 0)]
    for keyed_for in (year - 1, year):
        prints = prints_of(trace, vault.key(f"trip-print:{keyed_for}"))
        shares.extend(_shares(session, row["activity_id"], keyed_for, prints))
    session.execute(
        insert(TripPrint).values(
            activity_id=row["activity_id"],
            resident_id=row["resident_id"],
            keyed_for=year,
            exact=list(prints.exact),
            moves=list(prints.moves),
            route=list(prints.route),
        )
    )
    return max(exact for exact, _ in shares), max(moves for _, moves in shares)


def _shares(session: Session, activity_id: int, year: int, prints: Prints) -> Iterator[tuple[int, int]]:
    given = {
        "year": year,
        "activity": activity_id,
        "exact": list(prints.exact),
        "moves": list(prints.moves),
    }
    for kin in session.execute(KIN, given):
        seen = overlap_ppm(prints, Prints(tuple(kin.exact), tuple(kin.moves), tuple(kin.route)))
        yield seen.exact_ppm, seen.moves_ppm


def record(session: Session, act: Mapping[str, Any], verdict: Verdict, by: int | None = None) -> None:
    """Write down a look as the act's next round. `act`: activity, resident, day, shard; `by`: a member of staff."""
    features = None if verdict.features is None else json.dumps(asdict(verdict.features))
    given = {
        **act,
        "rules": verdict.rules_version,
        "score": verdict.score,
        "by": by,
        "decision": verdict.decision,
        "reasons": [code for code, _ in verdict.reasons],
        "scores": [score for _, score in verdict.reasons],
        "features": features,
    }
    session.execute(RECORD, given)


def fate_of(verdict: Verdict, *, needs_partner: bool) -> Fate:
    """What a verdict means on the work list.

    Accepted: the phone with an accepted trace (C). Unverified: the phone alone (D), with the reason kept. Where a
    partner's record decides anyway, only a rejection counts; a doubt waits for the record like everything else.
    """
    against = [code for code, score in verdict.reasons if score < 0]
    if verdict.decision == "accept":
        return Fate("C", None, [])
    if verdict.decision == "reject":
        return Fate("D", "rejected", against or ["trip_not_credible"])
    if verdict.decision == "review" and not needs_partner:
        return Fate("D", "held", [*against, "trip_under_review"])
    if needs_partner:
        return Fate("D", None, [])
    why = next((code for code, score in verdict.reasons if score == 0), "trip_unverified")
    return Fate("D", None, [why])


def _sampled(vault: Vault, activity_id: int) -> bool:
    drawn = int.from_bytes(vault.blind("trip-sample", str(activity_id))[:4], "big")
    return drawn % 1000 < SAMPLED_PER_MILLE


__all__ = ["Fate", "TripView", "fate_of", "judge_waiting", "record", "trip_of"]
