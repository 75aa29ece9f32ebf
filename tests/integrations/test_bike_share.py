"""Bicycle trips as operators tell them."""

from collections import Counter
from datetime import UTC, datetime
from io import BytesIO

import pytest

from carbon_credits.partners.contract import ParseOptions, Record, Unusable
from integrations.bike_share import FEED
from tests.integrations.samples import BIKES, parsed

BY_BIKE = ParseOptions(bind_column="Bike ID")


def test_a_public_trip_is_the_great_circle_between_its_stations_at_local_time() -> None:
    first = parsed(FEED, BIKES, BY_BIKE)[0]
    assert isinstance(first, Record)
    assert first.occurred_from == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert first.occurred_to == datetime(2026, 3, 2, 0, 10, tzinfo=UTC)
    # 0.017° of latitude and 0.003° of longitude at 23° N: 1,883 m and 307 m
    assert 1_900 < first.monitored["distance_m"] < 1_915
    assert first.references == {"vehicle": "b1"}
    assert first.evidence == {
        "datum": "WGS-84",
        "distance": "great_circle_between_stations",
        "from": "1",
        "to": "2",
    }
    assert (first.subject_token, first.line) == ("b1", 2)


def test_each_trip_that_is_none_says_why() -> None:
    found = {item.line: item.reasons for item in parsed(FEED, BIKES, BY_BIKE) if isinstance(item, Unusable)}
    assert found == {4: ("same_station",), 5: ("contradictory_duration",), 6: ("not_readable",)}


def test_a_second_lost_to_rounding_is_no_contradiction() -> None:
    second = parsed(FEED, BIKES, BY_BIKE)[1]
    assert isinstance(second, Record)
    contradictory = parsed(FEED, BIKES.replace(b"\n599,", b"\n598,"), BY_BIKE)[1]
    assert isinstance(contradictory, Unusable)


def test_a_trip_that_ends_before_it_starts_is_contradictory() -> None:
    content = BIKES.replace(b"\n600,2026-03-02 08:00:00", b"\n600,2026-03-02 08:20:00")
    [first, *_] = parsed(FEED, content, BY_BIKE)
    assert isinstance(first, Unusable)
    assert first.reasons == ("contradictory_duration",)


@pytest.mark.parametrize("degrees", ["nan", "inf", "91", "", "23,0"])
def test_coordinates_that_are_none_are_not_readable(degrees: str) -> None:
    content = BIKES.replace(b"23.0130", f'"{degrees}"'.encode(), 1)
    [first, *_] = parsed(FEED, content, BY_BIKE)
    assert isinstance(first, Unusable)
    assert first.reasons == ("not_readable",)


def test_a_public_file_names_no_rider_unless_a_column_is_bound() -> None:
    reasons = Counter(item.reasons for item in parsed(FEED, BIKES) if isinstance(item, Unusable))
    assert reasons == {("subject_missing",): 4, ("contradictory_duration",): 1, ("not_readable",): 1}


def test_the_control_facts_of_a_file_are_counted() -> None:
    overlapping = (
        BIKES + BIKES.splitlines()[1].replace(b"08:00:00", b"08:09:59").replace(b"600,", b"1,") + b"\n"
    )
    facts = FEED.summary(BytesIO(overlapping), ParseOptions())
    assert facts == {
        "trips": 7,
        "unreadable": 1,
        "contradictory": 1,
        "same_station": 1,
        "over_3_h": 1,
        "longest_s": 10_860,
        "overlaps": 1,
        "swapped": 0,
        "bikes": 3,
    }


def test_nothing_waits_so_nothing_is_placed() -> None:
    assert list(FEED.place([], ParseOptions())) == []
