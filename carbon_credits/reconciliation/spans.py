"""A feed's days: a month is a span of them, a day a span of one. Days are the programme's, in Shanghai."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.partners.models import Source


@dataclass(frozen=True)
class Span:
    """A feed's days from `first` to before `after`, and the methodologies the feed reports."""

    source_id: int
    feed: str
    first: date
    after: date
    methodologies: tuple[int, ...]

    def given(self, source_of: int) -> dict[str, Any]:
        """For the statements: the acts of the feed itself, or (0) of the phones."""
        return {
            "first": self.first,
            "after": self.after,
            "source": self.source_id,
            "source_of": source_of,
            "methodologies": list(self.methodologies),
        }


class Month(Span):
    """A feed's month."""

    @property
    def name(self) -> str:
        """2026-11."""
        return f"{self.first:%Y-%m}"


def month_of(source: Source, name: str) -> Month:
    """A feed's month by its name, 2026-11. Raises Invalid for what is none."""
    try:
        first = datetime.strptime(name, "%Y-%m").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise Invalid("wrong_month", Text("月份格式为 2026-11", "A month is written 2026-11")) from error
    return Month(source.source_id, source.feed, first, next_month(first), _numbers(source))


def day_of(source: Source, day: date) -> Span:
    """A feed's day, which is a span of one."""
    return Span(source.source_id, source.feed, day, day + timedelta(days=1), _numbers(source))


def next_month(first: date) -> date:
    """The first day of the month after."""
    return (first + timedelta(days=31)).replace(day=1)


def begin_of(day: date) -> datetime:
    """The instant at which a day of the programme begins."""
    return datetime(day.year, day.month, day.day, tzinfo=PROGRAMME_ZONE)


def _numbers(source: Source) -> tuple[int, ...]:
    return tuple(sorted(BY_CODE[code][-1].number for code in source.methodologies if code in BY_CODE))
