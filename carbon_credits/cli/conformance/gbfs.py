"""A partner's GBFS 3: the list of feeds, times, places and names of stations, identifiers that stay."""

import re
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from carbon_credits.cli.conformance.checks import Report
from carbon_credits.cli.conformance.fetching import Fetched, Fetcher
from carbon_credits.cli.conformance.reading import expect_stable
from carbon_credits.core.i18n import Text

RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
REQUIRED: Final = ("system_information", "station_information")
# a generous box of China, only to tell latitude from longitude
SOUTH, NORTH, WEST, EAST = 3, 54, 73, 136


def check(report: Report, fetcher: Fetcher, url: str) -> None:
    """Look at the list of feeds, the system and its stations, the last of them twice. Raises FetchFault."""
    listed = _envelope(report, "gbfs", fetcher.get(url))
    feeds = listed.get("feeds") if isinstance(listed, dict) else None
    known = {
        str(each.get("name")): str(each.get("url"))
        for each in (feeds if isinstance(feeds, list) else [])
        if isinstance(each, dict)
    }
    missing = [name for name in REQUIRED if name not in known]
    found = Text(f"列出 {len(known)} 个文件", f"{len(known)} feeds are listed")
    mend = Text(f"缺少 {', '.join(missing)}", f"List {', '.join(missing)}")
    if not report.expect("feeds", not missing, found, mend):
        return
    system = _envelope(report, "system_information", fetcher.get(fetcher.within(url, known[REQUIRED[0]])))
    zone = system.get("timezone") if isinstance(system, dict) else None
    report.expect(
        "time_zone",
        zone in available_timezones(),
        Text(str(zone), str(zone)),
        Text("timezone 应为 IANA 名称，如 Asia/Shanghai", "timezone is an IANA name: Asia/Shanghai"),
    )
    at = fetcher.within(url, known[REQUIRED[1]])
    first = _stations(_envelope(report, "station_information", fetcher.get(at)))
    _places(report, first)
    expect_stable(report, first, _stations(_envelope(Report(), "again", fetcher.get(at))))


def _envelope(report: Report, name: str, answer: Fetched) -> Any:
    """What lies in `data`, once version, time and life are looked at."""
    document = answer.document() if answer.status == 200 else {}
    told = document if isinstance(document, dict) else {}
    version, ttl, at = told.get("version"), told.get("ttl"), told.get("last_updated")
    wrong = [
        word
        for word, is_right in (
            ("version", isinstance(version, str) and version.startswith("3.")),
            ("ttl", isinstance(ttl, int) and not isinstance(ttl, bool) and ttl >= 0),
            ("last_updated", isinstance(at, str) and RFC3339.fullmatch(at) is not None),
            ("data", isinstance(told.get("data"), dict)),
        )
        if not is_right
    ]
    found = Text(f"HTTP {answer.status}，{version}", f"HTTP {answer.status}, {version}")
    mend = Text(f"按 GBFS 3 改正：{', '.join(wrong)}", f"Mend by GBFS 3: {', '.join(wrong)}")
    report.expect(name, not wrong, found, mend)
    return told.get("data")


def _stations(data: Any) -> Mapping[str, Any]:
    stations = data.get("stations") if isinstance(data, dict) else None
    told = stations if isinstance(stations, list) else []
    return {str(each.get("station_id")): each for each in told if isinstance(each, dict)}


def _places(report: Report, stations: Mapping[str, Any]) -> None:
    swapped = sum(_is_in(each.get("lon"), each.get("lat")) for each in stations.values())
    wrong = sum(not _is_in(each.get("lat"), each.get("lon")) for each in stations.values())
    found = Text(
        f"{len(stations)} 个站点，{wrong} 个不在境内，其中 {swapped} 个经纬度互换",
        f"{len(stations)} stations, {wrong} of them not here, {swapped} with latitude and longitude exchanged",
    )
    mend = Text("lat 为纬度、lon 为经度，WGS-84", "lat is latitude, lon longitude, WGS-84")
    report.expect("coordinates", bool(stations) and not wrong, found, mend)


def _is_in(latitude: Any, longitude: Any) -> bool:
    try:
        return bool(SOUTH <= latitude <= NORTH and WEST <= longitude <= EAST)
    except TypeError:
        return False
