"""The batch in SQL, stage by stage. Each statement says what it promises; `batch.py` says in which order they run."""

from carbon_credits.ledger.posting_hash import JOURNAL_HASH

# Working tables of one batch; empty again at every commit.
WORKING_TABLES = """
create temp table if not exists batch_act (
  queue_row tid, activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz,
  raw_mg bigint, quantity bigint, against bigint, occurred_on date, release_id int, unmet int,
  methodology smallint, generation smallint, shard_id smallint, motion boolean, evidence_class char(1),
  verdict text, why text, vehicle_key bytea, item_key bytea, transaction_key bytea, meter_key bytea
) on commit delete rows;
create temp table if not exists batch_prior (
  activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz, points bigint,
  counted bigint, replaced_by bigint, occurred_on date, matures_on date, methodology smallint, generation smallint,
  motion boolean, evidence_class char(1), state text
) on commit delete rows;
create temp table if not exists batch_decision (
  activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz, raw_mg bigint,
  credited_mg bigint, points bigint, counted bigint, against bigint, occurred_on date, matures_on date, lot_on date,
  release_id int, fund_id int, methodology smallint, generation smallint, shard_id smallint, motion boolean,
  evidence_class char(1), pool char(1), state text, reasons text[]
) on commit delete rows;
create temp table if not exists batch_wallet (
  resident_id bigint, balance bigint, debt bigint, seq int
) on commit delete rows;
"""
WORKING_TABLE_NAMES = ("batch_act", "batch_prior", "batch_decision", "batch_wallet")

# An act of a resident whose wallet is not open is held, not lost. The scalar subquery makes the planner look each
# wallet up; joined, it would read the whole shard.
WITHOUT_WALLET = """
update batch_act b set verdict = 'held', why = 'wallet_closed'
from (select distinct resident_id from batch_act where verdict is null) r
where (select status from wallet w where w.resident_id = r.resident_id and w.shard_id = %(shard)s) is distinct from 1
  and b.resident_id = r.resident_id and b.verdict is null
"""

# What these residents have on these days already. A motion lasts six hours at most, so only its own day can
# matter, save around midnight.
PRIOR = """
insert into batch_prior
select d.activity_id, d.resident_id, d.occurred_from, d.occurred_to, d.points, d.counted, null, d.occurred_on,
       d.matures_on, d.methodology, d.generation, d.motion, d.evidence_class, d.state
from (
  select resident_id,
         min(least(occurred_on, ((occurred_from - interval '6 hours') at time zone 'Asia/Shanghai')::date)) as first,
         max(greatest(occurred_on, ((occurred_to + interval '6 hours') at time zone 'Asia/Shanghai')::date)) as last
  from batch_act where verdict is null group by resident_id order by resident_id
) r
cross join lateral (
  select * from decision d
  where d.resident_id = r.resident_id and d.occurred_on between r.first and r.last
    and d.state in ('credited', 'awaiting')
  offset 0
) d
"""

OVERLAP = """
  extract(epoch from least({a}.occurred_to, {b}.occurred_to) - greatest({a}.occurred_from, {b}.occurred_from))"""
SHORTER = """
  extract(epoch from least({a}.occurred_to - {a}.occurred_from, {b}.occurred_to - {b}.occurred_from))"""
SAME_TRIP = f"10 * {OVERLAP} > 7 * {SHORTER}"

# A partner's record of a trip replaces the phone's claim of the same trip, in the batch or credited before.
REPLACED_IN_BATCH = f"""
update batch_act phone set verdict = 'replaced', why = 'replaced_by_partner_record', against = ours.activity_id
from batch_act ours
where ours.resident_id = phone.resident_id and ours.methodology = phone.methodology
  and ours.motion and ours.verdict is null and ours.evidence_class in ('A', 'B')
  and phone.motion and (phone.verdict is null or phone.verdict = 'awaiting') and phone.evidence_class in ('C', 'D')
  and ours.occurred_from < phone.occurred_to and ours.occurred_to > phone.occurred_from
  and {SAME_TRIP.format(a="ours", b="phone")}
"""
REPLACED_BEFORE = f"""
update batch_prior phone set replaced_by = ours.activity_id
from batch_act ours
where ours.resident_id = phone.resident_id and ours.methodology = phone.methodology
  and ours.motion and ours.verdict is null and ours.evidence_class in ('A', 'B')
  and phone.motion and phone.evidence_class in ('C', 'D')
  and ours.occurred_from < phone.occurred_to and ours.occurred_to > phone.occurred_from
  and {SAME_TRIP.format(a="ours", b="phone")}
"""

