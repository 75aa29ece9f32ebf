"""What campaigns give for credited acts: one reading, for the batch and for whoever asks what a campaign would have cost.

It reads working tables alone where it decides: the campaigns' terms, the acts that are credited, to whom each campaign is
offered. The batch fills them with what it decides, a simulation with past acts under other dates. The order is that of
the acts in time, never that of arrival; what a week or a campaign gave before is read from the bonuses that stand.
"""

from typing import Final

from psycopg import Connection

from carbon_credits.crediting.audience import FREEZE, NEW_ENOUGH, OFFERED, belongs

WORKING_TABLES: Final = """
create temp table if not exists batch_campaign (
  campaign_id int, fund_id int, starts_on date, ends_on date, ended_at timestamptz, launched_at timestamptz,
  methodologies smallint[], reward text, multiplier numeric, bonus_points bigint, audience text, streets text[],
  group_id int, audience_days smallint, cap_day bigint, cap_week bigint, cap_total bigint, holdout_ppm int, salt bytea
) on commit delete rows;
create temp table if not exists batch_credited (
  activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz, occurred_on date,
  methodology smallint, shard_id smallint, act_order bytea, points bigint, earned numeric
) on commit delete rows;
create temp table if not exists batch_offered (campaign_id int, resident_id bigint) on commit delete rows;
create temp table if not exists batch_bonus (
  activity_id bigint, campaign_id int, fund_id int, entitled bigint, due_points bigint, points bigint, reasons text[]
) on commit delete rows;
create index on batch_bonus (activity_id);
"""
COLUMNS: Final = (
    "campaign_id, fund_id, starts_on, ends_on, ended_at, launched_at, methodologies, reward, multiplier, bonus_points,"
    " audience, streets, group_id, audience_days, cap_day, cap_week, cap_total, holdout_ppm, salt"
)
# Whose days the acts at hand may touch: a minute may be told ahead of today, and a meter's month is reopened whole.
CONCERNED: Final = """
select coalesce(array_agg(campaign_id order by campaign_id), '{}') from campaign
where fund_id is not null and state in ('approved', 'running', 'paused', 'ended')
  and starts_on <= %(today)s::date + 1
  and ends_on >= (
    select min(least(occurred_on, ((occurred_from - interval '6 hours') at time zone 'Asia/Shanghai')::date))
    from batch_act
  )
"""
LOAD: Final = f"""
insert into batch_campaign ({COLUMNS})
select {COLUMNS} from campaign where campaign_id = any(%(campaigns)s)
"""  # noqa: S608 - made of constants

# A cap of the week or of the whole reaches beyond the day: what stands is decided again to its end.
REACH: Final = """greatest(last, (
      select max(case when {longer} then make_date(extract(year from until)::int, 12, 31) else until end)
      from (select case when cap_total is not null then ends_on
                        when cap_week is not null then date_trunc('week', last)::date + 6 end as until
            from campaign
            where campaign_id = any(%(campaigns)s) and starts_on <= last and ends_on >= first) c))"""

# What a milligram earned on the act's day, before it was floored: points that were cut earn no more than they are.
CREDITED: Final = """
insert into batch_credited
with methodology (methodology, code, family, removal, verifiable, mature_days) as (values
    {terms}
), kind as materialized (
  select distinct methodology, evidence_class, occurred_on from batch_decision where state = 'credited' and points > 0
), rate as materialized (
  select k.*, r.points_per_mg
  from kind k join methodology m using (methodology)
  cross join lateral (
    select points_per_mg from earning_rate e
    where e.family in (m.family, '*') and e.evidence_class = k.evidence_class
      and e.in_force <= k.occurred_on and (e.until is null or e.until > k.occurred_on)
    order by e.family = '*' limit 1
  ) r
  where exists (select from batch_campaign c
                where k.methodology = any(c.methodologies) and k.occurred_on between c.starts_on and c.ends_on)
)
select d.activity_id, d.resident_id, d.occurred_from, d.occurred_to, d.occurred_on, d.methodology, d.shard_id,
       b.act_order, d.points, d.credited_mg * rate.points_per_mg
from batch_decision d
join rate using (methodology, evidence_class, occurred_on)
join batch_act b using (activity_id)
where d.state = 'credited' and d.points > 0
"""

