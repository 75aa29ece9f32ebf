"""Traces that could be somebody's: a way with turns and stops, a phone that errs by metres."""

from datetime import datetime
from typing import Any, Final

import numpy as np

from carbon_credits.activities.trips.trace import Trace, as_claim, epoch_ms

ZUMIAO: Final = (23.0290, 113.1055)
METRES_PER_DEGREE: Final = 111_195.0


def a_trace(
    occurred_from: datetime,
    *,
    minutes: int,
    metres: int,
    seed: int = 1,
    every_s: int = 5,
    around: tuple[float, float] = ZUMIAO,
) -> dict[str, Any]:
    """A trace in the API's shape: about `metres` of way in `minutes`, a fix every `every_s` seconds."""
    rng = np.random.default_rng(seed)
    fixes = minutes * 60 // every_s + 1
    speed = metres / (minutes * 60)
    speeds = np.clip(speed * (1 + 0.25 * rng.standard_normal(fixes)), 0.2 * speed, 1.6 * speed)
    for start in rng.integers(10, max(11, fixes - 10), size=max(1, minutes // 6)):
        speeds[start : start + 3] = 0.05  # a traffic light
    speeds *= speed / speeds.mean()
    turns = np.where(rng.random(fixes) < 0.08, rng.choice([-1.2, 1.2, 0.6, -0.6], fixes), 0)
    # ways bend and come back to their bearing: nobody rides in rings
    bearing = 0.7 + 0.5 * np.sin(np.cumsum(turns)) + 0.05 * rng.standard_normal(fixes)
    drift = np.cumsum(0.25 * rng.standard_normal((2, fixes)), axis=1)
    drift -= np.linspace(0, 1, fixes) * drift[:, -1:]
    north = np.cumsum(speeds * every_s * np.cos(bearing)) + drift[0]
    east = np.cumsum(speeds * every_s * np.sin(bearing)) + drift[1]
    trace = Trace(
        t_ms=epoch_ms(occurred_from) + np.arange(fixes, dtype=np.int64) * every_s * 1000,
        lat=around[0] + north / METRES_PER_DEGREE,
        lon=around[1] + east / METRES_PER_DEGREE / np.cos(np.radians(around[0])),
        accuracy_m=np.round(4 + 3 * rng.random(fixes), 1),
        mock=np.zeros(fixes, dtype=bool),
        provider="gps",
    )
    return as_claim(trace, occurred_from)
