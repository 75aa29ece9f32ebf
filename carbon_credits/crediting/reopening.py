"""Deciding again: what an act that comes or goes changes about the other acts of its resident.

Caps are used in order of time, one trip excludes another, a record replaces a claim: an act that arrives late would
find all that used up by those that came first. So the batch reopens what stands on the days it touches, decides
everything of a day together, in an order that has nothing to do with arrival, and writes down what has changed.
"""

from datetime import date
from typing import Any, Final

from psycopg import Connection
from sqlalchemy import Row
from sqlalchemy.orm import Session

from carbon_credits.crediting import bonuses, exclusivity
from carbon_credits.crediting.reversal import Undoing, undo
from carbon_credits.methodologies.catalogue import METHODOLOGIES

# Why an act came to nothing because of another act: with the other, the reason may go.
RELATIONAL: Final = (
    "overlaps_credited_trip",
    "overlaps_another_trip",
    "replaced_by_partner_record",
    "ambiguous_match",
    "no_partner_record",
    *(basis.reason for basis in exclusivity.BASES),
)
# Reasons that the batch finds by itself and finds again; the others were brought to it and stay with the act.
FOUND_HERE: Final = (
    *RELATIONAL,
    "awaiting_partner_record",
    "no_reduction",
    *sorted({m.no_grams.reason for m in METHODOLOGIES if m.no_grams is not None}),
    *(f"{period}_{unit}_cap" for period in ("daily", "monthly", "yearly") for unit in ("count", "quantity")),
    "daily_points_cap",
    "no_earning_rate",
    "fund_exhausted",
)

# The newest decision of every act of these residents on these days, and of credited trips on the days beside them. A
# motion lasts six hours at most, so only its own day can matter, save around midnight; a cap of the month or the
# year reaches from the day of the act to the end of the year, a campaign's to the end of its week or its own.
STANDING: Final = """
insert into batch_standing
select d.activity_id, d.resident_id, d.occurred_from, d.occurred_to, d.credited_mg, d.points, d.counted, d.against,
       d.occurred_on, d.matures_on, d.methodology, d.generation, d.motion, d.evidence_class, d.state, d.reasons, d.beside,
       r.is_open and not d.beside
         and not exists (select from batch_act b where b.activity_id = d.activity_id) as reopened
from (
  select resident_id, first, {reach} as last, is_open
  from (
    select resident_id, bool_and(is_open) as is_open,
           min(least(occurred_on, ((occurred_from - interval '6 hours') at time zone 'Asia/Shanghai')::date)) as first,
           case when %(longer)s then make_date(extract(year from max(occurred_on))::int, 12, 31)
                else max(greatest(occurred_on, ((occurred_to + interval '6 hours') at time zone 'Asia/Shanghai')::date))
           end as last
    from batch_act
    where generation > 1 or verdict is null or verdict = 'awaiting'
    group by resident_id order by resident_id
  ) x
) r
cross join lateral (
  select distinct on (d.activity_id) d.*, d.occurred_on not between r.first and r.last as beside
  from decision d
  where d.resident_id = r.resident_id and d.occurred_on between r.first - 1 and r.last + 1
  order by d.activity_id, d.generation desc
  offset 0
) d
where case when d.beside then d.motion and d.state = 'credited'
           else d.state in ('credited', 'awaiting') or d.reasons && %(relational)s::text[] end
"""

# While an act waited to be decided again, it may have been: reopened for another act's sake.
RENUMBER: Final = """
update batch_act b set generation = s.generation + 1
from batch_standing s
where s.activity_id = b.activity_id and b.generation <= s.generation
"""
# What is picked again beside the work list: its next generation, with the class and the reasons it was decided by.
AGAIN: Final = """
select null::tid as queue_row, resident_id as r, occurred_on as d, activity_id as i,
       (generation + 1)::smallint as generation, evidence_class, null::text as verdict,
       nullif(array(select reason from unnest(reasons) with ordinality u (reason, n)
                    where reason <> all(%(found_here)s::text[]) order by n), '{}') as reasons,
       true as is_open
from batch_standing
where reopened
order by resident_id, occurred_on, activity_id
"""

