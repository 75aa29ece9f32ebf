"""Keyed fingerprints of a trace: enough to know it again, useless for finding out where somebody went.

Three kinds of 64-bit prints, each a keyed BLAKE2b hash: exact points; movements, which survive a metre or two of noise
and another date; and MinHash slots of the streets passed. They are kept when the trace itself is gone.

A movement is three lines of a fixed grid crossed one after another and the seconds taken between them. Two people on one
road cross the same lines, but not in the same seconds; a copy does, whatever its date.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np

from carbon_credits.activities.trips.cleaning import Track, thin
from carbon_credits.activities.trips.polyline import Floats, Ints
from carbon_credits.activities.trips.trace import Trace

MOST_PRINTS: Final = 256  # of each kind; the smallest hashes are the sample
FEWEST_PRINTS: Final = 6  # below this a share is chance
FEW_TIMINGS: Final = 16  # a short trip crosses few lines and is known by more
SLOTS: Final = 64
LINES_PER_DEGREE: Final = 2_000  # a line every 55 m north, 51 m east in Foshan
SHORT_LINES_PER_DEGREE: Final = 4_000
RHYTHM: Final = 8  # fixes in a row whose spacing in milliseconds is compared
LAG: Final = 3  # lines between the ends of one timing
TICK_S: Final = 4.0  # two phones carried together differ by this much, a copy by less
CELLS_PER_DEGREE: Final = 200  # cells of about 500 m
SMOOTH_S: Final = 5.0


@dataclass(frozen=True)
class Prints:
    """Signed 64-bit numbers, so that they fit a bigint. `exact` and `moves` rise; `route` has SLOTS or none."""

    exact: tuple[int, ...]
    moves: tuple[int, ...]
    route: tuple[int, ...]


@dataclass(frozen=True)
class Seen:
    """How much of a new trace an older one holds, in millionths of the new one's prints."""

    exact_ppm: int
    moves_ppm: int
    route_ppm: int


def prints_of(trace: Trace, key: bytes) -> Prints:
    """The prints of a trace under a key of 16 to 64 bytes. Two keys give unrelated prints."""
    if not len(trace):
        return Prints((), (), ())
    points = np.unique(np.rint(np.stack([trace.lat, trace.lon], axis=1) * 1e6).astype(np.int64), axis=0)
    return Prints(
        _sample(_hashes(points, key, b"exact")),
        _sample(_movements(trace, key)),
        _slots(_hashes(_shingles(trace), key, b"route")),
    )


