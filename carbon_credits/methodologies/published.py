"""What was ever published: digest and worked examples of every release, in a file that is only added to.

`python -m carbon_credits.methodologies.published tests/methodologies/published.json` adds new releases and
examples; it refuses to run where an entry of the file no longer comes out.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from carbon_credits.methodologies.base import Example, Methodology
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.methodologies.releases import release_on, releases

Entries = Mapping[str, Mapping[str, Any]]


class FrozenError(ValueError):
    """A published release or example was changed or removed; the message lists each."""


def entries(methodologies: Iterable[Methodology]) -> dict[str, dict[str, Any]]:
    """Every release by `code/version/since`: its digest and what its examples give today."""
    found: dict[str, dict[str, Any]] = {}
    for methodology in methodologies:
        for release in releases(methodology):
            worked = {
                example.title.en: _worked(methodology, example)
                for example in methodology.examples
                if release_on(methodology, example.on) is release
            }
            key = f"{release.methodology}/{release.version}/{release.since}"
            found[key] = {"digest": release.digest, "examples": worked}
    return found


def broken(frozen: Entries, current: Entries) -> list[str]:
    """What stands in the frozen file and no longer comes out; adding never shows up here."""
    faults = []
    for key, entry in frozen.items():
        now = current.get(key, {"digest": None, "examples": {}})
        if now["digest"] != entry["digest"]:
            faults.append(f"{key}: digest was {entry['digest']}, is {now['digest']}")
        for title, worked in entry["examples"].items():
            if now["examples"].get(title) != worked:
                faults.append(f"{key}, {title}: was {worked}, is {now['examples'].get(title)}")
    return faults


def publish(path: Path, methodologies: Iterable[Methodology]) -> int:
    """Add what is new to the file and say how many entries it holds. Raises FrozenError, file untouched."""
    current = entries(methodologies)
    frozen = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if faults := broken(frozen, current):
        raise FrozenError(
            "published releases do not change; append a value or a version:\n" + "\n".join(faults)
        )
    path.write_text(
        json.dumps(current, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    return len(current)


def _worked(methodology: Methodology, example: Example) -> dict[str, Any]:
    result = quantify(methodology, example.monitored, example.on)
    return {
        "on": example.on.isoformat(),
        "monitored": dict(example.monitored),
        "raw_mg": result.raw_mg,
        "reduction_mg": result.reduction_mg,
        "reasons": list(result.reasons),
    }


if __name__ == "__main__":
    try:
        print(f"{publish(Path(sys.argv[1]), METHODOLOGIES)} releases in {sys.argv[1]}")
    except FrozenError as error:
        sys.exit(str(error))
