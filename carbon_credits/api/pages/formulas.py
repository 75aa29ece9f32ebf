"""A formula laid out for reading: its symbols told apart, its cases set as a table, its steps with numbers put in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from carbon_credits.methodologies.formula import Expr, nodes
from carbon_credits.methodologies.readings import text
from carbon_credits.reporting.numbers import MINUS, grouped

TOKEN: Final = re.compile(r"(?P<name>[a-z_][a-z0-9_]*)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<sign>[^a-z0-9_]+)")
FUNCTIONS: Final = ("min", "max")
WORDS: Final = ("if", "else", "and", "or")


class Piece(NamedTuple):
    """A part of a line: `kind` is name, number, function, word or sign."""

    kind: str
    text: str


class Row(NamedTuple):
    """One line of a table of cases: the value, and the test under which it is taken (empty: otherwise)."""

    value: str
    test: str


@dataclass(frozen=True)
class Cases:
    """A choice between values, named so that the formula above it stays one line."""

    name: str
    rows: tuple[Row, ...]
    whole: str  # as the plain text reading writes it
    inner: tuple[str, ...]  # its later parts, which are cases themselves


@dataclass(frozen=True)
class Layout:
    """A formula with its choices taken out and set below it."""

    line: str
    cases: tuple[Cases, ...]
    parts: frozenset[str]  # every sub-expression, as the plain text reading writes it

    def short(self, line: str) -> str:
        """A line of the plain text reading with the names of the cases in their place."""
        for cases in self.cases:
            line = line.replace(cases.whole, cases.name)
        return line


class Line(NamedTuple):
    """One step: in symbols, with the numbers put in (empty where that says nothing new), and its value."""

    symbols: tuple[Piece, ...]
    numbers: tuple[Piece, ...]
    value: str
    holds: bool | None  # for a test; None for a number


class Steps(NamedTuple):
    """A calculation's steps: those of the formula itself, and those that only the conditions asked for."""

    formula: list[Line]
    conditions: list[Line]


def lay_out(tree: Expr) -> Layout:
    """Take every outermost choice out of a formula: `case_1`, `case_2`, in the order of reading."""
    choices = {text(choice): choice for choice in _choices(tree)}
    cases = tuple(_cases(f"case_{at}", choice) for at, choice in enumerate(choices.values(), 1))
    parts = frozenset(text(node) for node in nodes(tree))
    return Layout(Layout("", cases, parts).short(text(tree)), cases, parts)


def pieces(line: str) -> tuple[Piece, ...]:
    """The parts of a line; its numbers are grouped."""
    return tuple(_piece(match) for match in TOKEN.finditer(line))


def lines(
    layout: Layout,
    steps: Iterable[tuple[str, Decimal | bool | str]],
    known: Mapping[str, Decimal | int | str],
) -> Steps:
    """The steps of a calculation in order, each sub-expression with the numbers it was reckoned from."""
    hidden = {part for cases in layout.cases for part in cases.inner}
    kept = [(line in layout.parts, layout.short(line), value) for line, value in steps if line not in hidden]
    named = {cases.name for cases in layout.cases}
    values = {**known, **{line: value for _, line, value in kept if line in named}}
    told: tuple[list[Line], list[Line]] = ([], [])
    for in_formula, line, value in kept:
        told[0 if in_formula else 1].append(_line(line, value, values))
    return Steps(*told)


def filled(line: tuple[Piece, ...], known: Mapping[str, Decimal | int | str]) -> tuple[Piece, ...]:
    """A line with numbers in place of the names that have one."""
    return tuple(_filled(piece, known) for piece in line)


def _line(line: str, value: Decimal | bool | str, known: Mapping[str, Decimal | int | str]) -> Line:
    symbols = pieces(line)
    numbers = () if len(symbols) == 1 else filled(symbols, known)
    if isinstance(value, bool):
        return Line(symbols, numbers, "", value)
    return Line(symbols, numbers, grouped(value), None)


def _filled(piece: Piece, known: Mapping[str, Decimal | int | str]) -> Piece:
    if piece.kind != "name" or piece.text not in known:
        return piece
    number = grouped(known[piece.text])
    return Piece("number", f"({number})" if number.startswith(MINUS) else number)


def _piece(match: re.Match[str]) -> Piece:
    kind, found = str(match.lastgroup), match.group()
    if kind == "number":
        return Piece(kind, grouped(found))
    if kind == "name" and found in FUNCTIONS:
        return Piece("function", found)
    if kind == "name" and found in WORDS:
        return Piece("word", found)
    return Piece(kind, found)


def _choices(tree: Expr) -> Iterator[Expr]:
    """The outermost choices; a choice inside a choice belongs to it."""
    if tree.op == "where":
        yield tree
        return
    for arg in tree.args:
        yield from _choices(arg)


def _cases(name: str, choice: Expr) -> Cases:
    rows, inner, node = [], [], choice
    while node.op == "where":
        test, yes, otherwise = node.args
        rows.append(Row(text(yes), text(test)))
        node = otherwise
        inner.append(text(node))
    rows.append(Row(text(node), ""))
    return Cases(name, tuple(rows), text(choice), tuple(inner[:-1]))
