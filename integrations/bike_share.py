"""Shared bicycles: the public trip file that bike-share systems publish.

The public CSV has a row for each trip with its stations and their coordinates (WGS-84), no rider and no
distance; its times have no zone, so the feed declares one, and the distance is that of the great circle
between the stations, said so in the evidence.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from operator import itemgetter
from sys import intern
from typing import BinaryIO, Final, NamedTuple

from geographiclib.geodesic import Geodesic

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, Item, ParseOptions, Record, Scalar, Unusable
from integrations import delimited
from integrations.readings import misplaced

METHODOLOGY: Final = "travel.shared_bicycle"
# the zone that the feed declares for times without one: Asia/Shanghai, no summer time since 1992
ZONE: Final = "+08:00"
LONG: Final = timedelta(hours=3)
ROUNDING: Final = timedelta(seconds=1)

DURATION, START, STOP, BIKE = "Trip Duration", "Start Time", "Stop Time", "Bike ID"
FROM, FROM_LAT, FROM_LON = "Start Station ID", "Start Station Latitude", "Start Station Longitude"
TO, TO_LAT, TO_LON = "End Station ID", "End Station Latitude", "End Station Longitude"
COLUMNS: Final = (DURATION, START, STOP, BIKE, FROM, FROM_LAT, FROM_LON, TO, TO_LAT, TO_LON)

_TIME_LENGTH: Final = len("2026-03-02 08:00:00")


class Trip(NamedTuple):
    """One trip as it was told, times in UTC; `stations` by their number, `ends` are their latitude and longitude."""

    record_id: str
    line: int | None
    bike: str
    subject_token: str
    start: datetime
    stop: datetime
    stated_s: int
    stations: tuple[str, str]
    ends: tuple[float, float, float, float]
    is_swapped: bool

    @property
    def same_station(self) -> bool:
        """Whether it ended where it began."""
        return self.stations[0] == self.stations[1]

    @property
    def is_contradictory(self) -> bool:
        """Whether the duration told is not that from start to stop. All three lost their fractions, so one
        second either way is none.
        """
        length = self.stop - self.start
        return length < timedelta(0) or abs(length - timedelta(seconds=self.stated_s)) > ROUNDING


def parse_file(stream: BinaryIO, options: ParseOptions) -> Iterator[Item]:
    """One item for each trip told, in the file's order. Raises FileFault."""
    shift = timedelta(days=options.shift_days)
    for trip in _trips(stream, options):
        yield trip if isinstance(trip, Unusable) else _item(trip, shift)


def summary(stream: BinaryIO, options: ParseOptions) -> Mapping[str, int]:
    """Control facts: trips, bikes, trips that overlap on one bike, same-station and long ones, the longest.

    Durations are seconds between start and stop. Raises FileFault.
    """
    names = (
        "trips",
        "unreadable",
        "contradictory",
        "same_station",
        "over_3_h",
        "longest_s",
        "overlaps",
        "swapped",
    )
    facts = dict.fromkeys(names, 0)
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for trip in _trips(stream, options):
        facts["trips"] += 1
        if isinstance(trip, Unusable):
            facts["unreadable"] += 1
            continue
        facts["contradictory"] += trip.is_contradictory
        facts["swapped"] += trip.is_swapped
        facts["same_station"] += trip.same_station
        facts["over_3_h"] += trip.stop - trip.start > LONG
        facts["longest_s"] = max(facts["longest_s"], int((trip.stop - trip.start).total_seconds()))
        spans[trip.bike].append((trip.start, trip.stop))
    return facts | {"overlaps": sum(map(_overlaps, spans.values())), "bikes": len(spans)}


def place(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions) -> Iterator[Item]:  # noqa: ARG001
    """Trips never wait, so there is nothing to place."""
    return iter(())


def _item(trip: Trip, shift: timedelta) -> Item:
    if trip.is_contradictory:
        return _refused(trip, "contradictory_duration")
    if trip.is_swapped:
        return _refused(trip, "coordinates_swapped")
    if not trip.subject_token:
        return _refused(trip, "subject_missing")
    if trip.same_station:
        # a round trip: how far it went cannot be known from where it began and ended
        return _refused(trip, "same_station")
    return Record(
        record_id=trip.record_id,
        subject_token=trip.subject_token,
        methodology=METHODOLOGY,
        occurred_from=trip.start + shift,
        occurred_to=trip.stop + shift,
        monitored={"distance_m": _great_circle_m(*trip.ends)},
        references={"vehicle": trip.bike},
        evidence={
            "datum": "WGS-84",
            "distance": "great_circle_between_stations",
            "from": trip.stations[0],
            "to": trip.stations[1],
        },
        line=trip.line,
    )


def _trips(stream: BinaryIO, options: ParseOptions) -> Iterator[Trip | Unusable]:
    rows = delimited.rows(stream, options.encoding, [frozenset(COLUMNS)])
    _, header = next(rows)
    cells = itemgetter(*map(header.index, COLUMNS))
    subject_at = delimited.column(header, options.bind_column)
    for line, row in rows:
        subject = "" if subject_at is None else row[subject_at]
        try:
            yield _public_trip(cells(row), line, subject)
        except ValueError:
            yield Unusable(_digest(*row), line, ("not_readable",))


def _public_trip(cells: tuple[str, ...], line: int, subject: str) -> Trip:
    duration, start, stop, bike, origin, lat, lon, target, to_lat, to_lon = cells
    ends = (float(lat), float(lon), float(to_lat), float(to_lon))
    wrong = {misplaced(*ends[:2], None), misplaced(*ends[2:], None)}
    if "coordinates_out_of_range" in wrong:
        raise ValueError("not degrees")
    if not (bike and origin and target):
        raise ValueError("a name is missing")
    return Trip(
        record_id=_digest(bike, start, stop),
        line=line,
        bike=bike,
        subject_token=subject,
        start=_local(start),
        stop=_local(stop),
        stated_s=int(duration),
        stations=(intern(origin), intern(target)),
        ends=ends,
        is_swapped="coordinates_swapped" in wrong,
    )


def _local(told: str) -> datetime:
    if len(told) != _TIME_LENGTH:
        raise ValueError(told)
    return datetime.fromisoformat(told + ZONE).astimezone(UTC)


@lru_cache(maxsize=65_536)
def _great_circle_m(lat: float, lon: float, to_lat: float, to_lon: float) -> int:
    """Whole metres of the WGS-84 geodesic, rounded down (C. F. F. Karney, J. Geodesy 87, 2013).

    A reading of an instrument, so a float until here and never after.
    """
    found = Geodesic.WGS84.Inverse(lat, lon, to_lat, to_lon, Geodesic.DISTANCE)
    return math.floor(float(found["s12"]))


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _refused(trip: Trip, reason: str) -> Unusable:
    return Unusable(trip.record_id, trip.line, (reason,))


def _overlaps(times: list[tuple[datetime, datetime]]) -> int:
    times.sort()
    return sum(later[0] < earlier[1] for earlier, later in pairwise(times))


FEED: Final = Feed(
    code="bike_share",
    partner="bike_share",
    partner_names=Text("共享单车运营方", "Bike-share operator"),
    names=Text("共享单车行程", "Shared bicycle trips"),
    evidence_class="A",
    formats=Text("公共单车行程 CSV", "the public trip CSV of bike-share systems"),
    methodologies=(METHODOLOGY,),
    late_days=35,
    parse_file=parse_file,
    summary=summary,
    place=place,
)
