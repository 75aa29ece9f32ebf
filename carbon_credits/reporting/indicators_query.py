"""The one statement that counts a period's credited acts, by street, methodology and month, with who did most of each.

People are distinct residents; a street is the one a resident has named by now. Grams are as the newest restatement has
them, quantities as they were monitored, of acts that stand as credited. Each amount is added up by person first, so that
its two largest contributions come out of the same rows as its sum; which may not be shown is decided by them.
"""

from datetime import date
from hashlib import sha256
from typing import Any, Final

from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting.indicators_strands import STRAND_OF

# what is added up, in this order: acts, milligrams by pool, metres travelled, grams on the scale, watt-hours made or not
# drawn, trees and vehicles. The last five are of few strands each: a total over strands would tell one, so there is none.
AMOUNTS: Final = (
    "acts",
    "verified_mg",
    "claimed_mg",
    "removal_mg",
    "distance_m",
    "mass_g",
    "energy_wh",
    "items",
)
APART: Final = 5
# of each amount: its sum, and the two largest of those that add up to it
_SUMS: Final = ",\n       ".join(
    f"sum({name})::bigint as {name},\n"
    f"       (array_agg({name} order by {name} desc) filter (where {name} > 0))[1:2] as {name}_two"
    for name in AMOUNTS
)
QUERY: Final = f"""
with strand as (
  select * from unnest(cast(:numbers as smallint[]), cast(:strands as text[])) as s (methodology, strand)
), passage as (
  select distinct on (resident_id, occurred_on, activity_id)
         resident_id, occurred_on, activity_id, generation, methodology, pool, state, credited_mg
  from decision where occurred_on >= :first and occurred_on < :after
  order by resident_id, occurred_on, activity_id, generation desc
), newest as (
  select distinct on (resident_id, activity_id, generation) resident_id, activity_id, generation, new_mg
  from restated where occurred_on >= :first and occurred_on < :after
  order by resident_id, activity_id, generation, restatement_id desc
), act as (
  select p.resident_id, coalesce(r.street, 'none') as street, s.strand, p.methodology,
         to_char(p.occurred_on, 'YYYY-MM') as month, p.pool, coalesce(n.new_mg, p.credited_mg) as mg,
         case when s.strand in ('walking_cycling', 'shared_travel', 'cars')
              then (a.monitored ->> 'distance_m')::bigint end as distance_m,
         (a.monitored ->> 'mass_g')::bigint as mass_g,
         case s.strand when 'photovoltaics' then (a.monitored ->> 'energy_wh')::bigint
                       when 'demand_response'
                       then greatest((a.monitored ->> 'base_wh')::bigint - (a.monitored ->> 'energy_wh')::bigint, 0)
         end as energy_wh,
         case when p.methodology = any(cast(:counted as smallint[]))
              then coalesce((a.monitored ->> 'count')::bigint, 1) end as items
  from passage p
  join strand s using (methodology)
  join resident r using (resident_id)
  join activity a using (resident_id, occurred_on, activity_id)
  left join newest n using (resident_id, activity_id, generation)
  where p.state = 'credited'
), person as (
  select grouping(street, strand, methodology, month) as which, street, strand, methodology, month,
         bool_or(pool = 'v') as is_verified, count(*) as acts,
         coalesce(sum(mg) filter (where pool = 'v'), 0)::bigint as verified_mg,
         coalesce(sum(mg) filter (where pool = 'c'), 0)::bigint as claimed_mg,
         coalesce(sum(mg) filter (where pool = 'r'), 0)::bigint as removal_mg,
         coalesce(sum(distance_m), 0)::bigint as distance_m, coalesce(sum(mass_g), 0)::bigint as mass_g,
         coalesce(sum(energy_wh), 0)::bigint as energy_wh, coalesce(sum(items), 0)::bigint as items
  from act
  group by resident_id,
           grouping sets ((street, strand), (street), (strand), (), (strand, methodology), (month, strand), (month))
)
select which, street, strand, methodology, month, count(*) as people,
       count(*) filter (where is_verified) as verified_people,
       {_SUMS}
from person
group by which, street, strand, methodology, month
order by 1, 2, 3, 4, 5
"""  # noqa: S608 - made of constants
QUERY_SHA256: Final = sha256(QUERY.encode()).hexdigest()
_COUNTED: Final = ("planting.tree", "purchases.new_energy_vehicle")


def parameters(first: date, through: date) -> dict[str, Any]:
    """What QUERY is asked with, for a period by its first and last day."""
    return {
        "numbers": [versions[-1].number for versions in BY_CODE.values()],
        "strands": [STRAND_OF[code] for code in BY_CODE],
        "counted": [BY_CODE[code][-1].number for code in _COUNTED],
        "first": first,
        "after": date.fromordinal(through.toordinal() + 1),
    }
