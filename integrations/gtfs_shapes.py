"""The way a line takes over the ground: where stops lie along it, and how long the pieces between them are."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import cos, hypot, radians
from typing import Final

from geographiclib.geodesic import Geodesic

Point = tuple[float, float]
# a stop further from its line than this is not on it
_FURTHEST_M: Final = 500.0
_M_PER_DEGREE: Final = 111_320.0
# the way along a line is never shorter than straight, but for where on the platform a stop was measured
_SHORTEST_SHARE: Final = 0.9


def straight_m(here: Point, there: Point) -> float:
    """Metres of the WGS-84 geodesic (C. F. F. Karney, J. Geodesy 87, 2013)."""
    return float(Geodesic.WGS84.Inverse(*here, *there, Geodesic.DISTANCE)["s12"])


class Line:
    """A shape of two points at least, latitude and longitude in degrees."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self._metres = list(accumulate((straight_m(*each) for each in pairwise(points)), initial=0.0))

    def hops_m(self, stops: Sequence[Point]) -> list[float]:
        """Metres from each stop to the next, straight for a piece that the shape does not explain."""
        places: list[float | None] = []
        reached = 0.0
        for stop in stops:
            place = self._place_m(stop, reached)
            places.append(place)
            reached = reached if place is None else place
        return [
            _hop_m(straight_m(*between), *along)
            for between, along in zip(pairwise(stops), pairwise(places), strict=True)
        ]

    def _place_m(self, stop: Point, least: float) -> float | None:
        """How far along the line a stop lies, not before `least`; None when it is not on the line."""
        best: tuple[float, float] | None = None
        for number in range(max(bisect_left(self._metres, least) - 1, 0), len(self._points) - 1):
            share, away_m = _projected(stop, self._points[number], self._points[number + 1])
            start, end = self._metres[number : number + 2]
            place = max(start + share * (end - start), least)
            if away_m <= _FURTHEST_M and (best is None or away_m < best[0]):
                best = away_m, place
        return None if best is None else best[1]


def _hop_m(straight: float, start: float | None, end: float | None) -> float:
    if start is None or end is None or end - start < straight * _SHORTEST_SHARE:
        return straight
    return end - start


def _projected(stop: Point, start: Point, end: Point) -> tuple[float, float]:
    """How far between two points (0 to 1) a stop lies, and how many metres beside; flat, as over a kilometre it is."""
    east = cos(radians(stop[0]))
    x, y = (end[1] - start[1]) * east, end[0] - start[0]
    to_x, to_y = (stop[1] - start[1]) * east, stop[0] - start[0]
    square = x * x + y * y
    share = min(max((to_x * x + to_y * y) / square, 0.0), 1.0) if square else 0.0
    return share, hypot(to_x - share * x, to_y - share * y) * _M_PER_DEGREE
