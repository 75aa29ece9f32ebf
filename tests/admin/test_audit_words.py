"""Every action that the code writes into the audit has words, found in the source: also those put together from parts."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args, get_type_hints

from admin.audit_words import WORDS
from carbon_credits.reconciliation.station_alarms import STATES
from carbon_credits.rewards.payment_contract import Collection
from tests.test_house import ROOT, sources

Function = ast.FunctionDef | ast.AsyncFunctionDef
# what the source does not say: the state of a row that was read, what a sponsor's provider says of a payment
READ = {
    "decided.state": set(STATES) - {"open"},
    "told.state": set(get_args(get_type_hints(Collection)["state"])) - {"open"},
}


class Place(NamedTuple):
    """An expression, the functions around it, the innermost last, and its file."""

    node: ast.expr
    around: tuple[Function, ...]
    path: Path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(texts()[path])


@cache
def calls(path: Path) -> list[tuple[ast.Call, tuple[Function, ...]]]:
    """Every call of a file with the functions around it."""

    def walk(node: ast.AST, around: tuple[Function, ...]) -> Iterator[tuple[ast.Call, tuple[Function, ...]]]:
        if isinstance(node, Function):
            around = (*around, node)
        if isinstance(node, ast.Call):
            yield node, around
        for child in ast.iter_child_nodes(node):
            yield from walk(child, around)

    return list(walk(tree(path), ()))


@cache
def imported(path: Path) -> dict[str, tuple[str, str]]:
    """Names that a file took from others: the module's dotted name, and the name there, "" for the module itself."""
    found = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                found[name.asname or name.name] = (node.module, name.name)
    return found


def file_of(dotted: str) -> Path | None:
    path = ROOT / (dotted.replace(".", "/") + ".py")
    return path if path.exists() else None


@cache
def texts() -> dict[Path, str]:
    return {path: path.read_text() for path in sources()}


def saying(words: str) -> list[Path]:
    """The files in which something stands: only these are parsed."""
    return [path for path, text in texts().items() if words in text]


def recorded() -> Iterator[Place]:
    """What each `audit.record` is told was done."""
    for path in saying("audit.record("):
        for call, around in calls(path):
            named = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
            if named and ast.unparse(call.func) == "audit.record":
                yield Place(argument(call, 2, "action"), around, path)


def argument(call: ast.Call, at: int, name: str) -> ast.expr:
    by_name = [word.value for word in call.keywords if word.arg == name]
    return by_name[0] if by_name else call.args[at]


def values(place: Place) -> set[str]:
    """Every text an expression may be."""
    node = place.node
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return values(place._replace(node=node.body)) | values(place._replace(node=node.orelse))
    if isinstance(node, ast.JoinedStr):
        found = {""}
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            found = {before + one for before in found for one in values(place._replace(node=inner))}
        return found
    if isinstance(node, ast.Subscript):
        return {one for entry in entries(place._replace(node=node.value)) for one in values(entry)}
    if isinstance(node, ast.Name):
        return {one for meant in meanings(place, node.id) for one in values(meant)}
    return READ[ast.unparse(node)]


def entries(place: Place) -> list[Place]:
    """What a dictionary of constants holds."""
    assert isinstance(place.node, ast.Name), ast.unparse(place.node)
    (meant,) = meanings(place, place.node.id)
    assert isinstance(meant.node, ast.Dict), ast.unparse(meant.node)
    return [meant._replace(node=value) for value in meant.node.values]


def meanings(place: Place, name: str) -> list[Place]:
    """What a name stands for: what it was set to in a function around, what its callers give, a constant of a module."""
    for depth in range(len(place.around), 0, -1):
        function, around = place.around[depth - 1], place.around[:depth]
        names = [arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)]
        if name in names:
            return list(given(place.path, function, names.index(name), name))
        if found := list(set_to(function.body, name)):
            return [
                each for node, at in found for each in picked(place._replace(node=node, around=around), at)
            ]
    if found := list(set_to(tree(place.path).body, name)):
        return [Place(node, (), place.path) for node, at in found if at is None]
    module, there = imported(place.path)[name]
    path = file_of(module)
    assert path is not None, (place.path, name)
    return meanings(Place(place.node, (), path), there)


def set_to(body: list[ast.stmt], name: str) -> Iterator[tuple[ast.expr, int | None]]:
    """What a name is set to in some statements, and which part of that it takes."""
    for target, value in settings_in(body):
        if isinstance(target, ast.Name) and target.id == name:
            yield value, None
        elif isinstance(target, ast.Tuple):
            parts = [ast.unparse(part) for part in target.elts]
            if name in parts:
                yield value, parts.index(name)


def settings_in(body: list[ast.stmt]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Every target that is set in some statements, and to what."""
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target, node.value


def picked(place: Place, at: int | None) -> list[Place]:
    """A part of what is unpacked, or all of it."""
    if at is None:
        return [place]
    node = place.node
    if isinstance(node, ast.Tuple):
        return [place._replace(node=node.elts[at])]
    if isinstance(node, ast.Subscript):
        return [each for entry in entries(place._replace(node=node.value)) for each in picked(entry, at)]
    assert isinstance(node, ast.Name), ast.unparse(node)
    return [each for meant in meanings(place, node.id) for each in picked(meant, at)]


def given(path: Path, function: Function, at: int, name: str) -> Iterator[Place]:
    """What callers give for a parameter."""
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    found = False
    for other in saying(f"{function.name}("):
        for call, around in calls(other):
            if is_call_of(call, other, path, dotted, function.name):
                found = True
                yield Place(argument(call, at, name), around, other)
    assert found, f"nobody calls {function.name} of {dotted}"


def is_call_of(call: ast.Call, other: Path, path: Path, dotted: str, name: str) -> bool:
    if isinstance(call.func, ast.Name):
        there = imported(other).get(call.func.id)
        return (other == path and call.func.id == name) if there is None else there == (dotted, name)
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        module, member = imported(other).get(call.func.value.id, ("", ""))
        return call.func.attr == name and f"{module}.{member}" == dotted
    return False


def test_every_action_that_is_recorded_has_words_in_both_languages() -> None:
    found = {action for place in recorded() for action in values(place)}
    assert len(found) > 100
    assert found - set(WORDS) == set()
    assert set(WORDS) - found == set(), "words for what nobody does any more"
    assert [action for action, told in WORDS.items() if not told.zh.strip() or not told.en.strip()] == []
    assert [action for action, told in WORDS.items() if told.zh.isascii() or not told.en.isascii()] == []
