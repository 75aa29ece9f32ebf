"""From raw fixes to a track that can be measured: in order, without the fixes that lie, in metres.

The steps and limits are those of `docs/decisions/0014`; where they follow e-mission (accuracy, spikes) it says so.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from carbon_credits.activities.trips.polyline import Flags, Floats
from carbon_credits.activities.trips.trace import Trace

WORST_ACCURACY_M: Final = 100.0  # a fix that may be further off says nothing about speed
FASTEST_M_S: Final = 50.0  # 180 km/h: no claimable trip, so a fix out there and back is the receiver's error
HASTY_M_S: Final = 12.0
UNDONE: Final = 0.5  # of the way out and back
EQUATOR_M: Final = 6_378_137.0  # WGS-84
ECCENTRICITY_SQUARED: Final = 0.00669437999014


@dataclass(frozen=True, eq=False)
class Track:
    """Cleaned fixes in rising time, as metres east and north of the first; all arrays are equally long."""

    t_s: Floats  # seconds since the first fix
    x_m: Floats
    y_m: Floats
    began_ms: int  # when the first fix was taken; 0 of an empty track

    def __len__(self) -> int:
        return int(self.t_s.size)


def clean(trace: Trace, from_ms: int, to_ms: int) -> Track:
    """The fixes of a claim's time: sorted, one a moment, accurate enough, without spikes."""
    known_bad = trace.accuracy_m > WORST_ACCURACY_M  # nan, the unknown, compares false and stays
    wanted = np.flatnonzero((trace.t_ms >= from_ms) & (trace.t_ms <= to_ms) & ~known_bad)
    t_ms = trace.t_ms[wanted]
    if t_ms.size and (np.diff(t_ms) <= 0).any():
        order = np.argsort(t_ms, kind="stable")
        order = order[np.concatenate(([True], np.diff(t_ms[order]) > 0))]
        wanted, t_ms = wanted[order], t_ms[order]
    if not t_ms.size:
        return Track(np.empty(0), np.empty(0), np.empty(0), 0)
    x, y = in_metres(trace.lat[wanted], trace.lon[wanted])
    t = (t_ms - t_ms[0]) / 1000.0
    for _ in range(2):  # a spike may hide its neighbour, so once more, as e-mission does
        lying = _spikes(t, x, y)
        if not lying.any():
            break
        t, x, y = t[~lying], x[~lying], y[~lying]
    return Track(t, x, y, int(t_ms[0]))


def _spikes(t: Floats, x: Floats, y: Floats) -> Flags:
    """Fixes out and back: both steps too fast for any trip, or fast for a street and mostly undone by each other.

    The first and the last fix are spikes if their only step is impossible: a receiver waking up shows its last place.
    """
    steps_s, steps_m = np.diff(t), np.hypot(np.diff(x), np.diff(y))
    impossible = steps_m > FASTEST_M_S * steps_s
    spike = np.concatenate((impossible, [False])) & np.concatenate(([False], impossible))
    if t.size > 2:
        spike[0], spike[-1] = impossible[0], impossible[-1]
        hasty = steps_m > HASTY_M_S * steps_s
        direct = np.hypot(x[2:] - x[:-2], y[2:] - y[:-2])
        undone = direct < (steps_m[1:] + steps_m[:-1]) * UNDONE
        spike[1:-1] |= hasty[1:] & hasty[:-1] & undone
    return spike


def in_metres(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Metres east and north of the first point on the ellipsoid's tangent at the middle latitude.

    Within 0.1 % for a trip inside one city; the shorter way round at the date line.
    """
    middle = np.radians((latitude.min() + latitude.max()) / 2)
    squared = 1 - ECCENTRICITY_SQUARED * np.sin(middle) ** 2
    north_m = EQUATOR_M * (1 - ECCENTRICITY_SQUARED) / squared**1.5
    east_m = EQUATOR_M / np.sqrt(squared) * np.cos(middle)
    east = (longitude - longitude[0] + 180.0) % 360.0 - 180.0
    return np.radians(east) * east_m, np.radians(latitude - latitude[0]) * north_m


def thin(track: Track, every_s: float) -> Track:
    """The mean place and time of each `every_s` seconds: single fixes jitter, means do so less."""
    if not len(track):
        return track
    slot = np.floor(track.t_s / every_s)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(slot) > 0)))
    counts = np.diff(starts, append=slot.size)
    means = np.add.reduceat(np.stack([track.t_s, track.x_m, track.y_m]), starts, axis=1) / counts
    return Track(means[0], means[1], means[2], track.began_ms)
