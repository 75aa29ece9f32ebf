"""Trips that wait for a person: what the rules doubted, and a few they accepted."""

import click
from rich.table import Table

from carbon_credits.activities.reasons import explain
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.crediting import reviews, rulings
from carbon_credits.crediting.rulings import Ruling
from carbon_credits.staff.service import by_name

HEADINGS = (
    "居民 resident",
    "记录 act",
    "方法学 methodology",
    "监测 told",
    "分 score",
    "原因 reasons",
    "自 since",
)


@click.group(name="reviews")
def group() -> None:
    """Trips that wait for a person."""


@group.command("list")
@click.option("--most", type=click.IntRange(1, 1_000), default=50, show_default=True)
@plainly
def list_reviews(most: int) -> None:
    """Trips that wait, the one waiting longest first."""
    with reading() as session:
        waiting = reviews.open_reviews(session, most)
    if not waiting:
        click.echo("没有待核对的行程 / no trip waits for a person")
        return
    table = Table(*HEADINGS, title="待人工核对的行程 trips that wait for a person")
    for one in waiting:
        against = "\n".join(explain(code).zh for code, score in one.reasons if score <= 0)
        told = ", ".join(f"{name} {amount}" for name, amount in one.monitored.items())
        since = one.since.astimezone(clock.PROGRAMME_ZONE).strftime("%m-%d %H:%M")
        row = (str(one.resident_id), one.activity, one.methodology, told, str(one.score), against, since)
        table.add_row(*row)
    console().print(table)


@group.command("decide")
@click.argument("resident", type=int)
@click.argument("activity")
@click.option("--accept/--refuse", "accepted", required=True, default=None)
@click.option("--reason", required=True, help="why; kept in the audit")
@click.option("--as", "name", required=True, help="a member of staff for support")
@plainly
def decide(resident: int, activity: str, accepted: bool, reason: str, name: str) -> None:
    """Accept what is held, which then is decided again, or refuse it; of a sampled trip, take back its credit."""
    code = "evidence_fits" if accepted else "refused_evidence"
    ruling = Ruling(rulings.CREDIT if accepted else rulings.REJECT, code, reason)
    with transaction() as session:
        member = by_name(session, name)
        rulings.rule(session, resident, activity, ruling, member.staff_id, clock.today())
    click.echo(f"{activity}: " + ("通过 / accepted" if accepted else "不通过 / refused"))
