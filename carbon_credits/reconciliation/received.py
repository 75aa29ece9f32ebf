"""What came for a feed's days: files and what their rows became, records told and told again, what was set aside.

Each statement answers for several feeds and days at once, a row for each; days on which nothing came have none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.reconciliation.spans import Span, begin_of

# a file that was put aside, or let go on, for one of these did not hold what its manifest says
CONTROL_TOTALS: Final = (
    "rows_differ",
    "totals_differ",
    "total_unknown",
    "by_type_differs",
    "trailer_differs",
)
# what becomes of a row of a file
STATUSES: Final = ("accepted", "corrected", "duplicate", "waiting", "refused", "dropped")
# A service day ends at midnight; a feed's grace runs from there. One that was told nothing of has three days.
DAYS: Final = """
day as materialized (
  select s.source_id, d::date as day, (d::date + 1)::timestamp at time zone 'Asia/Shanghai' as ends,
         (d::date + 1)::timestamp at time zone 'Asia/Shanghai' + grace_of(s.source_id, d::date) as until
  from unnest(cast(:sources as smallint[])) as s (source_id)
  cross join generate_series(cast(:first as date), cast(:after as date) - 1, interval '1 day') as d
)"""
# One row for each record, whatever it was told as: late when it was first told after the grace; corrected when a version
# tells another act of it or a record says so; taken back when something did and that was not taken back itself.
_TOLD: Final = text(f"""
with {DAYS}, act as materialized (
  select a.source_id, a.occurred_on as day, a.ext_key, a.activity_id, a.told_at
  from activity a
  where a.occurred_on >= :first and a.occurred_on < :after and a.source_id = any(cast(:sources as smallint[]))
), record as materialized (
  select source_id, day, ext_key, min(told_at) as told_at, count(*) as acts
  from act group by source_id, day, ext_key, case when ext_key is null then activity_id end
), changed as materialized (
  select r.*,
         exists (select from act_version v
                 join act_key k on k.source_id = v.source_id and k.ext_key = v.ext_key
                   and k.activity_id <> v.activity_id
                 where v.source_id = r.source_id and v.ext_key = r.ext_key)
         or exists (select from act_withdrawal w
                    where w.source_id = r.source_id and w.ext_key = r.ext_key and w.kind = 'correct'
                      and w.ended_at is null) as corrected,
         exists (select from act_withdrawal w
                 where w.source_id = r.source_id and w.ext_key = r.ext_key and w.kind = 'void'
                   and w.ended_at is null) as voided
  from record r
)
select c.source_id, c.day, count(*) as records, sum(c.acts)::bigint as acts,
       count(*) filter (where c.told_at > d.until) as late_records,
       count(*) filter (where c.corrected) as corrected, count(*) filter (where c.voided) as voided,
       count(*) filter (where c.corrected or c.voided) as changed
from changed c
join day d using (source_id, day)
group by c.source_id, c.day
""")  # noqa: S608 - made of constants
# Files by number. A number that is missing is missing on the service day of the next that is there.
_FILES: Final = text(f"""
with {DAYS}, numbered as (
  select f.source_id, f.seq, (array_agg(f.service_date order by f.version desc))[1] as day,
         min(f.received_at) as came_at,
         count(*) filter (where f.version > 1 and f.corrected is not null) as versions,
         coalesce(sum(f.corrected), 0)::bigint as told_otherwise, coalesce(sum(f.voided), 0)::bigint as left_out,
         bool_or(f.waived && cast(:control as text[]) or f.fault ->> 'code' = any(cast(:control as text[]))
           or exists (select from jsonb_array_elements(f.fault -> 'others') o
                      where o ->> 'code' = any(cast(:control as text[])))) as disagreed
  from partner_file f
  where f.source_id = any(cast(:sources as smallint[])) and f.seq is not null and f.state <> 'refused'
  group by f.source_id, f.seq
), spaced as (
  select n.*, n.seq - coalesce(lag(n.seq) over (partition by n.source_id order by n.seq), 0) - 1 as missing
  from numbered n
)
select s.source_id, s.day, count(*) as files, sum(s.versions)::bigint as versions,
       sum(s.told_otherwise)::bigint as told_otherwise, sum(s.left_out)::bigint as left_out,
       sum(s.missing)::bigint as missing_files, count(*) filter (where s.disagreed) as totals_differed,
       count(*) filter (where s.came_at > d.until) as late_files
