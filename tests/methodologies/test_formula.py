"""The formula language: what it reads, and what it refuses with advice."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from carbon_credits.methodologies.formula import (
    FormulaError,
    Number,
    Truth,
    constant,
    greatest,
    least,
    names,
    plain,
    quantity,
    read,
    where,
)
from carbon_credits.methodologies.readings import as_json, bind, canonical, digest, text

A, B = quantity("a_m"), quantity("b_m")


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (lambda a_m: a_m if a_m > 1 else 0, "where()"),
        (lambda a_m, b_m: (a_m > 1) and (b_m > 1), "&"),
        (lambda a_m: not (a_m > 1), "where()"),
        (lambda a_m: 1 < a_m < 3, "chained <"),
        (lambda a_m, b_m: min(a_m, b_m, 3), "min"),
        (lambda a_m: a_m / 2, "no division"),
        (lambda a_m: 2 / a_m, "no division"),
        (lambda a_m: a_m // 2, "no division"),
        (lambda a_m: a_m % 2, "no division"),
        (lambda a_m: a_m**2, "no division"),
        (lambda a_m: a_m == 2, "<= and >="),
        (lambda a_m: a_m != 2, "<= and >="),
        (lambda a_m: a_m * 0.5, "never a float"),
        (lambda a_m: math.pi * a_m, "never a float"),
        (lambda a_m: a_m * True, "never a bool"),
        (lambda a_m: a_m + Decimal("NaN"), "not a finite number"),
        (lambda a_m: a_m + Decimal("Infinity"), "not a finite number"),
        (lambda a_m: a_m + (a_m > 1), "a number is needed"),
        (lambda a_m: where(a_m, 1, 0), "a comparison is needed"),
        (lambda a_m: (a_m > 1) & a_m, "a comparison is needed"),
        (lambda a_m: least(a_m) + 1, "two terms or more"),
        (lambda a_m, b_m: a_m, "b_m: taken as an argument and not used"),
        (lambda a_m, c_m: a_m + c_m, "c_m is neither monitored"),
        (lambda a_m, b_m=1: a_m + b_m, "without defaults"),
        (lambda *a_m: 1, "without defaults or stars"),
    ],
)
def test_what_the_language_lacks_is_refused_with_advice(function: Callable[..., Any], advice: str) -> None:
    with pytest.raises(FormulaError) as refusal:
        read(function, {"a_m", "b_m"})
    assert advice in str(refusal.value)


def test_a_formula_is_a_plain_function_of_named_quantities() -> None:
    def formula(a_m: Number, b_m: Number) -> Number:
        return where((a_m > 1) & (b_m <= 2), least(a_m, b_m, 7), 3 - greatest(a_m * b_m, Decimal("0.50")))

    tree = read(formula, {"a_m", "b_m"})
    assert names(tree) == {"a_m", "b_m"}
    assert text(tree) == "(min(a_m, b_m, 7) if a_m > 1 and b_m ≤ 2 else 3 − max(a_m × b_m, 0.5))"


def test_a_condition_reads_as_a_truth() -> None:
    tree = read(lambda a_m: (a_m >= 1) | (a_m < -1), {"a_m"})
    assert isinstance(tree, Truth)
    assert as_json(tree) == [
        "or",
        ["ge", ["quantity", "a_m"], ["const", "1"]],
        ["lt", ["quantity", "a_m"], ["const", "-1"]],
    ]


def test_a_constant_on_the_left_of_a_comparison_turns_it_round() -> None:
    assert text(5 + Decimal(1) < A) == "a_m > 6"
    assert text(Decimal("5.5") > A) == "a_m < 5.5"


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (0, "0"),
        (Decimal("-0"), "0"),
        (Decimal("-0.00"), "0"),
        (Decimal("1.50"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (100, "100"),
        (-3, "-3"),
        (10**70 + 1, "1" + "0" * 69 + "1"),
    ],
)
def test_each_number_has_one_spelling(value: int | Decimal, spelling: str) -> None:
    assert constant(value).leaf == spelling == plain(Decimal(value))


def test_the_same_formula_has_the_same_digest_and_another_has_not() -> None:
    assert digest(A + 1) == digest(quantity("a_m") + Decimal("1.0"))
    assert digest(A + 1) != digest(1 + A)
    assert canonical(A + 1) == b'["add",["quantity","a_m"],["const","1"]]'


@pytest.mark.parametrize(
    ("tree", "shown"),
    [
        (A - (B - 1), "a_m − (b_m − 1)"),
        (A - B - 1, "a_m − b_m − 1"),
        (A - (B + 1), "a_m − (b_m + 1)"),
        (A * (B + 1), "a_m × (b_m + 1)"),
        (A + B * 2, "a_m + b_m × 2"),
        ((A > 1) & ((B > 1) | (B < 0)), "a_m > 1 and (b_m > 1 or b_m < 0)"),
        (where(A > B, A, B) * 2, "(a_m if a_m > b_m else b_m) × 2"),
    ],
)
def test_the_text_keeps_the_brackets_it_needs(tree: Number | Truth, shown: str) -> None:
    assert text(tree) == shown


def test_binding_puts_parameters_in_and_folds_constants() -> None:
    bound = bind((A + 1) * (B * 2 - Decimal("0.5")), {"b_m": Decimal("1.25")})
    assert text(bound) == "(a_m + 1) × 2"


def test_a_tree_does_not_change_once_it_is_read() -> None:
    with pytest.raises(AttributeError):
        A.leaf = "b_m"