# One person, one motion at a time. Only motions that touch another are walked, best evidence first, then oldest:
# more than 70 % of the shorter trip shared with one already accepted is rejected, more than 20 % is held.
# In order of their beginnings a trip touches another when one before it is still under way, or the next begins
# before it ends: one sort instead of comparing each with each.
OVERLAPS = """
with recursive credited as materialized (
  select activity_id, resident_id, occurred_from, occurred_to
  from batch_prior where motion and state = 'credited' and replaced_by is null
), met as (
  select *, max(occurred_to) over earlier > occurred_from or lead(occurred_from) over trips < occurred_to as touches
  from (
    select activity_id, resident_id, occurred_from, occurred_to, evidence_class from batch_act
    where verdict is null and motion
    union all
    select activity_id, resident_id, occurred_from, occurred_to, null from credited
  ) t
  window trips as (partition by resident_id order by occurred_from, activity_id),
         earlier as (trips rows between unbounded preceding and 1 preceding)
), touching as materialized (
  select *, row_number() over (
           partition by resident_id order by evidence_class, occurred_from, activity_id) as place
  from met where touches and evidence_class is not null
), walk as (
  select t.resident_id, 0::bigint as place, null::bigint as activity_id, 0 as grade, null::bigint as against,
         coalesce(array_agg(c.activity_id) filter (where c.activity_id is not null), '{}') as ids,
         coalesce(array_agg(c.occurred_from) filter (where c.activity_id is not null), '{}') as froms,
         coalesce(array_agg(c.occurred_to) filter (where c.activity_id is not null), '{}') as tos
  from (select distinct resident_id from touching) t
  left join credited c using (resident_id)
  group by t.resident_id
  union all
  select w.resident_id, k.place, k.activity_id, v.grade, v.against,
         case when v.grade = 0 then w.ids || k.activity_id else w.ids end,
         case when v.grade = 0 then w.froms || k.occurred_from else w.froms end,
         case when v.grade = 0 then w.tos || k.occurred_to else w.tos end
  from walk w
  join touching k on k.resident_id = w.resident_id and k.place = w.place + 1
  cross join lateral (
    select coalesce(max(g.grade), 0) as grade, (array_agg(g.id order by g.grade desc, g.id))[1] as against
    from (
      select u.id, case when 10 * s.shared > 7 * s.shorter then 2 when 10 * s.shared > 2 * s.shorter then 1 else 0 end
                     as grade
      from unnest(w.ids, w.froms, w.tos) as u (id, f, t)
      cross join lateral (
        select extract(epoch from least(u.t, k.occurred_to) - greatest(u.f, k.occurred_from)) as shared,
               extract(epoch from least(u.t - u.f, k.occurred_to - k.occurred_from)) as shorter
      ) s
      where u.f < k.occurred_to and u.t > k.occurred_from
    ) g
  ) v
)
update batch_act b
set verdict = case w.grade when 2 then 'rejected' else 'held' end,
    why = case w.grade when 2 then 'overlaps_credited_trip' else 'overlaps_another_trip' end,
    against = w.against
from walk w
where w.grade > 0 and w.activity_id = b.activity_id
"""

