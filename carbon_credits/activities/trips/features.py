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
SWING_S: Final = 5.0
MOVING_M_S: Final = 0.8
TURN: Final = float(np.radians(19))  # Zheng 2008's heading change
CORNER: Final = 0.6  # radians: a street corner, not a bend
NO_HOLE_S: Final = 60.0
SUSTAINED_S: Final = 60.0
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
    sustained_mm_s: int  # the fastest minute
    accel_p90_mm_s2: int
    slow_ppm: int  # share of time below 0.8 m/s
    stops_per_km_milli: int
    headings_per_km_milli: int
    max_gap_s: int
    points_per_min_milli: int
    coverage_ppm: int  # share of the claimed time in gaps of 60 s or less
    speed_cv_ppm: int  # spread of speed while moving, over its mean
    jump_m: int  # the longest step faster than anything on the road
    swing_ppm: int  # how much speed changes from one step to the next (p90), over the fastest minute
    wiggle_mrad: int  # median change of heading from one moving step to the next
    corner_ppm: int  # mean speed in turns over p85; half if there are none
    longest_stop_s: int
    steady_ppm: int  # median speed over the fastest minute
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
    sustained = max(_fastest(points, steps_m, moving), 0.001)
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
        sustained_mm_s=_mm(sustained),
        accel_p90_mm_s2=_mm(_acceleration(speeds, weights)),
        slow_ppm=_ppm(float(weights[speeds <= MOVING_M_S].sum()), duration_s),
        stops_per_km_milli=round(1000 * rhythm.stops / kilometres),
        headings_per_km_milli=round(1000 * rhythm.turns / kilometres),
        max_gap_s=round(float(gaps.max())),
        points_per_min_milli=round(60_000 * len(track) / max(float(track.t_s[-1]), 1.0)),
        coverage_ppm=min(1_000_000, _ppm(float(gaps[gaps <= NO_HOLE_S].sum()), claimed_s)),
        speed_cv_ppm=_ppm(float(fast.std()), float(fast.mean())) if fast.size > 1 else 0,
        jump_m=round(_jump(track)),
        swing_ppm=_ppm(_swing(track), sustained),
        wiggle_mrad=_mm(rhythm.wiggle),
        corner_ppm=_ppm(rhythm.corner, 1.0),
        longest_stop_s=round(rhythm.longest_stop_s),
        steady_ppm=_ppm(median, sustained),
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


def _acceleration(speeds: Floats, weights: Floats) -> float:
    return _p90(np.abs(np.diff(speeds)) / ((weights[1:] + weights[:-1]) / 2.0))


def _swing(track: Track) -> float:
    """How much speed changes within about five seconds (p90), in m/s: what time cannot be stretched over."""
    points = thin(track, SWING_S)
    steps_s = np.diff(points.t_s)
    speeds = np.hypot(np.diff(points.x_m), np.diff(points.y_m)) / steps_s
    near = steps_s <= NO_HOLE_S
    return _p90(np.abs(np.diff(speeds))[near[1:] & near[:-1]])


def _p90(values: Floats) -> float:
    return float(np.sort(values)[min(int(0.9 * values.size), values.size - 1)]) if values.size else 0.0


@dataclass(frozen=True)
class _Rhythm:
    stops: int
    turns: int
    wiggle: float  # radians
    corner: float
    longest_stop_s: float


def _rhythm(points: Track, speeds: Floats, moving: Flags, typical_m_s: float) -> _Rhythm:
    """How a track stops and turns: a walker at any corner, a rider at some, a car where the road does."""
    going = moving & (speeds > MOVING_M_S)
    headings = np.arctan2(np.diff(points.y_m), np.diff(points.x_m))
    both = going[1:] & going[:-1]
    turned = np.abs((np.diff(headings) + np.pi) % (2 * np.pi) - np.pi)
    cornering = (speeds[1:] + speeds[:-1])[both & (turned > CORNER)] / 2.0
    corner = float(cornering.mean()) / max(typical_m_s, 0.1) if cornering.size else 0.5
    while_going = np.sort(turned[both])
    halts = spans(moving & ~going)
    return _Rhythm(
        stops=int(np.count_nonzero(going[:-1] & ~going[1:])),
        turns=int(np.count_nonzero(while_going > TURN)),
        wiggle=float(while_going[while_going.size // 2]) if while_going.size else 0.0,
        corner=corner,
        longest_stop_s=max(
            (float(points.t_s[last] - points.t_s[first]) for first, last in halts), default=0.0
        ),
    )


def _fastest(points: Track, steps_m: Floats, moving: Flags) -> float:
    """Mean speed of the fastest minute, in m/s; of the whole trip if it is shorter."""
    t = points.t_s
    travelled = np.concatenate(([0.0], np.cumsum(np.where(moving, steps_m, 0.0))))
    later = np.searchsorted(t, t + SUSTAINED_S)
    first = np.flatnonzero(later < t.size)
    if not first.size:
        return float(travelled[-1] / t[-1])
    last = later[first]
    return float(((travelled[last] - travelled[first]) / (t[last] - t[first])).max())


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
