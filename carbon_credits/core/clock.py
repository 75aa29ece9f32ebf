"""The only place that asks what time it is; the programme's day is the day in Shanghai."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

PROGRAMME_ZONE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The instant, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The programme's calendar day."""
    return day_of(now())


def day_of(instant: datetime) -> date:
    """The programme's calendar day of an aware instant; a naive one is a ValueError."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return instant.astimezone(PROGRAMME_ZONE).date()


def midnight(day: date) -> datetime:
    """The instant at which a day of the programme begins."""
    return datetime.combine(day, time(), PROGRAMME_ZONE)
