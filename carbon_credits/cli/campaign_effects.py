"""`flask campaigns simulate` and `report`: what a campaign would cost before, and what it brought about after."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

import click
from sqlalchemy.orm import Session

from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.crediting.simulating import Trial, simulate, weeks_back
from carbon_credits.programme import campaign_terms, campaigns
from carbon_credits.reporting.campaigns import AfterAction, after_action, as_document
from carbon_credits.reporting.effects import Extra
from carbon_credits.reporting.simulated import Shown, shown

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
HIDDEN: Final = "—"
REFUSED: Final = {
    "no_hold_out": "没有对照组，无法估计额外减排 / nobody was held out: what was added cannot be told",
    "too_few_people": "一侧不足 100 人，不作估计 / fewer than 100 people a side: nothing is estimated",
}
MEASURES: Final = {
    "avoided": "活动范围内减排 avoided, its methodologies",
    "verified": "其中核证 of it verified",
    "avoided_in_all": "全部行为减排 avoided, all acts",
    "removal": "活动范围内碳汇 removals, its methodologies",
}
MG_A_KG: Final = 1_000_000
MICRO_A_YUAN: Final = 100_000_000


@click.command("simulate")
@click.argument("code")
@click.option(
    "--weeks", type=click.IntRange(0, 520), help="how far back; the nearest days that are over if not given"
)
@click.option("--against", type=FILE, help="other terms, in JSON, tried beside it on the same acts")
@click.option("--json", "as_json", is_flag=True)
@plainly
def simulate_command(code: str, weeks: int | None, against: Path | None, as_json: bool) -> None:
    """Try a campaign on past acts, moved back by whole weeks, by the batch's own statements; nothing is written."""
    with reading() as session:
        trials = _trials(session, code, None if against is None else _terms_in(against))
        back = max(weeks_back(trial.terms, clock.today()) for trial in trials) if weeks is None else weeks
        with click.progressbar(length=1, label="试算 / trying acts", hidden=as_json) as bar:

            def tell(done: int, acts: int) -> None:
                bar.length = max(acts, 1)
                bar.update(done - bar.pos)

            found = [shown(one) for one in simulate(session, trials, back, clock.today(), tell)]
    if as_json:
        told = {"weeks": back, "outcomes": [asdict(one) for one in found]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2, default=date.isoformat))
        return
    click.echo(f"前推 {back} 周 / {back} weeks back")
    for trial, one in zip(trials, found, strict=True):
        click.echo(f"\n{trial.terms.name_zh} / {trial.terms.name_en}")
        _say_outcome(one)


@click.command("report")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True)
@plainly
def report_command(code: str, as_json: bool) -> None:
    """What a campaign added against those held out, what it cost, what caps cut, and who gained by street."""
    with reading() as session:
        report = after_action(session, code, clock.today())
    if as_json:
        click.echo(json.dumps(as_document(report), ensure_ascii=False, indent=2))
        return
    window, figures = report.window, report.bonuses
    click.echo(f"{window.since} – {window.until}  {report.state}")
    click.echo(
        f"加赠 bonuses: {figures.points:,} 分 points = {_yuan(report.cost_micro_fen)}  {figures.acts:,} 次 acts  "
        f"{figures.people:,} 人 people"
    )
    _say_effect(report)
    _say_cuts(figures.cuts)
    for line in report.streets:
        click.echo(
            f"  {line.street:<12} {_n(line.gained)}/{_n(line.offered)} 人 people  {_n(line.points)} 分 points"
        )


def _trials(session: Session, code: str, variant: Mapping[str, Any] | None) -> list[Trial]:
    campaign = campaigns.by_code(session, code)
    trials = [Trial(campaigns.terms_of(session, campaign), campaign.salt)]
    if variant is not None:
        trials.append(Trial(campaign_terms.read(variant), campaign.salt))
    return trials


def _terms_in(path: Path) -> Mapping[str, Any]:
    try:
        document: Any = json.loads(path.read_bytes())
    except ValueError as error:
        raise click.ClickException(f"不是 JSON / not JSON: {error}") from error
    if not isinstance(document, dict):
        raise click.ClickException("应为 JSON 对象 / a JSON object")
    return document


def _say_outcome(one: Shown) -> None:
    click.echo(
        f"试算 acts {one.acts:,}  获加赠 people {one.people:,}  加赠 points {one.points:,} = {_yuan(one.cost_micro_fen)}"
        f"  剩余 left {one.left:,}"
    )
    out = one.runs_out_on or "预算够用 / the budget lasts"
    click.echo(f"用完日 runs out: {out}   最紧上限 binds most: {one.binds_most or HIDDEN}")
    click.echo(
        f"获益最多的 1%（{one.top_people:,} 人）占 / the top 1 % get {one.top_share_ppm / 10_000:.2f} %"
    )
    _say_cuts(one.cuts)
    for gain in one.streets:
        click.echo(f"  {gain.street:<12} {_n(gain.people)} 人 people  {_n(gain.points)} 分 points")
    for day in one.days:
        click.echo(
            f"  {day.day}  {day.acts:>9,} 次 acts  {day.points:>12,} 分 points  {_yuan(day.cost_micro_fen)}"
        )


def _say_effect(report: AfterAction) -> None:
    effect = report.effect
    click.echo(
        f"启动时 at launch: 获邀 offered {effect.offered:,}  对照 held out {effect.held_out:,}  "
        f"其后加入 later {report.later:,}"
    )
    if effect.refused is not None:
        click.echo(REFUSED[effect.refused])
    for found in effect.measures:
        words = MEASURES[found.measure]
        if found.during is not None:
            click.echo(f"  {words}: {_extra(found.during)}")
        if found.after is not None:
            click.echo(f"    其后 28 天 / the 28 days after: {_extra(found.after)}")
    if report.price is not None:
        price = report.price
        bounds = " – ".join(_yuan(micro) for micro in (price.best, price.worst))
        click.echo(f"每额外一千克 / an extra kilogram: {_yuan(price.mean)}  ({bounds})")


def _extra(extra: Extra) -> str:
    kg = [f"{mg / MG_A_KG:,.1f}" for mg in (extra.extra_mg, extra.low_mg, extra.high_mg)]
    share = f"{extra.extra_mg / extra.without_mg:+.1%}" if extra.without_mg > 0 else HIDDEN
    seen = "" if extra.is_seen else "  不能与偶然区分 / not told from chance"
    return f"{kg[0]} kg ({kg[1]} – {kg[2]}, 95 %)  {share}{seen}"


def _say_cuts(cuts: Any) -> None:
    for cut in cuts:
        click.echo(f"  {cut.reason}: −{cut.points:,} 分 points, {cut.acts:,} 次 acts")


def _yuan(micro_fen: int | None) -> str:
    return HIDDEN if micro_fen is None else f"¥{micro_fen / MICRO_A_YUAN:,.2f}"


def _n(n: int | None) -> str:
    return HIDDEN if n is None else f"{n:,}"