# One campaign for an act, the one that began first where somebody moved from one street's to another's. Only what earned
# base points earns a bonus; a multiplier counts the fractions that the base had to drop. Then the caps of the day, the
# week and the whole, each on what the one before left, as caps of the base are; the longest that is used up is named.
BONUSES: Final = f"""
insert into batch_bonus
with offered as materialized (
  select distinct on (b.activity_id) b.*, c.campaign_id, c.fund_id, c.starts_on, c.cap_day, c.cap_week, c.cap_total,
         date_trunc('week', b.occurred_on)::date as week,
         case when c.reward = 'bonus' then c.bonus_points
              when b.points = floor(b.earned) then floor(b.earned * c.multiplier)::bigint - b.points
              else floor(b.points * c.multiplier)::bigint - b.points end as entitled
  from batch_credited b
  join batch_campaign c on b.methodology = any(c.methodologies) and b.occurred_on between c.starts_on and c.ends_on
                       and (c.ended_at is null or b.occurred_to <= c.ended_at)
  join batch_offered o on o.campaign_id = c.campaign_id and o.resident_id = b.resident_id
  where b.points > 0
    and not exists (select from campaign_pause p
                    where p.campaign_id = c.campaign_id and b.occurred_to >= p.from_at
                      and (p.to_at is null or b.occurred_to < p.to_at))
    and (c.audience <> 'group' or {belongs("b.resident_id", "c.group_id", "b.occurred_on")})
    and (c.audience <> 'new' or exists (select from resident r
                                        where r.resident_id = b.resident_id and {NEW_ENOUGH.format(day="b.occurred_on")}))
  order by b.activity_id, c.starts_on, c.campaign_id
), used as materialized (
  select x.campaign_id, x.resident_id, x.first, coalesce(sum(u.due_points), 0)::bigint as total,
         coalesce(sum(u.due_points) filter (where u.occurred_on >= date_trunc('week', x.first)), 0)::bigint as of_week
  from (select campaign_id, resident_id, starts_on, min(occurred_on) as first
        from offered where cap_week is not null or cap_total is not null group by 1, 2, 3) x
  left join lateral (
    select due_points, occurred_on from bonus n
    where n.resident_id = x.resident_id and n.occurred_on >= x.starts_on and n.occurred_on < x.first
      and n.campaign_id = x.campaign_id
      and not exists (select from batch_act b where b.activity_id = n.activity_id)
      and exists (select from decision d
                  where d.resident_id = n.resident_id and d.occurred_on = n.occurred_on and d.activity_id = n.activity_id
                    and d.generation = n.generation and d.state = 'credited')
  ) u on true
  group by 1, 2, 3
), day_run as (
  select *, (sum(entitled) over (partition by campaign_id, resident_id, occurred_on order by occurred_from, act_order
                                 rows unbounded preceding))::bigint as run
  from offered
), of_day as (
  select *, case when cap_day is null then entitled else least(cap_day, run) - least(cap_day, run - entitled) end
            as left_day
  from day_run
), week_run as (
  select o.*, case when o.week = date_trunc('week', u.first)::date then u.of_week else 0 end
              + (sum(left_day) over (partition by campaign_id, resident_id, week order by occurred_from, act_order
                                     rows unbounded preceding))::bigint as run_week, coalesce(u.total, 0) as used_total
  from of_day o left join used u using (campaign_id, resident_id)
), of_week as (
  select *, case when cap_week is null then left_day
                 else least(cap_week, run_week) - least(cap_week, run_week - left_day) end as left_week
  from week_run
), total_run as (
  select *, used_total + (sum(left_week) over (partition by campaign_id, resident_id order by occurred_from, act_order
                                               rows unbounded preceding))::bigint as run_total
  from of_week
), of_total as (
  select *, case when cap_total is null then left_week
                 else least(cap_total, run_total) - least(cap_total, run_total - left_week) end as due
  from total_run
)
select activity_id, campaign_id, fund_id, entitled, due, due,
       case when due = entitled then null
            when due < left_week or run_total - left_week >= cap_total then array['campaign_total_cap']
            when left_week < left_day or run_week - left_day >= cap_week then array['campaign_weekly_cap']
            else array['campaign_daily_cap'] end
from of_total
where entitled > 0
"""  # noqa: S608 - made of constants