from spaced s join day d using (source_id, day)
group by s.source_id, s.day
""")  # noqa: S608 - made of constants
# Rows by what became of them, of the version that counts of each file.
_ROWS: Final = text("""
select f.source_id, f.service_date as day, (f.counts ->> 'rows')::bigint as file_rows,
       coalesce((f.counts ->> 'records')::bigint, 0) as file_records, f.counts -> 'outcomes' as outcomes
from partner_file f
where f.source_id = any(cast(:sources as smallint[])) and f.state = 'applied' and f.seq is not null
  and f.service_date >= :first and f.service_date < :after
""")
# What came as a record and is no act; a placed one is among the acts. What a file set aside bears the file's instant, so
# that it is found by it; what was pushed, or came by hand, is of the day on which it came.
_ASIDE: Final = text("""
select source_id, day, state, reasons, pushed, count(*) as n
from (
  select r.source_id, f.service_date as day, r.state, r.reasons, false as pushed
  from partner_file f
  join record_set_aside r on r.received_at = f.received_at and r.source_id = f.source_id and r.file_id = f.file_id
  where f.source_id = any(cast(:sources as smallint[])) and f.service_date >= :first and f.service_date < :after
  union all
  select r.source_id, (r.received_at at time zone 'Asia/Shanghai')::date, r.state, r.reasons, r.file_id is null
  from record_set_aside r
  left join partner_file f using (file_id)
  where r.source_id = any(cast(:sources as smallint[])) and f.service_date is null
    and r.received_at >= :begins and r.received_at < :ends
) r
where state <> 'placed'
group by source_id, day, state, reasons, pushed
order by source_id, day, state, reasons, pushed
""")


@dataclass(frozen=True)
class Aside:
    """So many records of a feed and day that are no act, alike in state and reasons; `pushed` did not come in a file."""

    source_id: int
    day: date
    state: str
    reasons: tuple[str, ...]
    pushed: bool
    n: int


def given(sources: Sequence[int], first: date, after: date) -> dict[str, Any]:
    """For the statements: feeds by number, days from `first` to before `after`."""
    return {
        "sources": list(sources),
        "first": first,
        "after": after,
        "begins": begin_of(first),
        "ends": begin_of(after),
        "control": list(CONTROL_TOTALS),
    }


def told_of(session: Session, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Records by feed and day: `records`, `acts`, `late_records`, `corrected`, `voided`, `changed` (either)."""
    return [dict(row) for row in session.execute(_TOLD, asked).mappings()]


def files_of(session: Session, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Files by feed and service day: `files`, later `versions` applied and the records these `told_otherwise`
    or `left_out`, `missing_files`, `totals_differed`, `late_files`.
    """
    return [dict(row) for row in session.execute(_FILES, asked).mappings()]


def rows_of(session: Session, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Rows of applied files, a line for each file with its feed and service day: `file_rows`, `file_records`, `rows_` and
    each status, and of the refused the `contradictions`.
    """
    return [
        {
            "source_id": row.source_id,
            "day": row.day,
            "file_rows": row.file_rows,
            "file_records": row.file_records,
            **_by_status(row.outcomes),
        }
        for row in session.execute(_ROWS, asked)
    ]


def aside_of(session: Session, asked: Mapping[str, Any]) -> list[Aside]:
    """What was set aside, by feed, day, state and reasons."""
    rows = session.execute(_ASIDE, asked)
    return [Aside(row.source_id, row.day, row.state, tuple(row.reasons), row.pushed, row.n) for row in rows]


def set_aside_of(session: Session, span: Span) -> list[Aside]:
    """What was set aside of a feed's span."""
    return aside_of(session, given([span.source_id], span.first, span.after))


def _by_status(outcomes: Mapping[str, int]) -> dict[str, int]:
    found = dict.fromkeys((f"rows_{status}" for status in STATUSES), 0) | {"contradictions": 0}
    for name, n in outcomes.items():
        status, _, reasons = name.partition(":")
        found[f"rows_{status}"] += n
        if status == "refused" and "content_differs" in reasons.split("+"):
            found["contradictions"] += n
    return found
