"""A release's document compiled to integer arithmetic: the second path, by which every credit is replayed.

It reads nothing but the canonical JSON and shares no arithmetic with the first path: no Decimal, no SQL, not the
module's own function. A number is an integer and how many decimal places it has; the language has no division, so
sums align places, products add them, and one floor division at the end is the one rounding.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from carbon_credits.methodologies.formula import NAME

_COMPARED: Final = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_JOINED: Final = {"and": "and", "or": "or"}
_SUMMED: Final = {"add": "+", "sub": "-"}
_PICKED: Final = {"least": "min", "greatest": "max"}

_WORDS: Final = {"min": min, "max": max, "type": type, "int": int, "TypeError": TypeError}

Judge = Callable[[Mapping[str, Any], int], int | None]


class UnreadableDocument(ValueError):
    """A document that is no release: the message says where."""


@dataclass(frozen=True)
class Compiled:
    """A release as its bytes have it. `judge(monitored, seconds)` gives the milligrams before negatives become zero.

    None where the release refuses the act; KeyError or TypeError for a monitored number that is absent or not whole.
    """

    number: int
    version: int
    code: str
    since: str
    judge: Judge
    digest: bytes
    formula_digest: bytes
    parameters_digest: bytes


@dataclass(frozen=True)
class _Scaled:
    """Python text of an integer which, divided by 10 ** places, is the number."""

    text: str
    places: int

    def at(self, places: int) -> str:
        return self.text if places == self.places else f"{self.text} * {10 ** (places - self.places)}"


def compile_release(document: bytes) -> Compiled:
    """Compile the bytes of a release. Raises UnreadableDocument; nothing of them runs before every word is known."""
    try:
        release = json.loads(document)
        source = _source(release)
        formula, parameters = _bytes_of(release["formula"]), _bytes_of(release["parameters"])
        made: dict[str, Any] = {}
        # every name in it is ours or matches NAME, every number was an int: nothing else of the document is in the text
        exec(compile(source, "<release>", "exec"), {"__builtins__": _WORDS}, made)  # noqa: S102
        return Compiled(
            int(release["number"]),
            int(release["version"]),
            str(release["code"]),
            str(release["since"]),
            made["judge"],
            hashlib.sha256(document).digest(),
            hashlib.sha256(formula).digest(),
            hashlib.sha256(parameters).digest(),
        )
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError) as error:
        raise UnreadableDocument(f"{type(error).__name__}: {error}") from error


def _bytes_of(part: object) -> bytes:
    return json.dumps(part, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _source(release: Mapping[str, Any]) -> str:
    """The text of `judge`: read the numbers, hold them against their ranges, then the conditions, then the formula."""
    known = {p["name"]: _number(p["value"]) for p in release["parameters"]}
    lines = ["def judge(monitored, seconds):"]
    for quantity in release["monitored"]:
        name = _name(quantity["name"])
        read = "seconds" if quantity["derived"] else f"monitored[{quantity['name']!r}]"
        least, most = int(quantity["least"]), int(quantity["most"])
        lines.append(f"    {name} = {read}")
        lines.append(f"    if type({name}) is not int: raise TypeError({quantity['name']!r})")
        lines.append(f"    if not {least} <= {name} <= {most}: return None")
        known[quantity["name"]] = _Scaled(name, 0)
    lines += [f"    if not {_truth(c['holds'], known)}: return None" for c in release["conditions"]]
    total = _value(release["formula"], known)
    lines.append(f"    return ({total.text}) // {10**total.places}")
    return "\n".join(lines)


def _name(name: object) -> str:
    """A name as a variable of ours; what is no plain name never becomes Python text."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name")
    return "q_" + name


def _number(digits: object) -> _Scaled:
    """Digits with at most one point, as the documents spell numbers."""
    if not isinstance(digits, str):
        raise TypeError(f"{digits!r} is not spelled out")
    whole, _, fraction = digits.partition(".")
    return _Scaled(f"({int(whole + fraction)})", len(fraction))


def _value(tree: Any, known: Mapping[str, _Scaled]) -> _Scaled:
    op, *args = tree
    if op == "quantity":
        return known[args[0]]
    if op == "const":
        return _number(args[0])
    if op == "where":
        test = _truth(args[0], known)
        (yes, no), places = _aligned(args[1:], known)
        return _Scaled(f"({yes} if {test} else {no})", places)
    if op == "mul":
        left, right = (_value(arg, known) for arg in args)
        return _Scaled(f"({left.text} * {right.text})", left.places + right.places)
    texts, places = _aligned(args, known)
    if op in _SUMMED:
        left_text, right_text = texts
        return _Scaled(f"({left_text} {_SUMMED[op]} {right_text})", places)
    return _Scaled(f"{_PICKED[op]}({', '.join(texts)})", places)


def _truth(tree: Any, known: Mapping[str, _Scaled]) -> str:
    op, *args = tree
    if op in _JOINED:
        left, right = (_truth(arg, known) for arg in args)
        return f"({left} {_JOINED[op]} {right})"
    (left, right), _ = _aligned(args, known)
    return f"({left} {_COMPARED[op]} {right})"


def _aligned(args: list[Any], known: Mapping[str, _Scaled]) -> tuple[list[str], int]:
    """Terms with as many places as the one that has most."""
    terms = [_value(arg, known) for arg in args]
    places = reduce(max, (term.places for term in terms), 0)
    return [term.at(places) for term in terms], places
