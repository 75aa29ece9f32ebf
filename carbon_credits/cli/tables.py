"""Tables and progress bars on a terminal: Chinese first, whole numbers, nothing wider than a hundred columns."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from carbon_credits.activities.fates import Fate
from carbon_credits.activities.reasons import explain
from carbon_credits.methodologies.catalogue import BY_CODE

WIDTH: Final = 100
STATES: Final = {
    "claimed": "待定 undecided",
    "credited": "计入 credited",
    "held": "复核 held",
    "awaiting": "待核对 awaiting",
    "rejected": "拒绝 refused",
    "replaced": "替代 replaced",
    "reversed": "撤销 reversed",
    "accepted": "接收 accepted",
    "duplicate": "重复 duplicate",
    "waiting": "等待 waiting",
    "refused": "拒绝 refused",
}
NUMERIC: Final = frozenset({"行", "数", "克", "积分", "数值", "计入", "复核", "待核", "拒绝", "替代", "待定"})
POOLS: Final = {"v": "核证 verified", "c": "申报 claimed", "r": "移除 removal", None: "—"}


def console() -> Console:
    """A console of the terminal's width, and of WIDTH where there is none or it is wider."""
    plain = Console(file=sys.stdout, highlight=False)
    return (
        plain
        if plain.is_terminal and plain.width <= WIDTH
        else Console(file=sys.stdout, highlight=False, width=WIDTH)
    )


def bars(shown: Console) -> Progress:
    """Progress bars with counts and time, in one column."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=shown,
    )


def outcome_table(rows: int, records: int, outcomes: Mapping[str, int]) -> Table:
    """Rows of a file by what became of them and why; the last line is their sum."""
    made = table("文件各行的去向 / What became of each row", "结果 Outcome", "原因 Reason", "行 Rows")
    for name, count in sorted(outcomes.items(), key=_in_order):
        status, _, reasons = name.partition(":")
        made.add_row(STATES[status], words(reasons.split("+") if reasons else ()), f"{count:,}")
    made.add_section()
    made.add_row("合计 total", f"记录 records {records:,}", f"{rows:,}")
    return made


def fate_tables(fates: Iterable[Fate]) -> Iterator[Table]:
    """Acts by state and reasons with grams and points, a table for each methodology."""
    for code, alike in groupby(
        sorted(fates, key=lambda fate: fate.methodology), lambda fate: fate.methodology
    ):
        made = table(
            f"{BY_CODE[code][-1].title.zh} {code}",
            "状态 State",
            "原因 Reasons",
            "数 Acts",
            "克 g CO2e",
            "积分 Points",
        )
        for fate in sorted(alike, key=lambda fate: (fate.state, -fate.acts, fate.reasons)):
            amounts = (f"{fate.acts:,}", grams(fate.reduction_mg), f"{fate.points:,}")
            made.add_row(STATES[fate.state], words(fate.reasons), *amounts)
        yield made


def fact_table(title: str, facts: Mapping[str, int]) -> Table:
    """Names and whole numbers."""
    made = table(title, "名称 Fact", "数值 Value")
    for name, value in sorted(facts.items()):
        made.add_row(name, f"{value:,}")
    return made


def grams(mg: int) -> str:
    """Milligrams as grams with their three places, exactly."""
    return f"{mg // 1000:,}.{mg % 1000:03}"


def words(codes: Iterable[str]) -> str:
    """The reasons in Chinese with their codes; a code that has no words yet stands alone."""
    return "\n".join(map(_words, codes)) or "—"


def _words(code: str) -> str:
    try:
        return f"{explain(code).zh} {code}"
    except KeyError:
        return code


def _in_order(item: tuple[str, int]) -> tuple[int, int, str]:
    name, count = item
    status = name.partition(":")[0]
    return ("accepted", "duplicate", "waiting", "refused").index(status), -count, name


def table(title: str, *headings: str, tight: bool = False) -> Table:
    """An empty table; columns of numbers are those whose heading says so. `tight` spends nothing on air, and puts the
    second language of a number's heading under the first.
    """
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold", min_width=64)
    if tight:
        made.padding = (0, 0)
    for heading in headings:
        zh, _, en = heading.partition(" ")
        is_number = zh in NUMERIC
        words = f"{zh}\n{en}" if tight and is_number else heading
        made.add_column(words, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return made
