"""When waiting for a partner's record ends: absence counts only once every feed that could have told is complete.

A feed could have told of an act when it reports the act's methodology, its partner is active, and the resident is bound
to that partner. It is complete when its watermark lies beyond the act's end plus the feed's grace. A feed that has no
watermark (it pushes records, no files) can be waited for no longer than it may tell: thirty-five days. Bound to none of
them, the resident may still bind an account whose record waits, so the same thirty-five days hold.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reconciliation.models import FeedGrace

REASON: Final = "no_partner_record"
# the longest that a partner may be late with a record; after it, none can come any more
LONGEST: Final = timedelta(days=35)

# The feeds by the methodologies they report, and how far each is complete.
_FEEDS = """
feed as materialized (
  select s.source_id, s.partner_id, m.methodology, w.complete_through
  from source s
  join partner p using (partner_id)
  join unnest(cast(:numbers as smallint[]), cast(:codes as text[])) as m (methodology, code)
    on m.code = any(s.methodologies)
  left join feed_watermark w using (source_id)
  where p.status = 'active'
)"""

# Newest decisions that wait, not put back since, of which nobody has anything more to tell. The oldest days first.
_DUE = f"""
with {_FEEDS}, waits as materialized (
  select d.resident_id, d.occurred_on, d.activity_id, d.generation, d.shard_id, d.methodology, d.occurred_to
  from decision d
  where d.shard_id = :shard and d.state = 'awaiting' and d.occurred_on <= :latest
    -- as a scalar, so that each is looked up: joined, it would read every decision of the shard
    and (select true from decision later
         where later.resident_id = d.resident_id and later.occurred_on = d.occurred_on
           and later.activity_id = d.activity_id and later.generation > d.generation limit 1) is null
    and not exists (select from activity_queue q
                    where q.shard_id = d.shard_id and q.resident_id = d.resident_id
                      and q.occurred_on = d.occurred_on and q.activity_id = d.activity_id)
), bound as materialized (
  -- partner accounts in force of the residents that wait
  select distinct b.resident_id, b.partner_id from binding b
  where b.ended_at is null and b.resident_id in (select resident_id from waits)
), could_tell as (
  select w.resident_id, w.activity_id,
         bool_and(case when f.complete_through is null then w.occurred_to < :now - :longest
                       else f.complete_through >= w.occurred_to + grace_of(f.source_id, w.occurred_on) end) as all_told
  from waits w
  join bound b using (resident_id)
  join feed f using (partner_id, methodology)
  group by w.resident_id, w.activity_id
)
select w.*
from waits w
left join could_tell c using (resident_id, activity_id)
where coalesce(c.all_told, w.occurred_to < :now - :longest)
order by w.occurred_on, w.resident_id, w.activity_id
limit :most
"""  # noqa: S608 - made of constants
END = text(f"""
update decision d set state = 'rejected', reasons = array['{REASON}']
from ({_DUE}) due
where d.resident_id = due.resident_id and d.occurred_on = due.occurred_on and d.activity_id = due.activity_id
  and d.generation = due.generation and d.shard_id = due.shard_id and d.state = 'awaiting'
returning d.activity_id
""")  # noqa: S608 - made of constants

# For one act: the latest instant at which a feed that could tell of it would be complete, if it comes in time.
UNTIL = text(f"""
with {_FEEDS}
select max(case when f.complete_through is null then cast(:ended as timestamptz) + :longest
                else :ended + grace_of(f.source_id, :day) end)
from feed f
join binding b using (partner_id)
where b.resident_id = :resident and b.ended_at is null and f.methodology = :methodology
""")  # noqa: S608 - made of constants


def end_waiting(session: Session, shard_id: int, now: datetime, most: int) -> int:
    """Reject up to `most` claims of a shard whose record will not come; the caller holds the shard's lock.

    Done again it finds nothing; a record that comes all the same is still matched and credited by the batch.
    """
    given = {**_catalogue(), "shard": shard_id, "latest": now.date(), "now": now, "longest": LONGEST}
    session.execute(text("set local jit = off"))
    return len(session.execute(END, {**given, "most": most}).all())


def waits_until(
    session: Session, resident_id: int, methodology: int, ended: datetime, day: date, now: datetime
) -> datetime | None:
    """Until when an act that awaits its record waits at least; None when its partner is late and nobody knows."""
    given = {
        **_catalogue(),
        "resident": resident_id,
        "methodology": methodology,
        "ended": ended,
        "day": day,
        "longest": LONGEST,
    }
    until: datetime | None = session.execute(UNTIL, given).scalar_one()
    last = ended + LONGEST if until is None else until
    return last if last > now else None


def set_grace(
    session: Session, source_id: int, days: int, in_force: date, reason: str, staff_id: int
) -> None:
    """From a day on, wait so many days beyond a feed's watermark. One row for a feed and day, never changed."""
    row = {"source_id": source_id, "in_force": in_force, "days": days, "reason": reason, "set_by": staff_id}
    session.execute(insert(FeedGrace).values(**row))
    after = {"days": days, "in_force": in_force.isoformat()}
    audit.record(session, f"staff:{staff_id}", "feed.grace", f"source:{source_id}", None, after)


def _catalogue() -> Mapping[str, Any]:
    numbers = sorted(BY_NUMBER)
    return {"numbers": numbers, "codes": [BY_NUMBER[number][-1].code for number in numbers]}
