"""Every methodology keeps its promises: conformance over the catalogue, nothing to write for a new one."""

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import rfc8785

from carbon_credits.methodologies import catalogue
from carbon_credits.methodologies.base import Example, Methodology
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.declaration import ends_in_unit
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import names
from carbon_credits.methodologies.quantification import REASONS, explain, quantify
from carbon_credits.methodologies.readings import sha256
from carbon_credits.methodologies.releases import release_on, releases
from carbon_credits.methodologies.replay import recompute

each = pytest.mark.parametrize("methodology", METHODOLOGIES, ids=lambda m: f"{m.code}-{m.version}")
each_example = pytest.mark.parametrize(
    ("methodology", "example"),
    [(m, example) for m in METHODOLOGIES for example in m.examples],
    ids=lambda value: value.title.en if isinstance(value, Example) else value.code,
)


def good_one(methodology: Methodology, examples: Iterable[Example]) -> Example | None:
    """An example that is credited: with grams, or with 0 and the reason where the methodology earns none."""
    if methodology.formula is not None:
        return next((e for e in examples if e.reduction_mg > 0), None)
    assert methodology.no_grams is not None
    return next((e for e in examples if e.reasons == (methodology.no_grams.reason,)), None)


def shown(methodology: Methodology) -> Example:
    found = good_one(methodology, methodology.examples)
    assert found is not None
    return found


@each_example
def test_every_example_holds(methodology: Methodology, example: Example) -> None:
    found = quantify(methodology, example.monitored, example.on)
    raw_mg = example.reduction_mg if example.raw_mg is None else example.raw_mg
    assert (found.reduction_mg, found.raw_mg, found.reasons) == (
        example.reduction_mg,
        raw_mg,
        example.reasons,
    )


@each_example
def test_a_stranger_recomputes_every_example_from_the_document_alone(
    methodology: Methodology, example: Example
) -> None:
    found = quantify(methodology, example.monitored, example.on)
    assert found.release is not None
    assert sha256(found.release.document) == found.release.digest
    assert recompute(found.release.document, example.monitored) == (
        found.raw_mg,
        found.reduction_mg,
        found.reasons,
    )


@each
def test_the_documents_are_canonical_json_as_rfc_8785_has_it(methodology: Methodology) -> None:
    for release in releases(methodology):
        assert rfc8785.dumps(json.loads(release.document)) == release.document


@each
def test_every_condition_is_seen_to_fail_and_every_other_reason_to_be_given(methodology: Methodology) -> None:
    seen = {reason for example in methodology.examples for reason in example.reasons}
    assert set(methodology.reasons) <= seen


@each
def test_some_example_is_credited_in_every_release(methodology: Methodology) -> None:
    for release in releases(methodology):
        here = [e for e in methodology.examples if release_on(methodology, e.on) is release]
        assert good_one(methodology, here) is not None


def test_what_earns_no_grams_says_so_in_its_text_and_leaves_points_to_policy() -> None:
    without = {m.code: m for m in METHODOLOGIES if m.no_grams is not None}
    assert set(without) == {
        "recycling.lead",
        "recycling.zinc",
        "recycling.food_waste",
        "recycling.mixed",
        "purchases.new_energy_vehicle",
        "purchases.green_certificate",
        "household.demand_response",  # where the load was only shifted
    }
    for methodology in without.values():
        assert "积分由政策决定" in methodology.summary.zh
        assert "points is a matter of policy" in methodology.summary.en
        for release in releases(methodology):
            told = json.loads(release.document)["no_grams"]
            assert methodology.no_grams is not None
            assert told == {"reason": methodology.no_grams.reason, **methodology.no_grams.text._asdict()}


def test_the_document_of_a_methodology_with_grams_alone_has_no_such_key() -> None:
    for methodology in METHODOLOGIES:
        if methodology.no_grams is None:
            assert all(b"no_grams" not in release.document for release in releases(methodology))


@each
def test_a_missing_or_absurd_number_is_a_reason_before_the_formula(methodology: Methodology) -> None:
    good = shown(methodology)
    for quantity in methodology.quantities:
        absent = {name: value for name, value in good.monitored.items() if name != quantity.name}
        assert quantify(methodology, absent, good.on).reasons == ("monitored_missing",)
        for absurd in (quantity.least - 1, quantity.most + 1):
            outside = dict(good.monitored) | {quantity.name: absurd}
            assert quantify(methodology, outside, good.on).reasons == ("out_of_range",)
    assert quantify(methodology, {}, date(1999, 1, 1)).reasons == ("not_in_force",)


@each
def test_a_number_that_is_not_whole_never_reaches_the_formula(methodology: Methodology) -> None:
    good = methodology.examples[0]
    name = methodology.monitored[0].name
    foreign: tuple[Any, ...] = (1.5, True, Decimal(1), "1")
    for value in foreign:
        with pytest.raises(TypeError, match=name):
            quantify(methodology, dict(good.monitored) | {name: value}, good.on)


@each
def test_names_end_in_their_unit(methodology: Methodology) -> None:
    named = [(quantity.name, quantity.unit) for quantity in methodology.quantities]
    named += [(parameter.name, parameter.unit) for parameter in methodology.parameters]
    assert [name for name, unit in named if not ends_in_unit(name, unit)] == []


@each
def test_dates_rise_and_every_value_is_cited(methodology: Methodology) -> None:
    for parameter in methodology.parameters:
        assert all(earlier.since < later.since for earlier, later in pairwise(parameter.values))
        for value in parameter.values:
            assert value.source.title
            assert value.source.address
            assert value.source.grade in ("A", "B", "C", "D")
            assert methodology.status == "trial" or value.source.confidence == "VERIFIED"


