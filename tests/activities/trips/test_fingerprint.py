"""Prints know a trace again, tell nothing without the key, and stay small."""

import pytest

from carbon_credits.activities.trips.fingerprint import (
    MOST_PRINTS,
    SLOTS,
    Prints,
    ends_of,
    overlap_ppm,
    prints_of,
)
from carbon_credits.activities.trips.rules import SEEN_EXACT_PPM, SEEN_MOVES_PPM
from carbon_credits.activities.trips.trace import make
from carbon_credits.cli.demo.journeys import bus, ride, walk
from carbon_credits.cli.trips.attacks import WEEK_MS, noisy

KEY = b"sixteen bytes or more of a key"
EMPTY = Prints((), (), ())


@pytest.mark.parametrize("make_journey", [walk, ride, bus])
def test_the_same_trace_is_wholly_seen(make_journey: object) -> None:
    assert callable(make_journey)
    trace = make_journey(4)
    seen = overlap_ppm(prints_of(trace, KEY), prints_of(trace, KEY))
    assert (seen.exact_ppm, seen.moves_ppm) == (1_000_000, 1_000_000)


@pytest.mark.parametrize("seed", range(6))
def test_a_shaken_copy_of_another_week_is_known_by_its_movement(seed: int) -> None:
    for trace in (walk(seed), ride(seed), bus(seed)):
        seen = overlap_ppm(prints_of(noisy(trace, seed, WEEK_MS), KEY), prints_of(trace, KEY))
        assert seen.moves_ppm >= SEEN_MOVES_PPM


def test_other_trips_are_strangers() -> None:
    for one, other in ((walk(1), walk(2)), (ride(1), ride(2)), (walk(1), ride(1))):
        seen = overlap_ppm(prints_of(one, KEY), prints_of(other, KEY))
        assert seen.exact_ppm < SEEN_EXACT_PPM
        assert seen.moves_ppm < SEEN_MOVES_PPM // 2


def test_another_key_gives_other_prints() -> None:
    one, other = prints_of(walk(), KEY), prints_of(walk(), KEY[::-1])
    assert not set(one.exact) & set(other.exact)
    assert not set(one.moves) & set(other.moves)


def test_prints_fit_a_bigint_rise_and_are_bounded() -> None:
    for trace in (walk(), bus()):
        prints = prints_of(trace, KEY)
        for kind in (prints.exact, prints.moves, prints.route):
            assert all(-(2**63) <= each < 2**63 for each in kind)
        assert list(prints.exact) == sorted(set(prints.exact))
        assert list(prints.moves) == sorted(set(prints.moves))
        assert max(len(prints.exact), len(prints.moves)) <= MOST_PRINTS
        assert len(prints.route) in {0, SLOTS}
    assert len(prints_of(bus(), KEY).exact) == MOST_PRINTS


def test_a_part_of_a_longer_trace_is_found_although_both_are_sampled() -> None:
    whole = bus(5)
    half = len(whole) // 2
    part = make(whole.t_ms[:half], whole.lat[:half], whole.lon[:half])
    assert overlap_ppm(prints_of(part, KEY), prints_of(whole, KEY)).exact_ppm == 1_000_000


def test_nothing_is_seen_in_nothing() -> None:
    trace = walk()
    still = make(trace.t_ms, trace.lat * 0 + 23.0, trace.lon * 0 + 113.0)
    assert overlap_ppm(EMPTY, prints_of(trace, KEY)).exact_ppm == 0
    assert overlap_ppm(prints_of(trace, KEY), EMPTY).moves_ppm == 0
    assert prints_of(still, KEY).route == ()
    assert overlap_ppm(prints_of(still, KEY), prints_of(still, KEY)).exact_ppm == 0
    nothing = make(trace.t_ms[:0], trace.lat[:0], trace.lon[:0])
    assert prints_of(nothing, KEY) == EMPTY
    assert ends_of(nothing) is None


def test_ends_are_cells_of_half_a_kilometre() -> None:
    first, last = ends_of(ride()) or (0, 0)
    assert first != last
    assert ends_of(walk()) == ends_of(noisy(walk(), 1, WEEK_MS))
