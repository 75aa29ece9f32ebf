"""Which act of a record counts: that of its highest version, unless something took the record back.

What should be follows from rows that are only ever added, what is from the work list and the newest decisions; the
difference is put back on the work list. So no order of arrival matters, and doing it again changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.work_list import ActRef, lock_shards, put_back

CORRECTED: Final = "corrected_by_partner"
WITHDRAWN: Final = "withdrawn_by_partner"

# Of these records those that have a second act or were taken back, and where all their acts lie. Most were told once:
# they are left out before anything else is looked up.
INVOLVED: Final = text("""
with touched as materialized (
  select r.ext_key
  from (select substr(cast(:keys as bytea), at, 16) as ext_key
        from generate_series(1, length(cast(:keys as bytea)), 16) at) r
  where exists (select from act_version v where v.source_id = :source and v.ext_key = r.ext_key)
     or exists (select from act_withdrawal w where w.source_id = :source and w.ext_key = r.ext_key)
), record as materialized (
  select k.ext_key, k.resident_id
  from touched t
  join act_key k on k.source_id = :source and k.ext_key = t.ext_key
  where exists (select from act_version v where v.source_id = :source and v.ext_key = t.ext_key
                  and v.activity_id <> k.activity_id)
     or exists (select from act_withdrawal w where w.source_id = :source and w.ext_key = t.ext_key)
)
select ext_key, (resident_id - 1) / 16384 as shard from record
union
select ext_key, (v.resident_id - 1) / 16384 from record join act_version v using (ext_key) where v.source_id = :source
""")
# The acts of these records that stand otherwise than they should: `why` they should not count, null for one that should
# and was put back by us. An act that people reversed stays reversed.
AMISS: Final = text("""
with told as (
  select r.ext_key, k.activity_id, k.resident_id, k.occurred_on, 1::bigint as version
  from unnest(cast(:keys as bytea[])) as r (ext_key)
  join act_key k on k.source_id = :source and k.ext_key = r.ext_key
  union all
  select r.ext_key, v.activity_id, v.resident_id, v.occurred_on, v.version
  from unnest(cast(:keys as bytea[])) as r (ext_key)
  join act_version v on v.source_id = :source and v.ext_key = r.ext_key
), act as (
  select ext_key, activity_id, resident_id, occurred_on, max(version) as version,
         row_number() over (partition by ext_key order by max(version) desc) = 1 as is_newest
  from told group by ext_key, activity_id, resident_id, occurred_on
), ought as (
  select act.*, case when not is_newest then :corrected else (
           select case w.kind when 'void' then :withdrawn else :corrected end
           from act_withdrawal w
           where w.source_id = :source and w.ext_key = act.ext_key and w.ended_at is null
             and (w.cause <> 'version' or w.version > act.version)
           order by w.kind desc limit 1) end as why
  from act
), stands as (
  select o.*, q.activity_id is not null as is_queued, d.state,
         case when q.activity_id is null then case when d.state = 'rejected' then d.reasons end
              when q.verdict = 'rejected' then q.reasons end as refused_for
  from ought o
  left join activity_queue q
    on q.shard_id = (o.resident_id - 1) / 16384 and q.resident_id = o.resident_id
    and q.occurred_on = o.occurred_on and q.activity_id = o.activity_id
  left join lateral (
    select state, reasons from decision d
    where d.resident_id = o.resident_id and d.occurred_on = o.occurred_on and d.activity_id = o.activity_id
    order by d.generation desc limit 1
  ) d on true
)
select why, resident_id, occurred_on, activity_id from stands
where case when why is null then refused_for && array[:corrected, :withdrawn]
           else not coalesce(refused_for @> array[why], false) and (is_queued or state <> 'reversed') end
order by resident_id, occurred_on, activity_id
""")


def let_newest_count(session: Session, source_id: int, keys: Collection[bytes]) -> int:
    """Put back the acts of these records that should not count any more, or should again; returns how many.

    Holds the shards of their acts until the transaction ends; records told once and never taken back cost a look-up.
    """
    if not keys:
        return 0
    involved = session.execute(INVOLVED, {"source": source_id, "keys": b"".join(set(keys))}).all()
    if not involved:
        return 0
    lock_shards(session, {shard for _, shard in involved})
    given = {
        "source": source_id,
        "keys": sorted({bytes(key) for key, _ in involved}),
        "corrected": CORRECTED,
        "withdrawn": WITHDRAWN,
    }
    amiss: dict[str | None, list[ActRef]] = defaultdict(list)
    for why, *act in session.execute(AMISS, given):
        amiss[why].append(ActRef(*act))
    return sum(_put(session, acts, why) for why, acts in amiss.items())


def _put(session: Session, acts: Sequence[ActRef], why: str | None) -> int:
    return put_back(session, acts, None if why is None else "rejected", () if why is None else (why,))
