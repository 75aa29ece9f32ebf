"""What a formula is worth: exactly in Python, as PostgreSQL text, as canonical JSON, on paper, in its bounds.

Each reading is one small function over the same tree; the tests hold them to agree bit for bit.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext
from typing import cast

from carbon_credits.methodologies.formula import Expr, FormulaError, Number, Truth, constant, plain

PRECISION = 60
# `+ - *` on Decimals round silently to 28 digits by default; here they are exact or they raise.
EXACT = Context(prec=PRECISION, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
# wide enough for the product of two 60-digit ends, so that bounds() can say what is too long
_WIDE = Context(prec=4 * PRECISION, traps=[Inexact, InvalidOperation, Overflow])

Record = Callable[[Expr, Decimal | bool], None]

_SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and": "and",
    "or": "or",
}
_SHOWN = _SIGNS | {"sub": "−", "mul": "×", "le": "≤", "ge": "≥"}
_RANK = {"or": 1, "and": 2, "lt": 3, "le": 3, "gt": 3, "ge": 3, "add": 4, "sub": 4, "mul": 5}


# ---- exact -----------------------------------------------------------------------------------------------
def exact(tree: Expr, values: Mapping[str, Decimal | int], record: Record | None = None) -> Decimal | bool:
    """The value of a tree at precision 60; `record` sees each operator with its value, in order.

    Raises KeyError for a quantity without a value and decimal.Inexact where 60 digits do not suffice.
    """
    with localcontext(EXACT):
        return _exact(tree, values, record)


def number(tree: Expr, values: Mapping[str, Decimal | int], record: Record | None = None) -> Decimal:
    """The exact reading of a number."""
    return cast(Decimal, exact(tree, values, record))


def _exact(node: Expr, values: Mapping[str, Decimal | int], record: Record | None) -> Decimal | bool:
    if node.op == "quantity":
        return Decimal(values[node.leaf])
    if node.op == "const":
        return Decimal(node.leaf)
    if node.op == "where":
        taken = node.args[1 if _exact(node.args[0], values, record) else 2]
        result = _exact(taken, values, record)
    else:
        result = _apply(node.op, [cast(Decimal, _exact(arg, values, record)) for arg in node.args])
    if record is not None:
        record(node, result)
    return result


_OPERATORS: Mapping[str, Callable[[Decimal, Decimal], Decimal | bool]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
}


def _apply(op: str, args: list[Decimal]) -> Decimal | bool:
    if op == "least":
        return min(args)
    if op == "greatest":
        return max(args)
    return _OPERATORS[op](*args)


# ---- SQL -------------------------------------------------------------------------------------------------
def sql(tree: Expr, column: Callable[[str], str]) -> str:
    """PostgreSQL text; `column` gives a *numeric* expression for each quantity.

    least() and greatest() skip NULL there, so a missing quantity must be refused before this is read.
    """
    if tree.op == "quantity":
        return column(tree.leaf)
    if tree.op == "const":
        return f"'{tree.leaf}'::numeric"
    args = [sql(arg, column) for arg in tree.args]
    if tree.op == "where":
        return f"(case when {args[0]} then {args[1]} else {args[2]} end)"
    if tree.op in ("least", "greatest"):
        return f"{tree.op}({', '.join(args)})"
    return f"({args[0]} {_SIGNS[tree.op]} {args[1]})"


# ---- canonical JSON --------------------------------------------------------------------------------------
def as_json(tree: Expr) -> list[object]:
    """A tree as nested arrays, operator first; numbers are strings, so that no reader rounds them."""
    return [tree.op, *(as_json(arg) for arg in tree.args)] if tree.args else [tree.op, tree.leaf]


def canonical_json(value: object) -> bytes:
    """One spelling for one value: sorted keys, no spaces, UTF-8.

    Over what we write (strings, whole numbers, booleans, arrays, objects with ASCII keys) this is RFC 8785.
    """
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def canonical(tree: Expr) -> bytes:
    """The canonical JSON of a tree."""
    return canonical_json(as_json(tree))


def sha256(content: bytes) -> str:
    """The name of these bytes: `sha256:` and 64 hexadecimal digits, as any `sha256sum` prints them."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest(tree: Expr) -> str:
    """The content address of a tree."""
    return sha256(canonical(tree))


