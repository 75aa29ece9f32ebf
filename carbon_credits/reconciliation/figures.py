"""What a feed's month or day comes to: every record and claim of it in one line, grams and points as booked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.reconciliation.received import set_aside_of
from carbon_credits.reconciliation.spans import Month, Span, begin_of

UNEXPLAINED: Final = "unexplained"
_ACTS: Final = """
from activity a
where a.occurred_on >= :first and a.occurred_on < :after
  and case when :source_of = 0 then a.source_id = 0 and a.methodology = any(cast(:methodologies as smallint[]))
           else a.source_id = :source_of end
"""
# Each act of the span with its newest decision, what it is credited with by it, and whether it is on the work list.
# Looked up act by act: the planner takes the join of two such sets for one row, and would compare each with each.
_STANDING: Final = f"""
act as materialized (select a.resident_id, a.occurred_on, a.activity_id, a.shard_id {_ACTS}),
decided as materialized (
  select act.*, d.state, d.reasons, case when d.state = 'credited' then d.pool end as pool,
         case when d.state = 'credited' then coalesce((
           select r.new_mg from restated r
           where r.resident_id = act.resident_id and r.activity_id = act.activity_id and r.generation = d.generation
           order by r.restatement_id desc limit 1), d.credited_mg) else 0 end as mg,
         case when d.state = 'credited' then d.points + d.bonus else 0 end as points,
         exists (select from activity_queue q
                 where q.shard_id = act.shard_id and q.resident_id = act.resident_id
                   and q.occurred_on = act.occurred_on and q.activity_id = act.activity_id) as is_queued
  from act
  left join lateral (
    select * from decision d
    where d.resident_id = act.resident_id and d.occurred_on = act.occurred_on and d.activity_id = act.activity_id
      and d.occurred_on >= :first and d.occurred_on < :after
    order by d.generation desc limit 1
  ) d on true
)"""  # noqa: S608 - made of constants
# Acts that stand alike; what they are counted against is counted apart, and at the same instant.
_COUNTED: Final = f"""
select total, line, state, reasons, pool, coalesce(n, 0) as n, mg, points
from (select count(*) as total {_ACTS}) t
left join (
  select line, case when is_queued then 'undecided' else coalesce(state, '{UNEXPLAINED}') end as state,
         case when is_queued then null else reasons end as reasons, pool, count(*) as n,
         coalesce(sum(mg), 0)::bigint as mg, coalesce(sum(points), 0)::bigint as points
  from stands group by 1, 2, 3, 4
) s on true
order by line, state, reasons, pool
"""  # noqa: S608 - made of constants
# A record that is neither decided nor on the work list was lost, and is in no line.
_RECORDS: Final = text(f"""
with {_STANDING}, stands as (
  select case when d.is_queued then 'undecided'
              when d.state = 'credited' and m.pass is not null then 'matched_' || m.pass
              when d.state = 'credited' then 'record_only'
              when d.state in ('held', 'awaiting', 'rejected', 'reversed', 'replaced') then d.state
              else '{UNEXPLAINED}' end as line, d.*
  from decided d
  left join lateral (
    select min(m.pass) as pass from record_match m
    where m.resident_id = d.resident_id and m.record_id = d.activity_id and m.shard_id = d.shard_id
      and m.source_id = :source and m.ended_at is null
  ) m on true
)
{_COUNTED}""")  # noqa: S608 - made of constants
# A claim that was replaced must have the match that replaced it; one that has none is not explained. One whose trace is
# looked at is not on the work list yet.
_CLAIMS: Final = text(f"""
with {_STANDING}, stands as (
  select case when d.state is null or d.is_queued then 'undecided'
              when d.state = 'replaced' and m.here then 'replaced_' || m.pass
              when d.state = 'replaced' and not m.here then 'replaced_elsewhere'
              when d.state = 'rejected' and 'no_partner_record' = any(d.reasons) then 'no_partner_record'
              when d.state = 'credited' then 'claim_only'
              when d.state in ('held', 'awaiting', 'rejected', 'reversed') then d.state
              else '{UNEXPLAINED}' end as line,
         d.state is null or d.is_queued as is_queued, d.state, d.reasons, d.pool, d.mg, d.points
  from decided d
  left join lateral (
    select min(m.pass) as pass, bool_or(m.source_id = :source) as here from record_match m
    where m.resident_id = d.resident_id and m.claim_id = d.activity_id and m.ended_at is null
  ) m on true
)
{_COUNTED}""")  # noqa: S608 - made of constants
# What was booked for acts of the month, by fund; between two journals and two days of booking.
_BOOKED: Final = text("""
select p.contra_ref as fund, sum(p.points)::bigint as points, sum(p.verified_mg)::bigint as verified_mg,
       sum(p.claimed_mg)::bigint as claimed_mg, sum(p.removal_mg)::bigint as removal_mg
