"""A methodology that contradicts itself stops the programme, and the message names what is wrong."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from carbon_credits.methodologies.base import (
    Condition,
    Confidence,
    Example,
    Grade,
    Methodology,
    Monitored,
    NoGrams,
    Parameter,
    Reference,
    Source,
    Status,
    Text,
    Value,
)
from carbon_credits.methodologies.catalogue import catalogued
from carbon_credits.methodologies.declaration import DeclarationError
from carbon_credits.methodologies.formula import Number, Truth
from carbon_credits.methodologies.purchases import cutlery
from carbon_credits.methodologies.travel import cycling, metro

V1 = cutlery.V1
FACTOR = V1.parameters[0]
SOURCE = Source("A paper", "https://example.org/paper", Grade.B, Confidence.VERIFIED)
WORDS = Text("词", "word")


def valued(*values: Value) -> dict[str, Any]:
    """The cutlery methodology's one parameter with other values."""
    return {"parameters": (replace(FACTOR, values=values),)}


def cited(**changes: Any) -> dict[str, Any]:
    source = replace(SOURCE, **changes)
    return valued(Value(date(2025, 1, 1), Decimal(40), source))


def halved(count: Number, cutlery_g_per_order: Number) -> Number:
    return count * cutlery_g_per_order / 2


def branching(count: Number, cutlery_g_per_order: Number) -> Number:
    return cutlery_g_per_order if count > 1 else count


def misspelt(count: Number, cutlery_g_per_ordre: Number) -> Number:
    return count * cutlery_g_per_ordre


def forgetful(count: Number) -> Number:
    return count * 1000


def negated(count: Number, cutlery_g_per_order: Number) -> Number:
    return -count * cutlery_g_per_order  # type: ignore[operator, no-any-return]


def truthful(count: Number, cutlery_g_per_order: Number) -> Truth:
    return count > cutlery_g_per_order


def enormous(count: Number, cutlery_g_per_order: Number) -> Number:
    return count * cutlery_g_per_order * 10**17


def endless(count: Number, cutlery_g_per_order: Number) -> Number:
    return count * cutlery_g_per_order + Decimal("1E-60")


def at_least_one(count: Number) -> Truth:
    return count >= 1


def condition(**changes: Any) -> dict[str, Any]:
    whole = Condition("too_few", WORDS, at_least_one)
    return {"conditions": (replace(whole, **changes),)}


COUNT = V1.monitored[0]


def without_grams(reason: str = "nothing_avoided", zh: str = "零", en: str = "nothing") -> dict[str, Any]:
    """The cutlery methodology with no formula and no parameter, and a reason instead."""
    return {"formula": None, "parameters": (), "no_grams": NoGrams(reason, Text(zh, en))}


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"formula": halved}, "formula: a formula has no division"),
    ({"formula": branching}, "formula: a formula cannot branch"),
    ({"formula": misspelt}, "cutlery_g_per_ordre is neither monitored, derived nor a parameter"),
    ({"formula": forgetful}, "cutlery_g_per_order is declared and used by neither"),
    ({"formula": negated}, "bad operand type for unary -"),
    ({"formula": truthful}, "gives a Truth, a Number is needed"),
    ({"formula": enormous}, "does not fit a bigint"),
    ({"formula": endless}, "60 in all"),
    ({"formula": None, "parameters": ()}, "neither a formula nor a reason why it earns no grams"),
    (without_grams("no_reduction"), "the reason code is taken or not in snake case"),
    (without_grams("Nothing"), "the reason code is taken or not in snake case"),
    (without_grams() | condition(reason="nothing_avoided"), "the reason code is taken"),
    (without_grams(en=" "), "no_grams nothing_avoided lacks one of its languages"),
    (without_grams(zh="{count} 次"), "its text names 'count', which is not a parameter"),
    (without_grams() | {"parameters": (FACTOR,)}, "cutlery_g_per_order is declared and used by neither"),
    ({"code": "no_cutlery"}, "is not family.name"),
    ({"number": 40_000}, "number 40000"),
    ({"version": 0}, "version 0"),
    ({"until": date(2025, 1, 1)}, "does not lie after in_force"),
    ({"title": Text("外卖", " ")}, "title lacks one of its languages"),
    ({"cap_quantity": "mass_g"}, "cap_quantity mass_g is not monitored"),
    ({"monitored": (replace(COUNT, unit="g"),)}, "count does not end in its unit 'g'"),
    ({"monitored": (replace(COUNT, least=5, most=4),)}, "5 to 4 is empty"),
    ({"monitored": (COUNT, COUNT)}, "count is declared twice"),
    ({"monitored": (COUNT, Monitored("mass_g", WORDS, "g", 0, 1))}, "mass_g is declared and used by neither"),
    ({"parameters": (replace(FACTOR, unit="kg/order"),)}, "does not end in its unit 'kg/order'"),
    ({"parameters": (replace(FACTOR, unit=""),)}, "does not end in its unit ''"),
    ({"parameters": (replace(FACTOR, description=Text("", "x")),)}, "lacks a description"),
    (valued(), "cutlery_g_per_order has no value"),
    (valued(Value(date(2025, 1, 2), Decimal(1), SOURCE)), "has no value on 2025-01-01"),
    (
        valued(Value(date(2025, 1, 1), Decimal(1), SOURCE), Value(date(2025, 1, 1), Decimal(2), SOURCE)),
        "dates do not rise",
    ),
    (valued(Value(date(2025, 1, 1), Decimal("NaN"), SOURCE)), "is not a finite Decimal"),
    (valued(Value(date(2025, 1, 1), Decimal(1), SOURCE, Decimal("0.1"))), "names its correlation group"),
    (cited(title=""), "no source title or address"),
    (cited(address=""), "no source title or address"),
    (cited(address="a book"), "needs a web address"),
    (cited(confidence=Confidence.PROPOSAL), "a proposal needs a note"),
    ({"status": Status.FILED} | cited(confidence=Confidence.PROPOSAL, note="why"), "only a trial may use it"),
    ({"status": Status.FILED} | cited(confidence=Confidence.RECALLED), "only a trial may use it"),
    (condition(reason="not_in_force"), "reserved"),
    (condition(reason="Too few"), "not in snake case"),
    (condition(text=Text("至少 {least}", "at least")), "its text names 'least'"),
    (condition(holds=lambda count: count), "condition too_few: gives a Number"),
    (condition(holds=lambda count: count == 1), "condition too_few: a formula has no =="),
    ({"conditions": 2 * condition()["conditions"]}, "condition too_few is declared twice"),
    (
        {"conditions": tuple(Condition(f"no_{k}", WORDS, at_least_one) for k in range(29))},
        "29 conditions, at most 28",
    ),
    ({"bases": ("luck",), "references": ()}, "basis 'luck' is unknown"),
    ({"references": ()}, "basis transaction needs exactly one reference"),
    ({"bases": ("person_motion",), "references": ()}, "person_motion needs duration_s"),
    ({"references": (*V1.references, Reference("item", "item", required=True))}, "not among the bases"),
    ({"references": (Reference("transaction", "receipt", required=True),)}, "reference receipt"),
    ({"examples": (*V1.examples, V1.examples[0])}, "'One order' appears twice"),
]


