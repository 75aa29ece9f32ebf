"""`flask reconciliation day` and `scorecard`: a feed's day in every line, and all feeds side by side."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import STATES, console, grams, table, words
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.reconciliation import days, scorecard
from carbon_credits.reconciliation.days import Day
from carbon_credits.reconciliation.scorecard import Scorecard

NOTHING: Final = "—"
STATUS: Final = {"open": "未齐 open", "complete": "已齐 complete", "closed": "已关账 closed"}
# what stands in the table of all feeds: its line, and where in the rates it is found
LINES: Final = (
    ("记录 records", "completeness", "records"),
    ("同星期中位 usual on such days", "completeness", "usual_records"),
    ("占比 of usual", "completeness", "of_usual_ppm"),
    ("按时天数 days on time", "timeliness", "on_time"),
    ("迟到天数 days late", "timeliness", "late"),
    ("未到期 days not due", "timeliness", "pending"),
    ("按时率 on time", "timeliness", "on_time_ppm"),
    ("齐备用时中位 complete after, median", "timeliness", "passed_after_median_s"),
    ("最长 at most", "timeliness", "passed_after_most_s"),
    ("迟到文件 late files", "timeliness", "late_files"),
    ("迟到记录 late records", "timeliness", "late_records"),
    ("缺号 missing numbers", "completeness", "missing_files"),
    ("无文件天数 days without a file", "completeness", "days_without_file"),
    ("合计不符 totals differed", "completeness", "totals_differed"),
    ("可用行 usable rows", "completeness", "usable_ppm"),
    ("更正 corrected", "corrections", "corrected"),
    ("撤回 voided", "corrections", "voided"),
    ("更正撤回率 changed", "corrections", "changed_ppm"),
    ("作假撤销 taken back for fraud", "fraud", "taken_back"),
    ("作假率 fraud", "fraud", "taken_back_ppm"),
    ("伪造冲突文件 forged files", "fraud", "alarms"),
    ("自相矛盾 contradictions", "fraud", "contradictions"),
    ("申诉率 disputed", "disputes", "disputed_ppm"),
)
DAY: Final = click.DateTime(["%Y-%m-%d"])


@click.command("day")
@click.argument("feed")
@click.argument("day", metavar="DATE")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
@plainly
def show_day(feed: str, day: str, as_json: bool) -> None:
    """What a feed's DATE (2026-11-20) comes to, and against the ledger. Ends with 1 when something is unexplained."""
    with reading() as session:
        found = days.report(session, feed, day, clock.now())
        beyond = days.unbooked(session, found)
        told = _told(found, beyond)
    if as_json:
        click.echo(json.dumps(told, default=str, ensure_ascii=False, sort_keys=True))
    else:
        _say_day(console(), found, beyond)
    if found.unexplained or any(beyond.values()):
        raise click.exceptions.Exit(1)


@click.command("scorecard")
@click.argument("feed", required=False)
@click.option("--until", type=DAY, help="the day looked at; yesterday if left out")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
@plainly
def show_scorecard(feed: str | None, until: datetime | None, as_json: bool) -> None:
    """How well FEED does, or all feeds side by side: a day, and the thirty days before it."""
    now = clock.now()
    last = until.date() if until is not None else clock.today() - scorecard.A_DAY
    with reading() as session:
        found = scorecard.scorecards(session, feed, last, now)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
        return
    shown = console()
    for start in range(0, len(found), 3):
        shown.print(_side_by_side(found[start : start + 3]))


def _told(found: Day, beyond: Mapping[str, int]) -> dict[str, Any]:
    return {
        "feed": found.feed,
        "date": found.day,
        "status": found.status,
        "rows": found.rows,
        "by_push": found.by_push,
        "set_aside": [asdict(aside) for aside in found.found.aside],
        "records": {"total": found.records.total, "states": found.states, "lines": found.records.lines},
        "claims": {"total": found.claims.total, "lines": found.claims.lines},
        "reasons": found.reasons,
        "credited": found.credited,
        "beyond_ledger": beyond,
        "unexplained": found.unexplained,
        "rates": found.rates,
    }


def _say_day(shown: Console, found: Day, beyond: Mapping[str, int]) -> None:
    shown.print(f"{found.feed} {found.day}: {STATUS[found.status]}")
    rows = table("文件各行 / Rows of files", "结果 Outcome", "行 Rows")
    _fill(rows, ((STATES.get(name, name), n) for name, n in found.rows.items() if name != "rows"))
    _total(rows, found.rows["rows"])
    records = table("合作方记录 / Records", "状态 State", "数 Records")
    _fill(records, ((STATES.get(state, state), n) for state, n in found.states.items()))
    _total(records, found.records.total)
    lines = table("各项 / In which line", "项 Line", "数 Acts")
    for side, standing in (("记录 records", found.records), ("申报 claims", found.claims)):
        _fill(lines, ((f"{side}: {line}", n) for line, n in standing.lines.items()))
        _fill(lines, [(f"{side}: unexplained", standing.unexplained)])
        _total(lines, standing.total)
    reasons = table("未计入的原因 / Why not", "原因 Reason", "数 Acts")
    _fill(reasons, ((words([code]), n) for code, n in sorted(found.reasons.items())))
    for aside in found.found.aside:
        state = STATES.get(aside.state, aside.state)
        _fill(reasons, [(f"未成记录 no act, {state}: {words(aside.reasons)}", aside.n)])
    for made in (rows, records, lines, reasons):
        shown.print(made)
    amounts = found.credited
    said = ", ".join(f"{grams(amounts[name])} g {name[:-3]}" for name in amounts if name != "points")
    shown.print(f"计入 credited: {said}; {amounts['points']:,} 积分 points")
    shown.print(f"未解释 unexplained: {found.unexplained}; 与账本之差 beyond the ledger: {dict(beyond)}")


def _side_by_side(found: Iterable[Scorecard]) -> Table:
    """For each feed the day and the thirty days before it."""
    cards = tuple(found)
    first = cards[0]
    made = table(
        f"合作方评分 / Scorecard {first.until} | {first.since} +30",
        "项 Line",
        *(f"数 {card.feed}" for card in cards),
        tight=True,
    )
    for line, part, name in LINES:
        told = _form(name)
        made.add_row(
            line, *(f"{told(card.day[part][name])} | {told(card.window[part][name])}" for card in cards)
        )
    return made


def _form(name: str) -> Callable[[int | None], str]:
    return _share if name.endswith("_ppm") else _time if name.endswith("_s") else _number


def _share(ppm: int | None) -> str:
    """With four places, exactly."""
    return NOTHING if ppm is None else f"{ppm // 10_000}.{ppm % 10_000:04} %"


def _time(seconds: int | None) -> str:
    if seconds is None:
        return NOTHING
    minutes = seconds // 60
    return f"{minutes // 60}:{minutes % 60:02} h"


def _number(n: int | None) -> str:
    return NOTHING if n is None else f"{n:,}"


def _fill(made: Table, lines: Iterable[tuple[str, int]]) -> None:
    for name, n in lines:
        made.add_row(name, f"{n:,}")


def _total(made: Table, n: int) -> None:
    made.add_section()
    made.add_row("合计 total", f"{n:,}")
    made.add_section()
