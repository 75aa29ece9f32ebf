"""MDS trips, and what other documents of MDS and GBFS are said to be."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carbon_credits.partners.contract import FileFault, Record, Unusable
from integrations.bike_share_mds import FEED
from tests.integrations.samples import MDS, parsed


def test_an_mds_trip_has_its_own_rider_and_distance() -> None:
    first, second = parsed(FEED, MDS)
    assert isinstance(first, Record)
    assert (first.record_id, first.subject_token) == ("t-1", "o_7Qm2x")
    assert first.monitored == {"distance_m": 2870}
    assert first.references == {"vehicle": "d-1", "trip_id": "t-1"}
    assert first.evidence == {"datum": "WGS-84", "distance": "given_by_operator"}
    assert first.occurred_from == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert second == Unusable("t-2", 1, ("not_readable",))


@pytest.mark.parametrize("document", ["[]", "{}", '{"trips": 5}', '{"data": []}'])
def test_json_that_is_no_mds_document_is_refused(document: str) -> None:
    with pytest.raises(FileFault):
        parsed(FEED, document.encode())


@pytest.mark.parametrize("distance", [-1, 1.5, "2870", None, True, 10**20])
def test_an_mds_distance_is_a_whole_number_of_metres(distance: object) -> None:
    told = json.loads(MDS)
    told["trips"][0]["distance"] = distance
    [first, _] = parsed(FEED, json.dumps(told).encode())
    assert isinstance(first, Unusable)


def test_an_mds_trip_without_a_rider_is_set_aside() -> None:
    told = json.loads(MDS)
    del told["trips"][0]["trip_attributes"]
    [first, _] = parsed(FEED, json.dumps(told).encode())
    assert first == Unusable("t-1", 1, ("subject_missing",))


def test_a_bicycle_with_a_motor_is_an_e_bike() -> None:
    told = MDS.replace(b'"human"', b'"electric_assist"')
    [first, _] = parsed(FEED, told)
    assert isinstance(first, Record)
    assert first.methodology == "travel.e_bike"


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"version": "2.0.0", "jurisdictions": []}, "a list of MDS jurisdictions"),
        ({"version": "3.0", "data": {"stations": []}}, "a list of GBFS stations"),
        ({"version": "3.0", "data": {"vehicles": []}}, "a list of vehicles"),
        ({"something": 1}, "none that MDS knows"),
    ],
)
def test_a_document_without_trips_is_refused_by_what_it_is(document: object, kind: str) -> None:
    with pytest.raises(FileFault, match="no_trips") as refused:
        parsed(FEED, json.dumps(document).encode())
    assert refused.value.detail.en == f"No trips in this document: it is {kind}"


def test_an_hour_without_trips_is_an_empty_file() -> None:
    assert parsed(FEED, b'{"version": "2.0.0", "data": {"trips": []}}') == []


def test_stations_are_read_for_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "station_information.json"
    names = [{"text": "季华园", "language": "zh"}]
    stations = [{"station_id": "s-1", "name": names, "lat": 23.013, "lon": 113.109}]
    path.write_text(json.dumps({"version": "3.0", "data": {"stations": stations}}))
    assert list(FEED.tables["stations"](path))[1:] == [("s-1", "季华园", "23.013", "113.109")]
    stations[0].update(lat=113.109, lon=23.013)
    path.write_text(json.dumps({"version": "3.0", "data": {"stations": stations}}))
    with pytest.raises(FileFault, match="broken_row"):
        list(FEED.tables["stations"](path))
