"""Trace points a second on one core: read, cleaned, measured and judged, beside reading alone.

The traces are made here: walks through a street grid with halts, a fix a second or two, and a receiver's jitter. The
floor reads the same JSON and decodes the same polylines in plain Python, and judges nothing.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Final

import numpy as np

from carbon_credits.activities.trips.judging import Surroundings, TripClaim, judge
from carbon_credits.activities.trips.trace import as_claim, make, read_claim
from carbon_credits.cli.bench.figures import Figure, at_least, interleaved

POINTS: Final = 600
GOAL: Final = 150_000.0
BEGAN: Final = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
ALONE: Final = Surroundings()


def figures(traces: int, rounds: int) -> Iterator[Figure]:
    """Points a second of the whole way, with its goal; and the same as a share of reading alone."""
    documents = [json.dumps(_walk(number)) for number in range(traces)]
    ways = {"judged": lambda: _rate(documents, judging=True), "read": lambda: _rate(documents, judging=False)}
    medians = interleaved(max(rounds, 3), ways)
    yield at_least("trace_points", medians["judged"], "points/s", GOAL)
    yield at_least("trace_points_vs_reading", medians["judged"], "points/s", None, floor=medians["read"])


def _rate(documents: list[str], *, judging: bool) -> float:
    began = perf_counter()
    for document in documents:
        loaded = json.loads(document)
        if judging:
            _judge(loaded)
        else:
            _decode_plainly(loaded["polyline6"])
    return len(documents) * POINTS / (perf_counter() - began)


def _judge(document: dict[str, object]) -> None:
    trace = read_claim(document, BEGAN)
    ended = BEGAN + timedelta(milliseconds=int(trace.t_ms[-1] - trace.t_ms[0]))
    judge(trace, TripClaim("travel.walking", BEGAN, ended, 1_000), ALONE)


def _walk(seed: int) -> dict[str, object]:
    random = np.random.default_rng(seed)
    t_ms = np.cumsum(random.integers(1, 3, POINTS)) * 1000
    t_ms -= t_ms[0]
    heading = np.cumsum(np.where(random.random(POINTS) < 0.02, random.choice([-1.57, 1.57], POINTS), 0.0))
    pace = np.where(np.arange(POINTS) % 150 < 15, 0.0, random.normal(1.35, 0.15, POINTS))
    steps = pace * np.diff(t_ms, prepend=0) / 1000
    north = np.cumsum(steps * np.cos(heading)) + random.normal(0, 1.0, POINTS)
    east = np.cumsum(steps * np.sin(heading)) + random.normal(0, 1.0, POINTS)
    start_ms = round(BEGAN.timestamp() * 1000)
    accuracy_m = np.round(random.uniform(3, 12, POINTS), 1)
    trace = make(start_ms + t_ms, 23.03 + north / 111_200, 113.1 + east / 102_400, accuracy_m=accuracy_m)
    return as_claim(trace, BEGAN)


def _decode_plainly(polyline: str) -> list[tuple[float, float]]:
    """The textbook loop."""
    points, places, value, shift = [], [0, 0], 0, 0
    axis = 0
    for character in polyline.encode("ascii"):
        chunk = character - 63
        value |= (chunk & 31) << shift
        shift += 5
        if chunk < 32:
            places[axis] += ~(value >> 1) if value & 1 else value >> 1
            if axis:
                points.append((places[0] / 1e6, places[1] / 1e6))
            axis, value, shift = 1 - axis, 0, 0
    return points