# What is decided anew as it stood keeps its bonus too; one that the fund could not pay stays refused.
SAME_BONUS: Final = """
  and (select (n.campaign_id, n.due_points) from bonus n
       where n.resident_id = s.resident_id and n.occurred_on = s.occurred_on and n.activity_id = s.activity_id
         and n.generation = s.generation)
      is not distinct from
      (select (x.campaign_id, x.due_points) from batch_bonus x where x.activity_id = b.activity_id)"""
WANTED: Final = """
select fund_id, sum(points)::bigint from (
  select fund_id, points from batch_decision where points > 0
  union all
  select x.fund_id, x.points from batch_bonus x join batch_decision d using (activity_id) where x.points > 0
) w group by fund_id order by fund_id
"""
# While the campaign's money lasts, in order of time, the last bonus in part.
RATION: Final = """
update batch_bonus b
set points = r.paid, reasons = array_append(b.reasons, 'campaign_exhausted')
from (
  select activity_id, points, least(%(obtained)s, run) - least(%(obtained)s, run - points) as paid
  from (
    select x.activity_id, x.points, (sum(x.points) over (order by d.occurred_from, x.activity_id
                                                         rows unbounded preceding))::bigint as run
    from batch_bonus x join batch_decision d using (activity_id)
    where x.fund_id = %(fund)s and x.points > 0
  ) x
) r
where r.activity_id = b.activity_id and r.paid < r.points
"""
RECORD: Final = """
insert into bonus (activity_id, resident_id, entitled, due_points, points, journal_id, campaign_id, fund_id, occurred_on,
                   generation, shard_id, reasons)
select x.activity_id, d.resident_id, x.entitled, x.due_points, x.points,
       case when x.points > 0 then %(journal)s::bigint end, x.campaign_id, x.fund_id, d.occurred_on, d.generation,
       d.shard_id, x.reasons
from batch_bonus x join batch_decision d using (activity_id)
order by d.resident_id, d.occurred_on, x.activity_id
"""
PAID: Final = """
select coalesce(sum(x.points), 0)::bigint from batch_bonus x join batch_decision d using (activity_id)
"""


def make_tables(connection: "Connection[tuple[object, ...]]") -> None:
    """The working tables of campaigns, in place and empty: a connection that meets no campaign never has them."""
    if connection.execute("select to_regclass('pg_temp.batch_bonus')").fetchone() == (None,):
        connection.execute(WORKING_TABLES)


def decide(
    connection: "Connection[tuple[object, ...]]", campaigns: list[int], shard_id: int, terms: str
) -> bool:
    """What these campaigns give for the acts the batch has just credited, into `batch_bonus`; whether there is any act.

    `terms` are the catalogue's rows, as the batch reads them. Who acts for the first time since a campaign began is put
    on a side of it here, once.
    """
    make_tables(connection)
    given = {"campaigns": campaigns, "shard": shard_id}
    connection.execute(LOAD, given)
    if connection.execute(CREDITED.format(terms=terms)).rowcount == 0:
        return False
    connection.execute(FREEZE, given)
    connection.execute(OFFERED, given)
    connection.execute(BONUSES)
    return True
