"""Drifts named and not named, over many seeds; shares and digits that stand out."""

import random
from statistics import median

import pytest

from carbon_credits.reconciliation.station_statistics import (
    Drift,
    Share,
    drifts,
    outliers,
    uneven_digits,
)

SEEDS = range(10)
STATIONS, BAGS = 40, 60
PLANTED = "s07"


def a_town(seed: int, scatter_pm: int, planted_pm: int = 0, honest_pm: int = 5) -> dict[str, list[int]]:
    """Residuals of forty stations whose scales differ a little, one of which may inflate."""
    chance = random.Random(seed)
    town = {}
    for number in range(STATIONS):
        own = chance.gauss(0, honest_pm) + (planted_pm if f"s{number:02}" == PLANTED else 0)
        town[f"s{number:02}"] = [int(chance.gauss(own, scatter_pm)) for _ in range(BAGS)]
    return town


def split(found: list[Drift]) -> tuple[list[Drift], list[Drift]]:
    """The planted station's, and all others."""
    right = [drift for drift in found if (drift.station, drift.side) == (PLANTED, "over")]
    return right, [drift for drift in found if drift not in right]


@pytest.mark.parametrize(("scatter_pm", "bags_to_name"), [(20, 8), (30, 14)])
def test_five_per_cent_is_named_within_so_many_bags_and_few_others_are(
    scatter_pm: int, bags_to_name: int
) -> None:
    named, wrong = [], 0
    for seed in SEEDS:
        right, others = split(drifts(a_town(seed, scatter_pm, 50)))
        named += [drift.passed_at + 1 for drift in right]
        wrong += len(others)
    assert len(named) == len(SEEDS)
    assert median(named) <= bags_to_name
    # 24,000 bags: two or three are to be expected of normal residuals, and chance may double them
    assert wrong <= 5


def test_nobody_is_named_where_nobody_inflates_but_once_in_thousands_of_bags() -> None:
    assert sum(len(drifts(a_town(seed, 30))) for seed in SEEDS) <= 4


def test_an_inflation_that_begins_late_is_named_with_when_it_began() -> None:
    began = []
    for seed in SEEDS:
        town = a_town(seed, 20)
        town[PLANTED] = [value + (60 if place >= 40 else 0) for place, value in enumerate(town[PLANTED])]
        began += [drift.begins_at for drift in split(drifts(town))[0]]
    assert len(began) >= 9
    assert 35 <= median(began) <= 42


def test_what_all_stations_share_accuses_nobody() -> None:
    town = {name: [value - 80 for value in told] for name, told in a_town(2, 20).items()}
    assert drifts(town) == drifts(a_town(2, 20)) == []


def test_a_wild_bag_names_nobody_alone() -> None:
    town = a_town(2, 20)
    town[PLANTED][10] += 5_000
    town[PLANTED][30] += 5_000
    assert drifts(town) == []


def test_a_station_that_steals_is_named_on_the_other_side() -> None:
    found = drifts(a_town(3, 20, -50))
    assert [(drift.station, drift.side) for drift in found] == [(PLANTED, "under")]


def test_sums_begin_where_a_person_has_dealt_with_what_was_before() -> None:
    town = a_town(4, 20)
    town[PLANTED] = [value + (60 if place < 30 else 0) for place, value in enumerate(town[PLANTED])]
    [before] = drifts(town)
    assert before.begins_at < 10
    assert drifts(town, {PLANTED: 30}) == []


def test_too_few_stations_to_compare_name_nobody() -> None:
    town = a_town(5, 20, 200)
    few = {name: town[name] for name in ("s01", "s02", "s03", PLANTED)}
    assert drifts(few) == []
    assert [drift.station for drift in drifts(few | {"s04": town["s04"]})] == [PLANTED]


def test_a_share_stands_out_against_others_and_against_what_counting_scatters() -> None:
    usual = [Share(f"s{number}", 8 + number % 5, 200) for number in range(20)]
    assert outliers(usual, 100, 10) == []
    [found] = outliers([*usual, Share("night", 60, 200)], 100, 10)
    assert (found.station, found.usual_pm) == ("night", 50)
    assert outliers([*usual, Share("few", 6, 20)], 100, 10) == []
    # three of ten thousand where others have none is not ten
    assert (
        outliers([Share(f"s{number}", 0, 300) for number in range(20)] + [Share("x", 9, 300)], 100, 10) == []
    )


def test_made_up_weights_have_uneven_last_digits() -> None:
    chance = random.Random(6)
    for _ in range(50):
        weights = [int(chance.lognormvariate(5.3, 0.6)) for _ in range(2_000)]
        assert uneven_digits([sum(weight % 10 == digit for weight in weights) for digit in range(10)]) is None
    # people shun 0 and 5 when they invent numbers
    invented = [chance.choice([1, 2, 3, 4, 6, 7, 8, 9, chance.randint(0, 9)]) for _ in range(1_000)]
    found = uneven_digits([invented.count(digit) for digit in range(10)])
    assert found is not None
    assert found > 33_720
    assert uneven_digits([0] * 10) is None
