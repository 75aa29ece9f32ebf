"""A partner's MDS 2.0 trips: the meanings of 404, 202 and 200, the hour asked for, units, places, stable identifiers."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from carbon_credits.cli.conformance.checks import Report
from carbon_credits.cli.conformance.fetching import Fetched, Fetcher
from carbon_credits.cli.conformance.reading import check_items, expect_speed, expect_stable
from carbon_credits.core import clock
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed

MEDIA: Final = re.compile(r"application/(vnd\.mds\+)?json(;.*)?")
MOST_PAGES: Final = 20
HOUR: Final = timedelta(hours=1)
TRIPS: Final = Text("行程", "trips")


def check(report: Report, fetcher: Fetcher, url: str, feed: Feed) -> None:
    """Look at the trips of an hour that is over, twice, and at an hour to come. Raises FetchFault."""
    hour = (clock.now() - timedelta(hours=25)).replace(minute=0, second=0, microsecond=0)
    _future(report, fetcher, url)
    answer = fetcher.get(_of_hour(url, hour))
    ready = Text(f"HTTP {answer.status}", f"HTTP {answer.status}")
    mend = Text("已结束的小时应答 200", "An hour that was over a day ago is answered with 200")
    if not report.expect("hour_past", answer.status == 200, ready, mend):
        return
    _media(report, answer)
    trips = _trips(report, fetcher, url, answer)
    items = check_items(report, feed, [{"trips": trips}] if trips else [], TRIPS)
    if not items:
        return
    _hour(report, trips, hour)
    rides = [trip for trip in trips if _is_ride(trip)]
    expect_speed(report, [trip["distance"] for trip in rides], [trip["duration"] for trip in rides])
    again = _trips(Report(), fetcher, url, fetcher.get(_of_hour(url, hour)))
    expect_stable(report, _by_id(trips), _by_id(again))


def _of_hour(url: str, hour: datetime) -> str:
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}{urlencode({'end_time': f'{hour:%Y-%m-%dT%H}'})}"


def _future(report: Report, fetcher: Fetcher, url: str) -> None:
    status = fetcher.get(_of_hour(url, clock.now() + timedelta(days=2))).status
    mend = Text("未来的小时应答 404", "An hour to come is answered with 404")
    report.expect("hour_future", status == 404, Text(f"HTTP {status}", f"HTTP {status}"), mend)


def _media(report: Report, answer: Fetched) -> None:
    kind = answer.headers.get("content-type", "")
    mend = Text(
        "Content-Type: application/vnd.mds+json;version=2.0",
        "Answer with Content-Type: application/vnd.mds+json;version=2.0",
    )
    report.expect("media_type", MEDIA.fullmatch(kind) is not None, Text(kind, kind), mend)
    document = answer.document()
    version = str(document.get("version")) if isinstance(document, dict) else "-"
    right = re.fullmatch(r"2\.0(\.\d+)?", version) is not None
    report.expect("version", right, Text(version, version), Text("version 应为 2.0.x", "version is 2.0.x"))


def _trips(report: Report, fetcher: Fetcher, url: str, answer: Fetched) -> list[Any]:
    """All trips, page after page; notes whether the pages hold together."""
    trips: list[Any] = []
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        document = answer.document()
        found = document.get("trips") if isinstance(document, dict) else None
        if not isinstance(found, list):
            mend = Text("应为 {version, trips: […]}", "Answer {version, trips: […]}")
            report.expect("trips", False, Text("没有 trips 列表", "there is no list of trips"), mend)
            return []
        trips += found
        following = _next(document)
        if following is None or following in seen:
            break
        seen.add(following)
        answer = fetcher.get(fetcher.within(url, following))
    numbers = [str(trip.get("trip_id")) for trip in trips if isinstance(trip, dict)]
    twice = len(numbers) - len(set(numbers))
    is_circle = _next(answer.document()) is not None
    found_text = Text(f"{len(trips)} 条，{twice} 条重复", f"{len(trips)} trips, {twice} of them told twice")
    mend = Text("各页不重复、不循环", "Pages tell nothing twice and come to an end")
    report.expect("paging", not twice and not is_circle, found_text, mend)
    return trips


def _next(document: Any) -> str | None:
    links = document.get("links") if isinstance(document, dict) else None
    following = links.get("next") if isinstance(links, dict) else None
    return following if isinstance(following, str) and following else None


def _hour(report: Report, trips: Sequence[Any], hour: datetime) -> None:
    """Whether trips ended in the hour asked for; told apart are seconds for milliseconds, and another zone."""
    ends = [trip.get("end_time") for trip in trips if isinstance(trip, dict)]
    whole = [int(end) for end in ends if isinstance(end, int) and not isinstance(end, bool)]
    in_seconds = sum(end < 10**11 for end in whole)
    found = Text(f"{in_seconds} 个时刻似为秒", f"{in_seconds} times look like seconds")
    mend = Text("时刻应为毫秒", "Times are milliseconds since 1970")
    if not report.expect("milliseconds", in_seconds == 0, found, mend):
        return
    apart = [(datetime.fromtimestamp(end / 1000, UTC) - hour) // HOUR for end in whole if end < 10**14]
    wrong = [hours for hours in apart if hours != 0]
    offset = f"{max(set(wrong), key=wrong.count):+d} h" if wrong else "0 h"
    found = Text(
        f"{len(wrong)} 条不在所问小时内（{offset}）", f"{len(wrong)} not in the hour asked for ({offset})"
    )
    mend = Text("end_time 参数为 UTC 小时", "end_time names an hour in UTC")
    report.expect("time_zone", not wrong, found, mend)


def _is_ride(trip: Any) -> bool:
    return isinstance(trip, dict) and all(
        isinstance(trip.get(name), int) and not isinstance(trip.get(name), bool)
        for name in ("distance", "duration")
    )


def _by_id(trips: Sequence[Any]) -> Mapping[str, Any]:
    return {str(trip.get("trip_id")): trip for trip in trips if isinstance(trip, dict)}
