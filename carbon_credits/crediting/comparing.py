"""The batch in SQL, first part: what claimed acts meet."""

# One person, one motion at a time. Only motions that touch another are walked, best evidence first, then oldest:
# more than 70 % of the shorter trip shared with one already accepted is rejected, more than 20 % is held.
# In order of their beginnings a trip touches another when one before it is still under way, or the next begins
# before it ends: one sort instead of comparing each with each.
OVERLAPS = """
with recursive credited as materialized (
  select activity_id, resident_id, occurred_from, occurred_to from batch_standing where beside
), met as (
  select *, max(occurred_to) over earlier > occurred_from or lead(occurred_from) over trips < occurred_to as touches
  from (
    select activity_id, resident_id, occurred_from, occurred_to, evidence_class, act_order from batch_act
    where verdict is null and motion
    union all
    select activity_id, resident_id, occurred_from, occurred_to, null, null from credited
  ) t
  window trips as (partition by resident_id order by occurred_from, activity_id),
         earlier as (trips rows between unbounded preceding and 1 preceding)
), touching as materialized (
  select *, row_number() over (
           partition by resident_id order by evidence_class, occurred_from, act_order) as place
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
