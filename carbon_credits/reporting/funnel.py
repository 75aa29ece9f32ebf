"""How far residents came: enrolled, told of an act, had one credited, redeemed, active of late.

Counted shard by shard once an hour. Each step is part of the one before it: whoever was ever credited counts as credited,
also when that was taken back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.core.ids import SHARD_SIZE
from carbon_credits.reporting.rollups import UNSTATED

EVERY: Final = timedelta(minutes=50)
ACTIVE_DAYS: Final = 30

_DUE = text("""
select not exists (select from rollup_shard where shard_id = :shard and counted_at > :before)
""")
# Whom the rollups know was credited, and so told of an act; of the others it is asked.
_COUNT = text("""
insert into rollup_shard as s (shard_id, counted_at, registered, acted, credited, redeemed, active)
select :shard, :now, count(*), count(*) filter (where f.acted), count(k.resident_id), count(*) filter (where f.redeemed),
       count(*) filter (where k.last_on >= :since)
from resident r
left join rollup_resident k on k.resident_id = r.resident_id and k.shard_id = :shard
cross join lateral (
  select k.resident_id is not null
           or exists (select from activity a where a.resident_id = r.resident_id) as acted,
         k.resident_id is not null
           and exists (select from redemption x where x.resident_id = r.resident_id and x.state = 'captured') as redeemed
) f
where r.resident_id between :first and :last and r.status = 'active'
on conflict (shard_id) do update
set counted_at = excluded.counted_at, registered = excluded.registered, acted = excluded.acted,
    credited = excluded.credited, redeemed = excluded.redeemed, active = excluded.active
""")
_FORGET_STREETS = text("delete from rollup_registered where shard_id = :shard")
_COUNT_STREETS = text("""
insert into rollup_registered (shard_id, street, residents)
select :shard, coalesce(street, :unstated), count(*) from resident
where resident_id between :first and :last and status = 'active' group by 2 order by 2
""")
_COME = text("""
select coalesce(sum(registered), 0)::int as registered, coalesce(sum(acted), 0)::int as acted,
       coalesce(sum(credited), 0)::int as credited, coalesce(sum(redeemed), 0)::int as redeemed,
       coalesce(sum(active), 0)::int as active
from rollup_shard
""")


@dataclass(frozen=True)
class Funnel:
    """Residents by how far they came; `active` had an act credited in the last 30 days."""

    registered: int
    acted: int
    credited: int
    redeemed: int
    active: int


def count_shard(session: Session, shard_id: int, now: datetime) -> int:
    """Count one shard's residents; 0 when that was done within the hour."""
    if not session.execute(_DUE, {"shard": shard_id, "before": now - EVERY}).scalar_one():
        return 0
    session.execute(text("select set_config('statement_timeout', '60s', true)"))
    given = {
        "shard": shard_id,
        "now": now,
        "since": day_of(now) - timedelta(days=ACTIVE_DAYS - 1),
        "first": shard_id * SHARD_SIZE + 1,
        "last": (shard_id + 1) * SHARD_SIZE,
    }
    session.execute(_COUNT, given)
    session.execute(_FORGET_STREETS, {"shard": shard_id})
    places = {name: given[name] for name in ("shard", "first", "last")}
    session.execute(_COUNT_STREETS, {**places, "unstated": UNSTATED})
    return 1


def come(session: Session) -> Funnel:
    """How far all residents came, by the newest counts."""
    return Funnel(**session.execute(_COME).mappings().one())
