"""The keys of a manifest: how each value is checked, and the same said as JSON Schema, from the same forms and bounds."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from carbon_credits.core.i18n import Text

_GREATEST: Final = 2**53 - 1
_MOST_NAMES: Final = 100
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
_SHA: Final = re.compile(r"[0-9a-f]{64}")
_WORD: Final = re.compile(r"[!-~]{1,100}")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_AMOUNT: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?")
_DAY: Final = re.compile(r"[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_INSTANT: Final = re.compile(
    r"(19[7-9]|[2-8][0-9]{2}|9[0-8][0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


class Wrong(Exception):
    """A value that cannot stand where it stands."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.detail = Text(zh, en)


class Key(NamedTuple):
    """One key of a manifest: how its value is checked, and the same said as JSON Schema."""

    check: Callable[[Any], Any]
    shape: Mapping[str, Any]


def schema() -> dict[str, Any]:
    """The manifest as JSON Schema 2020-12, of the same forms and bounds that are checked; what one key demands of
    another is said in words.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "manifest",
        "description": "数均为整数写法（无小数点）；version 1 时 replaces_sha256 为 null；by_type 之和等于 rows；"
        "file 为 PARTNER_FEED_YYYYMMDD_SEQ_vN / Numbers are written without a fraction; a version 1 replaces null; "
        "by_type adds up to rows; file is PARTNER_FEED_YYYYMMDD_SEQ_vN of the same partner, feed, day, seq and version",
        "type": "object",
        "required": list(KEYS),
        "additionalProperties": False,
        "properties": {name: dict(key.shape) for name, key in KEYS.items()},
    }


def _whole(least: int, most: int) -> Key:
    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Wrong(f"应为 {least} 至 {most} 的整数", f"Must be a whole number from {least} to {most}")
        return value

    return Key(check, {"type": "integer", "minimum": least, "maximum": most})


def _text(form: re.Pattern[str], zh: str, en: str, *, may_be_null: bool = False) -> Key:
    def check(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        if not isinstance(value, str) or form.fullmatch(value) is None:
            raise Wrong(zh, en)
        return value

    return Key(
        check, {"type": ["string", "null"] if may_be_null else "string", "pattern": f"^{form.pattern}$"}
    )


def _day(value: Any) -> date:
    wrong = Wrong("应为 YYYY-MM-DD", "Must be YYYY-MM-DD")
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise wrong
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise wrong from None


def _instant(value: Any) -> datetime:
    wrong = Wrong("应为带时区的 RFC 3339 时间", "Must be an RFC 3339 time with its offset")
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        raise wrong
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None


def _window(value: Any) -> tuple[datetime, datetime]:
    if not isinstance(value, dict) or value.keys() != {"from", "to"}:
        raise Wrong("应为 {from, to}", "Must be {from, to}")
    return _instant(value["from"]), _instant(value["to"])


def _named(inner: Key) -> Key:
    def each(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > _MOST_NAMES:
            raise Wrong("应为对象", "Must be an object")
        if any(_NAME.fullmatch(name) is None for name in value):
            raise Wrong("名称过长或含控制字符", "A name is too long or holds control characters")
        return {name: inner.check(one) for name, one in value.items()}

    names = {"pattern": f"^{_NAME.pattern}$"}
    shape = {"type": "object", "maxProperties": _MOST_NAMES, "propertyNames": names}
    return Key(each, {**shape, "additionalProperties": inner.shape})


def _amount(value: Any) -> Decimal:
    told = str(value) if type(value) is int and abs(value) <= _GREATEST else value
    if not isinstance(told, str) or _AMOUNT.fullmatch(told) is None:
        raise Wrong("应为整数，或写成文字的小数", 'Must be whole numbers, or fractions as text: "12.50"')
    return Decimal(told)


def _one_of(*words: str | None) -> Key:
    def check(value: Any) -> Any:
        if value not in words or isinstance(value, int | float):
            listed = ", ".join(str(word).replace("None", "null") for word in words)
            raise Wrong(f"应为其一：{listed}", f"Must be one of {listed}")
        return value

    return Key(check, {"enum": list(words)})


_SHA_WORDS: Final = ("应为 64 位小写十六进制", "Must be 64 lower-case hexadecimal digits")
_CODE_WORDS: Final = ("应为小写代码", "Must be a code in lower case")
_MOMENT: Final = Key(_instant, {"type": "string", "pattern": f"^{_INSTANT.pattern}$"})
_SPAN: Final = {
    "type": "object",
    "required": ["from", "to"],
    "additionalProperties": False,
    "properties": {"from": _MOMENT.shape, "to": _MOMENT.shape},
}
_SUM: Final = Key(
    _amount,
    {
        "anyOf": [
            {"type": "integer", "minimum": -_GREATEST, "maximum": _GREATEST},
            {"type": "string", "pattern": f"^{_AMOUNT.pattern}$"},
        ]
    },
)
# every key of a manifest, all of them required, and how its value is checked
KEYS: Final[Mapping[str, Key]] = {
    "partner": _text(_CODE, *_CODE_WORDS),
    "feed": _text(_CODE, *_CODE_WORDS),
    "seq": _whole(1, 9_999_999_999),
    "version": _whole(1, 999),
    "replaces_sha256": _text(_SHA, *_SHA_WORDS, may_be_null=True),
    "service_date": Key(_day, {"type": "string", "pattern": f"^{_DAY.pattern}$"}),
    "window": Key(_window, _SPAN),
    "created_at": _MOMENT,
    "schema_id": _text(_WORD, "应为 1–100 个可见字符", "Must be 1 to 100 visible ASCII characters"),
    "crs": _one_of("WGS84", "GCJ02", None),
    "tz": _one_of("Asia/Shanghai", "UTC"),
    "units": _named(_text(_WORD, "单位应为短词", "A unit is a short word")),
    "file": _text(_WORD, "文件名过长或含空格", "The name is too long or holds blanks"),
    "bytes": _whole(1, _GREATEST),
    "sha256": _text(_SHA, *_SHA_WORDS),
    "sha256_raw": _text(_SHA, *_SHA_WORDS),
    "rows": _whole(0, 1_000_000_000),
    "totals": _named(_SUM),
    "by_type": _named(_whole(0, 1_000_000_000)),
    "complete_through": _MOMENT,
}
