"""The batch in SQL, second part: what each act comes to, or why to nothing, and what the funds can pay."""

# What is left is credited: cut by count, by quantity, by the family's and the programme's points, each stage on
# what the stage before left, in order of time within the resident's day, all of which lies in the batch; counts and
# quantities of the month and the year come after the day's, and only where such caps were ever made. Acts that begin
# together are ordered by their own keys. Grams are shared out by whole division.
DECIDE = """
insert into batch_decision
with methodology (methodology, code, family, removal, verifiable, mature_days) as (values
    {terms}
), kind as materialized (
  select distinct methodology, evidence_class, occurred_on from batch_act where verdict is null
), terms as materialized (
  select k.methodology, k.evidence_class, k.occurred_on, m.family, m.removal, m.verifiable,
         rate.points_per_mg, rate.fund_id, greatest(rate.mature_days, m.mature_days) as mature_days,
         {caps}
  from kind k
  join methodology m using (methodology)
  left join lateral (
    select points_per_mg, fund_id, mature_days from earning_rate e
    where e.family in (m.family, '*') and e.evidence_class = k.evidence_class
      and e.in_force <= k.occurred_on and (e.until is null or e.until > k.occurred_on)
    order by e.family = '*' limit 1
  ) rate on true
){used_before}, numbered as (
  select b.*, greatest(b.raw_mg, 0) as mg, t.family, t.removal, t.verifiable, t.points_per_mg, t.fund_id, t.mature_days,
         {most}, row_number() over day_act as nth{nths}
  from batch_act b
  join terms t using (methodology, evidence_class, occurred_on){join_used}
  where b.verdict is null
  window day_act as (partition by b.resident_id, b.occurred_on, b.methodology order by b.occurred_from, b.act_order)
), asked as (
  select *, case when {too_many} then 0 else quantity end as asked from numbered
), run as (
  select *, (sum(asked) over (
           partition by resident_id, occurred_on, methodology order by occurred_from, act_order
           rows unbounded preceding))::bigint as run_quantity
  from asked
), counted as (
  select *, case when most_quantity is null then asked
                 else least(most_quantity, run_quantity) - least(most_quantity, run_quantity - asked) end as counted
  from run
){longer}, credited as (
  select *, case when {too_many} then 0
                 when {counted} = quantity then mg
                 else div(mg::numeric * {counted}, quantity)::bigint end as credited_mg
  from {counted}
), due as (
  select *, coalesce(floor(credited_mg * points_per_mg)::bigint, 0) as due from credited
), family_run as (
  select *, (sum(due) over (
           partition by resident_id, occurred_on, family order by occurred_from, act_order
           rows unbounded preceding))::bigint as run_family
  from due
), family_paid as (
  select *, case when most_family is null then due
                 else least(most_family, run_family) - least(most_family, run_family - due) end as due_family
  from family_run
), programme_run as (
  select *, (sum(due_family) over (
           partition by resident_id, occurred_on order by occurred_from, act_order
           rows unbounded preceding))::bigint as run_programme
  from family_paid
), paid as (
  select *, case when most_programme is null then due_family
                 else least(most_programme, run_programme) - least(most_programme, run_programme - due_family) end
            as points
  from programme_run
)
select activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, {counted}, null, occurred_on,
       case when mature_days > 0 then %(today)s::date + mature_days::int end,
       (date_trunc('month', occurred_on) + interval '13 months - 1 day')::date,
       release_id, fund_id, methodology, generation, shard_id, motion, evidence_class,
       case when removal then 'r' when verifiable and evidence_class in ('A', 'B') then 'v' else 'c' end,
       'credited',
       nullif(found || array_remove(array[
         case when mg = 0 then coalesce({nothing}, 'no_reduction') end,
         case {too_many_of} end,
         case when {counted} < asked then case {used_up} else 'daily_quantity_cap' end end,
         case when credited_mg > 0 and points_per_mg is null then 'no_earning_rate' end,
         case when points < due then 'daily_points_cap' end
       ], null), '{{}}'), queue_row is not null
from paid
"""

# Rejected, held, awaiting, replaced: the same row without grams, with its reasons.
REFUSE = """
insert into batch_decision
select activity_id, resident_id, occurred_from, occurred_to, raw_mg, 0, 0, 0, against, occurred_on, null, null,
       release_id, null, methodology, generation, shard_id, motion, evidence_class, null, verdict,
       found || case when unmet <> 0 then {unmet_codes} when why is not null then array[why] end, queue_row is not null
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
