"""What an act is called outside: its day and its number."""

from datetime import date
from functools import lru_cache

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text


def public_id(occurred_on: date, activity_id: int) -> str:
    """An act's public name: its day and its number. Useless without the resident it belongs to."""
    return f"{_written(occurred_on)}-{activity_id}"


@lru_cache(maxsize=1_000)
def _written(day: date) -> str:
    return f"{day:%Y%m%d}"


def parse_public_id(name: str) -> tuple[date, int]:
    """Day and number of a public name; raises NotFound, for a name that cannot be is no act."""
    day, dash, number = name.partition("-")
    if dash and len(day) == 8 and len(number) <= 18 and (day + number).isascii() and (day + number).isdigit():
        try:
            return date(int(day[:4]), int(day[4:6]), int(day[6:])), int(number)
        except ValueError:
            pass
    raise no_such_activity()


def no_such_activity() -> NotFound:
    """What is said of an act that is not there, and of another's alike."""
    return NotFound("activity_not_found", Text("没有这条记录", "No such activity"))
