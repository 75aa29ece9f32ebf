"""`flask recycling`: the mass balance of stations, what recyclers bought, and alarms for a person to decide."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console, grams, table
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reconciliation import mass_balance, purchases, station_alarms
from carbon_credits.reconciliation.mass_balance import Report
from carbon_credits.reconciliation.station_alarms import KINDS, STATES, Alarm
from carbon_credits.staff.service import Role, by_name, require_role

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MONTH = click.DateTime(["%Y-%m"])
BAG_STATES = {
    "balanced": "平 balanced",
    "out": "超差 out",
    "unweighed": "未过磅 unweighed",
    "weighed_twice": "重复过磅 weighed twice",
    "early": "未齐 early",
    "first": "首袋 first",
}
MONTH_STATES = {
    "within": "未超 within",
    "beyond": "超出 beyond",
    "purchases_missing": "采购未报 purchases_missing",
}


@click.group("recycling")
def group() -> None:
    """回收 / Recycling stations: mass balance, purchases, alarms."""


@group.command("balance")
@click.option("--feed", help="one feed alone")
@click.option("--month", type=MONTH, help="such as 2026-11; this month unless told")
@click.option(
    "--run", "runs", is_flag=True, help="judge, hold, let go and name first, as the scheduler does each hour"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@plainly
def balance(feed: str | None, month: datetime | None, runs: bool, as_json: bool) -> None:
    """What each station was told to take in, what was weighed, the residual, and what was bought of it."""
    now = clock.now()
    wanted = clock.today().replace(day=1) if month is None else month.date()
    if runs:
        with transaction() as session:
            moved = mass_balance.balance_step(session, now)
        click.echo(f"重新判定 {moved} 条 / {moved} acts put back on the work list", err=True)
    # a temporary table is filled, which a transaction that is undone takes away again
    with reading() as session:
        found = mass_balance.report(session, now, wanted, feed)
    if as_json:
        click.echo(json.dumps(_told(found), ensure_ascii=False, default=str))
        return
    shown = console()
    for made in _tables(found):
        shown.print(made)


@group.command("propose-purchases")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--feed", required=True)
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_purchases(path: Path, feed: str, reason: str, name: str) -> None:
    """Propose what the buyer downstream bought: CSV month,material,kg,document_no,buyer. A second person approves."""
    put_before(purchases.PURCHASES, purchases.read_csv(path, feed), reason, name)


@group.command("alarms")
@click.option("--all", "everything", is_flag=True, help="decided ones too")
@plainly
def list_alarms(everything: bool) -> None:
    """Stations that a test named."""
    with reading() as session:
        found = station_alarms.alarms(session, tuple(STATES) if everything else ("open",))
    if not found:
        click.echo("没有告警 / no station is named")
        return
    console().print(_alarm_table(found))


@group.command("decide")
@click.argument("alarm", type=int)
@click.option("--explained/--confirmed", "is_explained", required=True, default=None)
@click.option("--why", required=True)
@click.option("--as", "name", required=True, help="a member of staff for the programme")
@plainly
def decide(alarm: int, is_explained: bool, why: str, name: str) -> None:
    """Say what became of an alarm, and why; it rejects nothing by itself."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        decided = station_alarms.decide(session, alarm, member.staff_id, why, confirmed=not is_explained)
        subject = f"station:{decided.feed}/{decided.station}"
        audit.record(
            session, f"staff:{member.staff_id}", f"alarm.{decided.state}", subject, None, {"alarm": alarm}
        )
    state = STATES[decided.state]
    click.echo(f"#{alarm}: {state.zh} / {state.en}")


def _told(found: Report) -> dict[str, Any]:
    return {
        "month": f"{found.month:%Y-%m}",
        "stations": [asdict(each) for each in found.stations],
        "purchases": [asdict(each) for each in found.purchases],
        "alarms": [asdict(each) for each in found.alarms],
    }


def _tables(found: Report) -> Iterable[Table]:
    yield _balance_table(found)
    made = table(
        f"采购与计入 / Bought and credited, {found.month:%Y-%m} (kg)",
        "品类 Material",
        "采购 bought",
        "上限 cap",
        "计入 credited",
        "超出 held",
        "状态 state",
    )
    for each in found.purchases:
        amounts = [_kg(each.bought_g), _kg(each.cap_g), _kg(each.credited_g), _kg(each.held_g)]
        made.add_row(f"{_title(each.material)}\n{each.feed}", *amounts, MONTH_STATES[each.state])
    yield made
    if found.alarms:
        yield _alarm_table(found.alarms)


def _balance_table(found: Report) -> Table:
    made = table(
        f"质量平衡 / Mass balance, {found.month:%Y-%m}",
        "站点 Station",
        "品类 Material",
        "袋 bags",
        "数 deposits",
        "投放 kg",
        "过磅 kg",
        "差 kg",
        "‰",
        "告警 alarms",
        tight=True,
    )
    for each in found.stations:
        bags = "\n".join(f"{BAG_STATES[state]} {n}" for state, n in each.bags.items())
        masses = [_kg(each.deposited_g), _kg(each.weighed_g), _kg(each.residual_g)]
        share = "—" if each.residual_pm is None else f"{each.residual_pm:+}"
        alarms = "\n".join(f"{KINDS[kind].zh} {kind}" for kind in each.alarms) or "—"
        made.add_row(each.station, _title(each.material), bags, f"{each.deposits:,}", *masses, share, alarms)
    return made


def _alarm_table(found: Iterable[Alarm]) -> Table:
    made = table(
        "站点告警 / Alarms", "号 no.", "站点 Station", "告警 Alarm", "自 since", "依据 figures", "状态 state"
    )
    for each in found:
        kind, state = KINDS[each.kind], STATES[each.state]
        words = f"{kind.zh} / {kind.en}" + ("" if each.material is None else f"\n{_title(each.material)}")
        since = f"{each.since.astimezone(clock.PROGRAMME_ZONE):%Y-%m-%d}"
        figures = ", ".join(f"{name} {value}" for name, value in sorted(each.figures.items()))
        said = f"{state.zh} {state.en}" + ("" if each.why is None else f"\n{each.why}")
        made.add_row(str(each.alarm_id), f"{each.station}\n{each.feed}", words, since, figures, said)
    return made


def _title(material: str) -> str:
    return f"{BY_CODE[material][-1].title.zh} {material.partition('.')[2]}"


def _kg(amount_g: int | None) -> str:
    """Grams as kilograms with their three places."""
    if amount_g is None:
        return "—"
    return grams(amount_g) if amount_g >= 0 else f"-{grams(-amount_g)}"
