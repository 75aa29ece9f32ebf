"""How an evaluation's sections are put: headings, notes, rows of cells, and how quantities and hidden cells read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from carbon_credits.core.i18n import Text

Snapshot = Mapping[str, Any]
Cell = str | int | None
MG_A_GRAM: Final = 1_000
UNSHOWN: Final = "—"
LEGEND: Final = Text(
    "“—”：少于 {fewest} 人，或可由此推算，不予显示；0 为无人。",
    "“—” is of fewer than {fewest} people, or would give them away; 0 is nobody.",
)
# of snapshots in which what one person nearly did alone is hidden too
LEGEND_OF_ONE: Final = Text(
    "“—”：少于 {fewest} 人，或几乎出自一两人，或可由此推算，不予显示；0 为无人。",
    "“—” is of fewer than {fewest} people, or nearly all one person's or two's, or would give them away; 0 is nobody.",
)
APART: Final = Text(
    "官方数值由部门提供，注明出处；平台数据仅来自参与居民。两者分列，不相加，不相互替代。",
    "Official values are a bureau's, with their source; the platform's are of residents who take part alone. They "
    "stand apart: they are not added up, and neither stands in for the other.",
)
GRAMS: Final = Text(
    "减排量以克 CO₂e 计；经核实、自述和碳汇分列，不相加。",
    "Reductions are grams of CO₂e; verified, claimed and removals stand apart and are not added up.",
)
NOT_WHOLE: Final = Text(
    "本年尚未结束或尚未结清：仅为草稿，不含分镇街、分月数据。",
    "The year is not over or not settled: a draft, without streets and months.",
)


@dataclass(frozen=True)
class Section:
    """A heading, what is to be said of it, and one table; `name` is short and for a sheet's tab."""

    name: str
    heading: Text
    notes: tuple[Text, ...]
    header: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]


def title(snapshot: Snapshot) -> Text:
    """What the papers are called."""
    year = snapshot["year"]
    return Text(f"禅城区碳普惠年度评估 {year}", f"Chancheng carbon-inclusive programme: evaluation of {year}")


def legend(snapshot: Snapshot) -> Text:
    """What a cell that is not shown means."""
    words = LEGEND_OF_ONE if snapshot.get("hides_one") else LEGEND
    return Text(*(one.format(fewest=snapshot["fewest"]) for one in words))


def names_of(snapshot: Snapshot, kind: str) -> dict[str, Mapping[str, str]]:
    """The names of streets, strands or methodologies, in their order."""
    return dict(snapshot["names"][kind])


def both(text: Mapping[str, str]) -> str:
    """A text in both languages, Chinese first."""
    return text["zh"] if text["zh"] == text["en"] else f"{text['zh']} {text['en']}"


def quantity(value: int | None, unit: str | None) -> str:
    """A whole number with its unit, as people read it: parts of a million as per cent, large masses as tonnes."""
    if value is None or unit is None:
        return UNSHOWN
    if unit == "ppm":
        return _decimal(value, 4) + " %"
    if unit == "g" and abs(value) >= 1_000_000:
        return _decimal(value, 6) + " t"
    if unit == "g" and abs(value) >= 1_000:
        return _decimal(value, 3) + " kg"
    return f"{value:,} {unit}"


def _decimal(value: int, places: int) -> str:
    """A whole number of small parts, without what is 0 at its end."""
    whole, rest = divmod(abs(value), 10**places)
    digits = f"{rest:0{places}}".rstrip("0")
    return ("-" if value < 0 else "") + f"{whole:,}" + (f".{digits}" if digits else "")
