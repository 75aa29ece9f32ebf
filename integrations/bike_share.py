"""Shared bicycles: the public trip file that bike-share systems publish, and MDS 2.0 trips.

The public CSV has a row for each trip with its stations and their coordinates (WGS-84), no rider and no
distance; its times have no zone, so the feed declares one, and the distance is that of the great circle
between the stations, said so in the evidence. MDS (openmobilityfoundation/mobility-data-specification, 2.0
`/trips`) has the distance ridden and, by our contract, the rider's token in `trip_attributes.subject_token`.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from operator import itemgetter
from typing import Any, BinaryIO, Final, NamedTuple

from geographiclib.geodesic import Geodesic

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, FileFault, Item, ParseOptions, Record, Scalar, Unusable
from integrations import delimited

METHODOLOGY: Final = "travel.shared_bicycle"
# the zone that the feed declares for times without one: Asia/Shanghai, no summer time since 1992
ZONE: Final = "+08:00"
LONG: Final = timedelta(hours=3)
ROUNDING: Final = timedelta(seconds=1)

DURATION, START, STOP, BIKE = "Trip Duration", "Start Time", "Stop Time", "Bike ID"
FROM, FROM_LAT, FROM_LON = "Start Station ID", "Start Station Latitude", "Start Station Longitude"
TO, TO_LAT, TO_LON = "End Station ID", "End Station Latitude", "End Station Longitude"
COLUMNS: Final = (DURATION, START, STOP, BIKE, FROM, FROM_LAT, FROM_LON, TO, TO_LAT, TO_LON)

_LARGEST_JSON: Final = 256 << 20
_TIME_LENGTH: Final = len("2026-03-02 08:00:00")


class Trip(NamedTuple):
    """One trip as it was told, times in UTC. A trip without `distance_m` has the coordinates of its ends."""

    record_id: str
    line: int | None
    bike: str
    subject_token: str
    start: datetime
    stop: datetime
    stated_s: int
    same_station: bool
    distance_m: int | None = None
    ends: tuple[float, float, float, float] | None = None
    trip_id: str | None = None

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
    names = ("trips", "unreadable", "contradictory", "same_station", "over_3_h", "longest_s", "overlaps")
    facts = dict.fromkeys(names, 0)
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for trip in _trips(stream, options):
        facts["trips"] += 1
        if isinstance(trip, Unusable):
            facts["unreadable"] += 1
            continue
        facts["contradictory"] += trip.is_contradictory
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
    if not trip.subject_token:
        return _refused(trip, "subject_missing")
    evidence: dict[str, Scalar] = {"datum": "WGS-84", "distance": "given_by_operator"}
    distance_m = trip.distance_m
    if distance_m is None:
        if trip.same_station or trip.ends is None:
            # a round trip: how far it went cannot be known from where it began and ended
            return _refused(trip, "same_station")
        distance_m = _great_circle_m(*trip.ends)
        evidence["distance"] = "great_circle_between_stations"
    references = {"vehicle": trip.bike}
    if trip.trip_id is not None:
        references["trip_id"] = trip.trip_id
    return Record(
        record_id=trip.record_id,
        subject_token=trip.subject_token,
        methodology=METHODOLOGY,
        occurred_from=trip.start + shift,
        occurred_to=trip.stop + shift,
        monitored={"distance_m": distance_m},
        references=references,
        evidence=evidence,
        line=trip.line,
    )


def _trips(stream: BinaryIO, options: ParseOptions) -> Iterator[Trip | Unusable]:
    start = delimited.read_chunk(delimited.unpacked(stream), 64).lstrip(b"\xef\xbb\xbf \t\r\n")
    return _mds_trips(stream, options) if start.startswith(b"{") else _public_trips(stream, options)


def _public_trips(stream: BinaryIO, options: ParseOptions) -> Iterator[Trip | Unusable]:
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
        same_station=origin == target,
        ends=(_degrees(lat, 90), _degrees(lon, 180), _degrees(to_lat, 90), _degrees(to_lon, 180)),
    )


def _mds_trips(stream: BinaryIO, options: ParseOptions) -> Iterator[Trip | Unusable]:
    for position, trip in enumerate(_mds_list(stream), 1):
        try:
            yield _mds_trip(trip, options.bind_column)
        except (KeyError, TypeError, ValueError, AttributeError):
            known = trip.get("trip_id") if isinstance(trip, dict) else None
            identity = str(known) if known else _digest(json.dumps(trip, sort_keys=True))
            yield Unusable(identity, position, ("not_readable",))


def _mds_list(stream: BinaryIO) -> list[Any]:
    raw = delimited.read_chunk(delimited.unpacked(stream), _LARGEST_JSON)
    wrong = FileFault("not_mds", Text("不是 MDS 行程文件", "This is not an MDS trips document"))
    try:
        found = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        said = Text("编码不符", "This is not the encoding that was declared")
        raise FileFault("wrong_encoding", said) from error
    except (ValueError, RecursionError) as error:
        raise delimited.cut(None) from error
    trips = found.get("trips")
    if trips is None and isinstance(found.get("data"), dict):
        trips = found["data"].get("trips")
    if not isinstance(trips, list):
        raise wrong
    return trips


def _mds_trip(trip: Any, bind_column: str | None) -> Trip:
    attributes = trip.get("trip_attributes") or {}
    named = attributes.get("subject_token") if bind_column is None else trip.get(bind_column)
    ends = (trip["start_location"], trip["end_location"])
    return Trip(
        record_id=_named(trip["trip_id"]),
        line=None,
        bike=_named(trip["device_id"]),
        subject_token=_named(named) if named else "",
        start=_instant(trip["start_time"]),
        stop=_instant(trip["end_time"]),
        stated_s=_whole(trip["duration"]),
        same_station=ends[0] == ends[1],
        distance_m=_whole(trip["distance"]),
        trip_id=_named(trip["trip_id"]),
    )


def _local(told: str) -> datetime:
    if len(told) != _TIME_LENGTH:
        raise ValueError(told)
    return datetime.fromisoformat(told + ZONE).astimezone(UTC)


def _instant(told: Any) -> datetime:
    """An MDS timestamp, integer milliseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=_whole(told))


def _whole(told: Any) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told < 1 << 53:
        raise ValueError(told)
    return told


def _named(told: Any) -> str:
    if not isinstance(told, str) or not 0 < len(told) <= 100 or "\0" in told:
        raise ValueError(told)
    return told


def _degrees(told: str, most: int) -> float:
    degrees = float(told)
    if not -most <= degrees <= most:  # NaN is not between
        raise ValueError(told)
    return degrees


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
    methodologies=(METHODOLOGY,),
    late_days=35,
    parse_file=parse_file,
    summary=summary,
    place=place,
)