# Decided again and come to the same: nothing is written. Points that a fund could not pay are refused for good, and a
# claim whose record did not come in time waits no more.
UNCHANGED: Final = """
delete from batch_decision b
using batch_standing s
where s.reopened and s.activity_id = b.activity_id
  and case
        when s.state = 'credited' and b.state = 'credited' then
          b.credited_mg = s.credited_mg and b.counted = s.counted
          and (b.points = s.points or (b.points > s.points and 'fund_exhausted' = any(s.reasons)))
        when 'no_partner_record' = any(s.reasons) then b.state = 'awaiting'
        else b.state = s.state and (b.state = 'awaiting' or b.against is not distinct from s.against)
      end{and_same_bonus}
"""

# What had been credited and is not any more, or not as it was.
TO_UNDO: Final = """
select s.resident_id, s.occurred_on, s.activity_id, s.generation, s.matures_on, b.state, b.against, b.queued,
       b.reasons
from batch_decision b join batch_standing s using (activity_id)
where s.state = 'credited'
order by s.resident_id, s.activity_id
"""
# A claim that waited, or was credited, and is replaced or refused now: its own row says so, it needs no new passage.
CLOSE: Final = """
update decision d
set state = b.state, against = b.against, reasons = b.reasons
from batch_decision b join batch_standing s using (activity_id)
where not b.queued and s.state = 'awaiting' and b.state in ('replaced', 'rejected')
  and d.resident_id = s.resident_id and d.occurred_on = s.occurred_on and d.activity_id = s.activity_id
  and d.generation = s.generation
"""
CLOSED: Final = """
delete from batch_decision b
using batch_standing s
where not b.queued and s.activity_id = b.activity_id
  and ((s.state = 'awaiting' and b.state in ('replaced', 'rejected')) or (s.state = 'credited' and b.state = 'replaced'))
"""
# Others who had lost against an act that is no longer credited may have what it gave back.
REVIVE: Final = """
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
select d.activity_id, d.resident_id, d.occurred_on, d.generation + 1, d.shard_id
from decision d
where d.against = any(%(gone)s::bigint[]) and d.state = 'rejected' and d.reasons && %(exclusive)s::text[]
  and not exists (select from batch_act b where b.activity_id = d.activity_id)
  and not exists (select from decision later
                  where later.resident_id = d.resident_id and later.occurred_on = d.occurred_on
                    and later.activity_id = d.activity_id and later.generation > d.generation)
order by d.shard_id, d.resident_id, d.occurred_on, d.activity_id
on conflict do nothing
"""


def standing(campaigns: bool) -> str:
    """The statement that brings back what stands: a campaign among those at hand makes it reach further."""
    return STANDING.format(reach=bonuses.REACH.format(longer="%(longer)s") if campaigns else "last")


def settle(
    session: Session,
    connection: Connection[tuple[object, ...]],
    shard_id: int,
    today: date,
    *,
    bonuses_too: bool,
) -> None:
    """Drop what came to the same, take back what was credited otherwise, close what waited."""
    connection.execute(UNCHANGED.format(and_same_bonus=bonuses.SAME_BONUS if bonuses_too else ""))
    rows = session.connection().exec_driver_sql(TO_UNDO).all()
    undo(session, shard_id, [_undoing(row) for row in rows], today)
    connection.execute(CLOSE)
    connection.execute(CLOSED)
    gone = [row.activity_id for row in rows if row.state != "credited"]
    if gone:
        exclusive = [basis.reason for basis in exclusivity.BASES]
        connection.execute(REVIVE, {"gone": gone, "exclusive": exclusive})


def _undoing(row: Row[tuple[Any, ...]]) -> Undoing:
    if row.state == "replaced" and not row.queued:
        state, reason = "replaced", row.reasons[-1]
    else:
        refused = row.queued and row.state != "credited"
        state, reason = "reversed", row.reasons[0] if refused else "reallocated"
    return Undoing(
        row.resident_id,
        row.occurred_on,
        row.activity_id,
        row.generation,
        row.matures_on,
        state,
        reason,
        row.against,
    )
