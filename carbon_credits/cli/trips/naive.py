"""The three-number envelopes everybody writes first: what the rules are compared with."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from carbon_credits.activities.trips.cleaning import clean, thin
from carbon_credits.cli.trips.records import Leg

STEP_S: Final = 5.0
ENVELOPES: Final[Mapping[str, Mapping[str, float]]] = {  # metres a second
    "travel.walking": {"median": 1.7, "overall": 2.2, "p85": 3.5},
    "travel.cycling": {"overall": 6.0, "p85": 7.0, "p95": 8.5},
    "travel.e_bike": {"overall": 8.0, "p85": 9.0, "p95": 11.0},
}


def fits(leg: Leg, methodology: str) -> bool:
    """Whether a leg's speeds, between points five seconds apart, lie within a claim's envelope."""
    track = thin(clean(leg.trace, leg.began_ms, leg.ended_ms), STEP_S)
    if methodology not in ENVELOPES or len(track) < 3:
        return False
    steps_s, steps_m = np.diff(track.t_s), np.hypot(np.diff(track.x_m), np.diff(track.y_m))
    speeds = steps_m / steps_s
    order = np.argsort(speeds)
    lasted = np.cumsum(steps_s[order]) / steps_s.sum()
    places = {"median": 0.5, "p85": 0.85, "p95": 0.95}
    found = {name: float(speeds[order[np.searchsorted(lasted, share)]]) for name, share in places.items()}
    found["overall"] = float(steps_m.sum() / steps_s.sum())
    return all(found[name] <= most for name, most in ENVELOPES[methodology].items())
