"""Everything the dashboard says, read together: a dozen statements over rollups and work lists, whatever lies behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.reporting import dashboard, desk, forecast, funnel
from carbon_credits.reporting.dashboard import Streets
from carbon_credits.rewards import coverage

FORTNIGHT: Final = 14


@dataclass(frozen=True)
class Overview:
    """The programme on one day, as far as a territory goes; what is not by street is the whole district's."""

    today: date
    grams: dashboard.Grams
    days: tuple[dashboard.TrendDay, ...]
    active: dashboard.ActiveMonths
    come: funnel.Funnel
    coverage: coverage.Coverage | None
    forecasts: tuple[forecast.Forecast, ...]
    waiting: tuple[desk.Ages, ...]
    feeds: tuple[desk.Feed, ...]
    behind: tuple[desk.WorkList, ...]
    late: tuple[desk.LateTask, ...]

    @property
    def recent(self) -> tuple[dashboard.TrendDay, ...]:
        """The last days of the trend, from the first with an act on; a fortnight at least."""
        recent = self.days[-dashboard.TREND_DAYS :]
        first = next((place for place, day in enumerate(recent) if day.sums.acts), len(recent))
        return recent[min(first, len(recent) - FORTNIGHT) :]

    @property
    def by_file(self) -> tuple[desk.Feed, ...]:
        """The feeds that are complete through some moment, or have files that wait or lie aside."""
        return tuple(feed for feed in self.feeds if feed.complete_through or feed.waiting or feed.aside)

    @property
    def open_cases(self) -> int:
        """Cases and appeals that wait for somebody."""
        return sum(ages.total for ages in self.waiting)

    @property
    def overdue(self) -> int:
        """Those of them past their deadline."""
        return sum(ages.overdue for ages in self.waiting)


def overview(session: Session, now: datetime, every: Mapping[str, timedelta], streets: Streets) -> Overview:
    """Read it all. `every` is how often each periodic task is due, by name; `streets` None is the whole district."""
    today = day_of(now)
    first = date(today.year, 1, 1)
    days = max(dashboard.TREND_DAYS, (today - first).days + 1)
    return Overview(
        today=today,
        grams=dashboard.grams(session, today, streets),
        days=dashboard.trend(session, today, streets, days),
        active=dashboard.active_months(session, today, streets),
        come=funnel.come(session),
        coverage=coverage.newest(session),
        forecasts=forecast.forecasts(session, today),
        waiting=desk.ages(session, now),
        feeds=desk.feeds(session, now),
        behind=tuple(one for one in desk.work_lists(session, now) if one.n),
        late=desk.late_tasks(session, now, every),
    )
