"""The day's files, written the way the partners of the demonstration write theirs."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from carbon_credits.cli.demo.district import Ride, Tap, distances

RIDER: Final = "Rider"
TAP_COLUMNS: Final = (
    "card_no",
    "deal_date",
    "deal_type",
    "deal_money",
    "deal_value",
    "equ_no",
    "company_name",
    "station",
    "car_no",
    "conn_mark",
    "close_date",
)
RIDE_COLUMNS: Final = (
    "Trip Duration",
    "Start Time",
    "Stop Time",
    "Start Station ID",
    "Start Station Latitude",
    "Start Station Longitude",
    "End Station ID",
    "End Station Latitude",
    "End Station Longitude",
    "Bike ID",
    RIDER,
)
# ten-thousandths of a degree: racks stand in a square of six by six around the middle of the district
MIDDLE: Final = (230_200, 1_131_200)
APART: Final = 45


def write_taps(path: Path, taps: Iterable[Tap]) -> None:
    """Gate taps with fares in fen, times without a zone."""
    rows = [_tap(tap) for tap in sorted(taps, key=lambda tap: (tap.at, tap.card))]
    _write(path, TAP_COLUMNS, rows)


def write_distances(path: Path) -> None:
    """The table of station distances."""
    rows = [(station(first), station(second), metres) for first, second, metres in distances()]
    _write(path, ("from_station", "to_station", "distance_m"), rows)


def write_rides(path: Path, rides: Iterable[Ride]) -> None:
    """The public trip file, with the rider's account in a column of its own."""
    _write(
        path, RIDE_COLUMNS, [_ride(ride) for ride in sorted(rides, key=lambda ride: (ride.begins, ride.bike))]
    )


def station(number: int) -> str:
    """An invented station's name."""
    return f"演示站{number:02}"


def _tap(tap: Tap) -> tuple[object, ...]:
    at = f"{tap.at:%Y-%m-%d %H:%M:%S}"
    kind, fare = ("地铁入站", 0) if tap.is_entry else ("地铁出站", 200)
    gate = f"{tap.station:03}"
    return tap.card, at, kind, fare, fare, f"G{gate}", "演示地铁", station(tap.station), f"IGT-{gate}", 0, at


def _ride(ride: Ride) -> tuple[object, ...]:
    first, second = ride.racks
    return (
        (ride.ends - ride.begins).seconds,
        f"{ride.begins:%Y-%m-%d %H:%M:%S}",
        f"{ride.ends:%Y-%m-%d %H:%M:%S}",
        *(f"R{first:02}", *_place(first)),
        *(f"R{second:02}", *_place(second)),
        ride.bike,
        ride.rider,
    )


def _place(rack: int) -> tuple[str, str]:
    row, column = divmod(rack, 6)
    return _degrees(MIDDLE[0] + APART * row), _degrees(MIDDLE[1] + APART * column)


def _degrees(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04}"


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