# ---- text ------------------------------------------------------------------------------------------------
def text(tree: Expr, name: Callable[[str], str] = str, above: int = 0) -> str:
    """The formula for people, with no more brackets than it needs."""
    if tree.op == "quantity":
        return name(tree.leaf)
    if tree.op == "const":
        return tree.leaf
    if tree.op == "where":
        test, yes, no = (text(arg, name) for arg in tree.args)
        return f"({yes} if {test} else {no})"
    if tree.op in ("least", "greatest"):
        listed = ", ".join(text(arg, name) for arg in tree.args)
        return f"{'min' if tree.op == 'least' else 'max'}({listed})"
    rank = _RANK[tree.op]
    left, right = tree.args
    # a − (b − c) is not a − b − c: there the right side needs its brackets
    shown = f"{text(left, name, rank)} {_SHOWN[tree.op]} {text(right, name, rank + (tree.op == 'sub'))}"
    return f"({shown})" if rank < above else shown


# ---- parameters in, and the interval ---------------------------------------------------------------------
def bind(tree: Expr, known: Mapping[str, Decimal]) -> Expr:
    """Put the known quantities in and fold what became constant: SQL then holds literals and no joins."""
    if tree.op == "quantity":
        return constant(known[tree.leaf]) if tree.leaf in known else tree
    if tree.op == "const":
        return tree
    args = tuple(bind(arg, known) for arg in tree.args)
    bound = type(tree)(tree.op, args)
    if isinstance(bound, Number) and all(arg.op == "const" for arg in args):
        return constant(number(bound, {}))
    return bound


@dataclass(frozen=True, slots=True)
class Interval:
    """The least and greatest value a node can take, and how many decimal places it can have."""

    least: Decimal
    most: Decimal
    places: int = 0

    def __post_init__(self) -> None:
        whole = max(abs(self.least), abs(self.most)).adjusted() + 1
        if whole + self.places > PRECISION:
            raise FormulaError(
                f"a step needs {whole} digits and {self.places} decimal places, {PRECISION} in all"
            )


def bounds(tree: Expr, ranges: Mapping[str, Interval]) -> Interval:
    """Interval arithmetic over the declared ranges: proves that a result fits and that every step is exact.

    Raises FormulaError where a step could need more than 60 digits. A truth lies between 0 and 1.
    """
    if tree.op == "quantity":
        return ranges[tree.leaf]
    if tree.op == "const":
        return point(Decimal(tree.leaf))
    within = [bounds(arg, ranges) for arg in tree.args]
    if isinstance(tree, Truth):
        return Interval(Decimal(0), Decimal(1))
    with localcontext(_WIDE):
        return _interval(tree.op, within)


def point(value: Decimal) -> Interval:
    """The interval of one known number."""
    digits = plain(value)
    return Interval(value, value, len(digits.partition(".")[2]))


def _interval(op: str, within: list[Interval]) -> Interval:
    if op == "mul":
        a, b = within
        corners = [x * y for x in (a.least, a.most) for y in (b.least, b.most)]
        return Interval(min(corners), max(corners), a.places + b.places)
    branches = within[1:] if op == "where" else within
    places = max(i.places for i in branches)
    if op == "add":
        return Interval(branches[0].least + branches[1].least, branches[0].most + branches[1].most, places)
    if op == "sub":
        return Interval(branches[0].least - branches[1].most, branches[0].most - branches[1].least, places)
    low = max if op == "greatest" else min
    high = min if op == "least" else max
    return Interval(low(i.least for i in branches), high(i.most for i in branches), places)
