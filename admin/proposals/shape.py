"""What a proposal looks like in words, whatever its kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from admin.pages import FILTERS
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.numbers import grouped

Value = str | Text
YES: Final = Text("是", "yes")
NOW: Final = Text("现在", "Now")
NO: Final = Text("否", "no")
NONE: Final = Text("无", "none")


@dataclass(frozen=True)
class Line:
    """One thing that is proposed, and what it is now, where something holds already.

    `is_of_now`: reckoned from what holds now, so that it says nothing once the proposal is decided.
    """

    words: Text
    value: Value
    before: Value | None = None
    is_of_now: bool = False


@dataclass(frozen=True)
class Table:
    """Many things of one sort."""

    caption: Text
    headings: Sequence[Text]
    rows: Sequence[Sequence[Value]]


@dataclass(frozen=True)
class Told:
    """A proposal in words: what it is in a sentence, its parts, and where more stands about it (endpoint, values).

    `before` says what stands beside each part.
    """

    what: Text
    lines: Sequence[Line] = ()
    before: Text = NOW
    table: Table | None = None
    page: tuple[str, Mapping[str, Any]] | None = None


Renderer = Callable[[Session, Mapping[str, Any]], Told]


def yuan(fen: int) -> str:
    """An amount as pages write it."""
    return str(FILTERS["yuan"](fen))


def points(many: int) -> Text:
    """Points, every digit."""
    return Text(f"{grouped(many)} 积分", f"{grouped(many)} points")


def as_table(payload: Mapping[str, Any]) -> Sequence[Line]:
    """Any payload, line by line; what is nested is named by its path."""
    return [Line(Text(name, name), value) for name, value in _flat("", payload)]


def _flat(path: str, value: Any) -> list[tuple[str, Value]]:
    if isinstance(value, Mapping):
        parts = [(f"{path}.{name}" if path else str(name), one) for name, one in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{place}]", one) for place, one in enumerate(value, 1)]
    else:
        return [(path, _plain(value))]
    return [line for name, one in parts for line in _flat(name, one)] or [(path, NONE)]


def _plain(value: Any) -> Value:
    if isinstance(value, bool):
        return YES if value else NO
    return NONE if value is None else str(value)
