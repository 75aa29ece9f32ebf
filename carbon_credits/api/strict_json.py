"""JSON as it comes in, read strictly: what two readers could understand differently is refused.

No NaN or Infinity, no name twice, no NUL, no half of a surrogate pair, nothing deeper than 16, no integer beyond
±(2^53 - 1). Fractions come out as Decimal, so that no field ever meets a float.
"""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from carbon_credits.core.i18n import Text

DEEPEST: Final = 16
GREATEST: Final = 2**53 - 1


class NotStrictJson(ValueError):
    """The bytes are not JSON that everyone reads alike; `code` is stable, `detail` is for people."""

    def __init__(self, code: str, detail: Text) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def decode(raw: bytes) -> Any:
    """Read bytes as strict JSON; raises NotStrictJson."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrictJson("bad_encoding", Text("请求体不是 UTF-8", "The body is not UTF-8")) from error
    try:
        value = _decoder.decode(text)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        zh = f"请求体不是合法的 JSON（第 {error.lineno} 行第 {error.colno} 列）"
        raise NotStrictJson("bad_json", Text(zh, f"The body is not JSON ({place})")) from error
    # the walk costs more than the reading, so it is done only where it could find something
    if "\\u" in text or text.count("[") + text.count("{") > DEEPEST:
        _inspect(value)
    return value


def _inspect(value: Any) -> None:
    """Refuse depth and characters that PostgreSQL or UTF-8 cannot hold; without recursion."""
    level, depth = [value], 1
    while level:
        if depth > DEEPEST and any(isinstance(item, dict | list) for item in level):
            raise _too_deep()
        level = [inner for item in level for inner in _inside(item)]
        depth += 1


def _inside(item: Any) -> Iterator[Any]:
    if isinstance(item, str):
        _check_text(item)
    elif isinstance(item, list):
        yield from item
    elif isinstance(item, dict):
        for name, inner in item.items():
            _check_text(name)
            yield inner


def _check_text(text: str) -> None:
    if "\0" in text:
        raise NotStrictJson("nul_character", Text("文字中含有空字符", "A text holds a NUL character"))
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        detail = Text("文字中含有不成对的代理字符", "A text holds half of a surrogate pair")
        raise NotStrictJson("lone_surrogate", detail)


def _too_deep() -> NotStrictJson:
    return NotStrictJson("too_deep", Text(f"嵌套超过 {DEEPEST} 层", f"Nested deeper than {DEEPEST}"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictJson("duplicate_name", Text("同一名称出现两次", "A name stands twice in one object"))
    return found


def _integer(digits: str) -> int:
    # the length first: reading a million digits is itself an attack
    if len(digits) > 17 or abs(number := int(digits)) > GREATEST:
        raise NotStrictJson(
            "number_too_large", Text("整数超出 ±(2^53-1)", "An integer lies beyond ±(2^53 - 1)")
        )
    return number


def _fraction(digits: str) -> Decimal:
    try:
        if len(digits) > 40:
            raise InvalidOperation
        number = Decimal(digits)
    except InvalidOperation as error:
        detail = Text("小数过长", "A fraction has too many digits")
        raise NotStrictJson("number_too_large", detail) from error
    if number and not -400 < number.adjusted() < 400:
        raise NotStrictJson("number_too_large", Text("数值过大或过小", "A number is too large or too small"))
    return number


def _constant(name: str) -> NoReturn:
    raise NotStrictJson("not_a_number", Text(f"{name} 不是 JSON 数值", f"{name} is no JSON number"))


_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_fraction,
    parse_constant=_constant,
)