@pytest.mark.parametrize(("changes", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_a_contradiction_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError) as refusal:
        replace(V1, **changes)
    assert message in str(refusal.value)
    assert str(changes.get("code", V1.code)) in str(refusal.value)


def test_every_fault_is_reported_together() -> None:
    with pytest.raises(DeclarationError, match=r"number 0 .*; version 0 .*; cap_quantity"):
        replace(V1, number=0, version=0, cap_quantity="mass_g")


def test_a_filed_methodology_may_use_verified_values() -> None:
    assert replace(V1, status=Status.FILED).status == "filed"


def test_an_uncited_number_cannot_even_be_written() -> None:
    with pytest.raises(TypeError, match="source"):
        Value(date(2025, 1, 1), Decimal(1))  # type: ignore[call-arg]


def next_version(earlier: Methodology, **changes: Any) -> Methodology:
    following: dict[str, Any] = {"version": 2, "in_force": date(2026, 1, 1)}
    return replace(earlier, **(following | changes))


# the same methodology, but its shortest ride is 600 m
LONGER = tuple(
    replace(p, values=(replace(p.values[0], amount=Decimal(600)),)) if p.name == "shortest_m" else p
    for p in cycling.V1.parameters
)
ENDED = replace(cycling.V1, until=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("methodologies", "message"),
    [
        ((cycling.V1, cycling.V1), "versions rise and none appears twice"),
        (
            (cycling.V1, replace(metro.V1, number=2)),
            "number 2 of travel.metro already belongs to travel.cycling",
        ),
        (
            (cycling.V1, replace(cycling.V1, code="travel.walking", number=1, parameters=LONGER)),
            "ride_too_short of travel.walking says otherwise in travel.cycling",
        ),
        ((ENDED, next_version(ENDED, until=None, number=77)), "its number changed from 2 to 77"),
        ((cycling.V1, next_version(cycling.V1)), "while v1 is still in force"),
        ((ENDED, next_version(ENDED, until=None, in_force=date(2025, 12, 31))), "still in force"),
        ((next_version(ENDED, until=None), ENDED), "versions rise"),
    ],
)
def test_a_catalogue_with_a_collision_does_not_load(
    methodologies: tuple[Methodology, ...], message: str
) -> None:
    with pytest.raises(DeclarationError, match=message):
        catalogued(methodologies)


def test_a_second_version_takes_over_where_the_first_ends() -> None:
    second = next_version(ENDED, until=None)
    assert catalogued((ENDED, second)) == {"travel.cycling": (ENDED, second)}


def test_two_methodologies_may_share_a_reason_that_says_the_same() -> None:
    walking = replace(cycling.V1, code="travel.walking", number=1)
    assert list(catalogued((cycling.V1, walking))) == ["travel.cycling", "travel.walking"]


def test_an_example_names_its_day_and_its_numbers() -> None:
    example = Example(WORDS, date(2026, 1, 1), {"count": 2}, 80_000)
    assert replace(V1, examples=(example,)).examples[0].reduction_mg == 80_000


def test_a_parameter_has_the_value_of_its_day() -> None:
    early, late = (
        Value(day, Decimal(n), SOURCE) for n, day in ((1, date(2025, 1, 1)), (2, date(2026, 1, 1)))
    )
    parameter = Parameter("x_m", "m", WORDS, (early, late))
    assert [parameter.on(day) for day in (date(2024, 12, 31), date(2025, 12, 31), date(2026, 1, 1))] == [
        None,
        early,
        late,
    ]
