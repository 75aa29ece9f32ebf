"""The factor register loads only what is cited; a fault is named by file, line and key."""

from decimal import Decimal
from pathlib import Path

import pytest

from carbon_credits.methodologies.declaration import DeclarationError
from carbon_credits.methodologies.factors import FILES, FOLDER, REGISTER, factor, load

GOOD = """
[steel_kg_per_kg]
unit = "kg/kg"
zh = "钢"
en = "Steel"

[[steel_kg_per_kg.values]]
since = 2025-01-01
value = 1.04
uncertainty = 0.30
correlation = "recycling_displacement"
source = "A table"
address = "https://example.org/table"
grade = "C"
confidence = "VERIFIED"

[[steel_kg_per_kg.values]]
since = 2026-01-01
value = 1
uncertainty = 0
correlation = ""
source = "A later table"
address = "https://example.org/later"
grade = "C"
confidence = "VERIFIED"
note = "Whole numbers are exact too."
"""


def register(folder: Path, *contents: str) -> tuple[Path, ...]:
    paths = tuple(folder / f"factors_{k}.toml" for k in range(len(contents)))
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


def test_a_cited_factor_loads_with_exact_numbers(tmp_path: Path) -> None:
    steel = load(register(tmp_path, GOOD))["steel_kg_per_kg"]
    assert [value.amount for value in steel.values] == [Decimal("1.04"), Decimal(1)]
    assert steel.values[0].source.grade == "C"
    assert steel.values[1].source.note == "Whole numbers are exact too."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('unit = "kg/kg"\n', "", "line 2, steel_kg_per_kg: unit missing"),
        ('unit = "kg/kg"', 'unit = "g/kg"', "line 2, steel_kg_per_kg: steel_kg_per_kg does not end in"),
        ('source = "A table"\n', "", "line 7, steel_kg_per_kg: source missing"),
        ('source = "A later table"\n', "", "line 17, steel_kg_per_kg: source missing"),
        ('grade = "C"\nconfidence = "VERIFIED"\nnote', 'confidence = "VERIFIED"\nnote', "line 17"),
        ('grade = "C"', 'grade = "E"', "line 7, steel_kg_per_kg: grade 'E' is none of A, B, C, D"),
        ('"VERIFIED"', '"CERTAIN"', "confidence 'CERTAIN' is none of"),
        ('address = "https://example.org/table"', 'address = "a table"', "needs a web address"),
        ('address = "https://example.org/table"', 'address = ""', "no source title or address"),
        ("value = 1.04", 'value = "1.04"', "line 7, steel_kg_per_kg: value is a str"),
        ("value = 1.04", "value = true", "value is a bool"),
        ("value = 1.04", "value = nan", "not a finite Decimal"),
        ("since = 2025-01-01", 'since = "2025"', "since is a str"),
        ("since = 2025-01-01", "since = 2025-01-01T00:00:00", "since is a datetime"),
        (
            "since = 2026-01-01",
            "since = 2025-01-01",
            "line 17, steel_kg_per_kg: since 2025-01-01 does not lie after",
        ),
        (
            "since = 2026-01-01",
            "since = 2024-12-31",
            "line 17, steel_kg_per_kg: since 2024-12-31 does not lie after",
        ),
        ("value = 1.04", "value = 1.04\nvlaue = 2", "vlaue unknown"),
        ("uncertainty = 0.30\n", "", "uncertainty missing"),
        ('zh = "钢"', 'zh = ""', "lacks a description"),
        ("[[steel_kg_per_kg.values]]", "[[steel_kg_per_kg.valeus]]", "values missing"),
        ("value = 1.04", "value = ", "factors_0.toml"),
    ],
)
def test_a_fault_is_named_by_file_line_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    content = GOOD.replace(old, new, 1) if "valeus" not in new else GOOD.replace(old, new)
    assert content != GOOD
    with pytest.raises(DeclarationError) as refusal:
        load(register(tmp_path, content))
    assert message in str(refusal.value)
    assert str(refusal.value).startswith("factors_0.toml")


def test_a_factor_is_registered_once(tmp_path: Path) -> None:
    with pytest.raises(
        DeclarationError, match=r"factors_1.toml line 2, steel_kg_per_kg: .* already registered"
    ):
        load(register(tmp_path, GOOD, GOOD))


def test_an_unknown_factor_is_refused() -> None:
    with pytest.raises(DeclarationError, match="unobtainium_kg_per_kg"):
        factor("unobtainium_kg_per_kg")


def test_every_file_of_the_register_is_named_and_holds_factors() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.toml")) == sorted(FILES)
    assert len(REGISTER) >= len(FILES)


def test_the_grid_factor_is_the_newest_published_on_the_day() -> None:
    grid = factor("grid_kg_per_kwh")
    assert [str(value.amount) for value in grid.values] == ["0.4715", "0.4403", "0.4419"]
