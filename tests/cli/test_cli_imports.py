"""Files as an operator brings them in beside the running programme: every row has its fate, or the file is refused."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.stack import Stack
from tests.integrations import partner_samples as told
from tests.walks.test_files import TAPS

COLUMNS = (
    "Trip Duration,Start Time,Stop Time,Start Station ID,Start Station Latitude,Start Station Longitude,"
    "End Station ID,End Station Latitude,End Station Longitude,Bike ID"
)
A_TRIP = "720,2015-09-{day} 08:00:00,2015-09-{day} 08:12:00,R1,23.0200,113.1200,R2,23.0300,113.1300,B{bike}"
SAME_RACK = "900,2015-09-02 09:00:00,2015-09-02 09:15:00,R1,23.0200,113.1200,R1,23.0200,113.1200,B1"
TOO_BRIEF = "60,2015-09-02 10:00:00,2015-09-02 10:01:00,R1,23.0200,113.1200,R2,23.0300,113.1300,B2"
BOUND = ("--bind", "Bike ID")
Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write lines to a file of a name."""

    def write(*lines: str, name: str = "trips.csv", end: str = "\n") -> Path:
        path = tmp_path / name
        content = ("\n".join(lines) + end).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


def trips(*days: int) -> list[str]:
    """A header and a trip of one bicycle on each of these days of September 2015."""
    return [COLUMNS, *(A_TRIP.format(day=f"{day:02}", bike=1) for day in days)]


def rows_of(said: str, words: str) -> int:
    """The number at the end of the table's line that holds these words."""
    (line,) = [line for line in said.splitlines() if words in line]
    return int(re.sub(r"[^\d]", "", line.rsplit("│", 2)[-2]))


def counted(stack: Stack) -> tuple[int, int]:
    """Acts and postings there are."""
    with stack.as_owner() as connection:
        row = connection.execute(
            "select (select count(*) from activity) as acts, (select count(*) from posting) as postings"
        ).fetchone()
    assert row is not None
    return int(row["acts"]), int(row["postings"])


def test_a_public_file_is_credited_row_by_row_and_once(stack: Stack, written: Written) -> None:
    path = written(*trips(1, 2), SAME_RACK, TOO_BRIEF, name="trips.csv.gz")
    early = stack.command("partners", "import", "bike_share", str(path), *BOUND)
    assert early.returncode == 1
    (days,) = re.findall(r"use --shift-days (\d+)", early.stderr)
    before = counted(stack)

    command = ("partners", "import", "bike_share", str(path), *BOUND, "--shift-days", days)
    first = stack.command(*command)
    assert first.returncode == 0, first.stdout + first.stderr
    assert rows_of(first.stdout, "接收 accepted") == 3
    assert rows_of(first.stdout, "进出为同一站点 same_station") == 1
    assert rows_of(first.stdout, "合计 total") == 4
    for fact in ("trips", "bikes", "same_station"):
        assert re.search(rf"{fact} +│ +\d", first.stdout), first.stdout
    assert re.search(r"计入 credited │ — +│ +2 │", first.stdout), first.stdout
    assert "shared_rental_too_brief" in first.stdout
    after = counted(stack)
    assert after == (before[0] + 3, before[1] + 2)

    again = stack.command(*command)
    assert again.returncode == 0
    assert "taken in before" in again.stdout
    assert counted(stack) == after


def test_a_journey_waits_for_its_distance_and_is_credited_when_the_table_comes(
    stack: Stack, written: Written
) -> None:
    rows = (
        TAPS,
        "card-9,2018-08-31 08:00:00,地铁入站,0,200,G1,演示地铁,甲站,IGT,0,2018-09-01 00:00:00",
        "card-9,2018-08-31 08:20:00,地铁出站,200,200,G2,演示地铁,乙站,OGT,0,2018-09-01 00:00:00",
    )
    taps = written(*rows, name="taps.csv")
    table = written("from_station,to_station,distance_m", "甲站,乙站,6400", name="distances.csv")
    told = stack.command("partners", "import", "metro_taps", str(taps), "--bind", "card_no")
    (days,) = re.findall(r"use --shift-days (\d+)", told.stderr)
    command = ("partners", "import", "metro_taps", str(taps), "--bind", "card_no", "--shift-days", days)
    first = stack.command(*command)
    assert first.returncode == 0, first.stdout + first.stderr
    assert rows_of(first.stdout, "distance_unknown") == 2
    second = stack.command(*command, "--distances", str(table))
    assert second.returncode == 0, second.stdout + second.stderr
    assert re.search(r"placed 2 rows", second.stdout), second.stdout
    assert re.search(r"计入 credited │ — +│ +1 │", second.stdout), second.stdout


