"""What a trace may look like when it comes, and what is refused."""

import json
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_credits.activities.trips import datum
from carbon_credits.activities.trips.polyline import decode, encode
from carbon_credits.activities.trips.trace import (
    BROKEN,
    MOST_POINTS,
    BrokenTrace,
    as_claim,
    epoch_ms,
    read_claim,
    read_geojson,
    read_gpx,
)
from carbon_credits.cli.demo.journeys import BEGAN, walk
from tests.activities.trips.verdicts import claimed

latitudes = st.integers(-90_000_000, 90_000_000)
longitudes = st.integers(-180_000_000, 180_000_000)
CHANCHENG = (23.03, 113.1)


def document(**changes: Any) -> dict[str, Any]:
    """Two points in the API's shape."""
    two = {
        "crs": "WGS84",
        "polyline6": encode(np.array([23.03, 23.031]), np.array([113.1, 113.101])),
        "dt_ms": [0, 5_000],
        "accuracy_m": [5, None],
    }
    return {**two, **changes}


@given(st.lists(st.tuples(latitudes, longitudes), max_size=40))
def test_a_polyline_comes_back_to_the_last_digit(points: list[tuple[int, int]]) -> None:
    table = np.array(points, dtype=np.int64).reshape(-1, 2)
    latitude, longitude = decode(encode(table[:, 0] / 1e6, table[:, 1] / 1e6))
    assert np.rint(latitude * 1e6).tolist() == table[:, 0].tolist()
    assert np.rint(longitude * 1e6).tolist() == table[:, 1].tolist()


def test_the_published_example_decodes() -> None:
    """Google's own example of the algorithm, at five decimals: ours reads the same digits as six."""
    latitude, longitude = decode("_p~iF~ps|U_ulLnnqC_mqNvxq`@")
    assert np.allclose(latitude * 10, [38.5, 40.7, 43.252])
    assert np.allclose(longitude * 10, [-120.2, -120.95, -126.453])


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_any_text_is_a_polyline_or_refused(text: str) -> None:
    expected = nullcontext() if not text else pytest.raises(BrokenTrace)
    with expected:  # no times were sent, so that a text that decodes differs from them in length
        assert len(read_claim(document(polyline6=text, dt_ms=[], accuracy_m=None), BEGAN)) == 0


@given(st.floats(1.0, 55.0), st.floats(73.0, 137.0))
def test_the_datum_has_an_inverse(latitude: float, longitude: float) -> None:
    there = datum.to_gcj02(np.array([latitude]), np.array([longitude]))
    back = datum.to_wgs84(*there)
    metres = np.hypot((back[0] - latitude) * 111_200, (back[1] - longitude) * 111_200)
    assert metres[0] < 0.1


def test_the_datums_are_six_hundred_metres_apart_in_chancheng_and_equal_in_paris() -> None:
    north, east = datum.to_gcj02(np.array([CHANCHENG[0]]), np.array([CHANCHENG[1]]))
    metres = np.hypot((north - CHANCHENG[0]) * 110_770, (east - CHANCHENG[1]) * 102_470)
    assert 600 < metres[0] < 650
    paris = np.array([48.85]), np.array([2.35])
    assert datum.to_gcj02(*paris) == paris
    assert datum.to_wgs84(*paris) == paris


def test_a_trace_in_the_chinese_datum_is_the_same_trace() -> None:
    trace = walk()
    shifted = datum.to_gcj02(trace.lat, trace.lon)
    sent = {**as_claim(trace, BEGAN), "crs": "GCJ02", "polyline6": encode(*shifted)}
    read = read_claim(sent, BEGAN)
    assert np.abs(read.lat - trace.lat).max() < 2e-6
    assert np.abs(read.lon - trace.lon).max() < 2e-6


def test_a_claim_comes_back_as_it_was() -> None:
    trace = walk()
    read = read_claim(json.loads(json.dumps(as_claim(trace, BEGAN))), BEGAN)
    assert read.t_ms.tolist() == trace.t_ms.tolist()
    assert np.allclose(read.lat, trace.lat, atol=1e-9)
    assert np.allclose(read.lon, trace.lon, atol=1e-9)


