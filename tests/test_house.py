"""What a machine can hold of the way the house is built."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("carbon_credits", "integrations", "admin")
MOST_LINES = 300
MOST_FUNCTION_LINES = 40
NO_NOUN = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager|handlers?)$")


def sources() -> list[Path]:
    return sorted(
        path for package in PACKAGES if (ROOT / package).is_dir() for path in (ROOT / package).rglob("*.py")
    )


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_file_can_be_read_in_one_sitting() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in sources()}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


def test_a_function_can_be_read_in_one_look() -> None:
    long = {
        f"{name_of(path)}:{f.name}": f.end_lineno - f.lineno + 1
        for path in sources()
        for f in functions(path)
        if f.end_lineno is not None and f.end_lineno - f.lineno + 1 > MOST_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [name_of(path) for path in sources() if ast.get_docstring(ast.parse(path.read_text())) is None]
    assert silent == []


def test_every_public_function_says_what_it_does() -> None:
    silent = [
        f"{name_of(path)}:{node.name}"
        for path in sources()
        if path.parts[-2] not in {"travel", "recycling", "planting", "purchases"}
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []


def test_no_module_hides_behind_a_name_without_a_meaning() -> None:
    assert [name_of(path) for path in sources() if NO_NOUN.search(path.stem)] == []


def test_only_the_database_module_ends_transactions() -> None:
    ending = re.compile(r"\b\w*(session|connection|raw)\w*\.(commit|rollback)\(")
    allowed = {"carbon_credits/core/db.py"}
    guilty = [
        f"{name_of(path)}:{number}"
        for path in sources()
        if name_of(path) not in allowed and "/bench/" not in name_of(path)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if ending.search(line)
    ]
    assert guilty == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
def test_nothing_is_left_for_later_in_a_comment(word: str) -> None:
    marked = re.compile(rf"#.*\b{word}\b")
    guilty = [name_of(path) for path in sources() if marked.search(path.read_text())]
    assert guilty == []


def test_the_map_in_the_readme_names_every_room() -> None:
    readme = (ROOT / "README.md").read_text()
    rooms = {
        path.name.removesuffix(".py")
        for path in (ROOT / "carbon_credits").iterdir()
        if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py"
    } - {"__init__"}
    assert {room for room in rooms if f"`carbon_credits/{room}`" not in readme} == set()


def test_every_decision_is_numbered_once_and_has_its_three_parts() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(numbers) == len(set(numbers)) > 0
    for page in pages:
        words = page.read_text().lower()
        assert "context" in words, page.name
        assert "consequences" in words, page.name
