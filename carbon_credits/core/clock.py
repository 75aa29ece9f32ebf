"""The only place that asks what time it is; the programme's day is the day in Shanghai."""

from datetime import UTC, date, datetime
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
