"""The shared register of factors: `factors/*.toml`, one table a factor, its source beside each dated value.

A value without unit, source, address, grade or confidence does not load; the message names file, line, key.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from carbon_credits.methodologies.base import Confidence, Grade, Parameter, Source, Text, Value
from carbon_credits.methodologies.declaration import DeclarationError, value_faults

FOLDER = Path(__file__).parent / "factors"
# Named by hand, like everything else that counts.
FILES = (
    "grid.toml",
    "travel.toml",
    "recycling.toml",
    "planting.toml",
    "purchases.toml",
    "household.toml",
)

_FACTOR_KEYS: Mapping[str, type] = {"unit": str, "zh": str, "en": str, "values": list}
_VALUE_KEYS: Mapping[str, type] = {
    "since": date,
    "value": Decimal,
    "uncertainty": Decimal,
    "correlation": str,
    "source": str,
    "address": str,
    "grade": str,
    "confidence": str,
    "note": str,
}
_OPTIONAL = ("note",)

W = TypeVar("W", bound=Enum)


def factor(name: str) -> Parameter:
    """A factor of the register as a methodology's parameter. Raises DeclarationError for an unknown name."""
    if name not in REGISTER:
        raise DeclarationError(f"{name} is in none of factors/{', '.join(FILES)}")
    return REGISTER[name]


def load(paths: tuple[Path, ...]) -> dict[str, Parameter]:
    """Read register files. Raises DeclarationError with file, line and key where one does not hold."""
    register: dict[str, Parameter] = {}
    for path in paths:
        content = path.read_text(encoding="utf-8")
        try:
            tables = tomllib.loads(content, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise DeclarationError(f"{path.name}: {error}") from error
        for name, table in tables.items():
            place = _Place(path.name, content, name)
            if name in register:
                raise place.fault("this factor is already registered")
            register[name] = _factor(place, name, table)
    return register


class _Place:
    """Where in a register file something stands, for the message of a fault."""

    def __init__(self, file: str, content: str, name: str, nth: int | None = None) -> None:
        self.file, self.content, self.name, self.nth = file, content, name, nth

    def value(self, nth: int) -> "_Place":
        return _Place(self.file, self.content, self.name, nth)

    def fault(self, message: str) -> DeclarationError:
        header = rf"\[{self.name}\]" if self.nth is None else rf"\[\[{self.name}\.values\]\]"
        found = [match.start() for match in re.finditer(rf"^{header}", self.content, re.MULTILINE)]
        nth = self.nth or 0
        line = self.content.count("\n", 0, found[nth]) + 1 if nth < len(found) else "?"
        return DeclarationError(f"{self.file} line {line}, {self.name}: {message}")


def _factor(place: _Place, name: str, table: Any) -> Parameter:
    _check_keys(place, table, _FACTOR_KEYS)
    parameter = Parameter(
        name=name,
        unit=table["unit"],
        description=Text(table["zh"], table["en"]),
        values=tuple(_value(place.value(nth), row) for nth, row in enumerate(table["values"])),
    )
    for nth, (earlier, later) in enumerate(pairwise(parameter.values), 1):
        if later.since <= earlier.since:
            raise place.value(nth).fault(
                f"since {later.since} does not lie after {earlier.since}: dates do not rise"
            )
    for fault in value_faults(parameter):
        raise place.fault(fault)
    return parameter


def _value(place: _Place, row: Any) -> Value:
    if isinstance(row, dict):  # 40 and 0.10 are both exact numbers; a bool is not one
        row = {key: Decimal(v) if type(v) is int else v for key, v in row.items()}
    _check_keys(place, row, _VALUE_KEYS)
    source = Source(
        title=row["source"],
        address=row["address"],
        grade=_word(place, "grade", Grade, row["grade"]),
        confidence=_word(place, "confidence", Confidence, row["confidence"]),
        note=row.get("note", ""),
    )
    return Value(row["since"], row["value"], source, row["uncertainty"], row["correlation"])


def _word(place: _Place, key: str, words: type[W], given: str) -> W:
    try:
        return words(given)
    except ValueError as error:
        raise place.fault(f"{key} {given!r} is none of {', '.join(word.value for word in words)}") from error


def _check_keys(place: _Place, table: Any, keys: Mapping[str, type]) -> None:
    if not isinstance(table, dict):
        raise place.fault("a table is needed here")
    if missing := [key for key in keys if key not in table and key not in _OPTIONAL]:
        raise place.fault(f"{', '.join(missing)} missing")
    if unknown := [key for key in table if key not in keys]:
        raise place.fault(f"{', '.join(unknown)} unknown")
    for key, value in table.items():
        if type(value) is not keys[key]:
            raise place.fault(f"{key} is a {type(value).__name__}, a {keys[key].__name__} is needed")


REGISTER: Mapping[str, Parameter] = load(tuple(FOLDER / file for file in FILES))
