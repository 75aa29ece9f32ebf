"""A sum of many that is nearly one person's is hidden, and no insider finds it by subtraction."""

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest

from carbon_credits.core.dominance import guard, slack
from carbon_credits.reporting.cell_tables import FEWEST, TOTAL, Place, Table
from carbon_credits.reporting.circulation import span
from carbon_credits.reporting.suppression import WHOLE, amount_hidden, hidden, line_amount_hidden
from tests.reporting.test_suppression import COLUMNS, ROWS, solved, told

# what each person did in each cell
Given = dict[Place, Counter[int]]


@pytest.mark.parametrize(
    ("contributions", "is_shown"),
    [
        ([1_000, 100, 50, 50], False),
        # what is left is just a fifth of the largest
        ([1_000, 100, 100, 100], True),
        ([1_000, 100, 100, 99], False),
        # the handbook's first example: nobody has half, and the second still knows the first within two per cent
        ([50_000, 49_000, 1_000], False),
        ([45, 45, 9], True),
        ([45, 45, 8], False),
        ([7], False),
        ([7, 7], False),
        ([0, 0], True),
        ([1] * 10, True),
    ],
)
def test_what_is_left_without_the_two_largest_decides(contributions: list[int], is_shown: bool) -> None:
    largest = sorted((n for n in contributions if n), reverse=True)[:2]
    assert (slack(sum(contributions), largest) >= 0) is is_shown


def test_a_hidden_sum_must_be_able_to_lie_as_far_off_as_the_rule_demands() -> None:
    # the second knows the first is at most 1,000: to be 1,200 at most, the sum must be able to be 130 more
    assert guard(slack(1_120, (1_000, 50))) == 130
    assert guard(slack(1_250, (1_000, 50))) == 0


def a_district(random: Random) -> tuple[Table, Given]:
    """People of streets who do several things, some of them very much of one."""
    rows, columns = ROWS[: random.randint(2, 4)], COLUMNS[: random.randint(2, 5)]
    given: Given = {Place(row, column): Counter() for row in rows for column in columns}
    for row in rows:
        for _ in range(random.choice([4, 14, 40])):
            person = len(rows) * 1_000 + sum(len(of) for of in given.values())
            for column in random.sample(columns, random.randint(1, len(columns))):
                most = random.choice([20, 20, 20, 20, 5_000])
                given[Place(row, column)][person] = random.randint(0, most)
    for row in rows:
        given[Place(row, TOTAL)] = merged(given[Place(row, column)] for column in columns)
    for column in (*columns, TOTAL):
        given[Place(TOTAL, column)] = merged(given[Place(row, column)] for row in rows)
    return a_table_of(rows, columns, given), given


def merged(of: Iterable[Counter[int]]) -> Counter[int]:
    """What each person did in several cells; who did nothing that counts is one of them too."""
    found: Counter[int] = Counter()
    for one in of:
        found.update(one)
    return found


def largest(of: Counter[int]) -> tuple[int, ...]:
    return tuple(sorted((n for n in of.values() if n), reverse=True)[:2])


def a_table_of(rows: tuple[str, ...], columns: tuple[str, ...], given: Given) -> Table:
    """The table as it is counted."""
    return Table(
        rows,
        columns,
        {place: len(of) for place, of in given.items()},
        {place: (of.total(),) for place, of in given.items()},
        largest={place: (largest(of),) for place, of in given.items()},
    )


def test_no_insider_works_out_what_one_person_did() -> None:
    """Each line's hidden cells are known together; neither they nor a hidden cell lead anybody to within a fifth."""
    random, alone = Random(23), 0
    for _ in range(150):
        table, given = a_district(random)
        few = hidden(table)
        concealed = amount_hidden(table, 0, few)
        far = table.measure(0).slack
        grams = {place: of.total() for place, of in given.items()}
        shown = set(table.places()) - concealed
        assert all(far[place] >= 0 for place in shown)
        assert {place for place in solved(told(table, concealed, grams)) if grams[place]} == set()
        alone += len([place for place in concealed - few if far[place] < 0])
        for total, parts in table.lines():
            away = [part for part in parts if part in concealed and grams.get(part)]
            if away and total in shown:
                together = merged(given[part] for part in away)
                assert slack(together.total(), largest(together)) >= 0
        for place in concealed if WHOLE in shown else ():
            below, above = span(concealed, place, table.measure(0))
            assert min(below, above) >= guard(far[place]) or not shown & set(beside(table, place))
    assert alone > 100, "the rule about few people hid them all"


def beside(table: Table, place: Place) -> list[Place]:
    return [other for other in table.places() if (other.row == place.row) != (other.column == place.column)]


def nine(one: int, few: Counter[int] | None = None) -> tuple[Table, Given]:
    """Nine cells of the same thirty people with a hundred each; in the first somebody did as much as `one`."""
    rows, columns = ROWS[:3], COLUMNS[:3]
    many = Counter(dict.fromkeys(range(100, 130), 100))
    given: Given = {Place(row, column): many.copy() for row in rows for column in columns}
    given[Place(rows[0], columns[0])][100] = one
    if few is not None:
        given[Place(rows[1], columns[1])] = few
    for row in rows:
        given[Place(row, TOTAL)] = merged(given[Place(row, column)] for column in columns)
    for column in (*columns, TOTAL):
        given[Place(TOTAL, column)] = merged(given[Place(row, column)] for row in rows)
    return a_table_of(rows, columns, given), given


def test_a_circle_of_too_little_room_is_not_enough() -> None:
    """Hidden with three others already, she could not be told to have done less than 30 of 22,900: more are hidden."""
    table, _ = nine(20_000, Counter(dict.fromkeys(range(3), 10)))
    block = {Place(row, column) for row in ROWS[:2] for column in COLUMNS[:2]}
    her, measure = Place(ROWS[0], COLUMNS[0]), table.measure(0)
    assert hidden(table) == block
    assert span(block, her, measure)[0] == 30
    concealed = amount_hidden(table, 0, block)
    assert concealed > block
    assert WHOLE not in concealed
    assert min(span(concealed, her, measure)) >= guard(measure.slack[her]) == 1_200


def test_people_stay_shown_where_an_amount_is_hidden_and_only_that_amount_is() -> None:
    table, _ = nine(20_000)
    assert hidden(table) == frozenset()
    assert amount_hidden(table, 0, ()) == {Place(row, column) for row in ROWS[:2] for column in COLUMNS[:2]}
    assert min(table.people.values()) >= FEWEST
    # ten times as much, and the totals are nearly hers too: with the whole everything of that amount goes
    table, _ = nine(200_000)
    assert amount_hidden(table, 0, ()) == set(table.places())


def test_of_a_line_those_join_who_make_up_for_what_is_lacking() -> None:
    people = {"a": 40, "b": 12, "c": 30, "d": 900}
    assert line_amount_hidden(people, {"a": 50, "b": 7, "c": 0, "d": 1}, ()) == frozenset()
    # of those that suffice the one of the fewest people; "b" alone would leave the two of them nearly one person's
    assert line_amount_hidden(people, {"a": -50, "b": 7, "c": 60, "d": 9_000}, ()) == {"a", "c"}
    assert line_amount_hidden(people, {"a": -50, "b": 7, "c": 8, "d": 9}, ()) == set("abcd")
    assert line_amount_hidden(people, {"a": 50, "b": -7}, {"b", "d"}) == {"a", "b", "d"}
    assert line_amount_hidden(people, {"a": 5, "b": 7}, (), total_hidden=True) == {"a", "b"}
