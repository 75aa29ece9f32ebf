"""Encoded polylines of precision 6: each coordinate as the difference to the one before, five bits a character.

The format is Google's "Encoded Polyline Algorithm Format" with a factor of 1,000,000 in place of 100,000.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LONGEST_VALUE = 7  # characters; 35 bits hold any difference of two longitudes in millionths of a degree
LATITUDE_E6 = 90_000_000
LONGITUDE_E6 = 180_000_000


class BadPolyline(ValueError):
    """It cannot be decoded."""


class OutsideTheWorld(ValueError):
    """It decodes to a latitude or longitude that does not exist."""


def decode(text: str) -> tuple[Floats, Floats]:
    """Latitudes and longitudes in degrees. Raises BadPolyline, OutsideTheWorld."""
    try:
        chunks = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64) - 63
    except UnicodeEncodeError as error:
        raise BadPolyline from error
    if chunks.size == 0:
        return np.empty(0), np.empty(0)
    ends = np.flatnonzero(chunks < 32)
    if (
        chunks.min() < 0
        or chunks.max() > 63
        or ends.size % 2
        or ends.size == 0
        or ends[-1] + 1 != chunks.size
    ):
        raise BadPolyline
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > LONGEST_VALUE:
        raise BadPolyline
    places = np.arange(chunks.size) - np.repeat(starts, lengths)
    values = np.add.reduceat((chunks & 31) << (5 * places), starts)
    differences = np.where(values & 1, ~(values >> 1), values >> 1)
    latitude, longitude = np.cumsum(differences[::2]), np.cumsum(differences[1::2])
    if np.abs(latitude).max() > LATITUDE_E6 or np.abs(longitude).max() > LONGITUDE_E6:
        raise OutsideTheWorld
    return latitude / 1e6, longitude / 1e6


def encode(latitude: Floats, longitude: Floats) -> str:
    """The polyline of coordinates in degrees, rounded to six decimals."""
    whole = np.rint(np.stack([latitude, longitude], axis=1) * 1e6).astype(np.int64)
    differences = np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel()
    characters = bytearray()
    for value in np.where(differences < 0, ~(differences << 1), differences << 1).tolist():
        rest = value
        while rest >= 32:
            characters.append((rest & 31 | 32) + 63)
            rest >>= 5
        characters.append(rest + 63)
    return characters.decode("ascii")
