"""What is measured on a trip: whole numbers only, so that what is stored is what was judged.

Speeds are taken between means of ten seconds: over one second a receiver's jitter is faster than a walker.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from carbon_credits.activities.trips.cleaning import Track, clean, thin
from carbon_credits.activities.trips.legs import spans, under_way
from carbon_credits.activities.trips.polyline import Flags, Floats
from carbon_credits.activities.trips.trace import Trace

SLACK_MS: Final = 60_000  # a trace may begin or end this long outside the claim
STEP_S: Final = 10.0
MOVING_M_S: Final = 0.8
TURN: Final = float(np.radians(19))  # Zheng 2008's heading change
CORNER: Final = 0.6  # radians: a street corner, not a bend
NO_HOLE_S: Final = 60.0
MINUTE_S: Final = 60.0
LONGEST_WINDOW_S: Final = 90.0
PIECE_S: Final = 300.0


@dataclass(frozen=True)
class Features:
    """Measures of the claimed part of a trace. Speeds are time-weighted, in millimetres a second."""

    usable_points: int  # after cleaning, inside the claimed time
    moving_intervals: int
    path_m: int  # along the legs
    crow_m: int  # from the beginning of each leg to its end, added up
    pieces_m: int  # the same over pieces of five minutes: what a walk round the park still has
    duration_s: int  # under way
    covered_s: int  # from the first usable point to the last
    overall_mm_s: int
    median_mm_s: int
    p85_mm_s: int
    p95_mm_s: int
    cruise_mm_s: int  # half of the way, not of the time, was faster: halts do not count
    sustained_mm_s: (
        int  # the furthest it got in a minute, as the crow flies: one bad fix out and back adds nothing
    )
    accel_p75_mm_s2: int  # between neighbouring means of ten seconds, a quarter of the changes was faster
    slow_ppm: int  # share of time below 0.8 m/s
    stops_per_km_milli: int
    headings_per_km_milli: int
    max_gap_s: int
    coverage_ppm: int  # share of the claimed time in gaps of 60 s or less
    speed_cv_ppm: int  # spread of speed while moving, over its mean
    uneven_ppm: int  # the same without the fastest tenth, where the bad fixes are
    jump_m: int  # the longest step faster than anything on the road
    swing_ppm: int  # how much of each change of speed is undone in the next ten seconds
    corner_ppm: int  # mean speed in turns over p85; half if there are none
    interval_ms: int  # median time between usable points


def measure(trace: Trace, from_ms: int, to_ms: int) -> Features | None:
    """The features of a trace within a claim's time, give or take SLACK_MS; None if nothing moves in it."""
    track = clean(trace, from_ms - SLACK_MS, to_ms + SLACK_MS)
    points = thin(track, STEP_S)
    if len(points) < 3:
        return None
    moving = under_way(points)
    return _measured(track, points, moving, (to_ms - from_ms) / 1000.0) if moving.any() else None


def _measured(track: Track, points: Track, moving: Flags, claimed_s: float) -> Features:
    steps_s, steps_m = np.diff(points.t_s), np.hypot(np.diff(points.x_m), np.diff(points.y_m))
    speeds, weights = (steps_m / steps_s)[moving], steps_s[moving]
    median, p85, p95 = _quantiles(speeds, weights, (0.5, 0.85, 0.95))
    path_m, duration_s = float(steps_m[moving].sum()), float(weights.sum())
    rhythm = _rhythm(points, steps_m / steps_s, moving, p85)
    kilometres, legs, gaps = max(path_m / 1000.0, 0.1), spans(moving), np.diff(track.t_s)
    fast = speeds[speeds > MOVING_M_S]
    return Features(
        usable_points=len(track),
        moving_intervals=int(fast.size),
        path_m=round(path_m),
        crow_m=round(sum(_crow(points, first, last) for first, last in legs)),
        pieces_m=round(sum(_in_pieces(points, first, last) for first, last in legs)),
        duration_s=round(duration_s),
        covered_s=round(float(track.t_s[-1])),
        overall_mm_s=_mm(path_m / duration_s),
        median_mm_s=_mm(median),
        p85_mm_s=_mm(p85),
        p95_mm_s=_mm(p95),
        cruise_mm_s=_mm(_quantiles(speeds, steps_m[moving], (0.5,))[0]),
        sustained_mm_s=_mm(_furthest(points, path_m / duration_s)),
        accel_p75_mm_s2=_mm(rhythm.surge),
        slow_ppm=_ppm(float(weights[speeds <= MOVING_M_S].sum()), duration_s),
        stops_per_km_milli=round(1000 * rhythm.stops / kilometres),
        headings_per_km_milli=round(1000 * rhythm.turns / kilometres),
        max_gap_s=round(float(gaps.max())),
        coverage_ppm=min(1_000_000, _ppm(float(gaps[gaps <= NO_HOLE_S].sum()), claimed_s)),
        speed_cv_ppm=_spread(fast),
        uneven_ppm=_spread(fast[fast <= _quantiles(fast, np.ones(fast.size), (0.9,))[0]]) if fast.size else 0,
        jump_m=round(_jump(track)),
        swing_ppm=_ppm(rhythm.undone, 1.0),
        corner_ppm=_ppm(rhythm.corner, 1.0),
        interval_ms=_mm(float(np.median(gaps))),
    )


