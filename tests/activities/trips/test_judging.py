"""Every reason is seen to be given; honest trips pass, forged ones do not."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from carbon_credits.activities.trips import rules
from carbon_credits.activities.trips.judging import (
    REASONS,
    Surroundings,
    TripClaim,
    Verdict,
    judge,
)
from carbon_credits.activities.trips.trace import Trace, epoch_ms, make
from carbon_credits.cli.demo.journeys import BEGAN, bus, journey, ride, walk
from carbon_credits.cli.trips.attacks import ATTACKS
from carbon_credits.cli.trips.records import Leg, judged
from tests.activities.trips.verdicts import claimed, codes

SEEDS = range(6)
WALKING, CYCLING = "travel.walking", "travel.cycling"


def leg(trace: Trace) -> Leg:
    """A made-up journey as a labelled one."""
    return Leg("made", "made", "made", "bus", trace, int(trace.t_ms.min()), int(trace.t_ms.max()))


def thinned(trace: Trace, every: int) -> Trace:
    """One point in `every`."""
    return Trace(*(getattr(trace, name)[::every] for name in ("t_ms", "lat", "lon", "accuracy_m", "mock")))


@pytest.mark.parametrize("seed", SEEDS)
def test_honest_trips_are_accepted(seed: int) -> None:
    assert claimed(walk(seed)).decision == "accept"
    assert claimed(ride(seed), CYCLING).decision == "accept"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bus_is_neither_a_walk_nor_a_ride_and_a_ride_is_no_walk(seed: int) -> None:
    assert claimed(bus(seed)).decision == "reject"
    assert claimed(bus(seed), CYCLING).decision == "reject"
    assert claimed(ride(seed)).decision == "reject"


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("methodology", [WALKING, CYCLING])
def test_forged_trips_are_not_accepted(name: str, methodology: str) -> None:
    sent = list(ATTACKS[name][1]([leg(bus(seed)) for seed in SEEDS], methodology))
    assert len(sent) == len(SEEDS)
    assert "accept" not in {judged(forged, methodology, around).decision for forged, around in sent}


@pytest.mark.parametrize("seed", SEEDS)
def test_another_persons_honest_trip_is_known_again(seed: int) -> None:
    for trace, methodology in ((walk(seed), WALKING), (ride(seed), CYCLING)):
        for copy, around in ATTACKS["resubmitted"][1]([leg(trace)], methodology):
            verdict = judged(copy, methodology, around)
            assert "movement_seen_before" in codes(verdict)
            assert verdict.decision in {"review", "reject"}


@pytest.mark.parametrize("methodology", sorted(rules.PARTNER_ONLY))
def test_what_needs_a_partner_is_never_accepted_on_a_trace(methodology: str) -> None:
    assert claimed(bus(), methodology).decision == "unverified"
    assert claimed(walk(), methodology).decision == "unverified"
    assert claimed(bus(), methodology, Surroundings(partner_matched=True)).decision == "accept"


def test_an_electric_bicycle_is_reviewed_until_a_partner_speaks() -> None:
    assert claimed(ride(), "travel.e_bike").decision == "review"
    assert claimed(ride(), "travel.e_bike", Surroundings(partner_matched=True)).decision == "accept"


@pytest.mark.parametrize(
    ("around", "code", "decision"),
    [
        (Surroundings(seen_exact_ppm=50_000), "points_seen_before", "reject"),
        (Surroundings(seen_moves_ppm=300_000), "movement_seen_before", "review"),
        (Surroundings(overlap_ppm=700_001), "overlaps_credited_trip", "reject"),
        (Surroundings(overlap_ppm=200_001), "overlaps_another_trip", "review"),
        (Surroundings(attestation="failed"), "attestation_failed", "review"),
        (Surroundings(attestation="ok"), "attested", "accept"),
        (Surroundings(account_age_days=6), "new_account", "accept"),
        (Surroundings(partner_matched=True), "partner_record", "accept"),
    ],
)
def test_what_the_database_knows_counts(around: Surroundings, code: str, decision: str) -> None:
    verdict = claimed(walk(), WALKING, around)
    assert code in codes(verdict)
    assert verdict.decision == decision


def test_the_limits_are_where_they_are_said_to_be() -> None:
    for around in (
        Surroundings(seen_exact_ppm=49_999, seen_moves_ppm=299_999, overlap_ppm=200_000, account_age_days=7),
        Surroundings(),
    ):
        assert claimed(walk(), WALKING, around).decision == "accept"


def test_a_mock_location_on_one_point_is_enough() -> None:
    trace = walk()
    mock = trace.mock.copy()
    mock[40] = True
    verdict = claimed(replace(trace, mock=mock))
    assert "mock_location" in codes(verdict)
    assert verdict.decision == "reject"
    assert claimed(replace(trace, mock=mock), "travel.bus").decision == "reject"


def test_the_distance_told_must_be_on_the_trace() -> None:
    trace = walk()
    features = claimed(trace).features
    assert features is not None
    paid = features.path_m
    assert claimed(trace, distance_m=paid + 30).decision == "accept"
    above = claimed(trace, distance_m=paid * 105 // 100 + 32)
    assert (above.decision, "distance_above_trace" in codes(above)) == ("review", True)
    far = claimed(trace, distance_m=paid * 2 + 202)
    assert (far.decision, "distance_far_above_trace" in codes(far)) == ("reject", True)


def test_steps_speak_for_a_walk_or_against_it() -> None:
    trace = walk()
    assert "steps_fit" in codes(claimed(trace, steps=1_300))
    assert "steps_do_not_fit" in codes(claimed(trace, steps=90))
    assert not {"steps_fit", "steps_do_not_fit"} & codes(claimed(ride(), CYCLING, steps=1_300))


def test_contradictory_times_are_refused() -> None:
    trace = walk()
    backwards = judge(trace, TripClaim(WALKING, BEGAN, BEGAN - timedelta(minutes=1), 900), Surroundings())
    assert (backwards.decision, codes(backwards)) == ("reject", {"ends_before_start", "too_few_points"})
    later = BEGAN + timedelta(hours=8)
    outside = judge(trace, TripClaim(WALKING, later, later + timedelta(minutes=15), 900), Surroundings())
    assert (outside.decision, "trace_outside_claim" in codes(outside)) == ("reject", True)


def test_too_little_is_no_fault() -> None:
    trace = walk()
    few = claimed(thinned(trace, 70))
    assert (few.decision, codes(few)) == ("unverified", {"too_few_points"})
    assert codes(claimed(thinned(walk(every_s=1), 50), WALKING)) <= {"too_thin", "too_few_points"}
    thin = claimed(thinned(ride(), 8), CYCLING)
    assert (thin.decision, codes(thin)) == ("unverified", {"too_thin"})
    short = claimed(
        Trace(trace.t_ms[:50], trace.lat[:50], trace.lon[:50], trace.accuracy_m[:50], trace.mock[:50])
    )
    assert (short.decision, codes(short)) == ("unverified", {"too_short"})
    ends = BEGAN + timedelta(minutes=60)
    uncovered = judge(trace, TripClaim(WALKING, BEGAN, ends, 900), Surroundings())
    assert (uncovered.decision, codes(uncovered)) == ("unverified", {"claim_not_covered"})
    assert codes(claimed(trace, "recycling.paper")) >= {"not_a_trip"}


def test_a_place_that_changes_in_a_moment_is_looked_at() -> None:
    trace = walk()
    later = np.arange(len(trace)) >= len(trace) // 2
    verdict = claimed(replace(trace, lat=trace.lat + later * 0.02))
    assert "jump" in codes(verdict)
    assert verdict.decision != "accept"


def test_a_drawn_line_is_seen_for_what_it_is() -> None:
    seconds = np.arange(0, 900, 5)
    line = make(
        epoch_ms(BEGAN) + seconds * 1000, 23.0 + seconds * 1.35 / 111_200, np.full(seconds.size, 113.1)
    )
    verdict = claimed(line)
    assert codes(verdict) >= {"constant_speed", "straight_line", "turns_too_few"}
    assert verdict.decision == "reject"


def test_the_same_question_has_the_same_answer() -> None:
    first, second = claimed(walk(3)), claimed(walk(3))
    assert first == second
    assert first.rules_version == rules.RULES_VERSION
    assert 0 <= first.score <= 100


def test_every_feature_is_a_whole_number() -> None:
    features = claimed(walk()).features
    assert features is not None
    assert {type(getattr(features, name)) for name in features.__dataclass_fields__} == {int}


def test_every_scale_gives_each_of_its_outcomes() -> None:
    for scales in rules.SCALES.values():
        for scale in scales:
            step = 1 if scale.bad > scale.good else -1
            assert scale.read(scale.good) == (scale.codes[0], scale.points[0])
            assert scale.read(scale.good + step)[0] == scale.codes[1]
            assert scale.read(scale.bad) == (scale.codes[1], scale.points[1])
            assert scale.read(scale.bad + step) == (scale.codes[2], scale.points[2])


def test_every_code_has_words_and_every_word_a_code() -> None:
    given = set(rules.POINTS) | {
        code for scales in rules.SCALES.values() for scale in scales for code in scale.codes
    }
    assert given == set(REASONS)
    assert all(text.zh and text.en for text in REASONS.values())


def test_a_verdict_without_a_trip_carries_no_features() -> None:
    verdict: Verdict = claimed(thinned(walk(), 400))
    assert verdict.features is None


def slower(trace: Trace, times: int) -> Trace:
    """The same places, with more time between them."""
    return replace(trace, t_ms=trace.t_ms[0] + (trace.t_ms - trace.t_ms[0]) * times)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("times", [2, 3])
def test_stretched_time_shows_in_how_slowly_speed_changes(seed: int, times: int) -> None:
    true, stretched = claimed(bus(seed)).features, claimed(slower(bus(seed), times)).features
    ridden = claimed(ride(seed)).features
    assert true is not None
    assert stretched is not None
    assert ridden is not None
    assert stretched.swing_ppm < true.swing_ppm < ridden.swing_ppm


@pytest.mark.parametrize("every", [1, 2, 4, 7])
def test_a_ride_is_accepted_whatever_the_rhythm_of_its_fixes(every: int) -> None:
    decisions = [claimed(thinned(ride(seed), every), CYCLING).decision for seed in SEEDS]
    assert decisions == ["accept"] * len(SEEDS)


def test_one_bad_fix_makes_nobody_faster() -> None:
    trace = walk()
    lat = trace.lat.copy()
    lat[200] += 80 / 111_200
    before, after = claimed(trace), claimed(replace(trace, lat=lat))
    assert before.features is not None
    assert after.features is not None
    assert abs(after.features.sustained_mm_s - before.features.sustained_mm_s) <= 300
    assert after.decision == "accept"


def dawdled(trace: Trace) -> Trace:
    """A walk that takes three times as long over every other forty seconds."""
    steps_ms = np.diff(trace.t_ms, prepend=trace.t_ms[0])
    slow = np.arange(len(trace)) // 20 % 2 == 1
    return replace(trace, t_ms=trace.t_ms[0] + np.cumsum(np.where(slow, 3 * steps_ms, steps_ms)))


def test_a_walk_is_no_ride_and_standing_about_no_walk() -> None:
    on_foot = claimed(walk(), CYCLING)
    assert "too_slow_for_a_ride" in codes(on_foot)
    assert on_foot.decision != "accept"
    straight = journey(1, speed=1.4, block_m=400, surge=0.7, weaving=0.5)
    assert not {"progress_small", "progress_too_small"} & codes(claimed(straight))
    assert {"progress_small", "progress_too_small"} & codes(claimed(dawdled(straight)))


def test_nothing_outweighs_a_mock_location() -> None:
    trace = walk()
    verdict = claimed(
        replace(trace, mock=np.ones(len(trace), dtype=np.bool_)),
        WALKING,
        Surroundings(attestation="ok"),
        steps=1_300,
    )
    assert verdict.decision == "reject"
