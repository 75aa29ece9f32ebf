"""When a fund will have granted all it has, said as a span and not as a date.

The last four weeks of net spending (granted less taken back) are looked at, today left out. At the pace of the fastest of
the weeks the fund ends at the earliest, at that of the slowest at the latest, at that of all of them in between. A week
in which nothing was spent, or more came back than went out, has no end: the fund does not run out at that pace. Weeks
before the fund's first grant are no pace of anything; a fund that has not granted for a week has no forecast.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text

WEEKS: Final = 4
# further ahead says only that there is no end in sight
FARTHEST_DAYS: Final = 3_650

_FUNDS = text("""
with spent as (
  select fund_id, (:today - 1 - booked_on) / 7 as weeks_ago, sum(points)::bigint as points
  from rollup_fund where booked_on >= cast(:today as date) - 7 * :weeks and booked_on < :today group by 1, 2
)
select f.fund_id, f.code, f.name_zh, f.name_en, f.budget,
       f.unallocated + coalesce((select sum(remaining) from fund_slot s where s.fund_id = f.fund_id), 0)::bigint
         as left_over,
       (select min(booked_on) from rollup_fund r where r.fund_id = f.fund_id) as first_on,
       array(select coalesce((select points from spent s where s.fund_id = f.fund_id and s.weeks_ago = w), 0)
             from generate_series(0, :weeks - 1) as w order by w) as weeks
from fund f order by f.code
""")


@dataclass(frozen=True)
class Forecast:
    """A fund's points not granted yet and how long they last; `weeks` are points spent net, the newest week first.

    Days are None where at that pace it does not run out, all three where there is no pace to go by (`is_known` is false).
    """

    fund_id: int
    code: str
    name: Text
    budget: int
    not_granted: int
    weeks: tuple[int, ...]
    earliest: date | None
    middle: date | None
    latest: date | None

    @property
    def is_known(self) -> bool:
        """Whether the fund has granted for a week at least."""
        return bool(self.weeks)

    @property
    def runs_out(self) -> bool:
        """Whether it ends at the pace of the fastest week at least."""
        return self.earliest is not None


def forecasts(session: Session, today: date) -> tuple[Forecast, ...]:
    """Every fund, by code."""
    found = []
    for row in session.execute(_FUNDS, {"today": today, "weeks": WEEKS}):
        weeks = tuple(int(n) for n in row.weeks[: _whole_weeks(row.first_on, today)])
        left = int(row.left_over)
        ends = [end(left, points, days, today) for points, days in _paces(weeks)] or [None] * 3
        found.append(
            Forecast(row.fund_id, row.code, Text(row.name_zh, row.name_en), row.budget, left, weeks, *ends)
        )
    return tuple(found)


def end(left: int, points: int, days: int, today: date) -> date | None:
    """The last day that `left` points cover at `points` in so many days; None where there is no end in sight."""
    if points <= 0:
        return None
    lasts = left * days // points
    return today + timedelta(days=lasts) if lasts <= FARTHEST_DAYS else None


def _whole_weeks(first_on: date | None, today: date) -> int:
    return 0 if first_on is None else min((today - first_on).days // 7, WEEKS)


def _paces(weeks: tuple[int, ...]) -> list[tuple[int, int]]:
    """The fastest week's, the whole time's, the slowest week's: points in so many days."""
    return [(max(weeks), 7), (sum(weeks), 7 * len(weeks)), (min(weeks), 7)] if weeks else []
