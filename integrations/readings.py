"""Reading one value of a partner's record. Each raises ValueError for what is none; numbers never pass as floats."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

# the zone that feeds declare for times without one: Asia/Shanghai, no summer time since 1992
ZONE: Final = "+08:00"
_MOST: Final = 1 << 53
_NORTHERNMOST_USE: Final = 70.0


class Area(NamedTuple):
    """A box of degrees, WGS-84. Degrees are only compared here, so floats are good enough."""

    south: float
    north: float
    west: float
    east: float

    def has(self, latitude: float, longitude: float) -> bool:
        """Whether a place lies in it."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


# countries by their letters: generous boxes, only to tell latitude from longitude
AREAS: Final[Mapping[str, Area]] = {
    "CHN": Area(3, 54, 73, 136),
    "BEL": Area(49, 52, 2, 7),
    "NLD": Area(50, 54, 3, 8),
    "FRA": Area(41, 52, -6, 10),
    "DEU": Area(47, 56, 5, 16),
}


def misplaced(latitude: float, longitude: float, area: Area | None) -> str | None:
    """What is wrong with a place: `coordinates_swapped`, `coordinates_out_of_range`, or nothing.

    Without an area only what cannot be a latitude of anybody's ride tells that they were swapped.
    """
    if area is None:
        if abs(longitude) <= _NORTHERNMOST_USE < abs(latitude) <= 180:
            return "coordinates_swapped"
        # NaN is not within
        is_within = abs(latitude) <= 90 and abs(longitude) <= 180
        return None if is_within else "coordinates_out_of_range"
    if area.has(latitude, longitude):
        return None
    return "coordinates_swapped" if area.has(longitude, latitude) else "coordinates_out_of_range"


def named(told: Any) -> str:
    """A number or name of theirs: 1 to 100 characters."""
    if not isinstance(told, str) or not 0 < len(told) <= 100 or "\0" in told:
        raise ValueError(told)
    return told


def optional(told: Any) -> str:
    """A name that may be missing; then it is empty."""
    return "" if told is None or told == "" else named(told)


def whole(told: str) -> int:
    """A count told as text, never negative."""
    if not (told.isascii() and told.isdecimal() and len(told) < 16):
        raise ValueError(told)
    return int(told)


def integer(told: Any) -> int:
    """A count told in JSON, never negative; text is none, and `5.0` is five."""
    if isinstance(told, bool) or not isinstance(told, int | Decimal) or not 0 <= told < _MOST:
        raise ValueError(told)
    if told != int(told):
        raise ValueError(told)
    return int(told)


def decimal(told: Any) -> Decimal:
    """A finite number of reasonable size, from JSON or from text."""
    if isinstance(told, bool) or not isinstance(told, str | int | Decimal):
        raise ValueError(told)
    try:
        number = Decimal(told)
    except InvalidOperation as error:
        raise ValueError(told) from error
    if not number.is_finite() or abs(number) >= 10**12 or len(number.as_tuple().digits) > 40:
        raise ValueError(told)
    return number


def scaled(told: Any, factor: int | Decimal) -> int:
    """A quantity in our whole unit, rounded down; never negative."""
    number = decimal(told) * factor
    if number < 0:
        raise ValueError(told)
    return int(number)


def fen(told: Any) -> int:
    """Yuan in fen, which may be negative; raises ValueError for part of a fen."""
    number = decimal(told) * 100
    if number != int(number):
        raise ValueError(told)
    return int(number)


def degrees(told: Any) -> float:
    """Degrees, for comparing; whatever is no place is found there."""
    return float(decimal(told))


def zoned(told: Any) -> datetime:
    """An instant that says its zone, in UTC."""
    if not isinstance(told, str):
        raise ValueError(told)
    at = datetime.fromisoformat(told)
    if at.tzinfo is None:
        raise ValueError(told)
    return _utc(at)


def local(told: Any) -> datetime:
    """`2026-03-02 08:00:00`, in the zone the feed declares, in UTC."""
    if not isinstance(told, str) or len(told) != len("2026-03-02 08:00:00"):
        raise ValueError(told)
    return _utc(datetime.fromisoformat(told + ZONE))


def zoned_or_local(told: Any) -> datetime:
    """Either."""
    return local(told) if isinstance(told, str) and len(told) == len("2026-03-02 08:00:00") else zoned(told)


def milliseconds(told: Any) -> datetime:
    """Integer milliseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=integer(told))


def at(document: Any, path: str) -> Any:
    """What stands at a dotted path of a JSON document; None where there is nothing."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _utc(at_: datetime) -> datetime:
    try:
        return at_.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(at_) from error