def _mm(metres: float) -> int:
    return round(metres * 1000.0)


def _ppm(part: float, whole: float) -> int:
    return round(1e6 * part / whole) if whole > 0 else 0


def _quantiles(values: Floats, weights: Floats, shares: tuple[float, ...]) -> list[float]:
    """Weighted: a value counts for as long as it lasted."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.array(shares) * reached[-1])
    return [float(values[order[min(int(place), values.size - 1)]]) for place in places]


def _spread(speeds: Floats) -> int:
    return _ppm(float(speeds.std()), float(speeds.mean())) if speeds.size > 1 else 0


@dataclass(frozen=True)
class _Rhythm:
    stops: int
    turns: int
    corner: float
    surge: float  # m/s²
    undone: float


def _rhythm(points: Track, speeds: Floats, moving: Flags, typical_m_s: float) -> _Rhythm:
    """How a track stops, turns and changes its speed: a walker at any moment, a car where the road makes it."""
    going = moving & (speeds > MOVING_M_S)
    headings = np.arctan2(np.diff(points.y_m), np.diff(points.x_m))
    both = going[1:] & going[:-1]
    turned = np.abs((np.diff(headings) + np.pi) % (2 * np.pi) - np.pi)
    cornering = (speeds[1:] + speeds[:-1])[both & (turned > CORNER)] / 2.0
    surge, undone = _changes(points, speeds, moving)
    return _Rhythm(
        stops=int(np.count_nonzero(going[:-1] & ~going[1:])),
        turns=int(np.count_nonzero(turned[both] > TURN)),
        corner=float(cornering.mean()) / max(typical_m_s, 0.1) if cornering.size else 0.5,
        surge=surge,
        undone=undone,
    )


def _changes(points: Track, speeds: Floats, moving: Flags) -> tuple[float, float]:
    """(p75 of acceleration in m/s², share of the changes of speed that are undone at once).

    The share is the mean distance of a speed from the mean of its two neighbours, over the mean change from one to
    the next: 0 if speed only rises or falls, 0.87 if each is drawn anew. It has no unit of speed or time, so it
    hardly depends on how often a fix was taken; but a motor needs half a minute for what legs do in ten seconds, and
    a stretched trace three times as long.
    """
    steps_s = np.diff(points.t_s)
    near = moving & (steps_s <= NO_HOLE_S)
    pairs = near[1:] & near[:-1]
    changes = np.abs(np.diff(speeds))[pairs]
    apart = np.abs(speeds[1:-1] - (speeds[2:] + speeds[:-2]) / 2.0)[pairs[1:] & pairs[:-1]]
    if not apart.size or not changes.any():
        return 0.0, 0.0
    rates = np.sort(changes / ((steps_s[1:] + steps_s[:-1])[pairs] / 2.0))
    return float(rates[int(0.75 * (rates.size - 1))]), float(apart.mean() / changes.mean())


def _furthest(points: Track, overall_m_s: float) -> float:
    """The greatest speed as the crow flies over a minute without a hole, in m/s; never below the whole trip's."""
    t = points.t_s
    later = np.searchsorted(t, t + MINUTE_S)
    first = np.flatnonzero(later < t.size)
    last = later[first]
    whole = t[last] - t[first] <= LONGEST_WINDOW_S
    first, last = first[whole], last[whole]
    reached = np.hypot(points.x_m[last] - points.x_m[first], points.y_m[last] - points.y_m[first])
    return float((reached / (t[last] - t[first])).max(initial=overall_m_s))


def _crow(points: Track, first: int, last: int) -> float:
    return float(np.hypot(points.x_m[last] - points.x_m[first], points.y_m[last] - points.y_m[first]))


def _in_pieces(points: Track, first: int, last: int) -> float:
    t = points.t_s[first : last + 1]
    ends = first + np.minimum(np.searchsorted(t, np.arange(t[0], t[-1] + PIECE_S, PIECE_S)), t.size - 1)
    return float(np.hypot(np.diff(points.x_m[ends]), np.diff(points.y_m[ends])).sum())


def _jump(track: Track) -> float:
    """The longest step above 50 m/s that cleaning left: not a spike, the place itself changed."""
    steps = np.hypot(np.diff(track.x_m), np.diff(track.y_m))
    impossible = steps[steps > 50.0 * np.diff(track.t_s)]
    return float(impossible.max()) if impossible.size else 0.0
