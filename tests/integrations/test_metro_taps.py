"""Taps become journeys, wait, or are refused."""

from collections import Counter
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from carbon_credits.partners.contract import FileFault, ParseOptions, Record, Unusable
from integrations.metro_taps import FEED
from integrations.tap_rows import TIDES as TIDES_COLUMNS
from tests.integrations.samples import DISTANCES, TAPS, TIDES, parsed


@pytest.fixture
def options(tmp_path: Path) -> ParseOptions:
    """With a table that knows two pairs of stations."""
    path = tmp_path / "distances.csv"
    path.write_bytes(DISTANCES)
    return ParseOptions(distances=path)


def test_taps_are_paired_in_time_order_whatever_the_files_order(options: ParseOptions) -> None:
    [journey] = [item for item in parsed(FEED, TAPS, options) if isinstance(item, Record)]
    assert journey.occurred_from == datetime(2026, 3, 2, 0, 2, 11, tzinfo=UTC)
    assert journey.occurred_to == datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    assert journey.monitored == {"distance_m": 3100}
    assert journey.evidence == {"distance": "station_table", "from": "魁奇路", "to": "祖庙"}
    assert journey.subject_token == "c1"
    assert len(journey.settles) == 2


def test_each_tap_that_is_no_journey_says_why(options: ParseOptions) -> None:
    found = Counter(
        (item.reasons, item.waiting) for item in parsed(FEED, TAPS, options) if isinstance(item, Unusable)
    )
    assert found == {
        (("same_station",), False): 2,
        (("exit_missing",), True): 1,
        (("entry_missing",), True): 1,
        (("distance_unknown",), True): 2,
        (("bus_has_no_alighting",), False): 1,
        (("unknown_transaction",), False): 1,
        (("not_readable",), False): 1,
    }


def test_the_control_facts_of_a_file_are_counted() -> None:
    assert FEED.summary(BytesIO(TAPS), ParseOptions()) == {
        "taps": 11,
        "taps_entry": 4,
        "taps_exit": 4,
        "taps_bus": 1,
        "taps_other": 1,
        "taps_unreadable": 1,
        "deal_money_fen": 475 + 200 + 200 + 300 + 160 + 160,
        "deal_value_fen": 500 + 200 + 200 + 300 + 200 + 200,
        "pairs": 3,
        "same_station": 1,
        "cards": 6,
    }


def test_tides_taps_carry_their_own_rider_zone_and_number(options: ParseOptions) -> None:
    items = parsed(FEED, TIDES, options)
    [journey] = [item for item in items if isinstance(item, Record)]
    assert (journey.record_id, journey.subject_token) == ("FM-1+FM-2", "o_7Qm2x")
    assert journey.monitored == {"distance_m": 3100}
    reasons = {
        item.record_id: item.reasons for item in items if isinstance(item, Unusable) and item.line != 6
    }
    assert reasons == {"LNT-3": ("bus_has_no_alighting",), "FM-4": ("correction_waits",)}
    [unreadable] = [item for item in items if item.line == 6]
    assert isinstance(unreadable, Unusable)
    assert unreadable.reasons == ("not_readable",)


def test_what_waited_for_its_distance_is_placed_as_it_would_have_been(options: ParseOptions) -> None:
    kept = [item.kept for item in parsed(FEED, TAPS) if isinstance(item, Unusable) and item.kept]
    assert [item for item in FEED.place(kept, ParseOptions()) if isinstance(item, Record)] == []
    [placed] = [item for item in FEED.place(kept, options) if isinstance(item, Record)]
    [direct] = [item for item in parsed(FEED, TAPS, options) if isinstance(item, Record)]
    assert (placed.record_id, placed.settles, placed.occurred_from, placed.monitored) == (
        direct.record_id,
        direct.settles,
        direct.occurred_from,
        direct.monitored,
    )


def test_the_halves_of_a_journey_told_in_two_files_meet(options: ParseOptions) -> None:
    header, *rows = TAPS.splitlines(keepends=True)
    files = [header + rows[1], header + rows[0]]
    waiting = [item for content in files for item in parsed(FEED, content, options)]
    assert [item.reasons for item in waiting if isinstance(item, Unusable)] == [
        ("exit_missing",),
        ("entry_missing",),
    ]
    kept = [item.kept for item in waiting if isinstance(item, Unusable) and item.kept]
    [placed] = FEED.place(kept, options)
    [direct] = parsed(FEED, header + rows[0] + rows[1], options)
    assert isinstance(placed, Record)
    assert isinstance(direct, Record)
    assert placed.settles == direct.settles == tuple(item.record_id for item in waiting)


