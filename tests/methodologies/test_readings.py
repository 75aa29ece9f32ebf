"""Every reading of a random formula agrees: Decimal, JSON by fractions, printed text, PostgreSQL, bounds."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, Inexact
from fractions import Fraction
from functools import cache
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from carbon_credits.methodologies.formula import (
    Expr,
    FormulaError,
    Number,
    Truth,
    constant,
    greatest,
    least,
    quantity,
    where,
)
from carbon_credits.methodologies.readings import Interval, bind, bounds, canonical, exact, sql, text
from carbon_credits.methodologies.replay import evaluate

NAMES = ("a_m", "b_g", "c_s")
X, Y = quantity("x_m"), quantity("y_m")
RANGES = {name: Interval(Decimal(-(10**9)), Decimal(10**9)) for name in NAMES}
# small ones too, so that comparisons meet their edges
WHOLE = st.integers(-(10**9), 10**9) | st.integers(-3, 3)
CONSTANTS = WHOLE | st.decimals(-1000, 1000, places=6) | st.sampled_from([0, 1, 1000, Decimal("0.000001")])


@cache
def numbers(depth: int) -> st.SearchStrategy[Number]:
    """Random numbers of at most that depth."""
    leaves = st.sampled_from(NAMES).map(quantity) | CONSTANTS.map(constant)
    if depth == 0:
        return leaves
    below = numbers(depth - 1)
    pair, several = st.tuples(below, below), st.lists(below, min_size=2, max_size=3)
    return st.one_of(
        leaves,
        pair.map(lambda t: t[0] + t[1]),
        pair.map(lambda t: t[0] - t[1]),
        pair.map(lambda t: t[0] * t[1]),
        several.map(lambda terms: least(*terms)),
        several.map(lambda terms: greatest(*terms)),
        st.tuples(truths(depth - 1), below, below).map(lambda t: where(*t)),
    )


@cache
def truths(depth: int) -> st.SearchStrategy[Truth]:
    """Random truths of at most that depth."""
    compared = st.tuples(numbers(depth), numbers(depth), st.integers(0, 3)).map(
        lambda t: (t[0] < t[1], t[0] <= t[1], t[0] > t[1], t[0] >= t[1])[t[2]]
    )
    if depth == 0:
        return compared
    pair = st.tuples(truths(depth - 1), truths(depth - 1))
    return st.one_of(compared, pair.map(lambda t: t[0] & t[1]), pair.map(lambda t: t[0] | t[1]))


formulas = numbers(4)
trees = formulas | truths(3)
rows = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, WHOLE)), min_size=1, max_size=20)

thorough = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        database_url.replace("postgresql+psycopg", "postgresql"), autocommit=True
    ) as open_one:
        yield open_one


def exact_within_bounds(tree: Expr, row: dict[str, int]) -> Decimal | bool:
    """The exact value, checked against the interval that was promised for it."""
    interval = bounds(tree, RANGES)
    value = exact(tree, row)
    assert interval.least <= value <= interval.most
    return value


def fits(tree: Expr) -> bool:
    try:
        bounds(tree, RANGES)
    except FormulaError:
        return False
    return True


def by_text(tree: Expr, row: dict[str, int]) -> Any:
    """The printed text read back as arithmetic over fractions, the way an auditor with a calculator would."""
    shown = re.sub(r"(?<![a-z_\d])\d+(\.\d+)?", r"Fraction('\g<0>')", text(tree))
    for sign, operator in {"−": "-", "×": "*", "≤": "<=", "≥": ">="}.items():
        shown = shown.replace(sign, operator)
    return eval(shown, {"Fraction": Fraction, "min": min, "max": max}, dict(row))


@thorough
@given(tree=trees, table=rows)
def test_decimal_json_and_text_agree_on_random_formulas(tree: Expr, table: list[dict[str, int]]) -> None:
    assume(fits(tree))
    document = json.loads(canonical(tree))
    for row in table:
        value = exact_within_bounds(tree, row)
        assert evaluate(document, {name: Fraction(v) for name, v in row.items()}) == value
        assert by_text(tree, row) == value


@thorough
@given(tree=trees, table=rows)
def test_postgresql_agrees_over_many_rows_in_one_statement(
    connection: psycopg.Connection, tree: Expr, table: list[dict[str, int]]
) -> None:
    assume(fits(tree))
    listed = ", ".join(
        f"({k}, {', '.join(f'{row[n]}::numeric' for n in NAMES)})" for k, row in enumerate(table)
    )
    statement = f"select {sql(tree, str)} from (values {listed}) v(k, {', '.join(NAMES)}) order by k"
    found = [value for (value,) in connection.execute(statement.encode()).fetchall()]
    assert found == [exact(tree, row) for row in table]


@thorough
@given(tree=formulas, row=st.fixed_dictionaries(dict.fromkeys(NAMES, WHOLE)))
def test_binding_some_quantities_changes_no_value(tree: Number, row: dict[str, int]) -> None:
    assume(fits(tree))
    known = {"b_g": Decimal(row["b_g"]), "c_s": Decimal(row["c_s"])}
    assert exact(bind(tree, known), {"a_m": row["a_m"]}) == exact(tree, row)


def test_a_formula_that_could_need_more_than_sixty_digits_is_refused_before_it_rounds() -> None:
    product = quantity("a_m")
    for _ in range(6):
        product = product * quantity("a_m")
    with pytest.raises(FormulaError, match="60 in all"):
        bounds(product, RANGES)
    with pytest.raises(Inexact):
        exact(product, {"a_m": 10**9 - 1})


@pytest.mark.parametrize(
    ("tree", "interval"),
    [
        (X - Y, Interval(Decimal(-15), Decimal(10))),
        (X * Y, Interval(Decimal(-50), Decimal(100))),
        (X * Decimal("0.05") * Decimal("0.1"), Interval(Decimal("-0.025"), Decimal("0.05"), 3)),
        (X * Decimal("0.5") + Decimal("0.25"), Interval(Decimal("-2.25"), Decimal("5.25"), 2)),
        (least(X, Y), Interval(Decimal(-5), Decimal(10))),
        (greatest(X, Y), Interval(Decimal(0), Decimal(10))),
        (greatest(X, 3), Interval(Decimal(3), Decimal(10))),
        (where(X > 1, Y, -7), Interval(Decimal(-7), Decimal(10))),
        (X > Y, Interval(Decimal(0), Decimal(1))),
    ],
)
def test_the_bounds_are_those_of_interval_arithmetic(tree: Expr, interval: Interval) -> None:
    ranges = {"x_m": Interval(Decimal(-5), Decimal(10)), "y_m": Interval(Decimal(0), Decimal(10))}
    assert bounds(tree, ranges) == interval


def test_the_steps_are_recorded_in_the_order_of_evaluation() -> None:
    seen: list[tuple[str, Decimal | bool]] = []
    tree = where(quantity("a_m") > 2, quantity("a_m") * 3, quantity("a_m") - 1) + 1
    assert exact(tree, {"a_m": 5}, lambda node, value: seen.append((text(node), value))) == 16
    assert seen[:2] == [("a_m > 2", True), ("a_m × 3", 15)]
    assert [value for _, value in seen] == [True, 15, 15, 16]
