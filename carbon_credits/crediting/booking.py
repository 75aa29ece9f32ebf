"""The batch in SQL, third part: wallets, journal, postings, decisions, lots, and what is told of it."""

from dataclasses import dataclass
from typing import Final

from carbon_credits.ledger.posting_hash import JOURNAL_HASH

# What is booked: a line for each act that moved something, and one beside it for the bonus of a campaign, which is the
# act's in everything but where it comes from: it waits as long and lasts as long.
_BASE = "(select *, 1::smallint as contra_kind from batch_decision)"
_WITH_BONUSES = """(
    select activity_id, generation, resident_id, occurred_from, occurred_on, points, credited_mg, pool, fund_id, lot_on,
           matures_on, state, 1::smallint as contra_kind from batch_decision
    union all
    select d.activity_id, d.generation, d.resident_id, d.occurred_from, d.occurred_on, x.points, 0, d.pool, x.fund_id,
           d.lot_on, d.matures_on, d.state, 2::smallint from batch_bonus x join batch_decision d using (activity_id)
  )"""

# Each wallet is touched once; what it was before is kept for the postings' running balance.
WALLETS = """
with moved as (
  select resident_id,
         coalesce(sum(points) filter (where matures_on is null), 0)::bigint as now,
         coalesce(sum(points) filter (where matures_on is not null), 0)::bigint as later,
         coalesce(sum(credited_mg) filter (where pool = 'v'), 0)::bigint as verified,
         coalesce(sum(credited_mg) filter (where pool = 'c'), 0)::bigint as claimed,
         coalesce(sum(credited_mg) filter (where pool = 'r'), 0)::bigint as removal,
         count(*)::int as n
  from {lines} d
  where state = 'credited' and (points > 0 or credited_mg > 0)
  group by resident_id
), touched as (
  update wallet w
  set available = w.available + m.now - least(w.debt, m.now), debt = w.debt - least(w.debt, m.now),
      pending = w.pending + m.later, verified_mg = w.verified_mg + m.verified, claimed_mg = w.claimed_mg + m.claimed,
      removal_mg = w.removal_mg + m.removal, seq = w.seq + m.n
  from moved m
  where w.resident_id = m.resident_id and w.shard_id = %(shard)s
  returning w.resident_id, old.available + old.held + old.pending - old.debt as balance, old.debt as debt,
            old.seq as seq
)
insert into batch_wallet select * from touched
"""

# One journal for the batch, one posting for each line; the hash covers every one.
POST = f"""
with line as materialized (
  select d.activity_id, d.generation, d.resident_id, d.points,
         case d.pool when 'v' then d.credited_mg else 0 end as verified_mg,
         case d.pool when 'c' then d.credited_mg else 0 end as claimed_mg,
         case d.pool when 'r' then d.credited_mg else 0 end as removal_mg,
         d.contra_kind, coalesce(d.fund_id, 0) as contra_ref, d.occurred_on, d.lot_on,
         (row_number() over (order by d.resident_id, d.occurred_from, d.activity_id, d.contra_kind))::int as line,
         (w.seq + row_number() over wallet)::int as wallet_seq,
         (w.balance + sum(d.points) over wallet)::bigint as balance_after
  from {{lines}} d join batch_wallet w using (resident_id)
  where d.state = 'credited' and (d.points > 0 or d.credited_mg > 0)
  window wallet as (partition by d.resident_id order by d.occurred_from, d.activity_id, d.contra_kind)
), journalled as (
  insert into journal (kind, n, points_sum, verified_sum, claimed_sum, removal_sum, shard_id, content_hash)
  select 1, count(*), sum(points), sum(verified_mg), sum(claimed_mg), sum(removal_mg), %(shard)s, {JOURNAL_HASH}
  from line
  having count(*) > 0
  returning journal_id
), posted as (
  insert into posting (journal_id, line, booked_on, resident_id, wallet_seq, balance_after, contra_kind, contra_ref,
    points, verified_mg, claimed_mg, removal_mg, lot_on, effective_on, activity_id, generation, shard_id)
  select j.journal_id, l.line, %(today)s, l.resident_id, l.wallet_seq, l.balance_after, l.contra_kind, l.contra_ref,
         l.points, l.verified_mg, l.claimed_mg, l.removal_mg, l.lot_on, l.occurred_on, l.activity_id, l.generation,
         %(shard)s
  from line l cross join journalled j
  order by l.line
)
select journal_id from journalled
"""