from posting p
join activity a on a.resident_id = p.resident_id and a.occurred_on = p.effective_on
  and a.activity_id = p.activity_id and a.shard_id = p.shard_id
where p.effective_on >= :first and p.effective_on < :after
  and p.booked_on >= :booked_first and p.booked_on < :booked_after and p.journal_id > :journal
  and case when :source_of = 0 then a.source_id = 0 and a.methodology = any(cast(:methodologies as smallint[]))
           else a.source_id = :source_of end
group by p.contra_ref order by p.contra_ref
""")
# Acts of a month that were decided for the first time after it was closed.
_LATE: Final = text(f"""
select count(*) from (select a.resident_id, a.occurred_on, a.activity_id, a.shard_id {_ACTS}) act
join decision d using (resident_id, occurred_on, activity_id, shard_id)
where d.generation = 1 and d.decided_at > :closed_at and d.decided_at >= :from and d.decided_at < :until
""")  # noqa: S608 - made of constants
FOR_EVER: Final = date(9999, 1, 1)


@dataclass(frozen=True)
class Alike:
    """So many acts in one line that stand alike, and what they are credited with now: mg CO2e of `pool`, points.

    `state` is that of the newest decision, `undecided` on the work list; `reasons` are the decision's.
    """

    line: str
    state: str
    reasons: tuple[str, ...]
    pool: str | None
    n: int
    mg: int
    points: int


@dataclass(frozen=True)
class Standing:
    """How a span's records or claims stand; `total` is counted apart from the lines."""

    total: int
    acts: tuple[Alike, ...]

    @property
    def lines(self) -> dict[str, int]:
        """How many are in each line."""
        found: Counter[str] = Counter()
        for alike in self.acts:
            found[alike.line] += alike.n
        found.pop(UNEXPLAINED, None)
        return dict(found)

    @property
    def unexplained(self) -> int:
        """How many are in no line; less than 0 when some are in two."""
        return self.total - sum(self.lines.values())


def figures_of(session: Session, month: Span) -> dict[str, Any]:
    """All of a month as it stands now: lines that add up to their totals, and what was booked. Whole numbers."""
    session.execute(text("set local statement_timeout = '10min'"))
    aside: Counter[str] = Counter()
    for kept in set_aside_of(session, month):
        aside[kept.state] += kept.n
    return {
        "records": _figures(records_of(session, month)),
        "claims": _figures(claims_of(session, month)),
        "set_aside": dict(sorted(aside.items())),
        "booked": booked_of(session, month),
    }


def booked_of(
    session: Session, month: Span, *, journal: int = 0, first: date | None = None, after: date = FOR_EVER
) -> dict[str, Any]:
    """What was booked for a month's records and claims: after a journal, and on days from `first` to before `after`."""
    when = {"journal": journal, "booked_first": first or month.first, "booked_after": after}
    return {
        "records": _booked(session, {**month.given(month.source_id), **when}),
        "claims": _booked(session, {**month.given(0), **when}),
    }


def late_of(session: Session, month: Month, closed_at: datetime, first: date, after: date) -> dict[str, int]:
    """How many records and claims of a closed month were first decided since, on days from `first` to before `after`."""
    when = {"closed_at": closed_at, "from": begin_of(first), "until": begin_of(after)}
    return {
        "records": session.execute(_LATE, {**month.given(month.source_id), **when}).scalar_one(),
        "claims": session.execute(_LATE, {**month.given(0), **when}).scalar_one(),
    }


def records_of(session: Session, span: Span) -> Standing:
    """How a feed's own acts of a span stand."""
    return _standing(session, _RECORDS, span.given(span.source_id))


def claims_of(session: Session, span: Span) -> Standing:
    """How phones' claims of what the feed reports stand."""
    return _standing(session, _CLAIMS, span.given(0))


def _standing(session: Session, statement: Any, given: Mapping[str, Any]) -> Standing:
    rows = session.execute(statement, given).all()
    acts = (
        Alike(row.line, row.state, tuple(row.reasons or ()), row.pool, row.n, row.mg, row.points)
        for row in rows
        if row.line is not None
    )
    return Standing(rows[0].total, tuple(acts))


def _figures(standing: Standing) -> dict[str, Any]:
    # counted apart from the lines: what is in no line, or in two, does not go unseen
    return {"total": standing.total, "lines": standing.lines, UNEXPLAINED: standing.unexplained}


def _booked(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    rows = session.execute(_BOOKED, given).all()
    grams = {
        name: sum(getattr(row, name) for row in rows) for name in ("verified_mg", "claimed_mg", "removal_mg")
    }
    return {**grams, "points_by_fund": {str(row.fund): row.points for row in rows if row.fund}}
