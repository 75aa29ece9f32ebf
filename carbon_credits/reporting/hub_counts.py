"""Trips that began or ended at a hub's stations, counted once for each month, as they may be shown.

A month is counted when partners' late records are in and its stations have stood for a week; it is never counted again,
so that nobody can ask twice and subtract. Only what may be shown is kept. What is counted are credited acts of residents
who bound an account: a part of those who pass there, and never more than pass there.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Row, insert, text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.groups.figures import back
from carbon_credits.groups.hub_models import HubMonth, HubMonthPart
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reconciliation.spans import begin_of
from carbon_credits.reporting.cell_tables import FEWEST
from carbon_credits.reporting.indicators_readings import SETTLED_DAYS
from carbon_credits.reporting.suppression import line_hidden

# stations that were named or taken off this lately may still be put right
SETTLES: Final = timedelta(days=7)
TRAVEL: Final = [versions[-1].number for code, versions in BY_CODE.items() if code.startswith("travel.")]
# a trip between two stations of one hub is one trip there
QUERY: Final = """
with named as (
  select group_id, source_id, station from hub_station
  where group_id = any(:groups) and from_month <= :month and coalesce(to_month, 'infinity') > :month
), touched as (
  select distinct n.group_id, a.resident_id, a.occurred_on, a.activity_id, a.methodology
  from activity a
  cross join lateral (values (a.evidence ->> 'from'), (a.evidence ->> 'to')) as e (station)
  join named n on n.source_id = a.source_id and n.station = e.station
  where a.occurred_on >= :month and a.occurred_on < :after and a.methodology = any(:travel)
), act as (
  select t.group_id, t.resident_id, t.methodology
  from touched t
  cross join lateral (
    select state from decision d
    where d.resident_id = t.resident_id and d.occurred_on = t.occurred_on and d.activity_id = t.activity_id
    order by generation desc limit 1
  ) d
  where d.state = 'credited'
)
select group_id, methodology, count(*) as trips, count(distinct resident_id) as people
from act group by grouping sets ((group_id, methodology), (group_id))
"""
QUERY_SHA256: Final = sha256(QUERY.encode()).digest()
_COUNT: Final = text(QUERY)
# the earliest month that is due, and every hub it is due for
_DUE: Final = text("""
with due as (
  select g.group_id, m.month::date as month
  from resident_group g
  join (select group_id, min(from_month)::timestamp as first, max(coalesce(to_month, 'infinity')) as until,
               max(changed_at) as changed_at
        from hub_station where to_month is null or to_month > from_month group by group_id) h using (group_id)
  cross join lateral generate_series(h.first, cast(:last as timestamp), interval '1 month') as m (month)
  where h.changed_at <= :stood and m.month < h.until
    and exists (select from hub_station s where s.group_id = g.group_id and s.from_month <= m.month
                and coalesce(s.to_month, 'infinity') > m.month)
    and not exists (select from hub_month k where k.group_id = g.group_id and k.month = m.month)
)
select group_id, month from due where month = (select min(month) from due)
""")
# whoever names a station shares this lock
_HOLD: Final = text(
    "select from resident_group where group_id = any(:groups) order by group_id for no key update"
)
_BOUND: Final = text("""
select h.group_id, count(distinct b.resident_id) as bound
from (select distinct h.group_id, s.partner_id from hub_station h join source s using (source_id)
      where h.group_id = any(:groups) and h.from_month <= :month and coalesce(h.to_month, 'infinity') > :month) h
join binding b using (partner_id)
where b.bound_at < :ended and (b.ended_at is null or b.ended_at >= :ended)
group by h.group_id
""")
_SEE: Final = text("""
insert into feed_station as f (source_id, station, last_month)
select a.source_id, e.station, max(date_trunc('month', a.occurred_on))::date
from activity a
cross join lateral (values (a.evidence ->> 'from'), (a.evidence ->> 'to')) as e (station)
where a.occurred_on >= :first and a.occurred_on <= :today and a.source_id <> 0 and a.methodology = any(:travel)
  and length(e.station) between 1 and 100
group by 1, 2 order by 1, 2
on conflict (source_id, station) do update set last_month = excluded.last_month
where excluded.last_month > f.last_month
""")


def count_due(session: Session, now: datetime) -> int:
    """Count the earliest month that is due, for every hub that it is due for; returns for how many, 0 when none is.

    A month of acts is read: the limits of doors do not apply.
    """
    _without_limits(session)
    due = _due(session, now)
    if due:
        session.execute(_HOLD, {"groups": [group for group, _ in due]})
        # what was named or counted before the lock is seen now
        still = set(due) & set(_due(session, now))
        _count(session, sorted(group for group, _ in still), due[0][1])
    return len(due)


def see_stations(session: Session, now: datetime) -> int:
    """Note the stations that feeds told of in this month and the last, for staff to choose from; returns 0."""
    _without_limits(session)
    today = day_of(now)
    first = back(today.replace(day=1), 1)
    session.execute(_SEE, {"first": first, "today": today, "travel": TRAVEL})
    return 0


def _due(session: Session, now: datetime) -> list[tuple[int, date]]:
    # a month is due so many days after its last one
    last = back((day_of(now) - timedelta(days=SETTLED_DAYS - 1)).replace(day=1), 1)
    asked = {"last": last, "stood": now - SETTLES}
    return [(row.group_id, row.month) for row in session.execute(_DUE, asked)]


def _count(session: Session, groups: Sequence[int], month: date) -> None:
    if not groups:
        return
    after = back(month, -1)
    asked = {"groups": list(groups), "month": month, "after": after, "travel": TRAVEL}
    found: dict[int, list[Row[Any]]] = {group: [] for group in groups}
    for row in session.execute(_COUNT, asked):
        found[row.group_id].append(row)
    bound = {
        row.group_id: int(row.bound) for row in session.execute(_BOUND, {**asked, "ended": begin_of(after)})
    }
    for group, rows in found.items():
        _keep(session, group, month, rows, bound.get(group, 0))


def _keep(session: Session, group_id: int, month: date, rows: Sequence[Row[Any]], bound: int) -> None:
    """Write down what may be shown: of the whole and of each methodology, none of a few, none to be subtracted."""
    whole = next((row for row in rows if row.methodology is None), None)
    parts = [row for row in rows if row.methodology is not None]
    few = whole is not None and whole.people < FEWEST
    away = line_hidden({str(row.methodology): row.people for row in parts}, total_hidden=few)
    of = {"group_id": group_id, "month": month}
    people, trips = (0, 0) if whole is None else (whole.people, whole.trips)
    header = {
        **of,
        "people": None if few else people,
        "trips": None if few else trips,
        "bound": None if 0 < bound < FEWEST else bound,
        "query_sha256": QUERY_SHA256,
    }
    session.execute(insert(HubMonth).values(header))
    if parts:
        session.execute(insert(HubMonthPart), [{**of, **_part(row, away)} for row in parts])


def _part(row: Row[Any], away: Collection[str]) -> dict[str, int | None]:
    is_away = str(row.methodology) in away
    return {
        "methodology": row.methodology,
        "people": None if is_away else row.people,
        "trips": None if is_away else row.trips,
    }


def _without_limits(session: Session) -> None:
    session.execute(
        text("select set_config('statement_timeout', '600s', true), set_config('jit', 'off', true)")
    )
