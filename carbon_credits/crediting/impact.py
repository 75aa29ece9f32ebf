"""What a new version or factor would mean for past acts: summed up in one statement, without writing anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.crediting.alternative import figures
from carbon_credits.methodologies.alternatives import reaching_back
from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.releases import releases

POOLS = {"v": "verified", "c": "claimed", "r": "removal"}
# A refusal for what was monitored may fall under the alternative; one for an overlap or a second claim stays.
_REVIVED = "d.state = 'rejected' and d.reasons <@ cast(:conditions as text[])"
_WHICH = f"""(d.state = 'credited' or ({_REVIVED}))
      and not exists (select from decision later where later.resident_id = d.resident_id
                      and later.occurred_on = d.occurred_on and later.activity_id = d.activity_id
                      and later.generation > d.generation)"""
_SUMMED = """
with figure as materialized ({figures}
), credited as (
  select *, new_mg - old_mg as difference from figure where state = 'credited'
), person as (
  select resident_id, sum(difference) as difference from credited group by 1
), part as (
  select pool, to_char(occurred_on, 'YYYY-MM') as month, count(*) as acts, count(distinct resident_id) as residents,
         sum(old_mg)::bigint as before_mg, sum(new_mg)::bigint as after_mg
  from credited group by 1, 2
), refused as (
  select reason, count(*) as acts, sum(old_mg)::bigint as mg from credited cross join unnest(refused) as reason group by 1
), allowed as (
  select reason, count(*) as acts, sum(new_mg)::bigint as mg from figure cross join unnest(reasons) as reason
  where state = 'rejected' and unmet = 0 group by 1
)
select jsonb_build_object(
  'acts', (select count(*) from credited),
  'acts_changed', (select count(*) from credited where difference <> 0),
  'residents', (select count(*) from person),
  'residents_changed', (select count(*) from person where difference <> 0),
  'gaining', (select count(*) from person where difference > 0),
  'losing', (select count(*) from person where difference < 0),
  'before_mg', (select coalesce(sum(old_mg), 0)::bigint from credited),
  'after_mg', (select coalesce(sum(new_mg), 0)::bigint from credited),
  'parts', (select coalesce(jsonb_agg(to_jsonb(part) order by pool, month), '[]') from part),
  'refused', (select coalesce(jsonb_agg(to_jsonb(refused) order by acts desc, reason), '[]') from refused),
  'allowed', (select coalesce(jsonb_agg(to_jsonb(allowed) order by acts desc, reason), '[]') from allowed),
  'by_resident_mg', (select coalesce(to_jsonb(percentile_disc(array[0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
                                              within group (order by difference)), '[]') from person))
"""


@dataclass(frozen=True)
class Impact:
    """What the alternative would do to acts of a period. Integers in milligrams; nobody is named.

    `parts`: by pool and month; `refused`, `allowed`: by reason, acts that would fall or be let in (uncapped);
    `by_resident_mg`: differences at 0, 5, 25, 50, 75, 95 and 100 % of residents. Points stay as they are.
    """

    since: date
    until: date
    figures: Mapping[str, Any]


def impact(session: Session, now: Methodology, instead: Methodology, since: date, until: date) -> Impact:
    """Recompute acts from `since` through `until` under `instead`. The transaction becomes read-only."""
    session.execute(text("set transaction read only"))
    session.execute(text("select set_config('statement_timeout', '0', true), set_config('jit', 'off', true)"))
    alternative = reaching_back(instead, since)
    numbers = {release.digest: place for place, release in enumerate(releases(alternative), start=1)}
    statement = text(_SUMMED.format(figures=figures(alternative, numbers, _WHICH)))
    given = {"since": since, "until": until, "conditions": _reasons(now)}
    found = session.execute(statement, given).scalar_one()
    parts = [{**part, "pool": POOLS[part["pool"]]} for part in found["parts"]]
    return Impact(since, until, {**found, "parts": parts})


def _reasons(methodology: Methodology) -> list[str]:
    return [*(condition.reason for condition in methodology.conditions), "out_of_range", "not_in_force"]
