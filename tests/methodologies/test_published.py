"""Published means frozen: digests and worked examples stay, appending passes, editing fails."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from carbon_credits.methodologies.base import Example, Methodology, Text, Value
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.published import FrozenError, broken, entries, publish
from carbon_credits.methodologies.travel import cycling

PUBLISHED = Path(__file__).parent / "published.json"
V1 = cycling.V1
FACTOR = V1.parameters[0]


def test_every_published_release_still_comes_out_and_none_is_unpublished() -> None:
    """For new ones: python -m carbon_credits.methodologies.published tests/methodologies/published.json."""
    frozen = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    current = entries(METHODOLOGIES)
    assert broken(frozen, current) == []
    assert frozen == current


def with_factor(*values: Value) -> Methodology:
    return replace(V1, parameters=(replace(FACTOR, values=values), *V1.parameters[1:]))


def test_appending_a_value_a_version_or_an_example_passes(tmp_path: Path) -> None:
    register = tmp_path / "published.json"
    assert publish(register, [V1]) == 1
    new = Value(date(2026, 7, 1), Decimal(38), FACTOR.values[0].source)
    assert publish(register, [with_factor(*FACTOR.values, new)]) == 2
    ended = replace(with_factor(*FACTOR.values, new), until=date(2027, 1, 1))
    more = Example(
        Text("一公里", "One km"), date(2026, 3, 2), {"distance_m": 1000, "duration_s": 300}, 40_000
    )
    ended = replace(ended, examples=(*ended.examples, more))
    second = replace(ended, version=2, in_force=date(2027, 1, 1), until=None)
    assert publish(register, [ended, second]) == 3
    frozen = json.loads(register.read_text(encoding="utf-8"))
    assert "One km" in frozen["travel.cycling/1/2025-01-01"]["examples"]


def edited(**changes: Any) -> Methodology:
    return replace(V1, **changes)


FIRST = V1.examples[0]


@pytest.mark.parametrize(
    "methodologies",
    [
        [with_factor(replace(FACTOR.values[0], amount=Decimal(41)))],
        [
            with_factor(
                replace(FACTOR.values[0], source=replace(FACTOR.values[0].source, title="Another paper"))
            )
        ],
        [edited(conditions=V1.conditions[::-1])],
        [edited(formula=lambda distance_m, cycling_g_per_km: cycling_g_per_km * distance_m)],
        [edited(monitored=(replace(V1.monitored[0], most=100_001),))],
        [edited(examples=V1.examples[1:])],
        [
            edited(
                examples=(replace(FIRST, monitored={"distance_m": 3201, "duration_s": 960}), *V1.examples[1:])
            )
        ],
        [edited(in_force=date(2025, 2, 1))],
        [],
    ],
    ids=[
        "number",
        "source",
        "order",
        "formula",
        "range",
        "example removed",
        "example edited",
        "date",
        "removed",
    ],
)
def test_editing_what_is_published_is_refused_and_the_file_stays(
    tmp_path: Path, methodologies: list[Methodology]
) -> None:
    register = tmp_path / "published.json"
    publish(register, [V1])
    before = register.read_bytes()
    with pytest.raises(FrozenError, match=r"travel\.cycling/1/2025-01-01"):
        publish(register, methodologies)
    assert register.read_bytes() == before


def test_wording_may_be_mended_and_an_end_may_be_set(tmp_path: Path) -> None:
    register = tmp_path / "published.json"
    publish(register, [V1])
    before = register.read_bytes()
    publish(register, [edited(title=Text("骑行", "By bicycle"), until=date(2030, 1, 1))])
    assert register.read_bytes() == before


def test_the_command_refuses_a_forged_register_with_words_and_a_status(tmp_path: Path) -> None:
    register = tmp_path / "published.json"
    command = [sys.executable, "-m", "carbon_credits.methodologies.published", str(register)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert register.read_bytes() == PUBLISHED.read_bytes()
    register.write_text(register.read_text(encoding="utf-8").replace("128000", "129000"), encoding="utf-8")
    forged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert forged.returncode == 1
    assert "3.2 km to work in 16 minutes" in forged.stderr
