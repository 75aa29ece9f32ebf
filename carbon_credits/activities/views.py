"""An act as its resident sees it: what was told, and what has become of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import no_such_activity, parse_public_id, public_id
from carbon_credits.methodologies.catalogue import BY_NUMBER


@dataclass(frozen=True)
class ActivityView:
    """An act and what has become of it."""

    id: str
    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    occurred_on: date
    told_at: datetime
    status: str
    evidence_class: str
    monitored: dict[str, int]
    reduction_mg: int
    points: int
    bonus: int
    matures_on: date | None
    decided_at: datetime | None
    reasons: tuple[str, ...]
    position: tuple[date, int]


# The act, whether it is queued, and its newest decision: one row for one act.
VIEW = """
select a.activity_id, a.occurred_on, a.occurred_from, a.occurred_to, a.told_at, a.methodology,
       coalesce(d.evidence_class, a.evidence_class) as evidence_class, a.monitored, q.activity_id is not null as queued,
       d.generation, d.state, d.points, d.bonus, d.matures_on, d.decided_at, d.reasons,
       coalesce((select new_mg from restated r where r.resident_id = a.resident_id and r.activity_id = a.activity_id
                  and r.generation = d.generation order by restatement_id desc limit 1), d.credited_mg) as credited_mg
from activity a
left join activity_queue q
  on q.shard_id = a.shard_id and q.resident_id = a.resident_id
  and q.occurred_on = a.occurred_on and q.activity_id = a.activity_id
left join lateral (
  select * from decision d
  where d.resident_id = a.resident_id and d.occurred_on = a.occurred_on and d.activity_id = a.activity_id
  order by d.generation desc limit 1
) d on true
where a.resident_id = :resident
"""
ONE = text(VIEW + " and a.occurred_on = :day and a.activity_id = :activity")
PAGE = text(
    VIEW
    + """ and (cast(:day as date) is null or (a.occurred_on, a.activity_id) < (:day, :activity))
order by a.occurred_on desc, a.activity_id desc limit :limit"""
)


def activity_of(session: Session, resident_id: int, name: str) -> ActivityView:
    """One of the resident's acts; raises NotFound for another's as for none."""
    day, number = parse_public_id(name)
    found = session.execute(ONE, {"resident": resident_id, "day": day, "activity": number}).mappings().first()
    if found is None:
        raise no_such_activity()
    return _view(found)


def activities_of(
    session: Session, resident_id: int, *, before: tuple[date, int] | None, limit: int
) -> list[ActivityView]:
    """The resident's acts, latest day first, `before` a position already seen."""
    day, number = before if before is not None else (None, None)
    page = {"resident": resident_id, "day": day, "activity": number, "limit": limit}
    return [_view(found) for found in session.execute(PAGE, page).mappings()]


def _view(row: RowMapping) -> ActivityView:
    status = "claimed" if row["queued"] or row["state"] is None else row["state"]
    decided: Any = row if status != "claimed" else None
    return ActivityView(
        id=public_id(row["occurred_on"], row["activity_id"]),
        methodology=BY_NUMBER[row["methodology"]][-1].code,
        occurred_from=row["occurred_from"],
        occurred_to=row["occurred_to"],
        occurred_on=row["occurred_on"],
        told_at=row["told_at"],
        status=status,
        evidence_class=row["evidence_class"],
        monitored=row["monitored"],
        reduction_mg=decided["credited_mg"] if decided and status == "credited" else 0,
        points=decided["points"] if decided and status == "credited" else 0,
        bonus=decided["bonus"] if decided and status == "credited" else 0,
        matures_on=decided["matures_on"] if decided else None,
        decided_at=decided["decided_at"] if decided else None,
        reasons=_reasons(decided["reasons"]) if decided else (),
        position=(row["occurred_on"], row["activity_id"]),
    )


def _reasons(codes: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(codes or ())
