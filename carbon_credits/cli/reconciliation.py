"""`flask reconciliation`: a feed's day and month told, its month closed, and how long a feed is waited for."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from carbon_credits import approving
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.scorecards import show_day, show_scorecard
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.partners.service import source_by_feed
from carbon_credits.reconciliation import periods, waiting
from carbon_credits.reconciliation.periods import Report
from carbon_credits.staff.service import Role, by_name, require_role


@click.group(name="reconciliation")
def group() -> None:
    """对账 / Days and months of partners' feeds."""


group.add_command(show_day)
group.add_command(show_scorecard)


@group.command("close")
@click.argument("feed")
@click.argument("month")
@click.option("--waive", "reason", help="why its open cases may stand; a second person approves")
@click.option("--as", "name", required=True, help="a member of staff for finance")
@plainly
def close(feed: str, month: str, reason: str | None, name: str) -> None:
    """Close a feed's MONTH (2026-11): its figures are frozen, later changes are adjustments of later months."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.FINANCE)
        left = periods.open_cases(session, feed, month)
        if reason is not None and left:
            payload = {"feed": feed, "month": month, "cases": left}
            number = approving.propose(session, periods.CLOSE, payload, reason, name).approval_id
            click.echo(f"提案 #{number} 待另一人批准 / proposal #{number} waits for a second person")
            return
        closed = periods.close(session, feed, month, member.staff_id, clock.now())
    click.echo(f"{feed} {month}: 已关账 / closed, sha256:{closed.digest.hex()}")


@group.command("report")
@click.argument("feed")
@click.argument("month")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
@plainly
def report(feed: str, month: str, as_json: bool) -> None:
    """What a feed's MONTH comes to. Ends with 1 when a record or claim of it is in no line."""
    with reading() as session:
        found = periods.report(session, feed, month)
    if as_json:
        click.echo(json.dumps(asdict(found), default=_plain, ensure_ascii=False, sort_keys=True))
    else:
        _say(found)
    if any(found.figures[side]["unexplained"] for side in ("records", "claims")):
        raise click.exceptions.Exit(1)


@group.command("grace")
@click.argument("feed")
@click.argument("days", type=click.IntRange(0, 60))
@click.option(
    "--from", "since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="first day of the acts"
)
@click.option("--reason", required=True)
@click.option("--as", "name", required=True, help="a member of staff of the programme")
@plainly
def grace(feed: str, days: int, since: datetime, reason: str, name: str) -> None:
    """Wait DAYS beyond a feed's watermark before the absence of a record counts; three where nothing was said."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        source = source_by_feed(session, feed)
        waiting.set_grace(session, source.source_id, days, since.date(), reason, member.staff_id)
    click.echo(f"{feed}: {days} 天 / days from {since:%Y-%m-%d} on")


def _say(found: Report) -> None:
    click.echo(f"{found.feed} {found.month}: {found.state}")
    if found.digest is not None and found.closed_at is not None:
        click.echo(f"  {found.closed_at:%Y-%m-%d %H:%M}Z  sha256:{found.digest.hex()}")
    if found.waived:
        click.echo("  豁免 waived: " + ", ".join(f"#{number}" for number in found.waived))
    for side, words in (("records", "合作方记录 records"), ("claims", "居民申报 claims")):
        told = found.figures[side]
        click.echo(f"{words}: {told['total']:,}")
        for line, n in told["lines"].items():
            click.echo(f"  {line:<22} {n:>12,}")
        click.echo(f"  {'unexplained':<22} {told['unexplained']:>12,}")
    for state, n in found.figures["set_aside"].items():
        click.echo(f"未成记录 no act, {state}: {n:,}")
    _say_booked("入账 booked", found.figures["booked"])
    if found.since:
        click.echo("关账后变化 changed since: " + json.dumps(found.since, ensure_ascii=False, sort_keys=True))
    for entry in found.adjustments:
        _say_booked(f"调整 adjustment of {entry['month']}, late {entry['late']}", entry["booked"])


def _say_booked(words: str, booked: Mapping[str, Any]) -> None:
    for side, told in booked.items():
        grams = f"{told['verified_mg']:,} mg 核证 verified, {told['claimed_mg']:,} mg 申报 claimed"
        points = ", ".join(f"fund {fund}: {n:,}" for fund, n in told["points_by_fund"].items()) or "—"
        click.echo(f"{words}, {side}: {grams}, {told['removal_mg']:,} mg 碳汇 removal; {points}")


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
