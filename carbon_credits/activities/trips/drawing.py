"""A trace made ready to be drawn: its shape in metres, and the same in words for who does not see it.

Nothing in it says where on earth it lies: it is the form of the way, its pace and its holes that are judged.
"""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np

from carbon_credits.activities.trips.polyline import Floats
from carbon_credits.activities.trips.trace import Trace

MOST_POINTS: Final = 2_000
GAP_S: Final = 60.0
PIECES: Final = 12
METRES_OF_A_DEGREE: Final = 111_195.0
COURSES: Final = ("n", "ne", "e", "se", "s", "sw", "w", "nw")


@dataclass(frozen=True)
class Piece:
    """A part of the way: from and to in seconds since its beginning, metres, mean speed, course and worst accuracy."""

    from_s: int
    to_s: int
    length_m: int
    mm_s: int
    course: str
    worst_accuracy_m: int | None


@dataclass(frozen=True)
class Drawing:
    """`points` are (east, north, seconds, accuracy or -1, mock) in whole decimetres, seconds and metres."""

    points: list[tuple[int, int, int, int, int]]
    pieces: list[Piece]
    n: int
    duration_s: int
    length_m: int
    crow_m: int
    gaps: int
    longest_gap_s: int
    median_accuracy_m: int | None
    mock: int


def draw(trace: Trace) -> Drawing | None:
    """The drawing of a trace, in order of time; None where fewer than two points are left."""
    if len(trace) < 2:
        return None
    order = np.argsort(trace.t_ms, kind="stable")
    seconds = (trace.t_ms[order] - trace.t_ms[order][0]) / 1000.0
    east, north = _plane(trace.lat[order], trace.lon[order])
    steps = np.hypot(np.diff(east), np.diff(north))
    accuracy, gaps = trace.accuracy_m[order], np.diff(seconds)
    known = accuracy[~np.isnan(accuracy)]
    kept = np.unique(np.linspace(0, len(trace) - 1, min(len(trace), MOST_POINTS)).round().astype(int))
    rows = zip(
        np.round(east[kept] * 10),
        np.round(north[kept] * 10),
        np.round(seconds[kept]),
        np.round(np.nan_to_num(accuracy[kept], nan=-1.0)),
        trace.mock[order][kept],
        strict=True,
    )
    return Drawing(
        points=[(int(x), int(y), int(t), int(a), int(m)) for x, y, t, a, m in rows],
        pieces=_pieces(seconds, east, north, accuracy),
        n=len(trace),
        duration_s=round(float(seconds[-1])),
        length_m=round(float(steps.sum())),
        crow_m=round(float(np.hypot(east[-1] - east[0], north[-1] - north[0]))),
        gaps=int(np.count_nonzero(gaps > GAP_S)),
        longest_gap_s=round(float(gaps.max())),
        median_accuracy_m=round(float(np.median(known))) if known.size else None,
        mock=int(np.count_nonzero(trace.mock)),
    )


def _plane(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Metres east and north of the first point: a plane is exact enough for a district."""
    north = (lat - lat[0]) * METRES_OF_A_DEGREE
    east = (lon - lon[0]) * METRES_OF_A_DEGREE * np.cos(np.radians(lat[0]))
    return east, north


def _pieces(seconds: Floats, east: Floats, north: Floats, accuracy: Floats) -> list[Piece]:
    """At most PIECES parts of the same time, those with something in them."""
    edges = np.linspace(0.0, float(seconds[-1]), PIECES + 1)
    found = []
    for begins, ends in itertools.pairwise(edges):
        inside = np.flatnonzero((seconds >= begins) & (seconds <= ends))
        if inside.size < 2:
            continue
        first, last = inside[0], inside[-1]
        length = float(np.hypot(np.diff(east[inside]), np.diff(north[inside])).sum())
        lasts = max(float(seconds[last] - seconds[first]), 1.0)
        known = accuracy[inside][~np.isnan(accuracy[inside])]
        angle = np.degrees(np.arctan2(east[last] - east[first], north[last] - north[first])) % 360
        found.append(
            Piece(
                round(float(seconds[first])),
                round(float(seconds[last])),
                round(length),
                round(1000 * length / lasts),
                COURSES[round(float(angle) / 45) % 8],
                round(float(known.max())) if known.size else None,
            )
        )
    return found
