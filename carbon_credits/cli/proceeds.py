"""`flask proceeds`: what became of loans, bonds, special funds and own money, and what some money is said to be."""

import json
from datetime import datetime
from typing import Any

import click

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tagging import tag_of, tagged
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import money_tags
from carbon_credits.reporting import proceeds
from carbon_credits.reporting.proceeds import STATES, Instrument

UNTAGGED = Text("未标注", "Untagged")


@click.group("proceeds")
def group() -> None:
    """资金用途 / Use of proceeds: green loans and bonds, special funds."""


@group.command("report")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="through this day; today unless told otherwise"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object an instrument")
@plainly
def report(until: datetime | None, as_json: bool) -> None:
    """What each instrument's money was used for, in fen, and the grams behind it."""
    with reading() as session:
        told = proceeds.report(session, until.date() if until else clock.today())
    if as_json:
        for one in told.instruments:
            click.echo(json.dumps(one.as_document(), ensure_ascii=False, sort_keys=True))
        return
    for one in told.instruments:
        _say(one)
    click.echo(
        "金额为分；kg 为已兑换积分背后的经核实减排量 / fen; verified kilograms behind the points spent"
    )


@group.command("tags")
@click.argument("money", type=int)
@plainly
def tags(money: int) -> None:
    """Every tag that some money had, by the approval it came in under, the newest first."""
    with reading() as session:
        rows = money_tags.history(session, money)
    if not rows:
        click.echo("没有标签 / none")
    for row in rows:
        told = json.dumps(money_tags.told(row), ensure_ascii=False, sort_keys=True)
        click.echo(f"v{row.version} {told}  #{row.approval_id} {row.reason or ''}".rstrip())


@group.command("propose-tag")
@click.argument("money", type=int)
@tagged
@click.option("--reason", required=True)
@click.option("--as", "name", required=True, help="a member of staff with the role finance")
@plainly
def propose_tag(money: int, reason: str, name: str, **given: Any) -> None:
    """Propose another tag for money, by the approval it came in under; a second person approves."""
    payload = tag_of(given)
    if "tag" not in payload:
        raise click.UsageError("--tag says what the money is")
    put_before(money_tags.RETAG, {**payload, "money_approval": money, "reason": reason}, reason, name)


def _say(one: Instrument) -> None:
    names = " · ".join(part for part in (one.instrument, one.issuer, str(one.matures_on or "")) if part)
    kind = money_tags.KINDS.get(one.kind, UNTAGGED)
    click.echo(f"{kind.zh} {kind.en}  {names}")
    click.echo(f"  收 in {one.received_fen:,}  退 back {one.returned_fen:,}")
    click.echo("  " + "  ".join(f"{state} {one.fen(state):,}" for state in STATES))
    for top_up in one.top_ups:
        click.echo(
            f"  补贴 top-up: reserved {top_up.reserved:,}  spent {top_up.spent:,}  free {top_up.free:,}"
        )
    price = one.fen_per_verified_kg
    told = "—" if price is None else f"{price:,}"
    click.echo(f"  kg {one.verified_mg_spent // proceeds.MG_A_KG:,}  分/kg fen a kg {told}")
