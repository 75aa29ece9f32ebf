"""Conformance of a partner's own endpoints: a small server of the right kind, then one that misbehaves in each way."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbon_credits.cli.conformance import files, gbfs, mds, ocpi, ours
from carbon_credits.cli.conformance.checks import Report
from carbon_credits.cli.conformance.fetching import Fetcher, FetchFault
from carbon_credits.core import clock
from carbon_credits.core.i18n import Text
from integrations import bike_share_mds, ev_charging, recycling
from tests.integrations.partner_samples import a_cdr

Answer = tuple[int, dict[str, str], Any]
Route = Callable[[dict[str, str]], Answer]
MDS_KIND = {"Content-Type": "application/vnd.mds+json;version=2.0"}


@contextmanager
def serving(routes: dict[str, Route]) -> Iterator[str]:
    """A real server whose routes answer with status, headers and a document, or with bytes as they are."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            route = routes.get(parts.path)
            status, headers, body = route(query) if route else (404, {}, {})
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(raw)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def outcome(look: Callable[[Report], None]) -> dict[str, str]:
    """The checks by name, a fault of fetching among them."""
    report = Report()
    try:
        look(report)
    except FetchFault as fault:
        report.expect(fault.code, False, fault.found, fault.mend)
    assert all(c.found.zh or c.outcome == "passed" for c in report.checks)
    assert all(c.mend.zh and c.mend.en for c in report.checks if c.outcome == "failed")
    return {check.name: check.outcome for check in report.checks}


def failed(checks: dict[str, str]) -> set[str]:
    """The names of what failed."""
    return {name for name, one in checks.items() if one == "failed"}


# --- MDS


def trips_of(hour: datetime, **changes: Any) -> list[dict[str, Any]]:
    """Two trips that end in an hour."""
    start = int(hour.timestamp() * 1000)
    return [
        {
            "provider_id": "6f2c0000-0000-4000-8000-000000000001",
            "device_id": f"d-{n}",
            "trip_id": f"t-{hour:%H}-{n}",
            "start_time": start + n,
            "end_time": start + n + 962_000,
            "start_location": {"lat": 23.02961, "lng": 113.10672},
            "end_location": {"lat": 23.0097, "lng": 113.10306},
            "duration": 962,
            "distance": 2870,
            "trip_attributes": {"subject_token": "o_7Qm2x", "propulsion": "human"},
            **changes,
        }
        for n in (1, 2)
    ]


def mds_route(change: Callable[[list[dict[str, Any]]], Any] = lambda trips: trips, **envelope: Any) -> Route:
    """An endpoint that is right but for a change of its trips."""

    def route(query: dict[str, str]) -> Answer:
        hour = datetime.strptime(query["end_time"], "%Y-%m-%dT%H").replace(tzinfo=UTC)
        if hour > clock.now():
            return 404, {}, {}
        return 200, MDS_KIND, {"version": "2.0.0", "trips": change(trips_of(hour)), **envelope}

    return route


def look_at_mds(route: Route) -> dict[str, str]:
    with serving({"/trips": route}) as url:
        return outcome(lambda report: mds.check(report, Fetcher({}, 5), f"{url}/trips", bike_share_mds.FEED))


