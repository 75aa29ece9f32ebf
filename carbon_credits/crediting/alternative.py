"""Past acts under an alternative, as SQL: what each credit has now and what it would have, and why.

One text for two uses: impact sums it up, a restatement writes what it says.
"""

from collections.abc import Mapping

from carbon_credits.crediting.capping import CUT_BY_COUNT
from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.batch import batch_sql, monitored_column
from carbon_credits.methodologies.catalogue import BY_NUMBER

# The newest passage of each act of the methodology, with its newest figure; the alternative's grams, shared out by the
# caps as they cut the act when it was decided. `{chosen}` says which passages, `{which}` narrows the acts.
_FIGURES = """
select resident_id, occurred_on, activity_id, generation, shard_id, state, pool, reasons, from_release, old_mg,
       to_release, unmet, case when unmet = 0 then floor({raw})::bigint end as raw_mg,
       case when unmet <> 0 or is_capped then 0
            when quantity is null or quantity = counted then greatest(floor({raw}), 0)::bigint
            else div(greatest(floor({raw}), 0) * counted, quantity)::bigint end as new_mg,
       case when unmet <> 0 then {reasons} end as refused
from (
  select *, {release} as to_release, {unmet} as unmet
  from (
    select d.resident_id, d.occurred_on, d.activity_id, d.generation, d.shard_id, d.state, d.pool, d.reasons, d.counted,
           d.methodology, a.monitored, a.occurred_from, a.occurred_to,
           case when d.state = 'credited' then {quantity} end as quantity,  -- no cap has cut what was refused
           {cut} as is_capped,
           coalesce(r.new_mg, d.credited_mg) as old_mg, coalesce(r.to_release, d.release_id) as from_release
    from decision d
    join activity a using (resident_id, occurred_on, activity_id)
    left join lateral (
      select new_mg, to_release from restated r
      where r.resident_id = d.resident_id and r.activity_id = d.activity_id and r.generation = d.generation
      order by restatement_id desc limit 1
    ) r on true
    where d.methodology = {number} and d.occurred_on between :since and :until and {which}
  ) told
  offset 0
) judged
"""


def figures(alternative: Methodology, numbers: Mapping[str, int], which: str) -> str:
    """SQL of the acts between :since and :until that `which` chooses (of `d`, a decision), one row each.

    `numbers` gives each release of the alternative its number. `refused`: why the alternative would refuse the act.
    """
    science = batch_sql([alternative], numbers)
    counted = BY_NUMBER[alternative.number][-1].cap_quantity if alternative.number in BY_NUMBER else None
    quantity = "null::numeric" if counted is None else monitored_column(counted)
    return _FIGURES.format(
        cut=CUT_BY_COUNT,
        raw=science.raw,
        reasons=science.reasons,
        release=science.release,
        unmet=science.unmet,
        quantity=quantity,
        number=alternative.number,
        which=which,
    )
