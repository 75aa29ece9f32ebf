"""A group's month out of the decisions of its members: each act counts on the day it happened, for whoever belonged then.

Computed whole, a few groups in one statement, each night for the month under way and the two before it: a partner's
record may come 35 days after its act, and one of the 31st of October that comes on the 5th of December is still in the
window. Nothing has to be told that a day was decided again, so nothing can be missed; what changes an older month (an
appeal, a restatement) is brought in with `flask groups recompute`.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.methodologies.catalogue import BY_CODE

AT_ONCE: Final = 100
MONTHS: Final = 3

DUE = text("""
select g.group_id, m.month::date as month
from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 month') as m (month)
join resident_group g on g.state in ('active', 'closed') and g.made_on < m.month + interval '1 month'
left join group_month k on k.group_id = g.group_id and k.month = m.month::date
where (k.computed_on is null or k.computed_on < :today)
order by m.month, g.group_id limit :most
""")

# the newest passage of an act is what it is; grams as the newest restatement has them
COMPUTE = text("""
with due as (
  select * from unnest(cast(:groups as int[]), cast(:months as date[])) as d (group_id, month)
), belonging as (
  select d.group_id, d.month, m.resident_id, greatest(m.from_on, d.month) as from_on,
         least(coalesce(m.to_on, 'infinity'), (d.month + interval '1 month')::date) as to_on
  from due d
  join resident_group g on d.group_id in (g.group_id, g.parent_id)
  join membership m on m.group_id = g.group_id
  where m.from_on < d.month + interval '1 month' and coalesce(m.to_on, 'infinity') > greatest(m.from_on, d.month)
), act as (
  select b.group_id, b.month, b.resident_id, n.methodology, n.pool,
         coalesce((select new_mg from restated r
                   where r.resident_id = b.resident_id and r.activity_id = n.activity_id and r.generation = n.generation
                   order by restatement_id desc limit 1), n.credited_mg) as mg
  from belonging b
  join lateral (
    select distinct on (occurred_on, activity_id) activity_id, generation, methodology, pool, state, credited_mg
    from decision d
    where d.resident_id = b.resident_id and d.occurred_on >= b.from_on and d.occurred_on < b.to_on
      and d.occurred_on >= :first and d.occurred_on < :after
    order by occurred_on, activity_id, generation desc
  ) n on n.state = 'credited'
), person as (
  select group_id, month, resident_id,
         coalesce(sum(mg) filter (where pool = 'v'), 0)::bigint as verified_mg,
         coalesce(sum(mg) filter (where pool = 'c'), 0)::bigint as claimed_mg,
         coalesce(sum(mg) filter (where pool = 'r'), 0)::bigint as removal_mg,
         coalesce(sum(mg) filter (where pool = 'v' and methodology = any(:travel)), 0) as travel_mg,
         coalesce(sum(mg) filter (where pool = 'v' and methodology = any(:recycling)), 0) as recycling_mg
  from act group by 1, 2, 3
), summed as (
  select group_id, month, count(*) as active, sum(verified_mg) as verified_mg, sum(claimed_mg) as claimed_mg,
         sum(removal_mg) as removal_mg, sum(travel_mg) as travel_mg, sum(recycling_mg) as recycling_mg,
         (array_agg(verified_mg order by verified_mg desc))[1:2] as verified_two,
         (array_agg(claimed_mg order by claimed_mg desc))[1:2] as claimed_two,
         (array_agg(removal_mg order by removal_mg desc))[1:2] as removal_two
  from person group by 1, 2
), counted as (
  select d.group_id, d.month, (select count(distinct b.resident_id) from belonging b
                               where b.group_id = d.group_id and b.month = d.month) as members,
         (select people from group_size z where z.group_id = d.group_id and z.as_of < d.month + interval '1 month'
          order by as_of desc, size_id desc limit 1) as declared
  from due d
)
insert into group_month (group_id, month, members, active, people, verified_mg, claimed_mg, removal_mg, travel_mg,
                         recycling_mg, verified_two, claimed_two, removal_two, computed_on)
select c.group_id, c.month, c.members, coalesce(s.active, 0), greatest(c.members, coalesce(c.declared, 0)),
       coalesce(s.verified_mg, 0), coalesce(s.claimed_mg, 0), coalesce(s.removal_mg, 0), coalesce(s.travel_mg, 0),
       coalesce(s.recycling_mg, 0), coalesce(s.verified_two, '{}'), coalesce(s.claimed_two, '{}'),
       coalesce(s.removal_two, '{}'), :today
from counted c left join summed s using (group_id, month)
order by 1, 2
on conflict (group_id, month) do update
set members = excluded.members, active = excluded.active, people = excluded.people, verified_mg = excluded.verified_mg,
    claimed_mg = excluded.claimed_mg, removal_mg = excluded.removal_mg, travel_mg = excluded.travel_mg,
    recycling_mg = excluded.recycling_mg, verified_two = excluded.verified_two, claimed_two = excluded.claimed_two,
    removal_two = excluded.removal_two, computed_on = excluded.computed_on
""")


def compute_due(session: Session, now: datetime, most: int = AT_ONCE) -> int:
    """Compute the next groups' months that have not been computed on this day of the programme; returns how many."""
    today = day_of(now)
    this = today.replace(day=1)
    first = _before(this, MONTHS - 1)
    asked = {"first": first, "last": this, "today": today, "most": most}
    due = [(row.group_id, row.month) for row in session.execute(DUE, asked)]
    return _compute(session, due, today)


def compute_month(
    session: Session, month: date, now: datetime, after_group: int, most: int = AT_ONCE
) -> int | None:
    """Compute a month anew for the next groups by number; returns the last of them, None when there are no more."""
    next_groups = text("""
        select group_id from resident_group
        where group_id > :after and state in ('active', 'closed') and made_on < cast(:month as date) + interval '1 month'
        order by group_id limit :most
    """)
    asked = {"after": after_group, "month": month, "most": most}
    groups = session.execute(next_groups, asked).scalars().all()
    _compute(session, [(group, month) for group in groups], day_of(now))
    return groups[-1] if groups else None


def _compute(session: Session, due: list[tuple[int, date]], today: date) -> int:
    if not due:
        return 0
    session.execute(
        text("select set_config('statement_timeout', '600s', true), set_config('jit', 'off', true)")
    )
    months = [month for _, month in due]
    given = {
        "groups": [group for group, _ in due],
        "months": months,
        "first": min(months),
        "after": _before(max(months), -1),
        "travel": _numbers("travel"),
        "recycling": _numbers("recycling"),
        "today": today,
    }
    session.execute(COMPUTE, given)
    return len(due)


def _numbers(family: str) -> list[int]:
    return [versions[-1].number for versions in BY_CODE.values() if versions[-1].family == family]


def _before(month: date, months: int) -> date:
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
