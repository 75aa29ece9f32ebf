"""A trace as it comes: times, places, accuracy. Whatever was sent, it is WGS-84 from here on.

Only what cannot be read is refused here. A trace that is thin, unordered, repeated or in the sea is a trace: what it is
worth is for `judging` to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from xml.parsers import expat

import numpy as np

from carbon_credits.activities.trips import datum
from carbon_credits.activities.trips.polyline import (
    BadPolyline,
    Flags,
    Floats,
    Ints,
    OutsideTheWorld,
    decode,
    encode,
)
from carbon_credits.core.i18n import Text

MOST_POINTS: Final = 100_000
MOST_CHARACTERS: Final = MOST_POINTS * 14
MOST_FILE_CHARACTERS: Final = MOST_POINTS * 300
MOST_MS: Final = 10**11  # three years either side: clocks may be wrong, numbers may not be absurd
DATUMS: Final = ("WGS84", "GCJ02")

BROKEN: Mapping[str, Text] = {
    "trace_unreadable": Text("轨迹格式无法读取", "The trace cannot be read"),
    "trace_unsafe_file": Text(
        "轨迹文件含有不允许的声明", "The file contains a declaration that is not allowed"
    ),
    "trace_bad_polyline": Text("轨迹折线编码有误", "The encoded polyline is broken"),
    "trace_bad_times": Text("轨迹时间须为整数毫秒", "Times of a trace are whole milliseconds"),
    "trace_bad_accuracy": Text("轨迹精度须为米数", "Accuracy is a number of metres or null"),
    "trace_lengths_differ": Text("轨迹各列长度不一致", "The parts of the trace differ in length"),
    "trace_out_of_range": Text(
        "轨迹含有不存在的坐标或时间", "A coordinate or time of the trace cannot exist"
    ),
    "trace_unknown_datum": Text("未声明坐标系，或坐标系未知", "The datum is missing or unknown"),
    "trace_two_datums": Text("同一轨迹声明了两种坐标系", "One trace declares two datums"),
    "trace_too_many_points": Text("轨迹点数超过十万", "The trace has more than 100,000 points"),
}


class BrokenTrace(ValueError):
    """A trace that cannot be read; `code` is a key of BROKEN, `detail` its text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = BROKEN[code]


@dataclass(frozen=True, eq=False)
class Trace:
    """Points in the order received, WGS-84 degrees; all arrays are equally long. Unknown accuracy is nan."""

    t_ms: Ints  # milliseconds since 1970-01-01 UTC
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    mock: Flags
    provider: str | None = None

    def __len__(self) -> int:
        return int(self.t_ms.size)


def read_claim(document: Mapping[str, Any], occurred_from: datetime) -> Trace:
    """The trace of a claim in the API's shape. Raises BrokenTrace.

    `{crs, polyline6, dt_ms, accuracy_m?, provider?, mock?}`; `dt_ms` counts from `occurred_from`.
    """
    polyline = document.get("polyline6")
    if not isinstance(polyline, str):
        raise BrokenTrace("trace_bad_polyline")
    if len(polyline) > MOST_CHARACTERS:
        raise BrokenTrace("trace_too_many_points")
    try:
        latitude, longitude = decode(polyline)
    except BadPolyline as error:
        raise BrokenTrace("trace_bad_polyline") from error
    except OutsideTheWorld as error:
        raise BrokenTrace("trace_out_of_range") from error
    provider = document.get("provider")
    return make(
        _times(document.get("dt_ms")) + epoch_ms(occurred_from),
        latitude,
        longitude,
        accuracy_m=_accuracies(document.get("accuracy_m"), latitude.size),
        mock=_flags(document.get("mock"), latitude.size),
        crs=document.get("crs"),
        provider=provider if isinstance(provider, str) else None,
    )


def read_gpx(text: str) -> Trace:
    """The track points of a GPX 1.0 or 1.1 file, which is WGS-84 by its standard; points without a time are left out.

    Raises BrokenTrace: a file with a DOCTYPE is refused unread, so no entity is ever expanded.
    """
    if len(text) > MOST_FILE_CHARACTERS:
        raise BrokenTrace("trace_too_many_points")
    points = _GpxPoints()
    try:
        points.parser.Parse(text.encode("utf-8"), True)
    except (expat.ExpatError, UnicodeEncodeError, ValueError) as error:
        if isinstance(error, BrokenTrace):
            raise
        raise BrokenTrace("trace_unreadable") from error
    return _of_points(points.found, "WGS84")


def read_geojson(document: Mapping[str, Any]) -> Trace:
    """A LineString with `properties.coordinateProperties.times`, or a collection of Points with `properties.time`.

    WGS-84 (RFC 7946) unless a `crs` member or property says GCJ02. Raises BrokenTrace.
    """
    try:
        features = document["features"] if document.get("type") == "FeatureCollection" else [document]
        if len(features) > MOST_POINTS:
            raise BrokenTrace("trace_too_many_points")
        found = [point for feature in features for point in _points_of(feature)]
        named = [
            one for one in (document, *(f["properties"] for f in features)) if one.get("crs") is not None
        ]
        return _of_points(found, declared(*(one["crs"] for one in named)) if named else "WGS84")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, BrokenTrace):
            raise
        raise BrokenTrace("trace_unreadable") from error


