"""The tables of an evaluation by street, month and methodology: fixed cells, as the year's reading shows them."""

from collections.abc import Iterator, Sequence
from typing import Any

from carbon_credits.core.i18n import Text
from carbon_credits.reporting.cell_tables import TOTAL
from carbon_credits.reporting.evaluation_layout import (
    GRAMS,
    MG_A_GRAM,
    Section,
    Snapshot,
    both,
    legend,
    names_of,
)


def streets(snapshot: Snapshot) -> Section:
    """People by street and strand."""
    cells, names = _cells(snapshot, "streets"), names_of(snapshot, "streets")
    rows = [
        (both(name), *(_people(cells.get((street, strand))) for street in names))
        for strand, name in names_of(snapshot, "strands").items()
    ]
    note = Text(
        "人数；每人在每格计一次，合计不等于各格之和。",
        "People, once in each cell, so that cells do not add up.",
    )
    header = (Text("行为", "Acts"), *(Text(**name) for name in names.values()))
    heading = Text("各镇街参与居民", "Residents by street")
    return Section("Streets", heading, (note, legend(snapshot)), header, tuple(rows))


def months(snapshot: Snapshot) -> Iterator[Section]:
    """People, and verified grams, by month and strand."""
    cells, names = _cells(snapshot, "months"), names_of(snapshot, "strands")
    named = sorted({month for month, _ in cells} - {TOTAL})
    header = (Text("行为", "Acts"), *(Text(month[5:], month[5:]) for month in named), Text("全年", "Year"))
    people = Text("各月参与居民", "Residents by month")
    grams = Text("各月经核实减排量（克 CO₂e）", "Verified reductions by month (g CO₂e)")
    for name, heading, of in (("Months", people, None), ("Months g", grams, "verified_mg")):
        rows = tuple(
            (
                both(names[strand]),
                *(_of_month(snapshot, cells.get((month, strand)), of) for month in (*named, TOTAL)),
            )
            for strand in names
        )
        yield Section(name, heading, (legend(snapshot),), header, rows)


def methodologies(snapshot: Snapshot) -> Section:
    """What each methodology came to in the district."""
    cells = _cells(snapshot, "methodologies")
    strands, titles = names_of(snapshot, "strands"), names_of(snapshot, "methodologies")
    rows = tuple(
        (
            both(strands[strand]),
            both(titles[code]),
            _people(cell),
            _amount(snapshot, cell, "acts"),
            *(_grams_of(snapshot, cell, pool) for pool in ("verified_mg", "claimed_mg", "removal_mg")),
        )
        for (strand, code), cell in sorted(cells.items())
    )
    header = (
        Text("行为", "Acts"),
        Text("方法学", "Methodology"),
        Text("人数", "People"),
        Text("次数", "Acts credited"),
        Text("经核实（克）", "Verified (g)"),
        Text("自述（克）", "Claimed (g)"),
        Text("碳汇（克）", "Removals (g)"),
    )
    heading = Text("各方法学", "By methodology")
    return Section("Methodologies", heading, (GRAMS, legend(snapshot)), header, rows)


def grams(snapshot: Snapshot) -> Section:
    """What each strand came to in the district, by pool."""
    cells = _cells(snapshot, "months")
    rows = tuple(
        (
            both(name),
            _people(cells.get((TOTAL, strand))),
            *(
                _grams_of(snapshot, cells.get((TOTAL, strand)), pool)
                for pool in ("verified_mg", "claimed_mg", "removal_mg")
            ),
        )
        for strand, name in names_of(snapshot, "strands").items()
    )
    header = (
        Text("行为", "Acts"),
        Text("人数", "People"),
        Text("经核实（克）", "Verified (g)"),
        Text("自述（克）", "Claimed (g)"),
        Text("碳汇（克）", "Removals (g)"),
    )
    return Section("Grams", Text("减排量", "Reductions"), (GRAMS, legend(snapshot)), header, rows)


def _cells(snapshot: Snapshot, table: str) -> dict[tuple[str, str], list[Any]]:
    return {
        (row, column): [people, amounts]
        for row, column, people, amounts in snapshot["reading"]["figures"][table]
    }


def _people(cell: Sequence[Any] | None) -> int | None:
    if cell is None:
        return 0
    found: int | None = cell[0]
    return found


def _amount(snapshot: Snapshot, cell: Sequence[Any] | None, name: str) -> int | None:
    """An amount of a cell; 0 where there is nobody."""
    if cell is None:
        return 0
    if cell[1] is None:
        return None
    found: int = cell[1][snapshot["reading"]["figures"]["amounts"].index(name)]
    return found


def _grams_of(snapshot: Snapshot, cell: Sequence[Any] | None, name: str) -> int | None:
    found = _amount(snapshot, cell, name)
    return None if found is None else found // MG_A_GRAM


def _of_month(snapshot: Snapshot, cell: Sequence[Any] | None, of: str | None) -> int | None:
    return _people(cell) if of is None else _grams_of(snapshot, cell, of)
