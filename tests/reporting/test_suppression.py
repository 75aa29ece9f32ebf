"""Nothing hidden can be worked out: not by subtraction, not by ranges, not by holding two tables against each other."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from random import Random

import pytest

from carbon_credits.reporting.cell_tables import FEWEST, TOTAL, Place, Table
from carbon_credits.reporting.circulation import span
from carbon_credits.reporting.suppression import hidden, line_hidden

ROWS = ("zumiao", "shiwan", "zhangcha", "nanzhuang")
COLUMNS = ("walking", "metro", "paper", "trees", "purchases")
Equation = tuple[Mapping[Place, int], int]


def a_table(
    cells: Sequence[Sequence[int]], grams: Sequence[Sequence[int]] | None = None, shared: int = 0
) -> Table:
    """A table of people, each of whom did one thing; `shared` of each row are in two of its cells."""
    rows, columns = ROWS[: len(cells)], COLUMNS[: len(cells[0])]
    weights = grams or [[n * 1_000 + 7 * (n > 0) for n in line] for line in cells]
    people, amounts = (_with_totals(rows, columns, of) for of in (cells, weights))
    if shared:
        for row in (*rows, TOTAL):
            at_least = [people[Place(row, column)] for column in columns]
            people[Place(row, TOTAL)] = max(people[Place(row, TOTAL)] - shared, *at_least, 0)
    return Table(rows, columns, people, {place: (n,) for place, n in amounts.items()})


def _with_totals(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[int]]
) -> dict[Place, int]:
    of = {
        Place(r, c): n
        for r, line in zip(rows, cells, strict=True)
        for c, n in zip(columns, line, strict=True)
    }
    for row in rows:
        of[Place(row, TOTAL)] = sum(of[Place(row, column)] for column in columns)
    for column in (*columns, TOTAL):
        of[Place(TOTAL, column)] = sum(of[Place(row, column)] for row in rows)
    return of


def told(table: Table, concealed: Iterable[Place], of: Mapping[Place, int]) -> list[Equation]:
    """What somebody who sees the table knows of the hidden cells: each line is an equation in them."""
    unknown = set(concealed)
    equations: list[Equation] = []
    for total, parts in table.lines():
        left = {part: 1 for part in parts if part in unknown}
        right = -sum(of.get(part, 0) for part in parts if part not in unknown)
        if total in unknown:
            left[total] = -1
        else:
            right += of.get(total, 0)
        if left:
            equations.append((left, right))
    return equations


def solved(equations: Sequence[Equation]) -> set[Place]:
    """The unknowns that the equations leave one value, by elimination with fractions."""
    names = sorted({name for left, _ in equations for name in left})
    rows = [[Fraction(left.get(name, 0)) for name in names] for left, _ in equations]
    pivots: list[int] = []
    for n in range(len(names)):
        at = next((r for r in range(len(pivots), len(rows)) if rows[r][n]), None)
        if at is None:
            continue
        here = len(pivots)
        rows[here], rows[at] = rows[at], rows[here]
        rows[here] = [value / rows[here][n] for value in rows[here]]
        for r, row in enumerate(rows):
            if r != here and row[n]:
                rows[r] = [a - row[n] * b for a, b in zip(row, rows[here], strict=True)]
        pivots.append(n)
    return {names[n] for r, n in enumerate(pivots) if sum(1 for value in rows[r] if value) == 1}


def random_table(random: Random, *, rows: int, columns: int, shared: int = 0) -> Table:
    """A district with small corners: many cells of a few people, some of nobody, some of many."""

    def people() -> int:
        return random.choice(
            [0, random.randint(1, 9), random.randint(1, 9), random.randint(10, 40), random.randint(40, 3_000)]
        )

    cells = [[people() for _ in range(columns)] for _ in range(rows)]
    grams = [[n * random.randint(1, 5_000) for n in line] for line in cells]
    return a_table(cells, grams, shared)


@pytest.mark.parametrize("shared", [0, 2])
def test_no_system_of_equations_gives_a_hidden_cell_away(shared: int) -> None:
    random = Random(7)
    for _ in range(120):
        table = random_table(random, rows=random.randint(1, 4), columns=random.randint(1, 5), shared=shared)
        concealed = hidden(table)
        few = {place for place in table.places() if table.people[place] < FEWEST}
        assert few <= concealed
        grams = {place: of[0] for place, of in table.amounts.items()}
        assert solved(told(table, concealed, grams)) == set()
        for total, parts in table.lines():
            if total not in concealed:
                assert len([part for part in parts if part in concealed]) != 1
        for place in few:
            below, above = span(concealed, place, table.measures()[0])
            assert below + above >= grams[place]


def fits(equations: Sequence[Equation], given: Mapping[Place, int]) -> bool:
    """Whether no line forbids these values, none of the missing ones being 0; unknowns are parts alone."""
    for left, right in equations:
        rest = right - sum(given.get(name, 0) for name in left)
        missing = sum(name not in given for name in left)
        if rest < missing or (not missing and rest):
            return False
    return True


def feasible(equations: Sequence[Equation]) -> dict[Place, set[int]]:
    """Every value each unknown can have, by trying all."""
    names = sorted({name for left, _ in equations for name in left})
    found: dict[Place, set[int]] = {name: set() for name in names}

    def attempt(given: dict[Place, int]) -> None:
        if len(given) == len(names):
            for name, value in given.items():
                found[name].add(value)
            return
        name = names[len(given)]
        for value in range(1, min(right for left, right in equations if name in left) + 1):
            if fits(equations, given | {name: value}):
                attempt(given | {name: value})

    attempt({})
    return found


def test_ranges_are_what_trying_every_number_says() -> None:
    """People who add up, in tables small enough to try all: nobody is known to be one number."""
    random = Random(11)
    tried = 0
    while tried < 25:
        cells = [[random.choice([0, 1, 2, 4, 9, 12]) for _ in range(2)] for _ in range(2)]
        table = a_table(cells)
        concealed = hidden(table)
        # a hidden total with a shown part is not one of these simple sums
        if not concealed or any(TOTAL in place for place in concealed):
            continue
        tried += 1
        possible = feasible(told(table, concealed, table.people))
        for place, values in possible.items():
            below, above = span(concealed, place, table.measures()[-1])
            assert (min(values), max(values)) == (table.people[place] - below, table.people[place] + above)
            assert len(values) > 1


def test_of_a_few_everything_is_hidden_and_nobody_is_shown() -> None:
    table = a_table([[1, 2], [0, 3]])
    assert hidden(table) == set(table.places())
    assert Place("shiwan", "walking") not in hidden(table)
    assert hidden(a_table([[0, 0], [0, 0]])) == set()
    assert hidden(a_table([[10, 11], [12, 13]])) == set()


def test_the_smallest_others_go_with_it_and_always_the_same() -> None:
    table = a_table([[3, 50, 60], [40, 20, 900], [70, 800, 900]])
    wanted = {Place(r, c) for r, c in product(("zumiao", "shiwan"), ("walking", "metro"))}
    assert hidden(table) == wanted
    again = Table(table.rows, table.columns, dict(sorted(table.people.items(), reverse=True)), table.amounts)
    assert hidden(again) == wanted


def test_a_few_whose_company_is_as_few_take_more_with_them() -> None:
    # 2 and 3 alone would be known to lie in a handful of numbers
    concealed = hidden(a_table([[2, 3, 30, 400], [50, 60, 70, 800]]))
    assert len([place for place in concealed if place.row == "zumiao"]) >= 3


def test_what_is_hidden_in_another_table_is_not_worked_out_from_this_one() -> None:
    table = a_table([[30, 50, 60], [40, 20, 900]])
    also = [Place(TOTAL, "walking")]
    concealed = hidden(table, also)
    grams = {place: of[0] for place, of in table.amounts.items()}
    assert set(also) < concealed
    assert solved(told(table, concealed, grams)) == set()


def test_what_only_one_column_has_is_told_by_no_total() -> None:
    """Grams of paper in a row are the row's grams: with such a total the paper of a few could be read off it."""
    cells = [[3, 50], [40, 60], [70, 80]]
    paper = [[7_500, 0], [9_000, 0], [8_000, 0]]
    together, apart = a_table(cells, paper), a_table(cells, paper)
    apart = Table(apart.rows, apart.columns, apart.people, apart.amounts, apart=1)
    assert Place("zumiao", TOTAL) in hidden(together) or Place(TOTAL, "walking") in hidden(together)
    assert hidden(apart) == {Place(r, c) for r, c in product(("zumiao", "shiwan"), ("walking", "metro"))}


def test_a_line_hides_until_what_is_hidden_is_enough() -> None:
    assert line_hidden({"a": 3, "b": 0, "c": 12, "d": 500}) == {"a", "c"}
    assert line_hidden({"a": 1, "b": 2, "c": 3, "d": 12, "e": 90}) == {"a", "b", "c", "d"}
    assert line_hidden({"a": 10, "b": 400}) == frozenset()
    assert line_hidden({"a": 10, "b": 400, "c": 0}, total_hidden=True) == {"a", "b"}


def test_amounts_that_do_not_add_up_are_refused() -> None:
    table = a_table([[20, 30], [40, 50]])
    wrong = dict(table.amounts) | {Place(TOTAL, TOTAL): (1,)}
    with pytest.raises(ValueError, match="add up"):
        Table(table.rows, table.columns, table.people, wrong)
    wrong = dict(table.amounts) | {Place("zumiao", "walking"): (-1,)}
    with pytest.raises(ValueError, match="below zero"):
        Table(table.rows, table.columns, table.people, wrong)
