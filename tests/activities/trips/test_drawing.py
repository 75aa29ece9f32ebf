"""A trace drawn: its shape and nothing of its place; measures stand beside the limits they were read against."""

from dataclasses import asdict, replace

import numpy as np

from carbon_credits.activities.trips.drawing import MOST_POINTS, draw
from carbon_credits.activities.trips.features import measure
from carbon_credits.activities.trips.judging import payable_m
from carbon_credits.activities.trips.measures import measures_of
from carbon_credits.activities.trips.rules import SCALES
from carbon_credits.cli.demo.journeys import length_of, ride


def test_the_same_way_elsewhere_is_the_same_drawing() -> None:
    here = ride()
    # a degree further east on the same parallel: nothing but the place differs
    there = replace(here, lon=here.lon + 1.0)
    one, other = draw(here), draw(there)
    assert one is not None
    assert other is not None
    assert np.abs(np.array(one.points) - np.array(other.points)).max() <= 1  # rounding of a decimetre
    assert (one.points[0][:3], one.n) == ((0, 0, 0), len(here))
    assert one.duration_s == round(length_of(here).total_seconds())


def test_its_words_add_up_to_its_length_and_holes_are_counted() -> None:
    whole = ride()
    drawn = draw(whole)
    assert drawn is not None
    assert abs(sum(piece.length_m for piece in drawn.pieces) - drawn.length_m) < 0.03 * drawn.length_m
    assert drawn.crow_m < drawn.length_m
    kept = np.r_[0:100, 200:300]  # a hole of 200 s
    holed = draw(
        replace(
            whole,
            **{name: getattr(whole, name)[kept] for name in ("t_ms", "lat", "lon", "accuracy_m", "mock")},
        )
    )
    assert holed is not None
    assert (holed.gaps, holed.longest_gap_s) == (1, 202)
    assert (
        draw(
            replace(
                whole,
                **{name: getattr(whole, name)[:1] for name in ("t_ms", "lat", "lon", "accuracy_m", "mock")},
            )
        )
        is None
    )


def test_a_long_trace_is_drawn_with_fewer_points_and_both_ends() -> None:
    many = np.arange(10_000)
    short = ride()
    long = replace(
        short,
        t_ms=short.t_ms[0] + many * 1000,
        lat=np.asarray(23.0 + many * 1e-6, dtype=np.float64),
        lon=np.full(many.size, 113.0),
        accuracy_m=np.full(many.size, np.nan),
        mock=np.zeros(many.size, dtype=bool),
    )
    drawn = draw(long)
    assert drawn is not None
    assert (len(drawn.points), drawn.n, drawn.points[-1][2]) == (MOST_POINTS, 10_000, 9_999)
    assert drawn.median_accuracy_m is None


def test_measures_say_what_the_rules_made_of_them() -> None:
    trace = ride()
    features = measure(trace, int(trace.t_ms[0]), int(trace.t_ms[-1]))
    assert features is not None
    paid = payable_m(features)
    told = measures_of("travel.cycling", asdict(features), paid)
    assert all(one.holds for one in told)
    assert sum(one.points or 0 for one in told) == sum(
        scale.read(getattr(features, scale.feature))[1] for scale in SCALES["travel.cycling"]
    )
    above, far = (measures_of("travel.cycling", asdict(features), paid * by // 10)[0] for by in (13, 30))
    assert (above.holds, above.points, far.points) == (False, 0, -100)
    # what an older set of rules did not measure is left out, not guessed
    fewer = {name: value for name, value in asdict(features).items() if name != "swing_ppm"}
    assert len(measures_of("travel.cycling", fewer, paid)) == len(told) - 1
