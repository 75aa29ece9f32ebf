"""GTFS (google/transit, schedule reference): stations, and how far it is between them along the line.

A feed is a folder or a zip. From stop to stop of a trip it is measured along the trip's shape, or straight where
there is no shape that passes both; a pair of stations gets the shortest way over all lines. Platforms count as
their parent station. `shape_dist_traveled` has no declared unit and is not used.
"""

import csv
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, TableRow
from integrations import readings
from integrations.gtfs_shapes import Line, Point, straight_m

HEADER: Final = ("from_station", "to_station", "distance_m")
STATION_HEADER: Final = ("station_id", "name", "latitude", "longitude")
CALENDAR_HEADER: Final = ("service_id", "days", "from", "to", "added", "removed")
WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEEDED: Final = ("stops.txt", "trips.txt", "stop_times.txt")
_LARGEST: Final = 512 << 20
Row = Mapping[str, str]


class Stop(NamedTuple):
    """A stop, the station it belongs to, and where it is."""

    station: str
    name: str
    at: Point


class Network(NamedTuple):
    """A feed's stops by id, the points of each shape, and each run of stops with its shape, once."""

    stops: Mapping[str, Stop]
    shapes: Mapping[str, list[Point]]
    runs: frozenset[tuple[str, tuple[str, ...]]]


def stations(path: Path) -> Iterator[TableRow]:
    """The header, then each station once. Raises FileFault."""
    yield STATION_HEADER
    stops = read(path).stops
    # a station's own row where it has one, otherwise that of a platform
    found = {stop.station: stops.get(stop.station, stop) for stop in stops.values()}
    for station in sorted(found):
        latitude, longitude = found[station].at
        yield station, found[station].name, f"{latitude:.6f}", f"{longitude:.6f}"


def distances(path: Path) -> Iterator[TableRow]:
    """The header, then each pair of stations once with whole metres. Raises FileFault."""
    yield HEADER
    for (station, other), metres in sorted(_network_m(_hops_m(read(path))).items()):
        yield station, other, str(metres)


def calendar(path: Path) -> Iterator[TableRow]:
    """The header, then each service: its weekdays as 1 and 0, its dates, and how many days are added or removed."""
    changes: dict[tuple[str, str], int] = defaultdict(int)
    with _opened(path) as feed:
        regular = {row["service_id"]: row for row in feed.rows("calendar.txt")}
        for row in feed.rows("calendar_dates.txt"):
            changes[row["service_id"], row["exception_type"]] += 1
    yield CALENDAR_HEADER
    for service in sorted({*regular, *(service for service, _ in changes)}):
        row = regular.get(service, {})
        days = "".join(row.get(day, "0") for day in WEEK)
        dates = (row.get("start_date", ""), row.get("end_date", ""))
        yield service, days, *dates, str(changes[service, "1"]), str(changes[service, "2"])


def read(path: Path) -> Network:
    """Stops, shapes and the distinct stopping patterns. Raises FileFault naming the file and line."""
    with _opened(path) as feed:
        if missing := [name for name in NEEDED if not feed.has(name)]:
            said = Text(f"缺少 {missing[0]}", f"{missing[0]} is missing")
            raise FileFault("not_gtfs", said)
        stops = _stops(feed)
        shapes = _shapes(feed)
        shape_of = {row["trip_id"]: row.get("shape_id", "") for row in feed.rows("trips.txt")}
        runs = _runs(feed, shape_of, stops)
    return Network(stops, shapes, runs)


class _Folder:
    """The files of a feed by name, each read row by row."""

    def __init__(self, root: Path | zipfile.Path) -> None:
        self._root = root

    def has(self, name: str) -> bool:
        """Whether the feed has this file."""
        return (self._root / name).exists()

    def rows(self, name: str) -> Iterator[Row]:
        """Its rows by column; nothing when there is no such file. Raises FileFault."""
        if not self.has(name):
            return
        line = 1
        try:
            with (self._root / name).open("r", encoding="utf-8-sig", newline="") as text:
                for row in csv.DictReader(text, restval=""):
                    line += 1
                    yield row
        except (UnicodeDecodeError, csv.Error, zipfile.BadZipFile, zlib.error) as error:
            raise _fault(name, line) from error


