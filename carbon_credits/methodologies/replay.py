"""Recompute an act from the bytes of a release alone: the stranger's path.

It shares no arithmetic with the rest on purpose: it walks the JSON with fractions, so a fault in the
programme's own readings cannot hide here.
"""

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Any, NamedTuple


class Recomputed(NamedTuple):
    """What the document says an act is worth, in milligrams of CO2e."""

    raw_mg: int
    reduction_mg: int
    reasons: tuple[str, ...]


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "least": min,
    "greatest": max,
    "where": lambda test, yes, no: yes if test else no,
}


def recompute(document: bytes, monitored: Mapping[str, int]) -> Recomputed:
    """The milligrams and reasons of an act under a release; the caller has checked the date."""
    release = _read(document)
    reasons = _unfit(release["monitored"], monitored)
    if reasons:
        return Recomputed(0, 0, reasons)
    values = {quantity["name"]: Fraction(monitored[quantity["name"]]) for quantity in release["monitored"]}
    values |= {parameter["name"]: Fraction(parameter["value"]) for parameter in release["parameters"]}
    unmet = tuple(c["reason"] for c in release["conditions"] if not evaluate(c["holds"], values))
    if unmet:
        return Recomputed(0, 0, unmet)
    raw_mg = floor(evaluate(release["formula"], values))
    nothing = (release["no_grams"]["reason"],) if "no_grams" in release and raw_mg <= 0 else ()
    return Recomputed(raw_mg, max(0, raw_mg), nothing)


@lru_cache(maxsize=128)
def _read(document: bytes) -> dict[str, Any]:
    """A document as JSON, read once for as long as it is asked for; nobody writes into it."""
    read: dict[str, Any] = json.loads(document)
    return read


def evaluate(tree: list[Any], values: Mapping[str, Fraction]) -> Any:
    """The value of a JSON tree: a Fraction or a bool."""
    op, *args = tree
    if op == "quantity":
        return values[args[0]]
    if op == "const":
        return Fraction(args[0])
    return _OPERATORS[op](*(evaluate(arg, values) for arg in args))


def _unfit(quantities: list[dict[str, Any]], monitored: Mapping[str, int]) -> tuple[str, ...]:
    present = [q for q in quantities if monitored.get(q["name"]) is not None]
    missing = len(present) < len(quantities)
    outside = any(not q["least"] <= monitored[q["name"]] <= q["most"] for q in present)
    return ("monitored_missing",) * missing + ("out_of_range",) * outside
