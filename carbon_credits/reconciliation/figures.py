"""What a feed's month comes to: every record and every claim of it in exactly one line, grams and points as booked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.partners.models import Source

UNEXPLAINED: Final = "unexplained"
_ACTS: Final = """
from activity a
where a.occurred_on >= :first and a.occurred_on < :after
  and case when :source_of = 0 then a.source_id = 0 and a.methodology = any(cast(:methodologies as smallint[]))
           else a.source_id = :source_of end
"""
# The newest decision of each act of the month, what waits on the work list, and the match that holds now.
_STANDING: Final = f"""
act as materialized (select a.resident_id, a.occurred_on, a.activity_id, a.shard_id {_ACTS}),
decided as (
  select distinct on (d.resident_id, d.occurred_on, d.activity_id)
         d.resident_id, d.occurred_on, d.activity_id, d.state, d.reasons
  from decision d
  join act using (resident_id, occurred_on, activity_id, shard_id)
  order by d.resident_id, d.occurred_on, d.activity_id, d.generation desc
), queued as (
  select q.activity_id from activity_queue q where q.occurred_on >= :first and q.occurred_on < :after
)"""  # noqa: S608 - made of constants
_RECORDS: Final = text(f"""
with {_STANDING}, matched as (
  select record_id as activity_id, min(pass) as pass from record_match
  where ended_at is null and source_id = :source and record_on >= :first and record_on < :after
  group by record_id
)
select case when d.state is null or q.activity_id is not null then 'undecided'
            when d.state = 'credited' and m.pass is not null then 'matched_' || m.pass
            when d.state = 'credited' then 'record_only'
            when d.state in ('held', 'awaiting', 'rejected', 'reversed', 'replaced') then d.state
            else '{UNEXPLAINED}' end as line,
       count(*) as n
from act
left join decided d using (resident_id, occurred_on, activity_id)
left join queued q using (activity_id)
left join matched m using (activity_id)
group by 1 order by 1
""")  # noqa: S608 - made of constants
# A claim that was replaced must have the match that replaced it; one that has none is not explained.
_CLAIMS: Final = text(f"""
with {_STANDING}, matched as (
  select claim_id as activity_id, min(pass) as pass, bool_or(source_id = :source) as here from record_match
  where ended_at is null and claim_on >= :first and claim_on < :after
  group by claim_id
)
select case when d.state is null or q.activity_id is not null then 'undecided'
            when d.state = 'replaced' and m.here then 'replaced_' || m.pass
            when d.state = 'replaced' and not m.here then 'replaced_elsewhere'
            when d.state = 'rejected' and 'no_partner_record' = any(d.reasons) then 'no_partner_record'
            when d.state = 'credited' then 'claim_only'
            when d.state in ('held', 'awaiting', 'rejected', 'reversed') then d.state
            else '{UNEXPLAINED}' end as line,
       count(*) as n
from act
left join decided d using (resident_id, occurred_on, activity_id)
left join queued q using (activity_id)
left join matched m using (activity_id)
group by 1 order by 1
""")  # noqa: S608 - made of constants
_TOTAL: Final = text(f"select count(*) {_ACTS}")
# What came as a record and is no act; a placed one is among the acts.
_ASIDE: Final = text("""
select r.state, count(*) as n
from record_set_aside r
left join partner_file f using (file_id)
where r.source_id = :source and r.state <> 'placed'
  and coalesce(f.service_date, (r.received_at at time zone 'Asia/Shanghai')::date) >= :first
  and coalesce(f.service_date, (r.received_at at time zone 'Asia/Shanghai')::date) < :after
group by r.state order by r.state
""")
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
class Month:
    """A feed's month: the days from `first` to before `after`, and the methodologies the feed reports."""

    source_id: int
    feed: str
    first: date
    after: date
    methodologies: tuple[int, ...]

    @property
    def name(self) -> str:
        """2026-11."""
        return f"{self.first:%Y-%m}"

    def given(self, source_of: int) -> dict[str, Any]:
        """For the statements: the acts of the feed itself, or (0) of the phones."""
        return {
            "first": self.first,
            "after": self.after,
            "source": self.source_id,
            "source_of": source_of,
            "methodologies": list(self.methodologies),
        }


def month_of(source: Source, name: str) -> Month:
    """A feed's month by its name, 2026-11. Raises Invalid for what is none."""
    try:
        first = datetime.strptime(name, "%Y-%m").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise Invalid("wrong_month", Text("月份格式为 2026-11", "A month is written 2026-11")) from error
    numbers = (BY_CODE[code][-1].number for code in source.methodologies if code in BY_CODE)
    return Month(source.source_id, source.feed, first, next_month(first), tuple(sorted(numbers)))


def next_month(first: date) -> date:
    """The first day of the month after."""
    return (first + timedelta(days=31)).replace(day=1)


def begin_of(day: date) -> datetime:
    """The instant at which a day of the programme begins."""
    return datetime(day.year, day.month, day.day, tzinfo=PROGRAMME_ZONE)


def figures_of(session: Session, month: Month) -> dict[str, Any]:
    """All of a month as it stands now: lines that add up to their totals, and what was booked. Whole numbers."""
    session.execute(text("set local statement_timeout = '10min'"))
    aside = session.execute(_ASIDE, month.given(month.source_id))
    return {
        "records": _lines(session, _RECORDS, month, month.source_id),
        "claims": _lines(session, _CLAIMS, month, 0),
        "set_aside": {row.state: row.n for row in aside},
        "booked": booked_of(session, month),
    }


def booked_of(
    session: Session, month: Month, *, journal: int = 0, first: date | None = None, after: date = FOR_EVER
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


def _lines(session: Session, statement: Any, month: Month, source_of: int) -> dict[str, Any]:
    given = month.given(source_of)
    lines = {row.line: row.n for row in session.execute(statement, given)}
    total = session.execute(_TOTAL, given).scalar_one()
    lines.pop(UNEXPLAINED, None)
    # counted apart from the lines: what is in no line, or in two, does not go unseen
    return {"total": total, "lines": lines, UNEXPLAINED: total - sum(lines.values())}


def _booked(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    rows = session.execute(_BOOKED, given).all()
    grams = {
        name: sum(getattr(row, name) for row in rows) for name in ("verified_mg", "claimed_mg", "removal_mg")
    }
    return {**grams, "points_by_fund": {str(row.fund): row.points for row in rows if row.fund}}