def make(
    t_ms: Ints,
    latitude: Floats,
    longitude: Floats,
    *,
    accuracy_m: Floats | None = None,
    mock: Flags | None = None,
    crs: object = "WGS84",
    provider: str | None = None,
) -> Trace:
    """A trace of equally long parts, brought to WGS-84. Raises BrokenTrace."""
    count = t_ms.size
    accuracy_m = np.full(count, np.nan) if accuracy_m is None else accuracy_m
    mock = np.zeros(count, dtype=np.bool_) if mock is None else mock
    if max(count, latitude.size) > MOST_POINTS:
        raise BrokenTrace("trace_too_many_points")
    if {latitude.size, longitude.size, accuracy_m.size, mock.size} != {count}:
        raise BrokenTrace("trace_lengths_differ")
    if declared(crs) == "GCJ02":
        latitude, longitude = (np.round(degrees, 6) for degrees in datum.to_wgs84(latitude, longitude))
    return Trace(t_ms, latitude, longitude, accuracy_m, mock, provider)


def declared(*names: object) -> str:
    """The one datum that was declared. Raises BrokenTrace if none, an unknown one or two were."""
    flat = [one for name in names for one in (name if isinstance(name, list | tuple) else [name])]
    if any(name not in DATUMS for name in flat) or not flat:
        raise BrokenTrace("trace_unknown_datum")
    if len(set(flat)) > 1:
        raise BrokenTrace("trace_two_datums")
    return str(flat[0])


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of a moment with a zone."""
    return round(moment.timestamp() * 1000)


def as_claim(trace: Trace, occurred_from: datetime) -> dict[str, Any]:
    """A trace in the API's shape; `read_claim` gives it back, to six decimals of a degree."""
    return {
        "crs": "WGS84",
        "polyline6": encode(trace.lat, trace.lon),
        "dt_ms": (trace.t_ms - epoch_ms(occurred_from)).tolist(),
        "accuracy_m": [None if np.isnan(metres) else metres for metres in trace.accuracy_m.tolist()],
        "provider": trace.provider,
        "mock": trace.mock.astype(int).tolist(),
    }


def _times(given: object) -> Ints:
    if not isinstance(given, list):
        raise BrokenTrace("trace_bad_times")
    if len(given) > MOST_POINTS:
        raise BrokenTrace("trace_too_many_points")
    if not all(type(each) is int for each in given):
        raise BrokenTrace("trace_bad_times")
    if given and not -MOST_MS <= min(given) <= max(given) <= MOST_MS:
        raise BrokenTrace("trace_out_of_range")
    return np.array(given, dtype=np.int64)


def _accuracies(given: object, count: int) -> Floats:
    """Metres; a phone's "unknown" (null, zero, negative, not a number) is nan."""
    if given is None:
        return np.full(count, np.nan)
    if not isinstance(given, list) or not {type(each) for each in given} <= {int, float, type(None)}:
        raise BrokenTrace("trace_bad_accuracy")
    try:
        metres = np.array(given, dtype=np.float64)
    except OverflowError as error:
        raise BrokenTrace("trace_bad_accuracy") from error
    metres[~(metres > 0) | ~np.isfinite(metres)] = np.nan
    return metres


def _flags(given: object, count: int) -> Flags:
    if given is None:
        return np.zeros(count, dtype=np.bool_)
    if not isinstance(given, list) or not all(type(each) in (bool, int) for each in given):
        raise BrokenTrace("trace_unreadable")
    return np.array([bool(each) for each in given], dtype=np.bool_)


class _GpxPoints:
    """Collects (time, latitude, longitude) of track points while a file is parsed."""

    def __init__(self) -> None:
        self.found: list[tuple[datetime, float, float]] = []
        self._place: tuple[float, float] | None = None
        self._time: list[str] | None = None
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._text
        self.parser.EndElementHandler = self._end

    def _refuse(self, *_: object) -> None:
        raise BrokenTrace("trace_unsafe_file")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        match name.rpartition("}")[2]:
            case "trkpt":
                self._place = (float(attributes.get("lat", "")), float(attributes.get("lon", "")))
            case "time" if self._place is not None:
                self._time = []

    def _text(self, text: str) -> None:
        if self._time is not None:
            self._time.append(text)

    def _end(self, name: str) -> None:
        tag = name.rpartition("}")[2]
        if tag == "time" and self._time is not None and self._place is not None:
            self.found.append((_moment("".join(self._time).strip()), *self._place))
            self._time = None
        elif tag == "trkpt":
            self._place = None


def _points_of(feature: Mapping[str, Any]) -> list[tuple[datetime, float, float]]:
    geometry, properties = feature["geometry"], feature["properties"]
    if geometry["type"] == "Point":
        places, times = [geometry["coordinates"]], [properties["time"]]
    elif geometry["type"] == "LineString":
        places, times = geometry["coordinates"], properties["coordinateProperties"]["times"]
    else:
        raise BrokenTrace("trace_unreadable")
    if len(places) != len(times):
        raise BrokenTrace("trace_lengths_differ")
    return [(_moment(time), place[1], place[0]) for time, place in zip(times, places, strict=True)]


def _moment(text: str) -> datetime:
    """An instant with its zone; a time without one could be any of 24 and is not read."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise BrokenTrace("trace_bad_times")
    return moment


def _of_points(points: list[tuple[datetime, float, float]], crs: str) -> Trace:
    if len(points) > MOST_POINTS:
        raise BrokenTrace("trace_too_many_points")
    table = np.array([(lat, lon) for _, lat, lon in points], dtype=np.float64).reshape(-1, 2)
    if not (np.isfinite(table).all() and (np.abs(table) <= (90, 180)).all()):
        raise BrokenTrace("trace_out_of_range")
    times = np.array([epoch_ms(moment) for moment, _, _ in points], dtype=np.int64)
    return make(times, table[:, 0], table[:, 1], crs=crs)
