"""Made-up journeys: a city's grid, a mover, a receiver's jitter. Nobody's real trip."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from carbon_credits.activities.trips.features import measure
from carbon_credits.activities.trips.judging import payable_m
from carbon_credits.activities.trips.trace import Trace, as_claim, epoch_ms, make

ACCURACY_M = 5
BEGAN = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def journey(
    seed: int,
    *,
    speed: float,
    block_m: float,
    surge: float,
    minutes: float = 15,
    every_s: int = 2,
    stops: float = 0.0,
    weaving: float = 0.0,
) -> Trace:
    """A trip through streets.

    `speed` m/s is aimed at, `surge` m/s² is how fast it is reached, `stops` the chance of halting at a corner, and
    `weaving` by how many radians the course wavers.
    """
    random = np.random.default_rng(seed)
    places, at, heading, pace, left, halt = [], np.zeros(2), 0.0, 0.0, block_m, 0
    for _ in range(int(minutes * 60)):
        aim = 0.0 if halt > 0 else speed * (1 + 0.12 * random.standard_normal())
        halt -= 1
        pace += float(np.clip(aim - pace, -1.5 * surge, surge))
        course = heading + weaving * random.standard_normal()
        at = at + pace * np.array([np.cos(course), np.sin(course)])
        left -= pace
        if left <= 0:
            heading = 0.0 if heading else float(random.choice([-np.pi / 2, 0.0, np.pi / 2]))
            left = block_m * random.uniform(0.6, 1.4)
            halt = int(random.uniform(15, 40)) if random.random() < stops else 0
        places.append(at)
    track = np.array(places)[::every_s] + random.normal(0, 1.0, (len(places[::every_s]), 2))
    times = epoch_ms(BEGAN) + np.arange(len(track)) * every_s * 1000
    return make(times, np.round(23.03 + track[:, 0] / 111_200, 6), np.round(113.1 + track[:, 1] / 102_400, 6))


def walk(seed: int = 1, every_s: int = 2) -> Trace:
    """On foot, with corners and crossings."""
    return journey(seed, speed=1.4, block_m=80, surge=0.7, stops=0.3, weaving=0.5, every_s=every_s)


def ride(seed: int = 1) -> Trace:
    """On a bicycle."""
    return journey(seed, speed=4.0, block_m=170, surge=0.7, stops=0.15, weaving=0.18)


def bus(seed: int = 1) -> Trace:
    """A bus: fast between stops, and it stops often."""
    return journey(seed, speed=10.5, block_m=420, surge=1.0, stops=0.9, weaving=0.01, minutes=20)


def told_at(trace: Trace, occurred_from: datetime) -> dict[str, Any]:
    """A journey as a phone tells it, as if it had begun at another time."""
    later = (occurred_from - BEGAN) // timedelta(milliseconds=1)
    told = as_claim(replace(trace, t_ms=trace.t_ms + later), occurred_from)
    return told | {"accuracy_m": [ACCURACY_M] * len(trace), "provider": "gps"}


def length_of(trace: Trace) -> timedelta:
    """From the first fix to the last."""
    return timedelta(milliseconds=int(trace.t_ms[-1] - trace.t_ms[0]))


def metres_of(trace: Trace) -> int:
    """What an honest phone would say of its length: a little less than the trace shows."""
    features = measure(trace, int(trace.t_ms[0]), int(trace.t_ms[-1]))
    return 0 if features is None else payable_m(features) * 97 // 100
