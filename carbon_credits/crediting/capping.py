"""Caps in the batch's SQL: the day's always, the month's and the year's where such caps were ever made.

The day's own acts all lie in the batch; what the month or the year used up before them has to be read from the
decisions, so it is read only for the residents and methodologies that a longer cap is about.
"""

from collections.abc import Mapping, Sequence
from typing import Final

DAY: Final = "day"
LONGER: Final = ("month", "year")
ADVERB: Final = {"month": "monthly", "year": "yearly"}
# whether a count cut a decision d: then it has no grams whatever its quantity
CUT_BY_COUNT: Final = (
    "coalesce(d.reasons && array['daily_count_cap', 'monthly_count_cap', 'yearly_count_cap'], false)"
)
PERIODS: Final = "select coalesce(array_agg(distinct period), '{}') from cap where period <> 'day'"

_CAP = """(select most from cap where scope = {scope} and unit = '{unit}' and period = '{period}'
            and in_force <= k.occurred_on and (until is null or until > k.occurred_on)) as {name}"""

_USED = """, used_{period} as materialized (
  select x.resident_id, x.methodology, x.began, d.n, d.counted
  from (
    select distinct b.resident_id, b.methodology, date_trunc('{period}', b.occurred_on)::date as began
    from batch_act b join terms t using (methodology, evidence_class, occurred_on)
    where b.verdict is null and coalesce(t.most_count_{period}, t.most_quantity_{period}) is not null
  ) x
  cross join lateral (
    select count(*) as n, coalesce(sum(d.counted), 0)::bigint as counted
    from decision d
    where d.resident_id = x.resident_id and d.methodology = x.methodology and d.state = 'credited'
      and d.occurred_on >= x.began and d.occurred_on < (x.began + interval '1 {period}')::date
      and not exists (select from batch_act b where b.activity_id = d.activity_id)
  ) d
)"""

_NTH = """,
         coalesce(u_{period}.counted, 0) as used_quantity_{period},
         coalesce(u_{period}.n, 0) + row_number() over (
           partition by b.resident_id, date_trunc('{period}', b.occurred_on), b.methodology
           order by b.occurred_from, b.act_order) as nth_{period}"""

_JOIN = """
  left join used_{period} u_{period} on u_{period}.resident_id = b.resident_id
    and u_{period}.methodology = b.methodology and u_{period}.began = date_trunc('{period}', b.occurred_on)::date"""

_STAGE = """, run_{period} as (
  select *, used_quantity_{period} + (sum({before}) over (
           partition by resident_id, date_trunc('{period}', occurred_on), methodology
           order by occurred_from, act_order rows unbounded preceding))::bigint as run_quantity_{period}
  from {before}
), counted_{period} as (
  select *, case when most_quantity_{period} is null then {before}
                 else least(most_quantity_{period}, run_quantity_{period})
                    - least(most_quantity_{period}, run_quantity_{period} - {before}) end as counted_{period}
  from run_{period}
)"""


def parts(periods: Sequence[str]) -> Mapping[str, str]:
    """The pieces of DECIDE for the longer periods that have caps, in the order month, year."""
    longer = [period for period in LONGER if period in periods]
    chain = ["counted", *(f"counted_{period}" for period in longer)]
    stages = zip(longer, chain, strict=False)
    most = ["most_count", "most_quantity", "most_family", "most_programme"]
    most += [f"most_{unit}_{period}" for period in longer for unit in ("count", "quantity")]
    return {
        "caps": ",\n         ".join(_caps(longer)),
        "most": ", ".join(f"t.{name}" for name in most),
        "used_before": "".join(_USED.format(period=period) for period in longer),
        "nths": "".join(_NTH.format(period=period) for period in longer),
        "join_used": "".join(_JOIN.format(period=period) for period in longer),
        "longer": "".join(_STAGE.format(period=period, before=before) for period, before in stages),
        "too_many": " or ".join(f"coalesce({over}, false)" for over, _ in _over(longer)),
        "too_many_of": " ".join(f"when {over} then '{reason}'" for over, reason in _over(longer)),
        "used_up": " ".join(_used_up(longer)) or "when false then null",
        "counted": chain[-1],
    }


def _caps(longer: Sequence[str]) -> list[str]:
    rows = [
        ("m.code", "count", DAY, "most_count"),
        ("m.code", "quantity", DAY, "most_quantity"),
        ("m.family", "points", DAY, "most_family"),
        ("'*'", "points", DAY, "most_programme"),
        *(("m.code", unit, p, f"most_{unit}_{p}") for p in longer for unit in ("count", "quantity")),
    ]
    return [
        _CAP.format(scope=scope, unit=unit, period=period, name=name) for scope, unit, period, name in rows
    ]


def _over(longer: Sequence[str]) -> list[tuple[str, str]]:
    days = [("nth > most_count", "daily_count_cap")]
    return days + [(f"nth_{p} > most_count_{p}", f"{ADVERB[p]}_count_cap") for p in longer]


def _used_up(longer: Sequence[str]) -> list[str]:
    """The longest period whose quantity is used up is the one that is named."""
    return [
        f"when run_quantity_{p} >= most_quantity_{p} then '{ADVERB[p]}_quantity_cap'"
        for p in reversed(longer)
    ]
