"""The formula language: a plain function of named quantities, called once with symbols, becomes a tree.

Only `+ - *`, comparisons, `&`, `|`, `least`, `greatest` and `where` exist. There is no division and no
equality, so every formula is total and exact; `readings.py` says what a tree is worth in Python, in SQL, in
JSON and on paper.
"""

import inspect
import re
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import NoReturn, cast

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_BRANCH = (
    "a formula cannot branch on a symbol: write where(), &, |, not if, and, or, not, min, max, chained <"
)
_DIVISION = "a formula has no division: multiply by a reciprocal that is itself a cited parameter"
_EQUALITY = "a formula has no == or !=: use <= and >="


class FormulaError(TypeError):
    """A formula says what the language does not have; the message names it and says what to write instead."""


class Expr:
    """One node of a tree: an operator over nodes, or a leaf (a quantity's name, a constant's digits)."""

    __slots__ = ("args", "leaf", "op")
    op: str
    args: tuple["Expr", ...]
    leaf: str

    def __init__(self, op: str, args: tuple["Expr", ...] = (), leaf: str = "") -> None:
        for name, value in (("op", op), ("args", args), ("leaf", leaf)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a formula does not change once it is read ({name})")

    def __bool__(self) -> NoReturn:
        raise FormulaError(_BRANCH)

    def __eq__(self, other: object) -> NoReturn:
        raise FormulaError(_EQUALITY)

    def __ne__(self, other: object) -> NoReturn:
        raise FormulaError(_EQUALITY)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(map(repr, self.args)) or self.leaf})"


class Number(Expr):
    """A node that is worth a number."""

    __slots__ = ()

    def __add__(self, other: "Operand") -> "Number":
        return Number("add", (self, constant(other)))

    def __radd__(self, other: "Operand") -> "Number":
        return Number("add", (constant(other), self))

    def __sub__(self, other: "Operand") -> "Number":
        return Number("sub", (self, constant(other)))

    def __rsub__(self, other: "Operand") -> "Number":
        return Number("sub", (constant(other), self))

    def __mul__(self, other: "Operand") -> "Number":
        return Number("mul", (self, constant(other)))

    def __rmul__(self, other: "Operand") -> "Number":
        return Number("mul", (constant(other), self))

    def __lt__(self, other: "Operand") -> "Truth":
        return Truth("lt", (self, constant(other)))

    def __le__(self, other: "Operand") -> "Truth":
        return Truth("le", (self, constant(other)))

    def __gt__(self, other: "Operand") -> "Truth":
        return Truth("gt", (self, constant(other)))

    def __ge__(self, other: "Operand") -> "Truth":
        return Truth("ge", (self, constant(other)))

    def _divide(self, _: object) -> NoReturn:
        raise FormulaError(_DIVISION)

    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _divide
    __mod__ = __rmod__ = __pow__ = __rpow__ = __divmod__ = __rdivmod__ = _divide


class Truth(Expr):
    """A node that holds or does not."""

    __slots__ = ()

    def __and__(self, other: "Truth") -> "Truth":
        return Truth("and", (self, truth(other)))

    def __or__(self, other: "Truth") -> "Truth":
        return Truth("or", (self, truth(other)))


Operand = Number | int | Decimal


def quantity(name: str) -> Number:
    """The symbol of a quantity. Its name is also read as a column of a statement, so it stays plain."""
    if not NAME.fullmatch(name):
        raise FormulaError(f"{name!r} is not a name in snake case")
    return Number("quantity", leaf=name)


def constant(value: object) -> Number:
    """Lift an int or a finite Decimal. Each number has one spelling, so digests are stable."""
    if isinstance(value, Number):
        return value
    if isinstance(value, Expr):
        raise FormulaError(f"{value!r} holds or does not: a number is needed here")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise FormulaError(f"{value!r}: a constant is an int or a Decimal, never a {type(value).__name__}")
    if not Decimal(value).is_finite():
        raise FormulaError(f"{value!r} is not a finite number")
    return Number("const", leaf=plain(Decimal(value)))


def truth(value: object) -> Truth:
    """Refuse anything but a comparison where a truth is needed."""
    if not isinstance(value, Truth):
        raise FormulaError(f"{value!r} is a number: a comparison is needed here")
    return value


def plain(value: Decimal) -> str:
    """Digits without exponent, trailing zeros or minus zero: 40, 0.1, -3.5. Rounds nothing."""
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "") else digits


def least(*terms: Operand) -> Number:
    """The smallest of two terms or more."""
    return Number("least", _several(terms))


def greatest(*terms: Operand) -> Number:
    """The largest of two terms or more."""
    return Number("greatest", _several(terms))


def where(test: Truth, yes: Operand, no: Operand) -> Number:
    """`yes` where the test holds, otherwise `no`."""
    return Number("where", (truth(test), constant(yes), constant(no)))


def read(function: Callable[..., Number | Truth], known: Collection[str]) -> Expr:
    """Call a formula or condition once with symbols; its argument names are the wiring, so each is `known`.

    Raises FormulaError for what the language lacks, an unknown name, or an argument that is not used.
    """
    symbols: dict[str, Number] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty:
            raise FormulaError(f"{name}: a formula takes plain names, without defaults or stars")
        if name not in known:
            raise FormulaError(f"{name} is neither monitored, derived nor a parameter")
        symbols[name] = quantity(name)
    result = cast(object, function(**symbols))
    tree = result if isinstance(result, Truth) else constant(result)
    if unread := sorted(set(symbols) - names(tree)):
        raise FormulaError(f"{', '.join(unread)}: taken as an argument and not used")
    return tree


def _several(terms: tuple[Operand, ...]) -> tuple[Number, ...]:
    if len(terms) < 2:
        raise FormulaError("least and greatest compare two terms or more")
    return tuple(constant(term) for term in terms)


def nodes(tree: Expr) -> Iterator[Expr]:
    """Every node, arguments before the operator that uses them."""
    for arg in tree.args:
        yield from nodes(arg)
    yield tree


def names(tree: Expr) -> set[str]:
    """The quantities a tree mentions."""
    return {node.leaf for node in nodes(tree) if node.op == "quantity"}
