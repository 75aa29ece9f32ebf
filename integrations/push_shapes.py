"""What the shapes of pushed documents are made of (JSON Schema 2020-12, of the words that the push door knows)."""

from collections.abc import Mapping
from typing import Any, Final

Shape = Mapping[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
NAME: Final[Shape] = {"type": "string", "minLength": 1, "maxLength": 100}
OPTIONAL_NAME: Final[Shape] = {"anyOf": [{"type": "string", "maxLength": 100}, {"type": "null"}]}
_DAY: Final = r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
INSTANT: Final[Shape] = {
    "type": "string",
    "pattern": rf"^{_DAY}T{_CLOCK}(\.\d{{1,6}})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$",
    "description": "RFC 3339 时间，带时区 / an RFC 3339 time with its offset",
}
LOCAL: Final[Shape] = {
    "type": "string",
    "pattern": rf"^{_DAY} {_CLOCK}$",
    "description": "北京时间 / the time in Beijing, YYYY-MM-DD HH:MM:SS",
}
LOCAL_OR_INSTANT: Final[Shape] = {"anyOf": [LOCAL, INSTANT]}
# as many digits as any meter has; texts too, for some platforms write numbers so
AMOUNT: Final[Shape] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 999_999_999},
        {"type": "string", "pattern": r"^\d{1,9}(\.\d{1,6})?$"},
    ]
}
WHOLE: Final[Shape] = {"type": "integer", "minimum": 0, "maximum": 999_999_999}


def degrees(most: int) -> Shape:
    """A coordinate, WGS-84, as a number or as text."""
    return {
        "anyOf": [
            {"type": "number", "minimum": -180, "maximum": 180},
            {"type": "string", "pattern": r"^-?\d{1,3}(\.\d{1,12})?$"},
        ],
        "description": f"WGS-84，±{most} / WGS-84 degrees, ±{most}",
    }


def objects(required: Mapping[str, Shape], others: Mapping[str, Shape] | None = None) -> Shape:
    """An object with these names; what it has beside them is not looked at."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(others or {})},
    }


def lists(inner: Shape, least: int, most: int) -> Shape:
    """A list of these."""
    return {"type": "array", "minItems": least, "maxItems": most, "items": inner}
