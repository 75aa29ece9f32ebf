"""Stations of shared bicycles from GBFS 3 `station_information`: where they are, and nothing of vehicles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, TableRow
from integrations import documents, readings

HEADER: Final = ("station_id", "name", "latitude", "longitude")


def table(path: Path) -> Iterator[TableRow]:
    """The header, then a row for each station, degrees WGS-84. Raises FileFault: `not_stations`, `broken_row`."""
    with path.open("rb") as stream:
        found = list(documents.elements(stream))
    stations = readings.at(found[0][1], "data.stations")
    if len(found) != 1 or not isinstance(stations, list):
        said = Text("不是 GBFS 站点文件", "This is not a GBFS station_information document")
        raise FileFault("not_stations", said)
    yield HEADER
    for place, station in enumerate(stations, 1):
        try:
            yield _row(station)
        except (KeyError, TypeError, ValueError) as error:
            said = Text(f"第 {place} 个站点有误", f"Station {place} cannot be read")
            raise FileFault("broken_row", said) from error


def _row(station: Any) -> TableRow:
    latitude, longitude = readings.decimal(station["lat"]), readings.decimal(station["lon"])
    wrong = readings.misplaced(float(latitude), float(longitude), None)
    if wrong is not None:
        raise ValueError(wrong)
    return readings.named(station["station_id"]), _name(station.get("name")), str(latitude), str(longitude)


def _name(told: Any) -> str:
    """GBFS 3 tells names by language, GBFS 2 one."""
    if isinstance(told, list):
        told = next((each["text"] for each in told), "")
    return readings.optional(told)