@contextmanager
def _opened(path: Path) -> Iterator[_Folder]:
    """A folder, or a zip none of whose files is larger than is reasonable."""
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        with zipfile.ZipFile(path) as packed:
            if any(each.file_size > _LARGEST for each in packed.infolist()):
                said = Text("压缩包内文件过大", "A file in the zip is too large")
                raise FileFault("too_large", said)
            yield _Folder(zipfile.Path(packed))
    except zipfile.BadZipFile as error:
        said = Text("不是 GTFS 文件夹或压缩包", "This is neither a folder nor a zip of GTFS")
        raise FileFault("not_gtfs", said) from error


def _stops(feed: _Folder) -> dict[str, Stop]:
    told = {}
    for line, row in enumerate(feed.rows("stops.txt"), 2):
        try:
            at = (readings.degrees(row["stop_lat"]), readings.degrees(row["stop_lon"]))
            if readings.misplaced(*at, None) is not None:
                raise ValueError(at)
            told[row["stop_id"]] = Stop(row.get("parent_station") or row["stop_id"], row["stop_name"], at)
        except (KeyError, ValueError) as error:
            raise _fault("stops.txt", line) from error
    return told


def _shapes(feed: _Folder) -> dict[str, list[Point]]:
    points: dict[str, list[tuple[int, Point]]] = defaultdict(list)
    for line, row in enumerate(feed.rows("shapes.txt"), 2):
        try:
            at = (readings.degrees(row["shape_pt_lat"]), readings.degrees(row["shape_pt_lon"]))
            points[row["shape_id"]].append((int(row["shape_pt_sequence"]), at))
        except (KeyError, ValueError) as error:
            raise _fault("shapes.txt", line) from error
    return {shape: [at for _, at in sorted(found)] for shape, found in points.items()}


def _runs(
    feed: _Folder, shape_of: Mapping[str, str], stops: Mapping[str, Stop]
) -> frozenset[tuple[str, tuple[str, ...]]]:
    calls: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line, row in enumerate(feed.rows("stop_times.txt"), 2):
        try:
            trip, stop = row["trip_id"], row["stop_id"]
            if trip not in shape_of or stop not in stops:
                raise ValueError(stop)
            calls[trip].append((int(row["stop_sequence"]), stop))
        except (KeyError, ValueError) as error:
            raise _fault("stop_times.txt", line) from error
    return frozenset((shape_of[trip], tuple(stop for _, stop in sorted(at))) for trip, at in calls.items())


def _hops_m(network: Network) -> dict[str, dict[str, int]]:
    """Metres between stations that follow each other on some trip, both ways, the least where trips differ."""
    lines = {shape: Line(points) for shape, points in network.shapes.items() if len(points) > 1}
    hops: dict[str, dict[str, int]] = defaultdict(dict)
    for shape, run in sorted(network.runs):
        stops = [network.stops[each] for each in run]
        along = lines[shape].hops_m([stop.at for stop in stops]) if shape in lines else None
        for number, (here, there) in enumerate(pairwise(stops)):
            if here.station == there.station:
                continue
            metres = int(straight_m(here.at, there.at) if along is None else along[number])
            for one, other in ((here.station, there.station), (there.station, here.station)):
                hops[one][other] = min(max(metres, 1), hops[one].get(other, metres))
    return hops


def _network_m(hops: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    """The shortest way between every two stations that a line joins (Dijkstra's algorithm from each)."""
    found = {}
    for start in sorted(hops):
        reached: dict[str, int] = {}
        ahead = [(0, start)]
        while ahead:
            metres, station = heappop(ahead)
            if station in reached:
                continue
            reached[station] = metres
            for other, further in hops[station].items():
                heappush(ahead, (metres + further, other))
        found.update({(start, other): metres for other, metres in reached.items() if other > start})
    return found


def _fault(name: str, line: int) -> FileFault:
    said = Text(f"{name} 该行有误", f"The row of {name} cannot be read")
    return FileFault("broken_row", said, line)