def test_shifted_taps_that_wait_are_placed_at_the_shifted_time(options: ParseOptions) -> None:
    shifted = ParseOptions(shift_days=7)
    kept = [item.kept for item in parsed(FEED, TAPS, shifted) if isinstance(item, Unusable) and item.kept]
    [placed] = [
        item
        for item in FEED.place(kept, ParseOptions(shift_days=7, distances=options.distances))
        if isinstance(item, Record)
    ]
    assert placed.occurred_from == datetime(2026, 3, 9, 0, 2, 11, tzinfo=UTC)


def test_taps_more_than_six_hours_apart_are_no_journey(options: ParseOptions) -> None:
    header, *rows = TAPS.splitlines(keepends=True)
    late = rows[0].replace(b"08:30:00", b"14:02:12")
    reasons = [
        item.reasons for item in parsed(FEED, header + rows[1] + late, options) if isinstance(item, Unusable)
    ]
    assert reasons == [("exit_missing",), ("entry_missing",)]
    in_time = rows[0].replace(b"08:30:00", b"14:02:11")
    assert isinstance(parsed(FEED, header + rows[1] + in_time, options)[0], Record)


def test_what_two_gates_tell_of_one_second_is_joined_to_nothing(options: ParseOptions) -> None:
    header = ",".join(TIDES_COLUMNS)
    taps = [("1", "07:50", "Enter", "S1"), ("2", "08:00", "Enter", "S1"), ("3", "08:00", "Enter", "S2")]
    taps += [("4", "08:20", "Exit", "S3"), ("5", "09:00", "Enter", "S1"), ("6", "09:20", "Exit", "S2")]
    taps += [("7", "09:20", "Exit", "S3")]
    rows = [
        f"{number},2026-03-02T{at}:00+08:00,{action},{stop},,o_1,0,CNY" for number, at, action, stop in taps
    ]
    told = "\n".join((header, *rows, "")).encode()
    found = {
        item.record_id: (item.reasons, item.waiting)
        for item in parsed(FEED, told, options)
        if isinstance(item, Unusable)
    }
    alike, unpaired = ("taps_alike",), {"1": "exit_missing", "4": "entry_missing", "5": "exit_missing"}
    assert found == {
        **dict.fromkeys(("2", "3", "6", "7"), (alike, True)),
        **{number: ((reason,), True) for number, reason in unpaired.items()},
    }
    assert FEED.summary(BytesIO(told), ParseOptions())["taps"] == 7


def test_a_column_can_be_bound_instead_of_the_card(options: ParseOptions) -> None:
    bound = ParseOptions(bind_column="company_name", distances=options.distances)
    [journey] = [item for item in parsed(FEED, TAPS, bound) if isinstance(item, Record)]
    assert journey.subject_token == "佛山地铁"


@pytest.mark.parametrize(
    ("table", "code", "line"),
    [
        ("from_station,to_station\na,b\n", "distances_wrong_header", 1),
        ("from_station,to_station,distance_m\na,b\n", "distances_wrong_columns", 2),
        ("from_station,to_station,distance_m\na,b,12.5\n", "distances_broken_row", 2),
        ("from_station,to_station,distance_m\na,b,0\n", "distances_broken_row", 2),
        ("from_station,to_station,distance_m\na,,5\n", "distances_broken_row", 2),
        ("from_station,to_station,distance_m\na,b,5\nb,a,6\n", "distances_contradictory", 3),
        ("from_station,to_station,distance_m\na,b,5", "distances_cut_short", 2),
    ],
)
def test_a_table_of_distances_is_read_as_strictly_as_a_file(
    tmp_path: Path, table: str, code: str, line: int
) -> None:
    path = tmp_path / "distances.csv"
    path.write_text(table)
    with pytest.raises(FileFault) as refused:
        parsed(FEED, TAPS, ParseOptions(distances=path))
    assert (refused.value.code, refused.value.line) == (code, line)


def test_a_table_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileFault, match="distances_not_found"):
        parsed(FEED, TAPS, ParseOptions(distances=tmp_path / "none.csv"))