# What is left is credited: cut by count, by quantity, by the family's and the programme's points, each stage on
# what the stage before left, in order of time within the resident's day. Grams are shared out by whole division.
DECIDE = """
insert into batch_decision
with methodology (methodology, code, family, removal, verifiable, mature_days) as (values
    {terms}
), kind as materialized (
  select distinct methodology, evidence_class, occurred_on from batch_act where verdict is null
), terms as materialized (
  select k.methodology, k.evidence_class, k.occurred_on, m.family, m.removal, m.verifiable,
         rate.points_per_mg, rate.fund_id, greatest(rate.mature_days, m.mature_days) as mature_days,
         (select most from cap where scope = m.code and unit = 'count' and in_force <= k.occurred_on
            and (until is null or until > k.occurred_on)) as most_count,
         (select most from cap where scope = m.code and unit = 'quantity' and in_force <= k.occurred_on
            and (until is null or until > k.occurred_on)) as most_quantity,
         (select most from cap where scope = m.family and unit = 'points' and in_force <= k.occurred_on
            and (until is null or until > k.occurred_on)) as most_family,
         (select most from cap where scope = '*' and unit = 'points' and in_force <= k.occurred_on
            and (until is null or until > k.occurred_on)) as most_programme
  from kind k
  join methodology m using (methodology)
  left join lateral (
    select points_per_mg, fund_id, mature_days from earning_rate e
    where e.family in (m.family, '*') and e.evidence_class = k.evidence_class
      and e.in_force <= k.occurred_on and (e.until is null or e.until > k.occurred_on)
    order by e.family = '*' limit 1
  ) rate on true
), used as materialized (
  select p.resident_id, p.occurred_on, p.methodology, m.family, count(*) as n, sum(p.counted)::bigint as counted,
         sum(p.points)::bigint as points
  from batch_prior p join methodology m using (methodology)
  where p.state = 'credited' and p.replaced_by is null group by 1, 2, 3, 4
), used_family as (
  select resident_id, occurred_on, family, sum(points)::bigint as points from used group by 1, 2, 3
), used_programme as (
  select resident_id, occurred_on, sum(points)::bigint as points from used group by 1, 2
), numbered as (
  select b.*, greatest(b.raw_mg, 0) as mg, t.family, t.removal, t.verifiable, t.points_per_mg, t.fund_id, t.mature_days,
         t.most_count, t.most_quantity, t.most_family, t.most_programme, coalesce(u.counted, 0) as used_quantity,
         coalesce(u.n, 0) + row_number() over day_act as nth
  from batch_act b
  join terms t using (methodology, evidence_class, occurred_on)
  left join used u using (resident_id, occurred_on, methodology)
  where b.verdict is null
  window day_act as (partition by b.resident_id, b.occurred_on, b.methodology order by b.occurred_from, b.activity_id)
), asked as (
  select *, case when nth > most_count then 0 else quantity end as asked from numbered
), run as (
  select *, used_quantity + (sum(asked) over (
           partition by resident_id, occurred_on, methodology order by occurred_from, activity_id
           rows unbounded preceding))::bigint as run_quantity
  from asked
), counted as (
  select *, case when most_quantity is null then asked
                 else least(most_quantity, run_quantity) - least(most_quantity, run_quantity - asked) end as counted
  from run
), credited as (
  select *, case when nth > most_count then 0
                 when counted = quantity then mg
                 else div(mg::numeric * counted, quantity)::bigint end as credited_mg
  from counted
), due as (
  select *, coalesce(floor(credited_mg * points_per_mg)::bigint, 0) as due from credited
), family_run as (
  select d.*, coalesce(f.points, 0) + (sum(d.due) over (
           partition by d.resident_id, d.occurred_on, d.family order by d.occurred_from, d.activity_id
           rows unbounded preceding))::bigint as run_family
  from due d left join used_family f using (resident_id, occurred_on, family)
), family_paid as (
  select *, case when most_family is null then due
                 else least(most_family, run_family) - least(most_family, run_family - due) end as due_family
  from family_run
), programme_run as (
  select d.*, coalesce(p.points, 0) + (sum(d.due_family) over (
           partition by d.resident_id, d.occurred_on order by d.occurred_from, d.activity_id
           rows unbounded preceding))::bigint as run_programme
  from family_paid d left join used_programme p using (resident_id, occurred_on)
), paid as (
  select *, case when most_programme is null then due_family
                 else least(most_programme, run_programme) - least(most_programme, run_programme - due_family) end
            as points
  from programme_run
)
select activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, counted, null, occurred_on,
       case when mature_days > 0 then %(today)s::date + mature_days::int end,
       (date_trunc('month', occurred_on) + interval '13 months - 1 day')::date,
       release_id, fund_id, methodology, generation, shard_id, motion, evidence_class,
       case when removal then 'r' when verifiable and evidence_class in ('A', 'B') then 'v' else 'c' end,
       'credited',
       nullif(array_remove(array[
         case when mg = 0 then 'no_reduction' end,
         case when nth > most_count then 'daily_count_cap' end,
         case when counted < asked then 'daily_quantity_cap' end,
         case when credited_mg > 0 and points_per_mg is null then 'no_earning_rate' end,
         case when points < due then 'daily_points_cap' end
       ], null), '{{}}')
from paid
"""

# Rejected, held, awaiting, replaced: the same row without grams, with its reasons.
REFUSE = """
insert into batch_decision
select activity_id, resident_id, occurred_from, occurred_to, raw_mg, 0, 0, 0, against, occurred_on, null, null,
       release_id, null, methodology, generation, shard_id, motion, evidence_class, null, verdict,
       case when unmet <> 0 then {unmet_codes} else array[why] end
from batch_act where verdict is not null
"""

WANTED = "select fund_id, sum(points)::bigint from batch_decision where points > 0 group by fund_id order by fund_id"

