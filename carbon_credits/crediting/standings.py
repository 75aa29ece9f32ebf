"""How acts stand that a person may have to decide on: many in one question, with what may be decided about each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.claims import Claim
from carbon_credits.activities.names import parse_public_id, public_id
from carbon_credits.crediting.estimates import Estimate, estimate
from carbon_credits.crediting.held import BY_ITSELF, IN_ITS_CASE, NEVER_CREDITED
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.programme.rate_card import RateCard

_STANDINGS: Final = text("""
select a.resident_id, a.occurred_on, a.activity_id, a.methodology, a.monitored, a.occurred_from, a.occurred_to,
       a.source_id, a.evidence_class, r.street, d.state, d.reasons, d.decided_at,
       (select true from activity_queue q
        where q.shard_id = a.shard_id and q.resident_id = a.resident_id and q.occurred_on = a.occurred_on
          and q.activity_id = a.activity_id limit 1) is not null as queued,
       v.decision as look, v.score, v.reasons as found, v.judged_at
from unnest(cast(:residents as bigint[]), cast(:days as date[]), cast(:numbers as bigint[]))
       as w (resident_id, occurred_on, activity_id)
cross join lateral (
  select * from activity a
  where a.resident_id = w.resident_id and a.occurred_on = w.occurred_on and a.activity_id = w.activity_id
    and a.shard_id = (w.resident_id - 1) / 16384
  offset 0
) a
join resident r on r.resident_id = w.resident_id
left join lateral (
  select state, reasons, decided_at from decision d
  where d.resident_id = w.resident_id and d.occurred_on = w.occurred_on and d.activity_id = w.activity_id
  order by d.generation desc limit 1
) d on true
left join lateral (
  select decision, score, reasons, judged_at from trip_verdict v
  where v.resident_id = w.resident_id and v.activity_id = w.activity_id order by v.round desc limit 1
) v on true
where cast(:territory as text[]) is null or r.street = any(cast(:territory as text[]))
""")
SAMPLED: Final = "sampled"


@dataclass(frozen=True)
class Standing:
    """An act as it stands: what was told, its newest decision and look. `since` is when it came to wait, if it waits."""

    resident_id: int
    activity: str
    occurred_on: date
    activity_id: int
    methodology: str
    monitored: Mapping[str, int]
    occurred_from: datetime
    occurred_to: datetime
    evidence_class: str
    street: str | None
    state: str | None
    reasons: tuple[str, ...]
    score: int | None
    look: str | None
    is_sample: bool
    outcomes: tuple[str, ...]
    since: datetime | None


def standings(
    session: Session, acts: Collection[tuple[int, str]], territory: Collection[str] | None = None
) -> dict[tuple[int, str], Standing]:
    """Acts by resident and public name; those there are not, and those outside the territory, are left out."""
    if not acts:
        return {}
    keys = [(resident, *parse_public_id(name)) for resident, name in acts]
    residents, days, numbers = zip(*keys, strict=True)
    given = {
        "residents": list(residents),
        "days": list(days),
        "numbers": list(numbers),
        "territory": None if territory is None else sorted(territory),
    }
    found = (_standing(row) for row in session.execute(_STANDINGS, given).mappings())
    return {(one.resident_id, one.activity): one for one in found}


def outcomes_of(reasons: Collection[str], *, is_held: bool, is_sample: bool) -> tuple[str, ...]:
    """What a person may decide of credit, reject and keep; nothing where it is decided elsewhere."""
    if is_sample:
        return ("credit", "reject")
    if not is_held or set(reasons) & IN_ITS_CASE:
        return ()
    if set(reasons) & BY_ITSELF:
        return ("keep",)
    return ("reject", "keep") if set(reasons) & NEVER_CREDITED else ("credit", "reject", "keep")


def estimates(session: Session, acts: Sequence[Standing]) -> dict[str, Estimate]:
    """What each act would come to if it were credited, by its name; rates are asked for once."""
    rates, told = RateCard(), {}
    for act in acts:
        claim = Claim(act.methodology, act.occurred_from, act.occurred_to, act.monitored)
        told[act.activity] = estimate(session, rates, claim, act.occurred_on, act.evidence_class)
    return told


def _standing(row: RowMapping) -> Standing:
    is_held = row["state"] == "held" and not row["queued"]
    is_sample = row["look"] == "accept" and SAMPLED in row["found"]
    reasons: Any = row["reasons"] if is_held else (SAMPLED,) if is_sample else ()
    return Standing(
        resident_id=row["resident_id"],
        activity=public_id(row["occurred_on"], row["activity_id"]),
        occurred_on=row["occurred_on"],
        activity_id=row["activity_id"],
        methodology=BY_NUMBER[row["methodology"]][-1].code,
        monitored=row["monitored"],
        occurred_from=row["occurred_from"],
        occurred_to=row["occurred_to"],
        # a trip that a person accepts counts as one whose trace was accepted
        evidence_class="C" if row["look"] and row["source_id"] == 0 else row["evidence_class"],
        street=row["street"],
        state=row["state"],
        reasons=tuple(reasons),
        score=row["score"],
        look=row["look"],
        is_sample=is_sample,
        outcomes=outcomes_of(reasons, is_held=is_held, is_sample=is_sample),
        since=row["decided_at"] if is_held else row["judged_at"] if is_sample else None,
    )
