"""The fields bodies are made of: each refuses by code and documents its own bounds.

`true`, `1.0` and `"1"` are no integers; nothing is converted on the way in.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.types import UnknownOption

from carbon_credits.core.i18n import Text

RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
FINE_FRACTION: Final = re.compile(r"(\.\d{6})\d+")
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
ANYTHING: Final = r".*"
ONE_LINE: Final = r"[^\x00-\x1f\x7f]*"
AN_INSTANT: Final = "2026-11-22T00:16:00Z"
INSTANT_PATTERN: Final = r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$"


class Fault(str):
    """The code of a fault, with its words for people."""

    detail: Text

    def __new__(cls, code: str, detail: Text) -> "Fault":
        made = super().__new__(cls, code)
        made.detail = detail
        return made

    def __deepcopy__(self, _memo: object) -> "Fault":
        return self


REQUIRED: Final = Fault("required", Text("必填", "Required"))
NULL: Final = Fault("null", Text("不能为 null", "May not be null"))
UNKNOWN: Final = Fault("unknown_field", Text("没有这个字段", "No such field"))
NOT_OBJECT: Final = Fault("not_an_object", Text("应为 JSON 对象", "Must be a JSON object"))
NOT_LIST: Final = Fault("not_a_list", Text("应为数组", "Must be a list"))
NOT_INTEGER: Final = Fault("not_an_integer", Text("应为整数", "Must be an integer"))
NOT_NUMBER: Final = Fault("not_a_number", Text("应为数值", "Must be a number"))
NOT_TEXT: Final = Fault("not_a_text", Text("应为文字", "Must be a text"))
NOT_BOOLEAN: Final = Fault("not_a_boolean", Text("应为 true 或 false", "Must be true or false"))
NOT_INSTANT: Final = Fault(
    "not_an_instant", Text("应为带时区的 RFC 3339 时间", "Must be an RFC 3339 time with its offset")
)
WRONG_FORMAT: Final = Fault("wrong_format", Text("格式不符", "Has the wrong form"))
WORDS: Final[dict[str, Any]] = {
    "required": REQUIRED,
    "null": NULL,
    "validator_failed": WRONG_FORMAT,
    "type": NOT_OBJECT,
    "invalid": WRONG_FORMAT,
}


class Body(Schema):
    """A JSON object that holds what is listed and nothing else."""

    class Meta:
        """Unknown names are refused, here and in the document."""

        unknown: UnknownOption = RAISE

    error_messages = {"unknown": UNKNOWN, "type": NOT_OBJECT}  # noqa: RUF012 - marshmallow's own way


def whole(value: Any, least: int, most: int) -> int:
    """An integer within bounds; raises ValidationError."""
    if type(value) is not int:
        raise ValidationError(NOT_INTEGER)
    if not least <= value <= most:
        raise ValidationError(_out_of_range(least, most))
    return value


def number(value: Any, least: int, most: int) -> Decimal | int:
    """A number within bounds, fraction or not; raises ValidationError."""
    if type(value) is not int and not isinstance(value, Decimal):
        raise ValidationError(NOT_NUMBER)
    if not least <= value <= most:
        raise ValidationError(_out_of_range(least, most))
    return value


def words(value: Any, least: int, most: int, pattern: re.Pattern[str]) -> str:
    """A text of a length and form; raises ValidationError."""
    if type(value) is not str:
        raise ValidationError(NOT_TEXT)
    if not least <= len(value) <= most:
        detail = Text(f"长度应为 {least}–{most}", f"Must be {least} to {most} characters long")
        raise ValidationError(Fault("wrong_length", detail))
    if pattern.fullmatch(value) is None:
        raise ValidationError(WRONG_FORMAT)
    return value


def instant(value: Any) -> datetime:
    """An aware time in UTC; digits below the microsecond are dropped. Raises ValidationError."""
    if type(value) is not str or RFC3339.fullmatch(value) is None:
        raise ValidationError(NOT_INSTANT)
    try:
        found = datetime.fromisoformat(FINE_FRACTION.sub(r"\1", value.upper())).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValidationError(NOT_INSTANT) from error
    # the first and the last year of the calendar are not years in every zone
    if not 1 < found.year < 9999:
        raise ValidationError(NOT_INSTANT)
    return found


class Checked(fields.Field[Any]):
    """A field with one check and the words that document it."""

    def __init__(
        self,
        told: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        example: Any = None,
        **options: Any,
    ) -> None:
        shown = {} if example is None else {"example": example}
        super().__init__(metadata={**told, **shown, **(metadata or {})}, error_messages=WORDS, **options)
        self.told = told

    def check(self, value: Any) -> Any:
        """The value, or ValidationError with a Fault."""
        raise NotImplementedError

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        del attr, data, kwargs
        return self.check(value)


class Whole(Checked):
    """An integer between two bounds, both allowed."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__({"type": "integer", "minimum": least, "maximum": most}, **options)
        self.least, self.most = least, most

    def check(self, value: Any) -> int:
        """An int and nothing that could pass for one."""
        return whole(value, self.least, self.most)


