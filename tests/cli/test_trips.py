"""`flask trips`: tables over data sets that lie elsewhere; here small ones, made up."""

import csv
import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

from carbon_credits.cli.demo.journeys import bus, ride, walk
from carbon_credits.cli.trips import group
from carbon_credits.cli.trips.records import read

MADE = (
    ("010", "walk", walk),
    ("163", "bike", ride),
    ("163", "bus", bus),
    ("163", "car", bus),
    ("062", "bike", bus),
)


@pytest.fixture
def segments(tmp_path: Path) -> Path:
    """Labelled segments; the last one, of a person the rules were tuned on, is labelled wrongly."""
    path = tmp_path / "segments.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["segment_id", "user", "mode_label", "ts_utc", "lat", "lon"])
        for number, (user, label, made) in enumerate(MADE):
            trace = made(number)
            for t_ms, lat, lon in zip(trace.t_ms, trace.lat, trace.lon, strict=True):
                rows.writerow([f"d{number}", user, label, t_ms // 1000, lat, lon])
    return path


@pytest.fixture
def phones(tmp_path: Path) -> Path:
    """One phone's day: a walk and a wait."""
    folder = tmp_path / "phones"
    folder.mkdir()
    trace = walk(7)
    began = int(trace.t_ms[0]) // 1000
    sections = [
        f"day,1,r,t,s,ACCESS,WALKING,{began},{began + 900}",
        f"day,1,r,t,s,WAIT,STOPPED,{began + 901},{began + 999}",
    ]
    heading = "timeline,rep,regime,trip,section,type,mode,start_ts,end_ts"
    (folder / "truth_sections.csv").write_text("\n".join([heading, *sections]))
    with gzip.open(folder / "day.rep01.android-3.csv.gz", "wt", encoding="utf-8") as file:
        file.write("ts,lat,lon,accuracy_m\n")
        for t_ms, lat, lon in zip(trace.t_ms, trace.lat, trace.lon, strict=True):
            file.write(f"{t_ms / 1000},{lat},{lon},5\n")
    return folder


def test_legs_are_read_with_their_truth_and_split_by_person(segments: Path, phones: Path) -> None:
    legs = read((phones, segments))
    assert [(leg.mode, leg.tuned_on) for leg in legs] == [
        ("walk", False),
        ("stopped", False),
        ("walk", False),
        ("bicycle", False),
        ("bus", False),
        ("car", False),
        ("bicycle", True),
    ]
    assert len(legs[1].trace) == 0


def test_a_journey_under_two_numbers_counts_once(segments: Path, tmp_path: Path) -> None:
    with gzip.open(segments, "rt", encoding="utf-8") as file:
        heading, *rows = file.read().splitlines()
    twice = tmp_path / "twice.csv.gz"
    with gzip.open(twice, "wt", encoding="utf-8") as file:
        again = [f"again-{row}" for row in rows if row.startswith("d1,")]
        file.write("\n".join([heading, *rows, *again]))
    assert [leg.name for leg in read((twice,))] == [leg.name for leg in read((segments,))]


def test_the_table_ends_with_goals_that_hold(segments: Path, phones: Path) -> None:
    run = CliRunner().invoke(group, ["confusion", str(segments), str(phones)])
    assert run.exit_code == 0, run.output
    assert run.output.count("达到 holds") == 5
    assert "tuned on: Geolife 062" in run.output


def test_a_missed_goal_is_an_exit_code(segments: Path) -> None:
    run = CliRunner().invoke(group, ["confusion", str(segments), "--split", "tune"])
    assert run.exit_code == 1
    assert "未达 missed 骑行通过" in run.output


def test_no_attack_passes(segments: Path, phones: Path) -> None:
    run = CliRunner().invoke(group, ["attacks", str(segments), str(phones)])
    assert run.exit_code == 0, run.output
    assert "合计 overall: 0.000 (0/32)" in run.output