RECORD_DECISIONS = """
insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, bonus, counted,
  journal_id, against, release_id, fund_id, occurred_on, matures_on, lot_on, methodology, generation, shard_id,
  evidence_class, pool, motion, state, reasons)
select activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, {bonus}, counted,
       case when points > 0 or credited_mg > 0 then %(journal)s::bigint end, against, release_id, fund_id, occurred_on,
       case when points > 0 or {bonus} > 0 then matures_on end,
       case when points > 0 or credited_mg > 0 then lot_on end, methodology,
       generation, shard_id, evidence_class, pool, motion, state, reasons
from batch_decision b
order by resident_id, occurred_on, activity_id
"""
_BONUS = "coalesce((select x.points from batch_bonus x where x.activity_id = b.activity_id), 0)"

# Points that can be used at once: debt is repaid first, the rest fills the calendar buckets. One insert that meets its
# own key finds each bucket by the index, whatever the planner believes of a table that has just begun to fill.
LOTS = """
with grant_ as (
  select resident_id, lot_on, fund_id, points,
         (sum(points) over (
            partition by resident_id order by occurred_from, activity_id, contra_kind rows unbounded preceding))::bigint
           as run
  from {lines} d
  where state = 'credited' and points > 0 and matures_on is null
), bucket as (
  select g.resident_id, g.lot_on, g.fund_id,
         sum(g.points - (least(w.debt, g.run) - least(w.debt, g.run - g.points)))::bigint as free
  from grant_ g join batch_wallet w using (resident_id)
  group by 1, 2, 3
)
insert into lot as l (resident_id, expires_on, fund_id, earned, remaining, shard_id)
select resident_id, lot_on, fund_id, free, free, %(shard)s
from bucket
where free > 0
order by 1, 2, 3
on conflict (resident_id, expires_on, fund_id, shard_id)
do update set earned = l.earned + excluded.earned, remaining = l.remaining + excluded.remaining
"""
PENDING_LOTS = """
insert into pending_lot as p (resident_id, matures_on, expires_on, fund_id, points, shard_id)
select resident_id, matures_on, lot_on, fund_id, sum(points)::bigint, %(shard)s
from {lines} d
where state = 'credited' and points > 0 and matures_on is not null
group by 1, 2, 3, 4
order by 1, 2, 3, 4
on conflict (resident_id, matures_on, expires_on, fund_id, shard_id)
do update set points = p.points + excluded.points
"""

TELL = """
insert into outbox (topic, payload)
select 'journal.credited',
       jsonb_build_object('journal', %(journal)s::bigint, 'shard', %(shard)s::int, 'acts', %(acts)s::int)
"""
TAKE_OFF_QUEUE = """
delete from activity_queue where ctid = any(array(select queue_row from batch_act where queue_row is not null))
"""
BY_STATE = """
select state, count(*)::int, coalesce(sum(points), 0)::bigint from batch_decision where queued group by state
"""


@dataclass(frozen=True)
class Booking:
    """The statements of this part for a batch: with bonuses, or as if there were none."""

    wallets: str
    post: str
    record_decisions: str
    lots: str
    pending_lots: str


def _booking(lines: str, bonus: str) -> Booking:
    texts = (WALLETS, POST, RECORD_DECISIONS, LOTS, PENDING_LOTS)
    return Booking(*(statement.format(lines=lines, bonus=bonus) for statement in texts))


BASE: Final = _booking(_BASE, "0")
WITH_BONUSES: Final = _booking(_WITH_BONUSES, _BONUS)
