"""Shared bicycles and e-bikes as MDS 2.0 trips (openmobilityfoundation/mobility-data-specification, `/trips`).

The trip has the distance ridden and, by our contract, the rider's token and the vehicle's propulsion in
`trip_attributes`. MDS and GBFS documents of other kinds are refused by what they are. A GBFS vehicle id changes
after each trip, so nothing is ever joined by it: stations are all that is read of GBFS.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, FileFault, ParseOptions, Record
from integrations import documents, gbfs_stations, readings, samples
from integrations.telling import Told, parsing, refused, still_waiting, summing, unreadable

# their word for what drives it, mapped to the methodology; without a word the operator has bicycles
PROPULSIONS: Final[Mapping[str, str]] = {
    "human": "travel.shared_bicycle",
    "electric_assist": "travel.e_bike",
}
SUBJECT: Final = "trip_attributes.subject_token"
LONGEST: Final = timedelta(hours=24)
ROUNDING: Final = timedelta(seconds=1)
# what other documents of the two standards are, by what only they have
KINDS: Final[Mapping[str, Text]] = {
    "jurisdictions": Text("MDS 辖区", "list of MDS jurisdictions"),
    "query": Text("MDS 统计指标", "report of MDS metrics"),
    "geography": Text("MDS 停靠区", "MDS stop or geography"),
    "vehicles": Text("车辆状态", "list of vehicles"),
    "events": Text("MDS 车辆事件", "list of MDS events"),
    "stations": Text("GBFS 站点", "list of GBFS stations"),
    "feeds": Text("GBFS 数据目录", "GBFS list of feeds"),
    "versions": Text("GBFS 版本目录", "GBFS list of versions"),
    "geofencing_zones": Text("GBFS 围栏", "list of GBFS geofencing zones"),
    "datasets": Text("GBFS 数据集目录", "GBFS manifest of datasets"),
    "alerts": Text("GBFS 公告", "list of GBFS alerts"),
    "plans": Text("GBFS 价目", "list of GBFS pricing plans"),
    "regions": Text("GBFS 区域", "list of GBFS regions"),
    "system_id": Text("GBFS 系统信息", "GBFS description of a system"),
    "vehicle_types": Text("GBFS 车型", "list of GBFS vehicle types"),
}


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every trip of the file. Raises FileFault: `no_trips` for a document of another kind, said by its name."""
    subject_path = options.bind_column or SUBJECT
    line = 0
    for line, document in documents.elements(stream):
        for trip in _trips(document, line):
            try:
                yield _told(trip, line, subject_path)
            except (KeyError, TypeError, ValueError, AttributeError):
                yield unreadable(trip, line, readings.at(trip, "trip_id"))
    if line == 0:
        raise FileFault("no_trips", _kind(None), 1)


def _trips(document: Any, line: int) -> list[Any]:
    for holder in (document, readings.at(document, "data")):
        if isinstance(holder, dict) and isinstance(holder.get("trips"), list):
            return list(holder["trips"])
    if isinstance(document, dict) and "trip_id" in document:
        return [document]
    raise FileFault("no_trips", _kind(document), line)


def _kind(document: Any) -> Text:
    for holder in (document, readings.at(document, "data")):
        for name, kind in KINDS.items():
            if isinstance(holder, dict) and name in holder:
                return Text(f"文件中没有行程：这是{kind.zh}", f"No trips in this document: it is a {kind.en}")
    return Text("文件中没有行程：不是 MDS 文件", "No trips in this document: it is none that MDS knows")


def _told(trip: Any, line: int, subject_path: str) -> Told:
    number, device = readings.named(trip["trip_id"]), readings.named(trip["device_id"])
    start, stop = readings.milliseconds(trip["start_time"]), readings.milliseconds(trip["end_time"])
    propulsion = readings.at(trip, "trip_attributes.propulsion")
    methodology = PROPULSIONS.get("human" if propulsion is None else str(propulsion))
    distance_m, subject = readings.integer(trip["distance"]), readings.at(trip, subject_path)
    length, stated = stop - start, timedelta(seconds=readings.integer(trip["duration"]))
    misplaced = [_misplaced(trip[end]) for end in ("start_location", "end_location")]
    flaws = {
        "ends_before_start": length < timedelta(0),
        "contradictory_duration": length >= timedelta(0) and abs(length - stated) > ROUNDING,
        "absurd_duration": length > LONGEST,
        "unknown_propulsion": methodology is None,
        "subject_missing": not subject,
    }
    reasons = [reason for reason, is_found in flaws.items() if is_found]
    reasons += dict.fromkeys(each for each in misplaced if each is not None)
    facts = {"trips": 1, "distance_m": distance_m}
    span = (device, start, stop) if start <= stop else None
    if reasons or methodology is None:
        return Told(refused(number, line, *reasons), facts, span)
    record = Record(
        record_id=number,
        subject_token=readings.named(subject),
        methodology=methodology,
        occurred_from=start,
        occurred_to=stop,
        monitored={"distance_m": distance_m},
        references={"vehicle": device, "trip_id": number},
        evidence={"datum": "WGS-84", "distance": "given_by_operator"},
        line=line,
    )
    return Told(record, facts, span)


def _misplaced(place: Any) -> str | None:
    area = readings.AREAS["CHN"]
    return readings.misplaced(readings.degrees(place["lat"]), readings.degrees(place["lng"]), area)


FEED: Final = Feed(
    code="bike_share_mds",
    partner="bike_share",
    partner_names=Text("共享单车运营方", "Bike-share operator"),
    names=Text("共享单车与电单车行程（MDS）", "Shared bicycle and e-bike trips (MDS)"),
    evidence_class="A",
    formats=Text("MDS 2.0 行程；站点取自 GBFS 3", "MDS 2.0 trips; stations from GBFS 3"),
    methodologies=tuple(PROPULSIONS.values()),
    late_days=35,
    parse_file=parsing(read),
    summary=summing(read, "trips"),
    place=still_waiting,
    tables={"stations": gbfs_stations.table},
    samples=samples.of("bike_share_mds"),
)
