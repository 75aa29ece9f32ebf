"""Labelled trips that others have recorded, read where they lie: Geolife segments and MobilityNet phones.

Read for measuring only. A leg is one section of one phone with one true mode.
"""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np

from carbon_credits.activities.trips.features import measure
from carbon_credits.activities.trips.judging import Surroundings, TripClaim, Verdict, judge, payable_m
from carbon_credits.activities.trips.trace import Trace, make

# The split is by person, and where one person made all journeys, by journey: rules were tuned on these and no others.
# Geolife's persons 081 and 125 are one: the same points under two numbers, so both are tuned on and counted once.
TUNED_ON: Final = frozenset({"geolife 062", "geolife 081", "geolife 084", "geolife 125", "mobilitynet rep00"})
SPLIT: Final = (
    "调参 tuned on: Geolife 062 081=125 084, MobilityNet rep00 · "
    "报告 reported on: Geolife 010 163 (+ others), MobilityNet rep01–03"
)
MODES: Final[Mapping[str, str]] = {
    "WALKING": "walk",
    "BICYCLING": "bicycle",
    "bike": "bicycle",
    "BUS": "bus",
    "CAR": "car",
    "taxi": "car",
    "subway": "rail",
    "train": "rail",
    "SUBWAY": "rail",
    "TRAIN": "rail",
    "LIGHT_RAIL": "rail",
    "E_BIKE": "e-bike",
    "ESCOOTER": "e-scooter",
}
PHONE: Final = re.compile(r"(?P<timeline>.+)\.rep(?P<rep>\d+)\.(?P<phone>.+)\.csv\.gz")


@dataclass(frozen=True, eq=False)
class Leg:
    """A labelled trip. `began_ms` and `ended_ms` are what an honest person would have claimed."""

    name: str
    source: str  # data set
    group: str  # what the split is by
    mode: str
    trace: Trace
    began_ms: int
    ended_ms: int

    @property
    def tuned_on(self) -> bool:
        """Whether the rules were fitted to it."""
        return self.group in TUNED_ON

    def over(self, trace: Trace) -> "Leg":
        """The same leg with another trace, claimed for exactly its time."""
        if not len(trace):
            return replace(self, trace=trace)
        return replace(self, trace=trace, began_ms=int(trace.t_ms.min()), ended_ms=int(trace.t_ms.max()))


def judged(leg: Leg, methodology: str, around: Surroundings | None = None) -> Verdict:
    """The verdict when a leg is claimed as a mode, with the distance its own trace supports."""
    features = measure(leg.trace, leg.began_ms, leg.ended_ms)
    distance_m = 0 if features is None else payable_m(features)
    claim = TripClaim(methodology, _moment(leg.began_ms), _moment(leg.ended_ms), distance_m)
    return judge(leg.trace, claim, around or Surroundings())


def read(paths: tuple[Path, ...]) -> list[Leg]:
    """All legs under the given paths, each once: a directory is MobilityNet's, a file Geolife segments."""
    legs: dict[object, Leg] = {}
    for path in paths:
        for leg in _mobilitynet(path) if path.is_dir() else _geolife(path):
            points = (leg.trace.t_ms.tobytes(), leg.trace.lat.tobytes(), leg.trace.lon.tobytes())
            legs.setdefault(points if len(leg.trace) else leg.name, leg)
    return list(legs.values())


def _geolife(path: Path) -> Iterator[Leg]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for name, rows in groupby(csv.DictReader(file), key=lambda row: row["segment_id"]):
            points = list(rows)
            trace = _trace([(float(p["ts_utc"]), float(p["lat"]), float(p["lon"]), 0.0) for p in points])
            mode = MODES.get(points[0]["mode_label"], points[0]["mode_label"])
            began_ms, ended_ms = int(trace.t_ms[0]), int(trace.t_ms[-1])
            yield Leg(name, "geolife", f"geolife {points[0]['user']}", mode, trace, began_ms, ended_ms)


def _mobilitynet(folder: Path) -> Iterator[Leg]:
    with (folder / "truth_sections.csv").open(encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    for path in sorted(folder.glob("*.csv.gz")):
        phone = PHONE.fullmatch(path.name)
        if phone is None:
            continue
        with gzip.open(path, "rt", encoding="utf-8") as file:
            names = ("ts", "lat", "lon", "accuracy_m")
            fixes = np.array([[float(row[name]) for name in names] for row in csv.DictReader(file)])
        for number, section in enumerate(truth):
            if section["timeline"] == phone["timeline"] and int(section["rep"]) == int(phone["rep"]):
                began, ended = float(section["start_ts"]), float(section["end_ts"])
                within = fixes[(fixes[:, 0] >= began) & (fixes[:, 0] <= ended)]
                yield Leg(
                    f"{path.name.removesuffix('.csv.gz')}#{number}",
                    "mobilitynet",
                    f"mobilitynet rep{phone['rep']}",
                    MODES.get(section["mode"], section["mode"].lower()),
                    _trace([(row[0], row[1], row[2], row[3]) for row in within.tolist()]),
                    round(began * 1000),
                    round(ended * 1000),
                )


def _trace(points: list[tuple[float, float, float, float]]) -> Trace:
    """From (seconds, latitude, longitude, accuracy or 0)."""
    table = np.array(points, dtype=np.float64).reshape(-1, 4)
    accuracy_m = np.where(table[:, 3] > 0, table[:, 3], np.nan)
    return make(np.rint(table[:, 0] * 1000).astype(np.int64), table[:, 1], table[:, 2], accuracy_m=accuracy_m)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
