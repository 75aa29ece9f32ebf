"""Distances along a line, on a small town made up for this: a straight street and one with a detour."""

import zipfile
from pathlib import Path

import pytest

from carbon_credits.partners.contract import FileFault
from integrations import gtfs
from integrations.station_distances import Distances

# a degree of latitude is some 110.7 km here, a degree of longitude some 102.5 km
FILES = {
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,parent_station\n"
    "A,甲,23.00,113.10,\nB1,乙一,23.01,113.10,B\nB2,乙二,23.01,113.1001,B\nB,乙,23.01,113.10,\nC,丙,23.02,113.10,\n",
    "routes.txt": "route_id,route_type\nR,1\n",
    "trips.txt": "route_id,service_id,trip_id,shape_id\nR,S,T1,L\nR,S,T2,\nR,S,T3,L\n",
    "stop_times.txt": "trip_id,stop_sequence,stop_id\nT1,1,A\nT1,2,B1\nT2,2,C\nT2,1,B2\nT3,1,A\nT3,5,B2\n",
    # from 甲 east, north, and west again to 乙
    "shapes.txt": "shape_id,shape_pt_sequence,shape_pt_lat,shape_pt_lon\n"
    "L,1,23.00,113.10\nL,3,23.01,113.11\nL,2,23.00,113.11\nL,4,23.01,113.10\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "S,1,1,1,1,1,0,0,20260101,20261231\n",
    "calendar_dates.txt": "service_id,date,exception_type\nS,20260101,2\n",
}


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A feed as a folder."""
    folder = tmp_path / "town"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content)
    return folder


def packed(folder: Path) -> Path:
    """The same as a zip."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for each in folder.iterdir():
            archive.write(each, each.name)
    return path


def test_a_line_is_measured_along_its_way_and_straight_where_it_has_none(town: Path) -> None:
    header, *rows = gtfs.distances(town)
    metres = {(one, other): int(told) for one, other, told in rows}
    assert header == ("from_station", "to_station", "distance_m")
    assert set(metres) == {("A", "B"), ("B", "C"), ("A", "C")}
    # a kilometre east, 1.1 north, and back to the nearer platform
    assert 3_140 < metres["A", "B"] < 3_150
    assert 1_100 < metres["B", "C"] < 1_112
    assert metres["A", "C"] == metres["A", "B"] + metres["B", "C"]


def test_a_zip_is_the_folder(town: Path) -> None:
    path = packed(town)
    assert list(gtfs.distances(path)) == list(gtfs.distances(town))
    assert list(gtfs.stations(path)) == list(gtfs.stations(town))


def test_the_table_is_one_that_taps_are_measured_by(town: Path, tmp_path: Path) -> None:
    path = tmp_path / "distances.csv"
    path.write_text("".join(",".join(row) + "\n" for row in gtfs.distances(town)))
    distances = Distances.read(path)
    assert distances.between("C", "A") == distances.between("A", "C")
    assert distances.between("A", "C") is not None


def test_stations_have_one_row_and_days_are_told(town: Path) -> None:
    assert [row[:2] for row in gtfs.stations(town)][1:] == [("A", "甲"), ("B", "乙"), ("C", "丙")]
    assert list(gtfs.calendar(town))[1:] == [("S", "1111100", "20260101", "20261231", "0", "1")]


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "line"),
    [
        ("stops.txt", "23.00,113.10,", "113.10,23.00,", "broken_row", 2),
        ("stops.txt", "23.02", "", "broken_row", 6),
        ("stop_times.txt", "T2,2,C", "T2,2,X", "broken_row", 4),
        ("shapes.txt", "L,3", "L,x", "broken_row", 3),
    ],
)
def test_a_row_that_cannot_be_is_named_by_its_line(
    town: Path, name: str, old: str, new: str, code: str, line: int
) -> None:
    (town / name).write_text(FILES[name].replace(old, new))
    with pytest.raises(FileFault) as refused:
        list(gtfs.distances(town))
    assert (refused.value.code, refused.value.line) == (code, line)
    assert name in refused.value.detail.en


def test_what_is_no_gtfs_is_said_so(tmp_path: Path, town: Path) -> None:
    path = tmp_path / "feed.zip"
    path.write_text("no zip")
    with pytest.raises(FileFault, match="not_gtfs"):
        list(gtfs.distances(path))
    (town / "stop_times.txt").unlink()
    with pytest.raises(FileFault, match="not_gtfs"):
        list(gtfs.distances(town))
