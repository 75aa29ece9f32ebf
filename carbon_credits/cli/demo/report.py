"""What a day came to: by methodology, by evidence, door by door, how long it took, and whether the books hold."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from carbon_credits.activities.fates import Fate, fates_of_acts, fates_of_records, merged, waits_of_acts
from carbon_credits.activities.files import Taken
from carbon_credits.cli import tables
from carbon_credits.cli.demo.doors import Heard
from carbon_credits.cli.demo.errands import Errand
from carbon_credits.ledger.check import Finding, check
from carbon_credits.methodologies.catalogue import BY_CODE

ANSWERS: Final = {"202": "登录或受理 accepted", "again": "重复，同一编号 again, same id"}
DOORS: Final = {"sign_in": "登录 sign-in", "app": "居民端 app", "push": "合作方推送 push"}
COUNTED: Final = ("credited", "held", "awaiting", "rejected", "replaced", "claimed")


@dataclass(frozen=True)
class Played:
    """What was heard at the doors, how the files ended, the records they held by source, and what was redeemed."""

    heard: Heard
    taken: Sequence[tuple[str, Taken]]
    record_ids: dict[int, list[str]]
    errands: Sequence[Errand] = ()


def show(shown: Console, session: Session, played: Played) -> bool:
    """Print everything; whether no invariant is broken."""
    fates = _fates(session, played)
    findings = check(session)
    shown.print(_doors(played))
    shown.print(_methodologies(fates))
    shown.print(_why(fates))
    shown.print(_classes(fates))
    waited = waits_of_acts(session, played.heard.acts)
    if waited is not None:
        median, longest = (_milliseconds(wait) for wait in waited)
        shown.print(f"从受理到计入 / from accepted to credited: 中位 median {median}，最慢 slowest {longest}")
    if played.errands:
        shown.print(_errands(played.errands))
    shown.print(_invariants(findings))
    return not any(finding.violations for finding in findings)


def _fates(session: Session, played: Played) -> list[Fate]:
    found = fates_of_acts(session, played.heard.acts)
    for source_id, numbers in played.record_ids.items():
        found += fates_of_records(session, source_id, numbers)
    return merged(found)


def _doors(played: Played) -> Table:
    table = tables.table("门口 / At the doors", "门 Door", "回答 Answer", "行 Rows")
    for (door, answer), count in sorted(played.heard.answers.items()):
        table.add_row(DOORS[door], _answer(answer), f"{count:,}")
    for feed, taken in played.taken:
        for name, rows in taken.outcomes.items():
            known = "（此前已导入 known）" if taken.known else ""
            table.add_row(f"文件 file {feed}{known}", _answer(name), f"{rows:,}")
        if taken.fault is not None:
            table.add_row(f"文件 file {feed}", f"拒绝 refused {taken.fault['code']}", "0")
    return table


def _answer(answer: str) -> str:
    if answer in ANSWERS:
        return ANSWERS[answer]
    status, _, reasons = answer.partition(":")
    if status not in tables.STATES:
        return f"拒绝 refused {answer}"
    return f"{tables.STATES[status]} {tables.words(reasons.split('+')) if reasons else ''}".strip()


def _methodologies(fates: Iterable[Fate]) -> Table:
    table = tables.table(
        "各方法学 / By methodology", "方法学 Methodology", "数 Acts", "计入 Credited", "复核 Held",
        "待核 Awaiting", "拒绝 Refused", "替代 Replaced", "待定 Undecided", "克 g CO2e", "积分 Points", tight=True,
    )  # fmt: skip
    rows: dict[str, Counter[str]] = {}
    for fate in fates:
        told = {fate.state: fate.acts, "acts": fate.acts}
        if fate.state == "credited":
            told |= {"mg": fate.reduction_mg, "points": fate.points}
        rows.setdefault(fate.methodology, Counter()).update(told)
    for code, row in sorted(rows.items()):
        title = BY_CODE[code][-1].title.zh
        table.add_row(f"{title}\n{code}", *_numbers(row))
    total = sum(rows.values(), Counter[str]())
    table.add_section()
    table.add_row("合计 total", *_numbers(total))
    return table


def _numbers(row: Counter[str]) -> list[str]:
    counted = [f"{row[state]:,}" for state in COUNTED]
    return [f"{row['acts']:,}", *counted, tables.grams(row["mg"]), f"{row['points']:,}"]


def _why(fates: Iterable[Fate]) -> Table:
    table = tables.table(
        "为何未计入或少计 / Why not, or why less",
        "方法学 Methodology",
        "状态 State",
        "原因 Reasons",
        "数 Acts",
    )
    for fate in fates:
        if fate.reasons:
            state = tables.STATES[fate.state]
            table.add_row(fate.methodology, state, tables.words(fate.reasons), f"{fate.acts:,}")
    return table


def _classes(fates: Iterable[Fate]) -> Table:
    table = tables.table(
        "各证据等级 / By evidence class", "等级 Class", "账 Pool", "数 Acts", "克 g CO2e", "积分 Points"
    )
    rows: dict[tuple[str, str], Counter[str]] = {}
    for fate in fates:
        if fate.state == "credited":
            key = (fate.evidence_class, tables.POOLS[fate.pool])
            told = {"acts": fate.acts, "mg": fate.reduction_mg, "points": fate.points}
            rows.setdefault(key, Counter()).update(told)
    for (letter, pool), row in sorted(rows.items()):
        table.add_row(letter, pool, f"{row['acts']:,}", tables.grams(row["mg"]), f"{row['points']:,}")
    return table


def _errands(done: Iterable[Errand]) -> Table:
    table = tables.table("兑换 / Redemptions", "事项 What", "回答 Answer", "积分 Points")
    for errand in done:
        table.add_row(errand.what, errand.answer, f"{errand.points:,}")
    return table


def _invariants(findings: Iterable[Finding]) -> Table:
    table = tables.table(
        "账目不变量 / Invariants of the books", "名称 Name", "结论 Verdict", "数 Examined", "承诺 Promise"
    )
    for finding in findings:
        verdict = (
            finding.verdict if not finding.violations else f"[red]{finding.verdict} {finding.violations}[/]"
        )
        table.add_row(finding.name, verdict, f"{finding.examined:,}", finding.promise)
    return table


def _milliseconds(wait: timedelta) -> str:
    return f"{wait // timedelta(milliseconds=1):,} ms"
