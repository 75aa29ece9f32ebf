"""Everything that helps to decide on one act: what was told and found, what it meets, and what was decided before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.claims import Claim
from carbon_credits.activities.names import no_such_activity, parse_public_id, public_id
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.estimates import Estimate, estimate
from carbon_credits.crediting.standings import SAMPLED, outcomes_of
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.programme.rate_card import RateCard

SHOWN: Final = 10
LOOKED_BACK: Final = timedelta(days=90)

_ACT: Final = text("""
select a.resident_id, a.occurred_on, a.activity_id, a.occurred_from, a.occurred_to, a.told_at, a.methodology,
       a.source_id, s.feed, a.evidence_class, a.monitored, a.evidence ->> 'steps' as steps, r.street, r.enrolled_at,
       r.status as resident_status,
       exists (select from activity_queue q where q.shard_id = a.shard_id and q.resident_id = a.resident_id
               and q.occurred_on = a.occurred_on and q.activity_id = a.activity_id) as queued,
       exists (select from trip_trace t where t.activity_id = a.activity_id and t.shard_id = a.shard_id
               and t.resident_id = a.resident_id) as has_trace
from activity a
join resident r using (resident_id)
join source s using (source_id)
where a.resident_id = :resident and a.occurred_on = :day and a.activity_id = :activity and a.shard_id = :shard
  and (cast(:territory as text[]) is null or r.street = any(cast(:territory as text[])))
""")
_PASSAGES: Final = text("""
select generation, state, reasons, credited_mg, points, evidence_class, decided_at, against from decision
where resident_id = :resident and occurred_on = :day and activity_id = :activity and shard_id = :shard
order by generation desc
""")
_LOOKS: Final = text("""
select v.round, v.judged_at, v.decision, v.score, v.reasons, v.scores, v.features, v.rules_version, g.name as by_name
from trip_verdict v left join staff g on g.staff_id = v.by_staff
where v.resident_id = :resident and v.activity_id = :activity and v.shard_id = :shard
order by v.round desc
""")
_OTHERS: Final = """
select a.occurred_on, a.activity_id, a.occurred_from, a.occurred_to, a.methodology, a.source_id, s.feed, a.monitored,
       d.state, d.reasons, d.credited_mg, d.decided_at, d.evidence_class
from activity a
join source s using (source_id)
left join lateral (
  select state, reasons, credited_mg, decided_at, evidence_class from decision n
  where n.resident_id = a.resident_id and n.occurred_on = a.occurred_on and n.activity_id = a.activity_id
  order by n.generation desc limit 1
) d on true
where a.resident_id = :resident and a.shard_id = :shard and a.activity_id <> :activity
"""
# At the same time, or the very act that this one was held against.
_CONFLICTS: Final = text(
    _OTHERS
    + """ and a.occurred_on between cast(:day as date) - 1 and cast(:day as date) + 1
  and ((a.occurred_from < :ends and a.occurred_to > :begins) or a.activity_id = any(cast(:against as bigint[])))
order by a.occurred_from, a.activity_id limit :most"""
)
# What else of this resident was not simply credited of late.
_EARLIER: Final = text(
    _OTHERS
    + """ and a.occurred_on between :since and :day and d.state in ('held', 'rejected', 'reversed')