@pytest.mark.parametrize(
    ("lines", "end", "code", "line"),
    [
        (trips(3, 4), "", "cut_short", 3),
        ([*trips(3), "720,2015-09-03"], "\n", "wrong_columns", 3),
        ([*trips(3), A_TRIP.format(day="04", bike="\0")], "\n", "nul_byte", 3),
        (["a,b", "1,2"], "\n", "wrong_header", 1),
    ],
)
def test_a_file_with_a_fault_is_refused_whole_with_its_line_and_nothing_is_half_credited(
    stack: Stack, written: Written, lines: list[str], end: str, code: str, line: int
) -> None:
    before = counted(stack)
    path = written(*lines, end=end)
    refused = stack.command("partners", "import", "bike_share", str(path), *BOUND, "--shift-days", "4000")
    assert refused.returncode == 1
    assert code in refused.stdout, refused.stdout + refused.stderr
    assert f"line {line}:" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr
    assert counted(stack) == before


def test_another_encoding_is_named_and_can_be_declared(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    station = A_TRIP.format(day="05", bike=7).replace("R1", "季华园")
    path.write_bytes(f"{COLUMNS}\n{station}\n".encode("gb18030"))
    command = ("partners", "import", "bike_share", str(path), *BOUND)
    refused = stack.command(*command)
    assert (refused.returncode, "wrong_encoding" in refused.stdout) == (1, True), refused.stdout
    told = stack.command(*command, "--encoding", "gb18030")
    (days,) = re.findall(r"use --shift-days (\d+)", told.stderr)
    taken = stack.command(*command, "--encoding", "gb18030", "--shift-days", days)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert rows_of(taken.stdout, "接收 accepted") == 1


def test_a_feed_that_is_not_there_and_a_column_that_is_not_there_are_said(
    stack: Stack, written: Written
) -> None:
    path = written(*trips(6))
    unknown = stack.command("partners", "import", "balloons", str(path))
    assert unknown.returncode == 1
    assert "feed_unknown" in unknown.stderr
    column = stack.command(
        "partners", "import", "bike_share", str(path), "--bind", "Balloon", "--shift-days", "4000"
    )
    assert column.returncode == 1
    assert "no_such_column" in column.stdout, column.stdout + column.stderr


def test_json_files_and_bills_go_through_by_the_same_command(stack: Stack, tmp_path: Path) -> None:
    swapped = told.CDR_LINES.replace(b'"23.009700"', b'"x"').replace(b'"113.103060"', b'"23.009700"')
    swapped = swapped.replace(b'"x"', b'"113.103060"')
    path = tmp_path / "cdrs.json"
    path.write_bytes(swapped)
    refused = stack.command("partners", "import", "ev_charging", str(path))
    assert refused.returncode == 0, refused.stdout + refused.stderr
    assert "coordinates_swapped" in refused.stdout
    bill = tmp_path / "bill.csv"
    bill.write_bytes(told.STATEMENT.replace("共2笔".encode(), "共9笔".encode()))
    whole = stack.command("partners", "import", "shop_bills", str(bill))
    assert (whole.returncode, "totals_disagree" in whole.stdout) == (1, True), whole.stdout + whole.stderr
    assert "the bill says 9, its rows come to 2" in " ".join(whole.stdout.split())


def test_a_table_beside_the_records_is_written_as_csv(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "stations.json"
    station = {"station_id": "s-1", "name": "季华园", "lat": 23.013, "lon": 113.109}
    path.write_text(json.dumps({"data": {"stations": [station]}}))
    written = stack.command("partners", "table", "bike_share_mds", "stations", str(path))
    assert written.stdout.splitlines()[-1] == "s-1,季华园,23.013,113.109", written.stderr
    unknown = stack.command("partners", "table", "bike_share_mds", "moons", str(path))
    assert unknown.returncode == 2
    assert "stations" in unknown.stderr
    faulty = stack.command("partners", "table", "metro_taps", "distances", str(path))
    assert faulty.returncode == 1
    assert "not_gtfs" in faulty.stderr