def overlap_ppm(new: Prints, old: Prints) -> Seen:
    """How much of `new` was in `old`. A share of fewer than FEWEST_PRINTS means nothing and is 0.

    Both are samples of the smallest hashes, so only hashes below the larger sample's last can be expected in it.
    """
    same = sum(a == b for a, b in zip(new.route, old.route, strict=False))
    return Seen(_share(new.exact, old.exact), _share(new.moves, old.moves), 1_000_000 * same // SLOTS)


def ends_of(trace: Trace) -> tuple[int, int] | None:
    """The grid cells of about 500 m a trace begins and ends in, each one number; None of an empty trace."""
    if not len(trace):
        return None
    order = np.argsort(trace.t_ms, kind="stable")
    first, last = (_cell(float(trace.lat[place]), float(trace.lon[place])) for place in (order[0], order[-1]))
    return first, last


def _cell(latitude: float, longitude: float) -> int:
    north, east = int((latitude + 90) * CELLS_PER_DEGREE), int((longitude + 180) * CELLS_PER_DEGREE)
    return north * 360 * CELLS_PER_DEGREE + east


def _share(new: tuple[int, ...], old: tuple[int, ...]) -> int:
    known = frozenset(old)
    comparable = new if len(old) < MOST_PRINTS else [each for each in new if each <= old[-1]]
    if len(comparable) < FEWEST_PRINTS:
        return 0
    return 1_000_000 * sum(each in known for each in comparable) // len(comparable)


def _hashes(rows: Ints, key: bytes, kind: bytes) -> set[int]:
    shape = struct.Struct(f"<{rows.shape[1]}q")
    return {
        int.from_bytes(
            blake2b(shape.pack(*row), digest_size=8, key=key, person=kind).digest(), "little", signed=True
        )
        for row in rows.tolist()
    }


def _sample(hashes: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(hashes)[:MOST_PRINTS])


def _movements(trace: Trace, key: bytes) -> set[int]:
    track = _in_degrees(trace)
    found = _hashes(_timings(track, LINES_PER_DEGREE), key, b"moves")
    if len(found) < FEW_TIMINGS:
        found |= _hashes(_timings(track, SHORT_LINES_PER_DEGREE), key, b"short moves")
        found |= _hashes(_rhythm(track), key, b"rhythm")
    return found


def _rhythm(track: Track) -> Ints:
    """Rows of (cell, spacing, spacing …) in milliseconds, where the spacing is irregular enough to be a signature."""
    spacing = np.rint(np.diff(track.t_s) * 1000).astype(np.int64)
    if spacing.size < RHYTHM:
        return np.zeros((0, RHYTHM + 1), dtype=np.int64)
    rows = np.lib.stride_tricks.sliding_window_view(spacing, RHYTHM)
    ordered = np.sort(rows, axis=1)
    telling = np.count_nonzero(np.diff(ordered, axis=1), axis=1) >= RHYTHM // 2
    cells = _cells(track)[: rows.shape[0]]
    found: Ints = np.concatenate([cells[:, None], rows], axis=1)[telling]
    return found


def _cells(track: Track) -> Ints:
    north: Ints = np.floor(track.y_m * CELLS_PER_DEGREE).astype(np.int64)
    east: Ints = np.floor(track.x_m * CELLS_PER_DEGREE).astype(np.int64)
    cells: Ints = north * (360 * CELLS_PER_DEGREE) + east
    return cells


def _timings(whole: Track, lines: int) -> Ints:
    """Rows of (line, line, line, ticks, ticks): where a track crossed the grid, and how long it took in between."""
    track = thin(whole, SMOOTH_S)
    crossings = [_crossings(track.t_s, track.y_m * lines, 0), _crossings(track.t_s, track.x_m * lines, 1)]
    when, line = (np.concatenate(parts) for parts in zip(*crossings, strict=True))
    order = np.argsort(when, kind="stable")
    when, line = when[order], line[order]
    fresh = np.concatenate(([True], np.diff(line) != 0)) if line.size else np.zeros(0, dtype=np.bool_)
    when, line = when[fresh], line[fresh]  # to and fro over one line is jitter
    if line.size <= 2 * LAG:
        return np.zeros((0, 5), dtype=np.int64)
    ticks = np.floor((when[LAG:] - when[:-LAG]) / TICK_S).astype(np.int64)
    rows = (line[: -2 * LAG], line[LAG:-LAG], line[2 * LAG :], ticks[:-LAG], ticks[LAG:])
    return np.stack(rows, axis=1)


def _in_degrees(trace: Trace) -> Track:
    """The whole trace in order, with degrees in the place of metres: a grid must be the same for every trace."""
    _, first = np.unique(trace.t_ms, return_index=True)
    t_s = (trace.t_ms[first] - trace.t_ms[first[0]]) / 1000.0
    return Track(t_s, trace.lon[first] + 180.0, trace.lat[first] + 90.0, int(trace.t_ms[first[0]]))


def _crossings(t: Floats, along: Floats, axis: int) -> tuple[Floats, Ints]:
    """When a coordinate, in grid lines, passed each whole number, and which; between two points it moves evenly."""
    low = np.floor(np.minimum(along[:-1], along[1:])).astype(np.int64) + 1
    counts = np.floor(np.maximum(along[:-1], along[1:])).astype(np.int64) + 1 - low
    counts[counts > 100] = 0  # over five kilometres in one step: a hole, not a way
    step = np.repeat(np.arange(counts.size), counts)
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    line = low[step] + nth
    part = (line - along[step]) / (along[step + 1] - along[step])
    return t[step] + part * (t[step + 1] - t[step]), line * 2 + axis


def _shingles(trace: Trace) -> Ints:
    """Rows of three cells entered one after another."""
    cells = _cells(thin(_in_degrees(trace), SMOOTH_S))
    entered = cells[np.concatenate(([True], np.diff(cells) != 0))] if cells.size else cells
    if entered.size < 3:
        return np.zeros((0, 3), dtype=np.int64)
    return np.stack([entered[:-2], entered[1:-1], entered[2:]], axis=1)


def _slots(hashes: set[int]) -> tuple[int, ...]:
    """For each of SLOTS permutations the smallest shingle: the share of equal slots estimates the share of streets."""
    if not hashes:
        return ()
    values = np.array(sorted(hashes), dtype=np.int64).view(np.uint64)
    odd = np.arange(1, 2 * SLOTS, 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = values[:, None] * odd[None, :]
    mixed ^= mixed >> np.uint64(29)
    return tuple((mixed * np.uint64(0xBF58476D1CE4E5B9)).min(axis=0).view(np.int64).tolist())