@each
def test_releases_follow_each_other_without_a_gap(methodology: Methodology) -> None:
    found = releases(methodology)
    assert found[0].since == methodology.in_force
    assert found[-1].until == methodology.until
    assert all(earlier.until == later.since for earlier, later in pairwise(found))
    assert len({release.digest for release in found}) == len(found)


@each
def test_a_receipt_shows_every_value_its_source_and_every_step(methodology: Methodology) -> None:
    good = shown(methodology)
    found = quantify(methodology, good.monitored, good.on)
    assert {used.name for used in found.values} == {p.name for p in methodology.parameters}
    assert all(used.unit and used.source.address for used in found.values)
    if methodology.formula is None:
        assert found.reduction_mg == found.raw_mg == 0
        return
    last = found.steps[-1].value
    assert not isinstance(last, bool)
    assert found.raw_mg <= last < found.raw_mg + 1
    told = " ".join(step.text for step in found.steps)
    assert all(name in told for name in names(methodology.tree))


@each
def test_every_reason_has_plain_words_in_both_languages(methodology: Methodology) -> None:
    release = releases(methodology)[-1]
    codes = [*REASONS, *methodology.reasons]
    for code in codes:
        words = explain(methodology, code, release)
        assert words.zh.strip()
        assert words.en.strip()
        assert "{" not in words.zh + words.en
    with pytest.raises(KeyError):
        explain(methodology, "no_such_reason", release)


def test_a_version_is_found_by_code_and_day() -> None:
    metro = catalogue.newest("travel.metro")
    assert catalogue.on("travel.metro", date(2026, 3, 2)) is metro
    assert catalogue.on("travel.metro", date(2024, 12, 31)) is None
    assert catalogue.BY_NUMBER[6] == catalogue.BY_CODE["travel.metro"] == (metro,)
    with pytest.raises(KeyError):
        catalogue.newest("travel.teleport")


def test_numbers_are_for_ever() -> None:
    given = {
        "travel.cycling": 2,
        "travel.metro": 6,
        "recycling.paper": 15,
        "planting.tree": 23,
        "purchases.no_cutlery": 30,
    }
    assert given.items() <= {m.code: m.number for m in METHODOLOGIES}.items()


def test_a_bicycle_is_never_verified_and_a_tree_is_a_removal() -> None:
    facts = {m.code: (m.verifiable, m.needs_partner, m.pool.value, m.mature_days) for m in METHODOLOGIES}
    promised = {
        "travel.cycling": (False, False, "avoided", None),
        "travel.metro": (True, True, "avoided", None),
        "recycling.paper": (True, True, "avoided", None),
        "planting.tree": (True, True, "removal", None),
        "purchases.no_cutlery": (True, True, "avoided", 15),
    }
    assert promised.items() <= facts.items()


def test_the_factors_agree_with_the_published_figures_they_were_drawn_from() -> None:
    """Inputs as printed by the sources; ours may be lower, never higher."""

    def newest(name: str) -> Decimal:
        return factor(name).values[-1].amount

    assert newest("cutlery_g_per_order") <= Decimal(310_000) * 1_000_000 / 7_700_000_000
    board, mixed = newest("board_saving_kg_per_kg"), newest("mixed_paper_saving_kg_per_kg")
    assert board <= Decimal("1.19972542") - Decimal("1.09811442")
    assert mixed <= Decimal("1.28850358") - Decimal("1.06877475") < mixed + Decimal("0.0001")
    stand = Decimal(1000) * 44 / 12 / 1334  # 1 t C a hectare and year, 1,334 stems
    assert newest("yearly_ceiling_kg_per_tree") <= stand
    assert newest("co2_kg_per_kg") <= Decimal(44) / 12 < newest("co2_kg_per_kg") + Decimal("0.0001")


def test_a_tree_stays_below_its_ceiling_of_twenty_years() -> None:
    assert factor("yearly_ceiling_kg_per_tree").values[-1].amount * 20 <= 55


def test_the_deduction_for_uncertainty_is_the_published_one() -> None:
    """The tool's own worked case: 60 with a half-width of 9 leaves 57.75."""
    tree = catalogue.newest("planting.tree")
    numbers = {"biomass_gain_g": 60, "half_width_g": 9, "count": 1, "age_days": 365}
    assert Decimal("57.75") in [step.value for step in quantify(tree, numbers, date(2026, 3, 2)).steps]


@pytest.mark.parametrize(
    ("half_width_g", "taken_off"),
    [
        (100, 0),
        (101, "25.25"),
        (150, "37.5"),
        (151, "75.5"),
        (200, 100),
        (201, "150.75"),
        (300, 225),
        (301, 301),
    ],
)
def test_the_deduction_steps_lie_where_the_tool_puts_them(half_width_g: int, taken_off: str) -> None:
    tree = catalogue.newest("planting.tree")
    numbers = {"biomass_gain_g": 1000, "half_width_g": half_width_g, "count": 1, "age_days": 365}
    steps = {step.text: step.value for step in quantify(tree, numbers, date(2026, 3, 2)).steps}
    gain = next(value for text, value in steps.items() if text.startswith("max(") and text.endswith(", 0)"))
    assert gain == 1000 - Decimal(taken_off)


def test_the_science_imports_nothing_of_the_programme() -> None:
    script = (
        "import sys, carbon_credits.methodologies\n"
        "inside = [m for m in sys.modules if m.startswith('carbon_credits.')]\n"
        "print([m for m in inside if not m.startswith('carbon_credits.methodologies')],"
        " [m for m in ('flask', 'sqlalchemy', 'psycopg', 'redis', 'marshmallow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
