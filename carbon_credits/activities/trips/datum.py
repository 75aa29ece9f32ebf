"""WGS-84 and GCJ-02, the shifted datum of Chinese maps: 620 to 630 m apart in Chancheng.

GCJ-02 was never published. This is the approximation the open implementations agree on (eviltransform and its kin, from
the 2010 reverse engineering): a Krasovsky ellipsoid and a polynomial with sines. Its inverse has no closed form; the
fixed-point iteration below is exact to less than a millimetre after five steps.
"""

from typing import Final

import numpy as np

from carbon_credits.activities.trips.polyline import Flags, Floats

SEMI_MAJOR_M: Final = 6_378_245.0  # Krasovsky 1940
ECCENTRICITY_SQUARED: Final = 0.00669342162296594323
LATITUDES: Final = (0.8293, 55.8271)  # the box outside which Chinese maps shift nothing
LONGITUDES: Final = (72.004, 137.8347)
STEPS: Final = 5


def in_china(latitude: Floats, longitude: Floats) -> Flags:
    """Where the shift applies: a box, as the maps use it, not the border."""
    inside = (latitude >= LATITUDES[0]) & (latitude <= LATITUDES[1])
    return inside & (longitude >= LONGITUDES[0]) & (longitude <= LONGITUDES[1])


def to_gcj02(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """WGS-84 degrees as GCJ-02 degrees; unchanged outside China."""
    north, east = _shift(latitude, longitude)
    inside = in_china(latitude, longitude)
    return np.where(inside, latitude + north, latitude), np.where(inside, longitude + east, longitude)


def to_wgs84(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """GCJ-02 degrees as WGS-84 degrees, to within a millimetre of the inverse; unchanged outside China."""
    guess_lat, guess_lon = latitude, longitude
    for _ in range(STEPS):
        north, east = _shift(guess_lat, guess_lon)
        guess_lat, guess_lon = latitude - north, longitude - east
    inside = in_china(latitude, longitude)
    return np.where(inside, guess_lat, latitude), np.where(inside, guess_lon, longitude)


def _shift(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    x, y = longitude - 105.0, latitude - 35.0
    root = np.sqrt(np.abs(x))
    ripple = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    angle = np.radians(latitude)
    squared = 1 - ECCENTRICITY_SQUARED * np.sin(angle) ** 2
    north_m = SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED) / (squared * np.sqrt(squared))
    east_m = SEMI_MAJOR_M / np.sqrt(squared) * np.cos(angle)
    return np.degrees(north / north_m), np.degrees(east / east_m)
