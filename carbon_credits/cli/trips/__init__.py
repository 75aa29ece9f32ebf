"""Commands of trip evidence: what the rules decide on trips whose truth is known, and on attacks made from them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from carbon_credits.activities.trips.rules import RULES_VERSION
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console
from carbon_credits.cli.trips import confusion as tables
from carbon_credits.cli.trips import naive
from carbon_credits.cli.trips.attacks import ATTACKS, Sent, resubmitted
from carbon_credits.cli.trips.confusion import GOALS, Judged, share
from carbon_credits.cli.trips.records import SPLIT, Leg, judged, read

MOST_ACCEPTED: Final = 0.01
HEADINGS: Final = ("申报", "实际", "段", "点少", "通过", "复核", "拒绝", "未核", "通过率", "包络")
ATTACK_HEADINGS: Final = ("手法", "申报", "次", "通过", "复核", "拒绝", "未核", "通过率", "包络")
paths = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
split = click.option(
    "--split", "part", type=click.Choice(["report", "tune", "all"]), default="report", show_default=True
)


@click.group(name="trips")
def group() -> None:
    """Trip evidence."""


@group.command("confusion")
@paths
@split
@plainly
def confusion(paths: tuple[Path, ...], part: str) -> None:
    """Claimed mode × true mode on labelled legs. PATH: a folder of MobilityNet, a file of Geolife segments."""
    legs = _of_part(read(paths), part)
    found = tables.decide(legs)
    click.echo(f"规则 rules v{RULES_VERSION} · {part} · {SPLIT}")
    click.echo(
        "点少 = 有效点不足 below enough points; 通过率 accepted, 包络 naive envelope: of the legs with enough"
    )
    for source in (None, *sorted({leg.source for leg in legs})):
        mine = [one for one in found if source in (None, one.leg.source)]
        _print(source or "两套数据 both sets", HEADINGS, tables.rows(mine))
    missed = [line for line, held in _goals(found) if not _say(line, held)]
    raise SystemExit(1 if missed else 0)


@group.command("attacks")
@paths
@split
@plainly
def attacks(paths: tuple[Path, ...], part: str) -> None:
    """Variants of true car and bus legs claimed as walks and rides; then honest trips sent again by others."""
    legs = [leg for leg in _of_part(read(paths), part) if len(leg.trace) > 1]
    motorised = [leg for leg in legs if leg.mode in {"car", "bus"}]
    click.echo(f"规则 rules v{RULES_VERSION} · {part} · {len(motorised)} car and bus legs · {SPLIT}")
    lines, shares = [], []
    everything: Counter[str] = Counter()
    for words, attack in ATTACKS.values():
        both: Counter[str] = Counter()
        for claimed in ("travel.walking", "travel.cycling"):
            decided, line = _attacked(words, claimed, attack(motorised, claimed))
            lines.append(line)
            both += decided
        everything += both
        shares.append((words, both))
    _print("改造机动车轨迹 from motorised legs", ATTACK_HEADINGS, lines)
    _print("重报他人真实出行 honest trips sent again", ATTACK_HEADINGS, list(_honest_again(legs)))
    shares.append(("合计 overall", everything))
    held = [_say(*_attack_goal(words, decided)) for words, decided in shares]
    plain = sum(judged(leg, "travel.cycling").decision == "accept" for leg in motorised)
    click.echo(
        f"未改动即被当作骑行通过的（多为标注错误）/ pass as a ride unaltered, mostly wrong labels: {plain}"
    )
    raise SystemExit(0 if all(held) else 1)


def _of_part(legs: Sequence[Leg], part: str) -> list[Leg]:
    return [leg for leg in legs if part == "all" or leg.tuned_on == (part == "tune")]


def _goals(found: Sequence[Judged]) -> Iterator[tuple[str, bool]]:
    for goal in GOALS:
        accepted, legs = goal.share(found)
        naively, _ = goal.naive_share(found)
        sign = "≥" if goal.at_least else "≤"
        figures = f"{share(accepted, legs)} ({accepted}/{legs}) {sign} {goal.bound:.2f}"
        yield f"{goal.words}: {figures}; 包络 naive {share(naively, legs)}", goal.holds(accepted, legs)


def _honest_again(legs: Sequence[Leg]) -> Iterator[tuple[str, ...]]:
    """Of the trips the rules accept, how many a second person gets accepted."""
    for claimed, mode in (("travel.walking", "walk"), ("travel.cycling", "bicycle")):
        mine = [leg for leg in legs if leg.mode == mode and judged(leg, claimed).decision == "accept"]
        yield _attacked(ATTACKS["resubmitted"][0], claimed, resubmitted(mine, claimed))[1]


def _attacked(words: str, claimed: str, sent: Sent) -> tuple[Counter[str], tuple[str, ...]]:
    """How often each decision was taken, and the same as a row; the last column is the naive envelope's share."""
    decided: Counter[str] = Counter()
    naively = 0
    for leg, around in sent:
        decided[judged(leg, claimed, around).decision] += 1
        naively += naive.fits(leg, claimed)
    total = decided.total()
    counts = [str(decided[name]) for name in ("accept", "review", "reject", "unverified")]
    shares = (share(decided["accept"], total), share(naively, total))
    return decided, (words, claimed.removeprefix("travel."), str(total), *counts, *shares)


def _attack_goal(words: str, decided: Counter[str]) -> tuple[str, bool]:
    accepted, total = decided["accept"], decided.total()
    line = f"{words}: {share(accepted, total)} ({accepted}/{total}) ≤ {MOST_ACCEPTED:.2f}"
    return line, accepted <= MOST_ACCEPTED * total


def _say(line: str, held: bool) -> bool:
    click.echo(f"{'✓ 达到 holds ' if held else '✗ 未达 missed'} {line}")
    return held


def _print(title: str, headings: Sequence[str], lines: Sequence[tuple[str, ...]]) -> None:
    table = Table(title=title, title_justify="left", expand=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < 2 else "right")
    for line in lines:
        table.add_row(*line)
    console().print(table)
