"""How well partners' feeds do: timeliness, completeness, corrections, fraud, disputes; counts, and shares floored to ppm.

All feeds side by side cost as many statements as one. A share of nothing is None, never 0 and never a million.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median_low
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.partners.models import Source
from carbon_credits.partners.service import source_by_feed
from carbon_credits.reconciliation import punctuality, received
from carbon_credits.reconciliation.received import Aside

A_DAY: Final = timedelta(days=1)
WINDOW: Final = 30 * A_DAY
MILLION: Final = 1_000_000


@dataclass
class FeedDay:
    """What is known of a feed's day: when it and its grace end, when it was complete; counts by name; what lies aside."""

    day: date
    ends: datetime
    until: datetime
    passed_at: datetime | None
    sends_files: bool
    counts: Counter[str] = field(default_factory=Counter)
    aside: list[Aside] = field(default_factory=list)

    @property
    def passed_after_s(self) -> int | None:
        """Whole seconds from the end of the day to when it was complete, 0 for one that was before its end."""
        if self.passed_at is None:
            return None
        return max(0, (self.passed_at - self.ends) // timedelta(seconds=1))


@dataclass(frozen=True)
class Scorecard:
    """A feed's rates of a day and of the thirty days before it."""

    feed: str
    until: date
    since: date
    day: Mapping[str, Any]
    window: Mapping[str, Any]


def ppm(part: int, whole: int) -> int | None:
    """A share in parts per million, floored; None of nothing."""
    return part * MILLION // whole if whole else None


def scorecards(session: Session, feed: str | None, until: date, now: datetime) -> list[Scorecard]:
    """The scorecards of one partner's feed, or of all, as of a day. Raises NotFound, Invalid for a day to come."""
    require_past(until, now)
    if feed is not None:
        sources: Sequence[Source] = [source_by_feed(session, feed)]
    else:
        every = select(Source).where(Source.partner_id.is_not(None)).order_by(Source.source_id)
        sources = session.execute(every).scalars().all()
    session.execute(text("set local statement_timeout = '10min'"))
    found = feed_days(session, [source.source_id for source in sources], until - WINDOW, until)
    return [_scorecard(source.feed, found[source.source_id], now) for source in sources]


def require_past(day: date, now: datetime) -> None:
    """Raises Invalid for a day that has not begun."""
    if day > clock.day_of(now):
        raise Invalid("day_in_future", Text("日期在未来", "The day lies in the future"))


def feed_days(session: Session, sources: Sequence[int], first: date, last: date) -> dict[int, list[FeedDay]]:
    """The days of feeds from `first` to `last`, in their order, by the feed's number."""
    asked = received.given(sources, first, last + A_DAY)
    found: dict[int, list[FeedDay]] = defaultdict(list)
    for row in punctuality.passed_of(session, asked):
        day = FeedDay(row["day"], row["ends"], row["until"], row["passed_at"], bool(row["sends_files"]))
        found[row["source_id"]].append(day)
    by_day = {(source, day.day): day for source, days in found.items() for day in days}
    for read in (
        received.told_of,
        received.files_of,
        received.rows_of,
        punctuality.cases_of,
        punctuality.alarms_of,
    ):
        for row in read(session, asked):
            counts = by_day[row["source_id"], row["day"]].counts
            counts.update({name: n for name, n in row.items() if name not in ("source_id", "day")})
    for aside in received.aside_of(session, asked):
        one = by_day[aside.source_id, aside.day]
        one.aside.append(aside)
        one.counts["contradictions"] += aside.n * (aside.pushed and "content_differs" in aside.reasons)
    return found


def rates(
    days: Sequence[FeedDay], now: datetime, usual: int | None = None
) -> dict[str, dict[str, int | None]]:
    """Rates of a feed's days. `usual` is how many records days like them have, where that is known."""
    sums: Counter[str] = Counter()
    for day in days:
        sums.update(day.counts)
    records = sums["records"]

    def share(name: str) -> dict[str, int | None]:
        return {"records": records, name: sums[name], f"{name}_ppm": ppm(sums[name], records)}

    return {
        "timeliness": _timeliness(days, now, sums),
        "completeness": _completeness(days, sums, usual),
        "corrections": {**share("changed"), "corrected": sums["corrected"], "voided": sums["voided"]},
        "fraud": {
            **share("taken_back"),
            "alarms": sums["alarms"],
            "alarms_ppm": ppm(sums["alarms"], sums["files"] + sums["alarms"]),
            "contradictions": sums["contradictions"],
        },
        "disputes": share("disputed"),
    }


def _completeness(
    days: Iterable[FeedDay], sums: Mapping[str, int], usual: int | None
) -> dict[str, int | None]:
    """Rows of people who are not bound were never read: they are in no share."""
    rows = sums["file_rows"] - sums["rows_dropped"]
    usable = rows - sums["rows_refused"]
    return {
        "files": sums["files"],
        "missing_files": sums["missing_files"],
        "days_without_file": sum(day.sends_files and not day.counts["files"] for day in days),
        "totals_differed": sums["totals_differed"],
        "rows": rows,
        "usable_rows": usable,
        "usable_ppm": ppm(usable, rows),
        "records": sums["records"],
        "usual_records": usual,
        "of_usual_ppm": None if usual is None else ppm(sums["records"], usual),
    }


def _timeliness(days: Iterable[FeedDay], now: datetime, sums: Mapping[str, int]) -> dict[str, int | None]:
    """A day that is not complete is late once its grace is over; until then it is neither, and in no share."""
    counted = [day for day in days if day.sends_files]
    after = [day.passed_after_s for day in counted if day.passed_after_s is not None]
    on_time = sum(day.passed_at is not None and day.passed_at <= day.until for day in counted)
    pending = sum(day.passed_at is None and now <= day.until for day in counted)
    return {
        "days": len(counted),
        "on_time": on_time,
        "late": len(counted) - on_time - pending,
        "pending": pending,
        "on_time_ppm": ppm(on_time, len(counted) - pending),
        "passed_after_median_s": median_low(after) if after else None,
        "passed_after_most_s": max(after, default=None),
        "late_files": sums["late_files"],
        "late_records": sums["late_records"],
    }


def _scorecard(feed: str, days: Sequence[FeedDay], now: datetime) -> Scorecard:
    *window, day = days
    usual = {weekday: _usual(window, weekday) for weekday in range(7)}
    whole = sum(usual[each.day.weekday()] or 0 for each in window)
    return Scorecard(
        feed,
        day.day,
        window[0].day,
        rates([day], now, usual[day.day.weekday()]),
        rates(window, now, whole or None),
    )


def _usual(days: Iterable[FeedDay], weekday: int) -> int | None:
    """The median of records on such weekdays, of those on which the feed was at work; None before it was."""
    alike = (day for day in days if day.day.weekday() == weekday)
    found = [day.counts["records"] for day in alike if day.sends_files or day.counts["records"]]
    return median_low(found) if found else None
