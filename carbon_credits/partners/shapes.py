"""Checking a document by its JSON Schema (2020-12), of which only these words are known: there is no second truth.

The schema that is published is the one the push door checks by. A word that is not known here is a fault of the
schema and is found when it is first read, so that nothing is silently ignored. Numbers are int or Decimal.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

from carbon_credits.core.i18n import Text

Schema = Mapping[str, Any]


class ShapeFault(NamedTuple):
    """Where a document is not of its shape (JSON pointer, RFC 6901), and what would be right."""

    pointer: str
    detail: Text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_among(value: Any, words: Any) -> bool:
    return any(type(value) is type(word) and value == word for word in words)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    # a fraction of nothing is a whole number, as the standard says
    "integer": lambda value: _is_number(value) and value == value // 1,
}
# each word: whether it holds, and how it is said; a word about texts says nothing of numbers, as the standard has it
_RULES: Final[Mapping[str, tuple[Callable[[Any, Any], bool], str, str]]] = {
    "minLength": (
        lambda v, n: not isinstance(v, str) or len(v) >= n,
        "至少 {} 个字符",
        "at least {} characters",
    ),
    "maxLength": (
        lambda v, n: not isinstance(v, str) or len(v) <= n,
        "至多 {} 个字符",
        "at most {} characters",
    ),
    "pattern": (
        lambda v, form: not isinstance(v, str) or _fits(form, v),
        "格式应为 {}",
        "must be of the form {}",
    ),
    "minimum": (lambda v, n: not _is_number(v) or v >= n, "不小于 {}", "at least {}"),
    "maximum": (lambda v, n: not _is_number(v) or v <= n, "不大于 {}", "at most {}"),
    "minItems": (lambda v, n: not isinstance(v, list) or len(v) >= n, "至少 {} 项", "at least {} items"),
    "maxItems": (lambda v, n: not isinstance(v, list) or len(v) <= n, "至多 {} 项", "at most {} items"),
    "enum": (_is_among, "应为其一：{}", "must be one of {}"),
}
_OTHERS: Final = {"type", "required", "properties", "items", "anyOf"}
_SAID_ONLY: Final = {"$schema", "$id", "title", "description"}


def first_fault(schema: Schema, value: Any) -> ShapeFault | None:
    """The first place where a decoded document is not of its shape; None where it is. Raises ValueError for a word of
    the schema that is not known.
    """
    return next(_faults(schema, value, ""), None)


def _faults(schema: Schema, value: Any, at: str) -> Iterator[ShapeFault]:
    unknown = schema.keys() - _RULES.keys() - _OTHERS - _SAID_ONLY
    if unknown:
        raise ValueError(f"words of JSON Schema that are not known here: {sorted(unknown)}")
    wanted = schema.get("type")
    if wanted is not None and not _TYPES[wanted](value):
        yield ShapeFault(at, Text(f"类型应为 {wanted}", f"must be of type {wanted}"))
        return
    for word, (holds, zh, en) in _RULES.items():
        if word in schema and not holds(value, schema[word]):
            yield ShapeFault(at, Text(zh.format(schema[word]), en.format(schema[word])))
    if "anyOf" in schema and all(first_fault(one, value) is not None for one in schema["anyOf"]):
        # what is nearest is what the first of them says
        yield from _faults(schema["anyOf"][0], value, at)
    yield from _inside(schema, value, at)


def _inside(schema: Schema, value: Any, at: str) -> Iterator[ShapeFault]:
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                yield ShapeFault(f"{at}/{_escaped(name)}", Text("必填", "required"))
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from _faults(inner, value[name], f"{at}/{_escaped(name)}")
    if isinstance(value, list) and "items" in schema:
        for place, inner in enumerate(value):
            yield from _faults(schema["items"], inner, f"{at}/{place}")


@cache
def _compiled(form: str) -> re.Pattern[str]:
    # `$` of JSON Schema is the end, and not the place before a last line break
    return re.compile(form.removesuffix("$") + r"\Z" if form.endswith("$") else form, re.ASCII)


def _fits(form: str, value: str) -> bool:
    return _compiled(form).search(value) is not None


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