class QueryWhole(Whole):
    """The same in a query, where everything is text."""

    def check(self, value: Any) -> int:
        """Digits, then the bounds."""
        if re.fullmatch(r"-?[0-9]{1,15}", value, re.ASCII) is None:
            raise ValidationError(NOT_INTEGER)
        return whole(int(value), self.least, self.most)


class Words(Checked):
    """A text with its length and, where it has one, its form."""

    def __init__(self, least: int, most: int, *, pattern: str | None = None, **options: Any) -> None:
        form = {"pattern": f"^{pattern}$"} if pattern else {}
        super().__init__({"type": "string", "minLength": least, "maxLength": most, **form}, **options)
        self.least, self.most = least, most
        self.pattern = re.compile(pattern or ANYTHING, re.ASCII | re.DOTALL)

    def check(self, value: Any) -> str:
        """Length, then form."""
        return words(value, self.least, self.most, self.pattern)


class Line(Words):
    """What somebody may freely write, on one line: no control characters."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(least, most, pattern=ONE_LINE, **options)


class Choice(Checked):
    """One of a few words."""

    def __init__(self, *choices: str, **options: Any) -> None:
        super().__init__({"type": "string", "enum": list(choices)}, **options)
        self.choices = choices

    def check(self, value: Any) -> str:
        """Exactly one of them."""
        if type(value) is not str or value not in self.choices:
            listed = ", ".join(self.choices)
            told = Text(f"应为其一：{listed}", f"Must be one of {listed}")
            raise ValidationError(Fault("not_one_of", told))
        return value


class YesNo(Checked):
    """true or false; not 1, not "yes"."""

    def __init__(self, **options: Any) -> None:
        super().__init__({"type": "boolean"}, **options)

    def check(self, value: Any) -> bool:
        """A bool."""
        if type(value) is not bool:
            raise ValidationError(NOT_BOOLEAN)
        return value


class Instant(Checked):
    """An RFC 3339 time with its offset."""

    def __init__(self, **options: Any) -> None:
        told = {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}
        super().__init__(told, **{"example": AN_INSTANT, **options})

    def check(self, value: Any) -> datetime:
        """In UTC."""
        return instant(value)


class Day(Checked):
    """A calendar day; only told, never asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__({"type": "string", "format": "date"}, **options)


class QueryDay(Day):
    """A calendar day in a query."""

    def check(self, value: Any) -> date:
        """Ten characters, and a day there is."""
        try:
            found = date.fromisoformat(value)
        except ValueError as error:
            raise ValidationError(WRONG_FORMAT) from error
        if found.isoformat() != value:
            raise ValidationError(WRONG_FORMAT)
        return found


class Quantities(Checked):
    """Whole numbers by name: what was monitored."""

    def __init__(self, most: int, **options: Any) -> None:
        told = {
            "type": "object",
            "maxProperties": 20,
            "propertyNames": {"pattern": f"^{NAME.pattern}$"},
            "additionalProperties": {"type": "integer", "minimum": 0, "maximum": most},
        }
        super().__init__(told, **options)
        self.most = most

    def check(self, value: Any) -> dict[str, int]:
        """Each number at its name."""
        if type(value) is not dict:
            raise ValidationError(NOT_OBJECT)
        if len(value) > 20 or any(NAME.fullmatch(name) is None for name in value):
            raise ValidationError(WRONG_FORMAT)
        wrong: dict[str, Any] = {}
        for name, amount in value.items():
            try:
                whole(amount, 0, self.most)
            except ValidationError as error:
                wrong[name] = error.messages
        if wrong:
            raise ValidationError(wrong)
        return value


def _out_of_range(least: int, most: int) -> Fault:
    return Fault("out_of_range", Text(f"应在 {least} 与 {most} 之间", f"Must lie between {least} and {most}"))
