"""Acts that the balance holds: all sessions of a bag that does not balance, and the newest beyond a month's purchases.

Which acts ought to be held follows from what was told alone; what is held already and what ought to be are compared, and
only the difference is put back on the work list. A late ticket, deposit or purchase therefore lets go what it explains.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from carbon_credits.activities.work_list import ActRef, lock_shards, put_back
from carbon_credits.core.ids import shard_of
from carbon_credits.reconciliation.purchases import STOCK_PM

BAG: Final = "bag_does_not_balance"
PURCHASES: Final = "beyond_recycler_purchases"
MOST: Final = 2_000

STAGE = """
create temp table if not exists wanted (
  source_id smallint not null, ext_key bytea not null, activity_id bigint not null, resident_id bigint not null,
  occurred_on date not null, reason text not null,
  primary key (source_id, ext_key)
) on commit delete rows
"""
# All acts of the bags that were judged to be out. Deposits of people who are not bound are no acts and nobody's.
OF_BAGS = text("""
insert into wanted
select d.source_id, d.ext_key, k.activity_id, k.resident_id, k.occurred_on, :reason
from bag b
join station_deposit d
  on d.source_id = b.source_id and d.station = b.station and d.methodology = b.methodology
  and d.at > b.since and d.at <= b.emptied_at and d.withdrawn_at is null
join act_key k on k.source_id = d.source_id and k.ext_key = d.ext_key
where b.state = 'out'
""")
# The newest acts beyond what was bought, in the order (occurred_from, source, key): as many are kept as fit whole, and
# once one does not fit, all later ones are beyond. Only what is credited, or would be but for this, takes room; a month
# in which all that was told fits is not looked at further.
OF_PURCHASES = text("""
insert into wanted
with bought as (
  select source_id, month, methodology, greatest(sum(bought_g), 0) * (1000 + :stock) / 1000 as cap_g,
         month::timestamp at time zone 'Asia/Shanghai' as first,
         (month::timestamp + interval '1 month') at time zone 'Asia/Shanghai' as until
  from recycler_purchase
  where (month::timestamp + interval '1 month') at time zone 'Asia/Shanghai' > :first
  group by 1, 2, 3
), short as (
  select b.* from bought b
  where b.cap_g < (
    select sum(d.mass_g) from station_deposit d
    where d.source_id = b.source_id and d.methodology = b.methodology and d.at >= b.first and d.at < b.until
      and d.withdrawn_at is null)
), running as (
  select d.source_id, d.ext_key, k.activity_id, k.resident_id, k.occurred_on, b.cap_g,
         sum(d.mass_g) over (partition by d.source_id, b.month, d.methodology order by d.at, d.ext_key) as mass_g
  from short b
  join station_deposit d
    on d.source_id = b.source_id and d.methodology = b.methodology and d.at >= b.first and d.at < b.until
    and d.withdrawn_at is null
  join act_key k on k.source_id = d.source_id and k.ext_key = d.ext_key
  cross join lateral (
    select n.state from decision n
    where n.resident_id = k.resident_id and n.occurred_on = k.occurred_on and n.activity_id = k.activity_id
    order by n.generation desc limit 1
  ) n
  left join mass_hold h on h.source_id = d.source_id and h.ext_key = d.ext_key and h.released_at is null
  where (n.state = 'credited' or (n.state = 'held' and h.ext_key is not null))
    and not exists (select from wanted w where w.source_id = d.source_id and w.ext_key = d.ext_key)
)
select source_id, ext_key, activity_id, resident_id, occurred_on, :reason from running where mass_g > cap_g
""")
_NEWEST = """
cross join lateral (
  select n.state, n.reasons from decision n
  where n.resident_id = x.resident_id and n.occurred_on = x.occurred_on and n.activity_id = x.activity_id
  order by n.generation desc limit 1
) n
where not exists (
  select from activity_queue q
  where q.shard_id = (x.resident_id - 1) / 16384 and q.resident_id = x.resident_id and q.occurred_on = x.occurred_on
    and q.activity_id = x.activity_id)
"""
# Ought to be held and is credited. What is on the work list is looked at when it has been decided.
TO_HOLD = text(f"""
select x.source_id, x.ext_key, x.activity_id, x.resident_id, x.occurred_on, x.reason, true as is_ours
from wanted x {_NEWEST} and n.state = 'credited'
order by x.resident_id, x.occurred_on, x.activity_id limit :most
""")  # noqa: S608 - made of constants
# Is held and ought not to be, or not for this. What lies before the time looked at is left as it is; what the partner
# took back is not decided again here.
TO_RELEASE = text(f"""
select x.source_id, x.ext_key, x.activity_id, x.resident_id, x.occurred_on, x.reason,
       n.state = 'held' and x.reason = any(n.reasons) and d.withdrawn_at is null as is_ours
from mass_hold x
join station_deposit d on d.source_id = x.source_id and d.ext_key = x.ext_key
{_NEWEST} and x.released_at is null and d.at >= :first
  and not exists (select from wanted w
                  where w.source_id = x.source_id and w.ext_key = x.ext_key and w.reason = x.reason)
order by x.resident_id, x.occurred_on, x.activity_id limit :most
""")  # noqa: S608 - made of constants
NOTE_HELD = text("""
insert into mass_hold (source_id, ext_key, activity_id, resident_id, occurred_on, reason)
values (:source_id, :ext_key, :activity_id, :resident_id, :occurred_on, :reason)
on conflict do nothing
""")
NOTE_RELEASED = text("""
update mass_hold set released_at = clock_timestamp()
where source_id = :source_id and ext_key = :ext_key and released_at is null
""")


def hold_and_release(session: Session, first: datetime, most: int = MOST) -> int:
    """Put back acts whose holding and the bags of the table `bag` (or purchases) disagree; returns how many, 0 at rest.

    Acts of `first` and later are looked at, at most `most` of each kind. The batch then takes back what they were
    credited, or credits them again.
    """
    session.execute(text(STAGE))
    session.execute(text("truncate wanted"))
    session.execute(OF_BAGS, {"reason": BAG})
    session.execute(OF_PURCHASES, {"reason": PURCHASES, "stock": STOCK_PM, "first": first})
    session.execute(text("analyze wanted"))
    given = {"first": first, "most": most}
    # a bag's verdict ends before another reason begins, so that an act is held for one at a time
    released = _under_locks(session, TO_RELEASE, given)
    put_back(session, [_act(row) for row in released if row.is_ours], None, ())
    _note(session, NOTE_RELEASED, released)
    held = _under_locks(session, TO_HOLD, given)
    for reason in (BAG, PURCHASES):
        put_back(session, [_act(row) for row in held if row.reason == reason], "held", (reason,))
    _note(session, NOTE_HELD, held)
    return len(released) + len(held)


def _under_locks(session: Session, question: TextClause, given: dict[str, Any]) -> Sequence[Any]:
    """Ask, lock the shards of the answer in their order, and ask again: no batch is half-way through these acts."""
    shards = {shard_of(row.resident_id) for row in session.execute(question, given)}
    lock_shards(session, shards)
    return [row for row in session.execute(question, given) if shard_of(row.resident_id) in shards]


def _note(session: Session, statement: TextClause, rows: Sequence[Any]) -> None:
    if rows:
        session.execute(statement, [dict(row._mapping) for row in rows])


def _act(row: Any) -> ActRef:
    return ActRef(row.resident_id, row.occurred_on, row.activity_id)