order by a.occurred_on desc, a.activity_id desc limit :most"""
)


@dataclass(frozen=True)
class Passage:
    """One decision on an act."""

    generation: int
    state: str
    reasons: tuple[str, ...]
    credited_mg: int
    points: int
    evidence_class: str
    decided_at: datetime


@dataclass(frozen=True)
class Look:
    """What one look at the trace found, by the rules or by a person (`by_name`)."""

    round: int
    judged_at: datetime
    decision: str
    score: int
    reasons: tuple[tuple[str, int], ...]
    features: Mapping[str, int] | None
    rules_version: int
    by_name: str | None


@dataclass(frozen=True)
class OtherAct:
    """Another act of the resident, and what became of it; `shared_s` are the seconds it has in common."""

    activity: str
    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    feed: str
    monitored: Mapping[str, int]
    state: str
    reasons: tuple[str, ...]
    credited_mg: int
    shared_s: int
    shared_ppm: int


@dataclass(frozen=True)
class HeldActFile:
    """An act with all that is known about it; of its resident no more than a number, a street and a day."""

    resident_id: int
    activity: str
    occurred_on: date
    activity_id: int
    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    told_at: datetime
    feed: str | None
    evidence_class: str
    monitored: Mapping[str, int]
    steps: int | None
    street: str | None
    enrolled_at: datetime
    has_trace: bool
    queued: bool
    passages: Sequence[Passage]
    looks: Sequence[Look]
    conflicts: Sequence[OtherAct]
    earlier: Sequence[OtherAct]
    estimate: Estimate

    @property
    def is_held(self) -> bool:
        """Whether its newest decision holds it, and nobody has put it back since."""
        return bool(self.passages) and self.passages[0].state == "held" and not self.queued

    @property
    def is_sample(self) -> bool:
        """Whether it was credited and drawn for a second look that nobody has given it."""
        newest = self.looks[0] if self.looks else None
        return newest is not None and newest.decision == "accept" and SAMPLED in dict(newest.reasons)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it waits."""
        if self.is_held:
            return self.passages[0].reasons
        return (SAMPLED,) if self.is_sample else ()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What a person may decide at present: of credit, reject and keep; nothing where it is decided elsewhere."""
        return outcomes_of(self.reasons, is_held=self.is_held, is_sample=self.is_sample)


def file_of(
    session: Session, resident_id: int, name: str, territory: Collection[str] | None = None
) -> HeldActFile:
    """An act by its resident and public name. Raises NotFound, for one outside the territory as for none."""
    day, number = parse_public_id(name)
    act: dict[str, Any] = {
        "resident": resident_id,
        "day": day,
        "activity": number,
        "shard": shard_of(resident_id),
        "territory": None if territory is None else sorted(territory),
    }
    row = session.execute(_ACT, act).mappings().one_or_none()
    if row is None:
        raise no_such_activity()
    passages = session.execute(_PASSAGES, act).mappings().all()
    looks = session.execute(_LOOKS, act).mappings().all()
    return _file(session, act, row, passages, [_look(look) for look in looks])


def _file(
    session: Session,
    act: dict[str, Any],
    row: RowMapping,
    passages: Sequence[RowMapping],
    looks: Sequence[Look],
) -> HeldActFile:
    code = BY_NUMBER[row["methodology"]][-1].code
    told = Claim(code, row["occurred_from"], row["occurred_to"], row["monitored"])
    # a trip that a person accepts counts as one whose trace was accepted
    worth = "C" if looks and row["source_id"] == 0 else row["evidence_class"]
    return HeldActFile(
        resident_id=act["resident"],
        activity=public_id(act["day"], act["activity"]),
        occurred_on=act["day"],
        activity_id=act["activity"],
        methodology=code,
        occurred_from=row["occurred_from"],
        occurred_to=row["occurred_to"],
        told_at=row["told_at"],
        feed=row["feed"] if row["source_id"] else None,
        evidence_class=row["evidence_class"],
        monitored=row["monitored"],
        steps=None if row["steps"] is None else int(row["steps"]),
        street=row["street"],
        enrolled_at=row["enrolled_at"],
        has_trace=row["has_trace"],
        queued=row["queued"],
        passages=[_passage(one) for one in passages],
        looks=looks,
        conflicts=_conflicts(session, act, row, passages),
        earlier=_earlier(session, act, row),
        estimate=estimate(session, RateCard(0), told, act["day"], worth),
    )


def _conflicts(
    session: Session, act: dict[str, Any], row: RowMapping, passages: Sequence[RowMapping]
) -> list[OtherAct]:
    against = [one["against"] for one in passages if one["against"] is not None]
    given = {**act, "begins": row["occurred_from"], "ends": row["occurred_to"], "against": against}
    found = session.execute(_CONFLICTS, {**given, "most": SHOWN}).mappings()
    return [_other(other, row) for other in found]


def _earlier(session: Session, act: dict[str, Any], row: RowMapping) -> list[OtherAct]:
    given = {**act, "since": act["day"] - LOOKED_BACK, "most": SHOWN}
    return [_other(other, row) for other in session.execute(_EARLIER, given).mappings()]


def _other(other: RowMapping, row: RowMapping) -> OtherAct:
    both = min(other["occurred_to"], row["occurred_to"]) - max(other["occurred_from"], row["occurred_from"])
    shorter = min(
        other["occurred_to"] - other["occurred_from"],
        row["occurred_to"] - row["occurred_from"],
    )
    shared_s, shorter_s = max(0, int(both.total_seconds())), int(shorter.total_seconds())
    return OtherAct(
        activity=public_id(other["occurred_on"], other["activity_id"]),
        methodology=BY_NUMBER[other["methodology"]][-1].code,
        occurred_from=other["occurred_from"],
        occurred_to=other["occurred_to"],
        feed=other["feed"] if other["source_id"] else "",
        monitored=other["monitored"],
        state=other["state"] or "claimed",
        reasons=tuple(other["reasons"] or ()),
        credited_mg=other["credited_mg"] or 0,
        shared_s=shared_s,
        shared_ppm=shared_s * 1_000_000 // shorter_s if shorter_s else 0,
    )


def _passage(row: RowMapping) -> Passage:
    return Passage(
        row["generation"],
        row["state"],
        tuple(row["reasons"] or ()),
        row["credited_mg"],
        row["points"],
        row["evidence_class"],
        row["decided_at"],
    )


def _look(row: RowMapping) -> Look:
    return Look(
        row["round"],
        row["judged_at"],
        row["decision"],
        row["score"],
        tuple(zip(row["reasons"], row["scores"], strict=True)),
        row["features"],
        row["rules_version"],
        row["by_name"],
    )