# The fund could not pay all: paid in order of time while it lasts, the last grant in part; the grams stay.
RATION = """
update batch_decision b
set points = r.paid, reasons = array_append(b.reasons, 'fund_exhausted')
from (
  select activity_id, points, least(%(obtained)s, run) - least(%(obtained)s, run - points) as paid
  from (
    select activity_id, points, (sum(points) over (order by occurred_from, activity_id rows unbounded preceding))::bigint
             as run
    from batch_decision where fund_id = %(fund)s and points > 0
  ) x
) r
where r.activity_id = b.activity_id and r.paid < r.points
"""

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
  from batch_decision
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

# One journal for the batch, one posting for each act that moved something; the hash covers every line.
POST = f"""
with line as materialized (
  select d.activity_id, d.generation, d.resident_id, d.points,
         case d.pool when 'v' then d.credited_mg else 0 end as verified_mg,
         case d.pool when 'c' then d.credited_mg else 0 end as claimed_mg,
         case d.pool when 'r' then d.credited_mg else 0 end as removal_mg,
         1::smallint as contra_kind, coalesce(d.fund_id, 0) as contra_ref, d.occurred_on, d.lot_on,
         (row_number() over (order by d.resident_id, d.occurred_from, d.activity_id))::int as line,
         (w.seq + row_number() over wallet)::int as wallet_seq,
         (w.balance + sum(d.points) over wallet)::bigint as balance_after
  from batch_decision d join batch_wallet w using (resident_id)
  where d.state = 'credited' and (d.points > 0 or d.credited_mg > 0)
  window wallet as (partition by d.resident_id order by d.occurred_from, d.activity_id)
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
insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, counted,
  journal_id, against, release_id, fund_id, occurred_on, matures_on, lot_on, methodology, generation, shard_id,
  evidence_class, pool, motion, state, reasons)
select activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, counted,
       case when points > 0 or credited_mg > 0 then %(journal)s::bigint end, against, release_id, fund_id, occurred_on,
       case when points > 0 then matures_on end, case when points > 0 or credited_mg > 0 then lot_on end, methodology,
       generation, shard_id, evidence_class, pool, motion, state, reasons
from batch_decision
order by resident_id, occurred_on, activity_id
"""

# Points that can be used at once: debt is repaid first, the rest fills the calendar buckets. The wallet lock makes
# update-then-insert safe.
LOTS = """
with grant_ as (
  select resident_id, lot_on, fund_id, points,
         (sum(points) over (
            partition by resident_id order by occurred_from, activity_id rows unbounded preceding))::bigint as run
  from batch_decision
  where state = 'credited' and points > 0 and matures_on is null
), bucket as materialized (
  select g.resident_id, g.lot_on, g.fund_id,
         sum(g.points - (least(w.debt, g.run) - least(w.debt, g.run - g.points)))::bigint as free
  from grant_ g join batch_wallet w using (resident_id)
  group by 1, 2, 3
), filled as (
  update lot l set earned = l.earned + b.free, remaining = l.remaining + b.free
  from bucket b
  where l.resident_id = b.resident_id and l.expires_on = b.lot_on and l.fund_id = b.fund_id and l.shard_id = %(shard)s
  returning l.resident_id, l.expires_on, l.fund_id
)
insert into lot (resident_id, expires_on, fund_id, earned, remaining, shard_id)
select b.resident_id, b.lot_on, b.fund_id, b.free, b.free, %(shard)s
from bucket b
where b.free > 0 and not exists (
  select from filled f where f.resident_id = b.resident_id and f.expires_on = b.lot_on and f.fund_id = b.fund_id)
order by 1, 2, 3
"""
PENDING_LOTS = """
insert into pending_lot as p (resident_id, matures_on, expires_on, fund_id, points, shard_id)
select resident_id, matures_on, lot_on, fund_id, sum(points)::bigint, %(shard)s
from batch_decision
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
REPLACE_AWAITING = """
update decision d
set state = 'replaced', against = p.replaced_by, reasons = array['replaced_by_partner_record']
from batch_prior p
where p.replaced_by is not null and p.state = 'awaiting'
  and d.resident_id = p.resident_id and d.occurred_on = p.occurred_on and d.activity_id = p.activity_id
  and d.generation = p.generation
"""
TO_REVERSE = """
select resident_id, occurred_on, activity_id, generation, matures_on, replaced_by from batch_prior
where replaced_by is not null and state = 'credited' order by resident_id, activity_id
"""
TAKE_OFF_QUEUE = "delete from activity_queue where ctid = any(array(select queue_row from batch_act))"
BY_STATE = "select state, count(*)::int, coalesce(sum(points), 0)::bigint from batch_decision group by state"