def each(**changes: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """Every trip with these values instead."""
    return lambda trips: [{**trip, **changes} for trip in trips]


def in_zone(trips: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Trips of Beijing's hour, not of the one in UTC."""
    eight = 8 * 3_600_000
    return [{**t, "start_time": t["start_time"] - eight, "end_time": t["end_time"] - eight} for t in trips]


def in_seconds(trips: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Seconds for milliseconds."""
    return [{**t, "start_time": t["start_time"] // 1000, "end_time": t["end_time"] // 1000} for t in trips]


def test_a_good_mds_endpoint_passes() -> None:
    checks = look_at_mds(mds_route())
    assert failed(checks) == set()
    assert {"hour_future", "hour_past", "paging", "schema", "coordinates", "speed", "stable_ids"} <= set(
        checks
    )


@pytest.mark.parametrize(
    ("route", "wrong"),
    [
        (mds_route(each(start_location={"lat": 113.10672, "lng": 23.02961})), {"coordinates"}),
        (mds_route(in_zone), {"time_zone"}),
        (mds_route(in_seconds), {"milliseconds", "times"}),
        (mds_route(each(distance=3)), {"speed"}),
        (mds_route(each(distance="2870")), {"schema"}),
        (mds_route(each(trip_attributes={})), {"subject"}),
        (mds_route(lambda trips: [trips[0], trips[0]]), {"paging"}),
        (mds_route(lambda trips: {"none": trips}), {"trips"}),
        (mds_route(version="1.2.0"), {"version"}),
        (lambda query: (200, MDS_KIND, {"version": "2.0.0", "trips": []}), {"hour_future"}),
        (lambda query: (404, {}, {}), {"hour_past"}),
        (lambda query: (500, {}, {}), {"hour_future", "hour_past"}),
    ],
    ids=[
        "swapped",
        "zone",
        "seconds",
        "kilometres",
        "text",
        "nobody",
        "twice",
        "no list",
        "old version",
        "future",
        "nothing",
        "broken",
    ],
)
def test_an_mds_endpoint_that_errs_is_told_where(route: Route, wrong: set[str]) -> None:
    assert wrong <= failed(look_at_mds(route))


def test_identifiers_that_change_are_found() -> None:
    calls: list[int] = []

    def anew(trips: list[dict[str, Any]]) -> list[dict[str, Any]]:
        calls.append(1)
        return [{**trip, "trip_id": f"{trip['trip_id']}-{len(calls)}"} for trip in trips]

    assert failed(look_at_mds(mds_route(anew))) == {"stable_ids"}


def test_pages_are_followed_and_a_circle_is_found() -> None:
    def page(query: dict[str, str], base: str = "") -> Answer:
        status, headers, body = mds_route()(query)
        if status == 200:
            number = int(query.get("page", "1"))
            body["trips"] = [{**t, "trip_id": f"{t['trip_id']}-{number}"} for t in body["trips"]]
            last = number >= 3
            more = f"/trips?end_time={query['end_time']}&page={number + 1}"
            body["links"] = {} if last else {"next": base + more}
        return status, headers, body

    holder: dict[str, Route] = {}
    with serving(holder) as url:
        holder["/trips"] = lambda query: page(query, url)
        look = lambda report: mds.check(report, Fetcher({}, 5), f"{url}/trips", bike_share_mds.FEED)  # noqa: E731
        assert failed(outcome(look)) == set()

        def circle(query: dict[str, str]) -> Answer:
            status, headers, body = mds_route()(query)
            if status == 200:
                body["links"] = {"next": f"{url}/trips?end_time={query['end_time']}"}
            return status, headers, body

        holder["/trips"] = circle
        assert "paging" in failed(outcome(look))

        def elsewhere(query: dict[str, str]) -> Answer:
            status, headers, body = mds_route()(query)
            if status == 200:
                body["links"] = {"next": "http://169.254.169.254/latest"}
            return status, headers, body

        holder["/trips"] = elsewhere
        assert failed(outcome(look)) == {"same_host"}


# --- fetching


def fetched(routes: dict[str, Route], path: str = "/", **options: Any) -> FetchFault:
    """The fault of fetching."""
    with serving(routes) as url, pytest.raises(FetchFault) as found:
        Fetcher({}, **options).get(url + path).document()
    return found.value


def test_fetching_is_bounded_and_is_not_led_away() -> None:
    def goes(place: str) -> Route:
        return lambda query: (302, {"Location": place}, {})

    assert fetched({"/": goes("/")}).code == "redirects"
    assert fetched({"/": goes("http://127.0.0.1:1/")}).code == "same_host"
    assert fetched({"/": goes("file:///etc/passwd")}).code == "same_host"
    assert fetched({"/": lambda query: (200, {}, b"x" * 200_000)}, most_bytes=100_000).code == "size"
    assert fetched({"/": lambda query: (200, {}, b'{"a": NaN}')}).code == "json"
    assert fetched({"/": lambda query: (200, {}, b'{"a": 1, "a": 2}')}).code == "json"
    with serving({"/a": goes("/b"), "/b": lambda query: (200, {}, {"ok": True})}) as url:
        assert Fetcher({}).get(f"{url}/a").document() == {"ok": True}
    with pytest.raises(FetchFault, match="reachable"):
        Fetcher({}, 1).get("http://127.0.0.1:1/")
    for address in ("http://example.com/", "file:///etc/passwd", "ftp://127.0.0.1/"):
        with pytest.raises(FetchFault, match="https"):
            Fetcher({}).get(address)


@pytest.mark.parametrize("gap", [30, 0.05], ids=["silent", "a byte at a time"])
def test_whoever_answers_slowly_is_not_waited_for(gap: float) -> None:
    over = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            while not over.wait(gap):
                try:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(FetchFault, match="time"):
            Fetcher({}, 0.5).get(f"http://127.0.0.1:{server.server_port}/")
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
    assert time.monotonic() - began < 20


# --- GBFS


def gbfs_routes(url: Callable[[], str], **changes: Any) -> dict[str, Route]:
    """A small GBFS 3 system."""
    wrapped = {"last_updated": "2026-03-02T08:00:00+08:00", "ttl": 60, "version": "3.0"}
    station = {
        "station_id": "1",
        "name": [{"text": "季华园", "language": "zh"}],
        "lat": 23.013,
        "lon": 113.109,
    }

    def told(name: str, data: dict[str, Any]) -> Route:
        return lambda query: (200, {}, {**wrapped, "data": data, **changes.get(name, {})})

    def listed(query: dict[str, str]) -> Answer:
        names = ("system_information", "station_information")
        feeds = [{"name": name, "url": f"{changes.get('at') or url()}/{name}"} for name in names]
        return 200, {}, {**wrapped, "data": {"feeds": feeds}, **changes.get("gbfs", {})}

    return {
        "/gbfs": listed,
        "/system_information": told("system_information", {"system_id": "s", "timezone": "Asia/Shanghai"}),
        "/station_information": told("station_information", {"stations": [station]}),
    }


def look_at_gbfs(**changes: Any) -> dict[str, str]:
    routes: dict[str, Route] = {}
    with serving(routes) as url:
        routes.update(gbfs_routes(lambda: url, **changes))
        return outcome(lambda report: gbfs.check(report, Fetcher({}, 5), f"{url}/gbfs"))


def test_a_good_gbfs_system_passes_and_faults_are_told_where() -> None:
    good = look_at_gbfs()
    assert failed(good) == set()
    assert {"feeds", "time_zone", "coordinates", "stable_ids"} <= set(good)
    swapped = {"data": {"stations": [{"station_id": "1", "lat": 113.109, "lon": 23.013}]}}
    assert failed(look_at_gbfs(station_information=swapped)) == {"coordinates"}
    assert failed(look_at_gbfs(system_information={"data": {"timezone": "Beijing"}})) == {"time_zone"}
    assert failed(look_at_gbfs(station_information={"last_updated": 1772409600})) == {"station_information"}
    assert failed(look_at_gbfs(gbfs={"version": "2.3"})) == {"gbfs"}
    assert failed(look_at_gbfs(gbfs={"data": {"feeds": []}})) == {"feeds"}
    assert failed(look_at_gbfs(at="http://10.0.0.1")) == {"same_host"}


# --- OCPI


def cdr(number: int, **changes: Any) -> dict[str, Any]:
    """A CDR of its number."""
    return a_cdr(id=f"CDR-{number}", session_id=f"S-{number}", total_time=1.193, **changes)


def ocpi_route(base: str, cdrs: list[dict[str, Any]], headers: dict[str, str], page: int = 2) -> Route:
    """An endpoint that tells CDRs in pages."""

    def route(query: dict[str, str]) -> Answer:
        offset = int(query.get("offset", "0"))
        told = {"X-Total-Count": str(len(cdrs)), "X-Limit": str(page)}
        if offset + page < len(cdrs):
            told["Link"] = f'<{base}/cdrs?offset={offset + page}&limit={page}>; rel="next"'
        body = {
            "data": cdrs[offset : offset + page],
            "status_code": 1000,
            "timestamp": "2026-03-02T16:00:00Z",
        }
        return 200, {**told, **headers}, body

    return route


def look_at_ocpi(cdrs: list[dict[str, Any]], **headers: str) -> dict[str, str]:
    routes: dict[str, Route] = {}
    with serving(routes) as url:
        routes["/cdrs"] = ocpi_route(url, cdrs, headers)
        return outcome(lambda report: ocpi.check(report, Fetcher({}, 5), f"{url}/cdrs", ev_charging.FEED))


def test_a_good_ocpi_endpoint_passes_and_faults_are_told_where() -> None:
    five = [cdr(n) for n in range(5)]
    good = look_at_ocpi(five)
    assert failed(good) == set()
    assert {"envelope", "paging", "schema", "hours", "time_zone", "stable_ids"} <= set(good)
    assert failed(look_at_ocpi(five, **{"X-Total-Count": "7"})) == {"paging"}
    assert failed(look_at_ocpi([*five, cdr(0)])) == {"paging"}
    location = {
        **a_cdr()["cdr_location"],
        "coordinates": {"latitude": "113.103060", "longitude": "23.009700"},
    }
    assert failed(look_at_ocpi([cdr(1, cdr_location=location)])) == {"coordinates"}
    assert failed(look_at_ocpi([cdr(1, total_energy=33_000)])) == {"units"}
    beijing = {"start_date_time": "2026-03-02T22:01:10+08:00", "end_date_time": "2026-03-02T23:12:44+08:00"}
    assert failed(look_at_ocpi([cdr(1, **beijing)])) == {"time_zone"}
    with serving({"/cdrs": lambda query: (401, {}, {"status_code": 2001})}) as url:
        look = lambda report: ocpi.check(report, Fetcher({}, 5), f"{url}/cdrs", ev_charging.FEED)  # noqa: E731
        assert failed(outcome(look)) == {"authorized"}


def test_a_duration_in_minutes_is_found() -> None:
    minutes = [{**cdr(n), "total_time": 71.6} for n in range(3)]
    assert failed(look_at_ocpi(minutes)) == {"hours"}


# --- an API like ours that says yes to everything


def test_an_api_that_refuses_nothing_fails_each_check_of_a_refusal() -> None:
    row = {"index": 0, "record_id": "r", "status": "accepted", "id": "1", "reasons": []}
    ack = {"id": "1", "status": "applied", "rows_declared": 1, "rows_read": 1, "accepted": 1, "duplicate": 0}
    ack |= {"waiting": 0, "rejected": 0, "reason": None, "watermark": {"seq": 9}, "links": {"self": "/a"}}
    routes: dict[str, Route] = {
        "/oauth/token": lambda query: (200, {}, {"access_token": "t"}),
        "/partner/v1/records": lambda query: (200, {}, {"results": [row]}),
        "/partner/v1/files": lambda query: (202, {}, ack),
    }
    with serving(routes) as url:
        api = ours.Api(Fetcher({}, 5), url, "client", "secret")
        sender = files.Sender(api, recycling.FEED, Ed25519PrivateKey.generate(), 1, patience_s=1)

        def look(report: Report) -> None:
            assert ours.check_token(report, api)
            ours.check_records(report, api, recycling.FEED, None)
            files.check_files(report, sender)

        wrong = failed(outcome(look))
    assert {"token_wrong_secret", "record_again", "record_contradictory"} <= wrong
    assert {f"record_{name}" for name in ("without_token", "without_key", "malformed", "not_json")} <= wrong
    assert {f"file_wrong_{name}" for name in ("signature", "hash", "manifest", "total")} <= wrong
    assert {"file_of_the_future", "file_other_bytes", "file_gap", "file_gap_closed"} <= wrong


def test_what_a_server_says_is_shown_as_text_alone(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    said = "[red]\x1b[2Jgone" + "x" * 10_000
    report.expect("media_type", False, Text(said, said), Text("改", "mend"))
    report.show()
    shown = capsys.readouterr().out
    assert "[red]" in shown
    assert "\x1b[2J" not in shown
    assert len(shown) < 3_000


def test_a_report_is_good_only_when_something_was_looked_at() -> None:
    assert not Report().is_good
