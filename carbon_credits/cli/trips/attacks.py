"""What a cheat would send: car and bus legs made to look like walks and rides, and other people's honest trips."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from carbon_credits.activities.trips.cleaning import in_metres
from carbon_credits.activities.trips.fingerprint import overlap_ppm, prints_of
from carbon_credits.activities.trips.judging import Surroundings
from carbon_credits.activities.trips.polyline import Floats, Ints
from carbon_credits.activities.trips.trace import Trace, make
from carbon_credits.cli.trips.records import Leg

WEEK_MS: Final = 7 * 24 * 3_600_000
EIGHT_HOURS_MS: Final = 8 * 3_600_000
NOISE_M: Final = 2.0
HALF_SPLICE_M: Final = 1_500.0
LINE_M: Final = 3_000.0
LINE_EVERY_S: Final = 5.0
DEGREE_M: Final = 111_200.0
SPEEDS: Final[Mapping[str, float]] = {"travel.walking": 1.35, "travel.cycling": 4.2}  # metres a second
ALONE: Final = Surroundings()
KEY: Final = b"a key for measuring, kept by nobody"
Sent = Iterator[tuple[Leg, Surroundings]]  # a claim and what the database would know of it
Attack = Callable[[Sequence[Leg], str], Sent]


def stretched(legs: Sequence[Leg], _claimed: str) -> Sent:
    """Everything three times slower."""
    for leg in legs:
        t = leg.trace.t_ms
        yield leg.over(replace(leg.trace, t_ms=t[0] + (t - t[0]) * 3)), ALONE


def resubmitted(legs: Sequence[Leg], _claimed: str) -> Sent:
    """A week later by another person, each point moved by up to two metres; the honest original is on record."""
    for number, leg in enumerate(legs):
        copy = leg.over(noisy(leg.trace, number, WEEK_MS))
        seen = overlap_ppm(prints_of(copy.trace, KEY), prints_of(leg.trace, KEY))
        around = Surroundings(seen_exact_ppm=seen.exact_ppm, seen_moves_ppm=seen.moves_ppm)
        yield copy, around


def thinned(legs: Sequence[Leg], _claimed: str) -> Sent:
    """One point a minute."""
    for leg in legs:
        minutes = (leg.trace.t_ms - leg.trace.t_ms.min()) // 60_000
        _, first = np.unique(minutes, return_index=True)
        yield leg.over(_picked(leg.trace, first)), ALONE


def spliced(legs: Sequence[Leg], _claimed: str) -> Sent:
    """A kilometre and a half of one, then of another, moved to where and when the first one ended."""
    yield from ((leg.over(_joined(leg, other, move=True)), ALONE) for leg, other in _pairs(legs))


def spliced_apart(legs: Sequence[Leg], _claimed: str) -> Sent:
    """The same, but left where it was recorded."""
    yield from ((leg.over(_joined(leg, other, move=False)), ALONE) for leg, other in _pairs(legs))


def drawn(legs: Sequence[Leg], claimed: str) -> Sent:
    """A straight line from the leg's beginning towards its end, at the claimed mode's speed to the millimetre."""
    yield from ((leg.over(_line(leg, claimed)), ALONE) for leg in legs)


def drawn_shaking(legs: Sequence[Leg], claimed: str) -> Sent:
    """The same with up to two metres of noise."""
    for number, leg in enumerate(legs):
        yield leg.over(noisy(_line(leg, claimed), number, 0)), ALONE


def eight_hours(legs: Sequence[Leg], _claimed: str) -> Sent:
    """The trace of another part of the day: eight hours off the claim."""
    for leg in legs:
        yield replace(leg, trace=replace(leg.trace, t_ms=leg.trace.t_ms + EIGHT_HOURS_MS)), ALONE


ATTACKS: Final[Mapping[str, tuple[str, Attack]]] = {
    "stretched": ("时间拉长三倍 time stretched ×3", stretched),
    "resubmitted": ("一周后他人重报 a week later, 0–2 m noise", resubmitted),
    "thinned": ("每分钟一点 a point a minute", thinned),
    "spliced": ("拼接 3 km, joined", spliced),
    "spliced_apart": ("拼接 3 km, apart", spliced_apart),
    "drawn": ("匀速直线 straight line, constant speed", drawn),
    "drawn_shaking": ("匀速直线加抖动 the same, 0–2 m noise", drawn_shaking),
    "eight_hours": ("时移 +8 h", eight_hours),
}


def noisy(trace: Trace, seed: int, later_ms: int) -> Trace:
    """Each point moved by up to NOISE_M in any direction and recorded later; the seed decides how."""
    random = np.random.default_rng(seed)
    far, way = random.uniform(0, NOISE_M, len(trace)), random.uniform(0, 2 * np.pi, len(trace))
    latitude = trace.lat + far * np.cos(way) / DEGREE_M
    longitude = trace.lon + far * np.sin(way) / (DEGREE_M * np.cos(np.radians(trace.lat)))
    return replace(trace, t_ms=trace.t_ms + later_ms, lat=np.round(latitude, 6), lon=np.round(longitude, 6))


def _pairs(legs: Sequence[Leg]) -> Iterator[tuple[Leg, Leg]]:
    """Each leg with the next of the same data set."""
    for source in dict.fromkeys(leg.source for leg in legs):
        mine = [leg for leg in legs if leg.source == source]
        yield from zip(mine, [*mine[1:], *mine[:1]], strict=True)


def _joined(first: Leg, second: Leg, *, move: bool) -> Trace:
    head, tail = _beginning(first.trace), _beginning(second.trace)
    t_ms = tail.t_ms - tail.t_ms[0] + head.t_ms[-1] + 5_000
    north, east = (head.lat[-1] - tail.lat[0], head.lon[-1] - tail.lon[0]) if move else (0.0, 0.0)
    return Trace(
        np.concatenate([head.t_ms, t_ms]),
        np.concatenate([head.lat, tail.lat + north]),
        np.concatenate([head.lon, tail.lon + east]),
        np.concatenate([head.accuracy_m, tail.accuracy_m]),
        np.concatenate([head.mock, tail.mock]),
    )


def _beginning(trace: Trace) -> Trace:
    """The first HALF_SPLICE_M of a trace."""
    x, y = in_metres(trace.lat, trace.lon)
    far = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    return _picked(trace, np.flatnonzero(far <= HALF_SPLICE_M))


def _picked(trace: Trace, places: Ints) -> Trace:
    return Trace(
        trace.t_ms[places], trace.lat[places], trace.lon[places], trace.accuracy_m[places], trace.mock[places]
    )


def _line(leg: Leg, claimed: str) -> Trace:
    trace = leg.trace
    x, y = in_metres(trace.lat, trace.lon)
    reach = max(float(np.hypot(x[-1] - x[0], y[-1] - y[0])), 1.0)
    seconds: Floats = np.arange(0.0, LINE_M / SPEEDS[claimed], LINE_EVERY_S)
    part = seconds * SPEEDS[claimed] / reach
    return make(
        trace.t_ms[0] + np.rint(seconds * 1000).astype(np.int64),
        np.round(trace.lat[0] + part * (trace.lat[-1] - trace.lat[0]), 6),
        np.round(trace.lon[0] + part * (trace.lon[-1] - trace.lon[0]), 6),
    )