def test_unknown_accuracy_is_told_in_many_ways() -> None:
    for unknown in (None, 0, -1, float("nan"), float("inf")):
        read = read_claim(document(accuracy_m=[5, unknown]), BEGAN)
        assert read.accuracy_m[0] == 5
        assert np.isnan(read.accuracy_m[1])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"polyline6": None}, "trace_bad_polyline"),
        ({"polyline6": "_p~iF"}, "trace_bad_polyline"),
        ({"polyline6": "中文"}, "trace_bad_polyline"),
        ({"polyline6": "____________?"}, "trace_bad_polyline"),
        ({"polyline6": encode(np.array([91.0, 0.0]), np.array([0.0, 0.0]))}, "trace_out_of_range"),
        ({"polyline6": "?" * (MOST_POINTS * 14 + 1)}, "trace_too_many_points"),
        ({"polyline6": "?" * (MOST_POINTS * 2 + 2), "dt_ms": []}, "trace_too_many_points"),
        ({"dt_ms": [0] * (MOST_POINTS + 1)}, "trace_too_many_points"),
        ({"dt_ms": [0]}, "trace_lengths_differ"),
        ({"accuracy_m": [1]}, "trace_lengths_differ"),
        ({"mock": [0]}, "trace_lengths_differ"),
        ({"dt_ms": [0, 1.5]}, "trace_bad_times"),
        ({"dt_ms": [0, True]}, "trace_bad_times"),
        ({"dt_ms": "0,5000"}, "trace_bad_times"),
        ({"dt_ms": [0, 10**30]}, "trace_out_of_range"),
        ({"accuracy_m": ["5", 5]}, "trace_bad_accuracy"),
        ({"accuracy_m": [10**400, 5]}, "trace_bad_accuracy"),
        ({"mock": ["no", "no"]}, "trace_unreadable"),
        ({"crs": None}, "trace_unknown_datum"),
        ({"crs": "BD09"}, "trace_unknown_datum"),
        ({"crs": {}}, "trace_unknown_datum"),
        ({"crs": []}, "trace_unknown_datum"),
        ({"crs": ["WGS84", "GCJ02"]}, "trace_two_datums"),
    ],
)
def test_what_cannot_be_read_is_refused_by_code(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(BrokenTrace) as refused:
        read_claim(document(**changes), BEGAN)
    assert refused.value.code == code
    assert refused.value.detail == BROKEN[code]


@pytest.mark.parametrize(
    ("latitude", "longitude", "dt_ms"),
    [
        ([], [], []),
        ([23.0], [113.0], [0]),
        ([21.0] * 60, [114.5] * 60, list(range(0, 600_000, 10_000))),  # in the sea, and still
        ([23.0, 23.01] * 30, [113.0] * 60, [0] * 60),  # one moment
        ([23.0, 23.01] * 30, [113.0] * 60, list(range(600_000, 0, -10_000))),  # backwards
        ([0.0, 80.0] * 30, [179.9, -179.9] * 30, list(range(0, 600_000, 10_000))),
    ],
)
def test_a_strange_trace_gets_a_decision(
    latitude: list[float], longitude: list[float], dt_ms: list[int]
) -> None:
    sent = document(
        polyline6=encode(np.array(latitude), np.array(longitude)), dt_ms=dt_ms, accuracy_m=[None] * len(dt_ms)
    )
    trace = read_claim(sent, BEGAN)
    verdict = claimed(trace)
    assert verdict.decision in {"unverified", "reject", "review"}


def test_order_and_repetition_change_nothing() -> None:
    trace = walk()
    shuffled = np.random.default_rng(3).permutation(np.repeat(np.arange(len(trace)), 2))
    sent = as_claim(trace, BEGAN)
    sent["polyline6"] = encode(trace.lat[shuffled], trace.lon[shuffled])
    sent["dt_ms"] = (trace.t_ms[shuffled] - epoch_ms(BEGAN)).tolist()
    sent["accuracy_m"], sent["mock"] = None, None
    assert claimed(read_claim(sent, BEGAN)).features == claimed(trace).features


def test_a_hundred_thousand_points_are_decided() -> None:
    sent = document(
        polyline6="??" * MOST_POINTS, dt_ms=list(range(0, MOST_POINTS * 200, 200)), accuracy_m=None
    )
    assert claimed(read_claim(sent, BEGAN)).decision == "unverified"


GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="23.03" lon="113.1"><ele>4</ele><time>2026-03-02T00:00:00Z</time></trkpt>
<trkpt lat="23.031" lon="113.101"><time>2026-03-02T08:00:05+08:00</time></trkpt>
<trkpt lat="23.032" lon="113.102"></trkpt>
</trkseg></trk></gpx>"""


def test_a_gpx_file_is_read() -> None:
    trace = read_gpx(GPX)
    assert trace.t_ms.tolist() == [epoch_ms(BEGAN), epoch_ms(BEGAN) + 5_000]
    assert trace.lat.tolist() == [23.03, 23.031]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "trace_unreadable"),
        ("not xml", "trace_unreadable"),
        ("<gpx><trkpt lat='north' lon='1'/></gpx>", "trace_unreadable"),
        ("<!DOCTYPE gpx [<!ENTITY a 'b'>]><gpx>&a;</gpx>", "trace_unsafe_file"),
        (GPX.replace("23.031", "92"), "trace_out_of_range"),
        (GPX.replace("23.031", "nan"), "trace_out_of_range"),
        (GPX.replace("2026-03-02T00:00:00Z", "2026-03-02T00:00:00"), "trace_bad_times"),
        (GPX.replace("2026-03-02T00:00:00Z", "yesterday"), "trace_unreadable"),
    ],
)
def test_a_gpx_file_that_cannot_be_trusted_is_refused(text: str, code: str) -> None:
    with pytest.raises(BrokenTrace) as refused:
        read_gpx(text)
    assert refused.value.code == code


TIMES = ["2026-03-02T00:00:00Z", "2026-03-02T00:00:05Z"]
LINE: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "LineString", "coordinates": [[113.1, 23.03], [113.101, 23.031, 7]]},
    "properties": {"coordinateProperties": {"times": TIMES}},
}
POINTS: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": at}, "properties": {"time": time}}
        for at, time in zip([[113.1, 23.03], [113.101, 23.031]], TIMES, strict=True)
    ],
}


@pytest.mark.parametrize("sent", [LINE, POINTS])
def test_geojson_is_read_in_both_shapes(sent: dict[str, Any]) -> None:
    trace = read_geojson(sent)
    assert trace.lat.tolist() == [23.03, 23.031]
    assert trace.t_ms.tolist() == [epoch_ms(BEGAN), epoch_ms(BEGAN) + 5_000]
    assert abs(float(read_geojson({**sent, "crs": "GCJ02"}).lon[0]) - 113.1) > 0.004


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, "trace_unreadable"),
        ({"type": "FeatureCollection", "features": 7}, "trace_unreadable"),
        ({**LINE, "geometry": {"type": "Polygon", "coordinates": []}}, "trace_unreadable"),
        ({**LINE, "properties": {"coordinateProperties": {"times": TIMES[:1]}}}, "trace_lengths_differ"),
        ({**LINE, "crs": "BD09"}, "trace_unknown_datum"),
        (
            {**LINE, "crs": "WGS84", "properties": {**LINE["properties"], "crs": "GCJ02"}},
            "trace_two_datums",
        ),
    ],
)
def test_geojson_that_cannot_be_read_is_refused(sent: dict[str, Any], code: str) -> None:
    with pytest.raises(BrokenTrace) as refused:
        read_geojson(sent)
    assert refused.value.code == code
