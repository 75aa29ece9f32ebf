"""How far it is between two stations by rail: a table, `from_station,to_station,distance_m`, good both ways."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault
from integrations import delimited

COLUMNS: Final = ("from_station", "to_station", "distance_m")
_LONGEST_M: Final = 1_000_000


class Distances:
    """Whole metres by pair of stations; without a table nothing is known."""

    def __init__(self, metres: Mapping[tuple[str, str], int]) -> None:
        self._metres = metres

    def between(self, station: str, other: str) -> int | None:
        """Metres between two stations, None where the table has no row."""
        return self._metres.get((station, other))

    @classmethod
    def read(cls, path: Path | None) -> "Distances":
        """Read a table; raises FileFault (`distances_…`) naming the line, also when two rows disagree."""
        if path is None:
            return cls({})
        metres: dict[tuple[str, str], int] = {}
        try:
            with path.open("rb") as stream:
                rows = delimited.rows(stream, "utf-8", [frozenset(COLUMNS)])
                _, header = next(rows)
                at = [header.index(name) for name in COLUMNS]
                for line, row in rows:
                    _add(metres, [row[i].strip() for i in at], line)
        except FileNotFoundError as error:
            said = Text("找不到站间距离表", "The table of station distances is not there")
            raise FileFault("distances_not_found", said) from error
        except FileFault as fault:
            if fault.code.startswith("distances_"):
                raise
            raise FileFault(f"distances_{fault.code}", fault.detail, fault.line) from fault
        return cls(metres)


def _add(metres: dict[tuple[str, str], int], cells: list[str], line: int) -> None:
    station, other, told = cells
    if not (station and other and told.isascii() and told.isdecimal() and 0 < int(told) <= _LONGEST_M):
        raise FileFault("distances_broken_row", Text("距离表该行有误", "The row is not a distance"), line)
    for pair in ((station, other), (other, station)):
        if metres.setdefault(pair, int(told)) != int(told):
            said = Text("距离表前后矛盾", "Two rows give different distances")
            raise FileFault("distances_contradictory", said, line)
