"""Where in a track somebody was under way: not in the stays, not in the holes."""

from typing import Final

import numpy as np

from carbon_credits.activities.trips.cleaning import Track
from carbon_credits.activities.trips.polyline import Flags

LONGEST_GAP_S: Final = 900.0  # trackintel's
STAY_S: Final = 300.0  # e-mission's time filter: five minutes …
STAY_M: Final = 100.0  # … without a net move of 100 m


def under_way(track: Track) -> Flags:
    """For each interval between neighbouring points, whether it belongs to a leg; one shorter than the track."""
    t, x, y = track.t_s, track.x_m, track.y_m
    if t.size < 2:
        return np.zeros(0, dtype=np.bool_)
    later = np.searchsorted(t, t + STAY_S)
    begins = np.flatnonzero(later < t.size)
    ends = later[begins]
    stays = np.hypot(x[ends] - x[begins], y[ends] - y[begins]) < STAY_M
    edges = np.zeros(t.size, dtype=np.int64)
    np.add.at(edges, begins[stays], 1)
    np.add.at(edges, ends[stays], -1)
    return (np.cumsum(edges)[:-1] <= 0) & (np.diff(t) <= LONGEST_GAP_S)


def spans(moving: Flags) -> list[tuple[int, int]]:
    """The legs as (first, last) point of each run of intervals that belong together."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], moving, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
