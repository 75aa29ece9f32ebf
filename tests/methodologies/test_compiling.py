"""The second path: a document compiled to integers agrees with the exact reading, and refuses what is no release."""

import json
import random

import pytest

from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.compiling import UnreadableDocument, compile_release
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.methodologies.releases import Release, releases
from carbon_credits.methodologies.replay import recompute

ALL = [(methodology, release) for methodology in METHODOLOGIES for release in releases(methodology)]
NAMES = [f"{release.methodology}-{release.since}" for _, release in ALL]


@pytest.mark.parametrize(("methodology", "release"), ALL, ids=NAMES)
def test_the_document_alone_gives_what_the_module_gives(methodology: Methodology, release: Release) -> None:
    chance = random.Random(release.digest)
    compiled = compile_release(release.document)
    for _ in range(1500):
        monitored = {
            q.name: chance.choice(
                (
                    q.least,
                    q.most,
                    chance.randint(q.least, q.most),
                    chance.randint(q.least, min(q.most, q.least + 9_000)),
                )
            )
            for q in methodology.quantities
        }
        found = quantify(methodology, monitored, release.since)
        # coming to nothing for a reason of its own is no refusal: the act is credited, with no grams
        nothing = () if methodology.no_grams is None else (methodology.no_grams.reason,)
        wanted = None if set(found.reasons) - set(nothing) else found.raw_mg
        assert compiled.judge(monitored, monitored.get("duration_s", 0)) == wanted
        again = recompute(release.document, monitored)
        assert (None if set(again.reasons) - set(nothing) else again.raw_mg) == wanted


@pytest.mark.parametrize(("methodology", "release"), ALL, ids=NAMES)
def test_the_digests_of_the_parts_are_recomputed_from_the_bytes(
    methodology: Methodology, release: Release
) -> None:
    compiled = compile_release(release.document)
    found = (compiled.digest, compiled.formula_digest, compiled.parameters_digest)
    assert ["sha256:" + digest.hex() for digest in found] == [
        release.digest,
        release.formula_digest,
        release.parameters_digest,
    ]
    assert (compiled.number, compiled.version, compiled.since) == (
        methodology.number,
        methodology.version,
        str(release.since),
    )


def test_a_number_out_of_range_or_absent_is_never_worth_anything() -> None:
    judge = compile_release(ALL[0][1].document).judge
    assert judge({"distance_m": -1}, 600) is None
    for wrong in ({}, {"distance_m": "9"}, {"distance_m": 9.0}, {"distance_m": None}, {"distance_m": True}):
        with pytest.raises((KeyError, TypeError)):
            judge(wrong, 600)


FORMULA = ["mul", ["quantity", "distance_m"], ["const", "2"]]


@pytest.mark.parametrize(
    "formula",
    [
        ["quantity", "__import__('os')"],
        ["quantity", "unknown"],
        ["const", "1e9"],
        ["const", "1); print(2"],
        ["const", 2],
        ["pow", ["const", "2"], ["const", "3"]],
        ["add", ["const", "2"]],
        ["lt", ["const", "2"], ["const", "3"]],
        [],
        "distance_m",
    ],
)
def test_a_formula_of_another_language_is_refused_and_nothing_of_it_runs(formula: object) -> None:
    release = json.loads(ALL[0][1].document)
    with pytest.raises(UnreadableDocument):
        compile_release(json.dumps({**release, "formula": formula}).encode())


@pytest.mark.parametrize("bad", [b"", b"[]", b"{}", b"\xff", b'{"formula": []}'])
def test_bytes_that_are_no_release_are_refused(bad: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        compile_release(bad)


def test_a_monitored_name_that_is_no_name_is_refused() -> None:
    release = json.loads(ALL[0][1].document)
    release["monitored"][0]["name"] = "distance_m'] or x["
    with pytest.raises(UnreadableDocument):
        compile_release(json.dumps(release).encode())
