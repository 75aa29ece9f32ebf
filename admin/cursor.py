"""How far one has read in a list, as it stands in an address: an instant and a number, or a number alone."""

from datetime import datetime
from typing import Final

from flask import request

from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text

PAGE: Final = 50
PART: Final = "~"
MOST: Final = 2**62
WRONG: Final = Text("翻页位置有误，请从第一页开始", "This is no place in the list: begin at its first page")


def write(instant: datetime, number: int) -> str:
    """The place of the last row seen."""
    return f"{instant.isoformat()}{PART}{number}"


def read(name: str = "after") -> tuple[datetime, int] | None:
    """The place that an address names; None at the beginning. Raises Invalid."""
    told = request.args.get(name, "")
    if not told:
        return None
    at, _, number = told.partition(PART)
    try:
        instant = datetime.fromisoformat(at)
    except ValueError as error:
        raise Invalid("wrong_place", WRONG) from error
    if instant.tzinfo is None:
        raise Invalid("wrong_place", WRONG)
    return instant, _whole(number)


def number(name: str = "before") -> int | None:
    """The number that an address names; None at the beginning. Raises Invalid."""
    told = request.args.get(name, "")
    return _whole(told) if told else None


def _whole(told: str) -> int:
    if not (told.isascii() and told.isdigit()) or len(told) > 19 or int(told) > MOST:
        raise Invalid("wrong_place", WRONG)
    return int(told)
