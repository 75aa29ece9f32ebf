"""Commands of policy: proposals and the second person's decision, rates, caps and funds.

A proposal is checked before anybody is asked to approve it; the approval puts it in force in the same transaction.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import click
from sqlalchemy import select, text

from carbon_credits.approving import DEPOSIT, decide, propose
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tagging import tag_of, tagged
from carbon_credits.core.approvals import Approval
from carbon_credits.core.db import reading, transaction
from carbon_credits.ledger import funds as fund_service
from carbon_credits.ledger.breakage import breakage
from carbon_credits.programme import service as programme_service


@click.group(name="approvals")
def approvals_group() -> None:
    """Proposals waiting for a second person."""


@approvals_group.command("list")
@click.option("--all", "everything", is_flag=True, help="decided ones too")
@plainly
def list_approvals(everything: bool) -> None:
    """Show proposals, oldest first."""
    asked = select(Approval).order_by(Approval.approval_id)
    with reading() as session:
        rows = session.scalars(asked if everything else asked.where(Approval.state == "proposed")).all()
    if not rows:
        click.echo("没有待批提案 / nothing is waiting")
    for row in rows:
        payload = json.dumps(row.payload, ensure_ascii=False, sort_keys=True)
        click.echo(f"#{row.approval_id} {row.state:<9} {row.kind:<16} {payload}  — {row.reason}")


def _decide(approval: int, name: str, *, approve: bool) -> None:
    with transaction() as session:
        decided = decide(session, approval, name, approve=approve)
    click.echo(f"#{decided.approval_id}: {decided.state}")


@approvals_group.command("approve")
@click.argument("approval", type=int)
@click.option("--as", "name", required=True, help="a member of staff other than the proposer")
@plainly
def approve(approval: int, name: str) -> None:
    """Approve a proposal; it is in force from then on."""
    _decide(approval, name, approve=True)


@approvals_group.command("reject")
@click.argument("approval", type=int)
@click.option("--as", "name", required=True, help="a member of staff other than the proposer")
@plainly
def reject(approval: int, name: str) -> None:
    """Reject a proposal."""
    _decide(approval, name, approve=False)


@click.group()
def programme() -> None:
    """Rates and caps."""


@programme.command("show")
@plainly
def show_programme() -> None:
    """Every rate and cap there is or was."""
    with reading() as session:
        for rate in programme_service.rates(session):
            until = rate.until or "—"
            click.echo(
                f"rate {rate.family:<10} {rate.evidence_class}  {rate.points_per_mg.normalize():f} points/mg"
                f"  matures {rate.mature_days} d  {rate.in_force} … {until}"
            )
        for cap in programme_service.caps(session):
            until = cap.until or "—"
            click.echo(
                f"cap  {cap.scope:<28} {cap.unit:<8} {cap.most} a {cap.period}  {cap.in_force} … {until}"
            )


def put_before(kind: str, payload: Mapping[str, Any], reason: str, name: str) -> None:
    """Propose in a transaction of its own and say what the proposal's number is."""
    with transaction() as session:
        proposed = propose(session, kind, payload, reason, name)
    click.echo(
        f"提案 #{proposed.approval_id} 待另一人批准 / proposal #{proposed.approval_id} waits for a second person"
    )


@programme.command("propose-rate")
@click.option("--family", default="*", show_default=True)
@click.option("--class", "evidence_class", required=True, type=click.Choice(list("ABCD")))
@click.option("--points-per-mg", required=True)
@click.option("--mature-days", type=int, default=0, show_default=True)
@click.option("--fund", "fund_id", type=int, required=True)
@click.option("--from", "in_force", required=True, help="first day, such as 2026-01-31")
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_rate(reason: str, name: str, **payload: Any) -> None:
    """Propose what a milligram earns."""
    put_before(programme_service.RATE, payload, reason, name)


@programme.command("propose-cap")
@click.option("--kind", required=True, type=click.Choice(["science", "policy"]))
@click.option("--scope", required=True, help="a methodology's code, a family, or *")
@click.option("--unit", required=True, type=click.Choice(["count", "quantity", "points"]))
@click.option("--most", type=int, required=True)
@click.option("--period", default="day", show_default=True, type=click.Choice(["day", "month", "year"]))
@click.option("--from", "in_force", required=True, help="first day, such as 2026-01-31")
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_cap(reason: str, name: str, **payload: Any) -> None:
    """Propose the most that counts in a day, a month or a year (of the act's day)."""
    put_before(programme_service.CAP, payload, reason, name)


@click.group()
def funds() -> None:
    """Where points come from."""


@funds.command("create")
@click.argument("code")
@click.option("--zh", required=True)
@click.option("--en", required=True)
@plainly
def create_fund(code: str, zh: str, en: str) -> None:
    """Create a fund without money."""
    with transaction() as session:
        number = fund_service.create_fund(session, code, zh, en)
    click.echo(f"资金池 {number}：{zh} / fund {number}: {en}")


@funds.command("show")
@plainly
def show_funds() -> None:
    """Each fund's budget and what is left of it."""
    with reading() as session:
        rows = session.execute(
            text("""
select f.fund_id, f.code, f.name_zh, f.name_en, f.budget,
       f.unallocated + coalesce((select sum(remaining) from fund_slot s where s.fund_id = f.fund_id), 0) as remaining
from fund f
order by f.fund_id
""")
        ).all()
    for row in rows:
        names = f"{row.name_zh} / {row.name_en}"
        click.echo(f"{row.fund_id:>3} {row.code:<16} {row.remaining:>16,} / {row.budget:,} points  {names}")


@funds.command("breakage")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="first booking day")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="last booking day")
@plainly
def show_breakage(first: datetime | None, last: datetime | None) -> None:
    """What lapsed unused in each fund, and what it had cost; of all days unless some are named."""
    with reading() as session:
        found = breakage(session, first.date() if first else date.min, last.date() if last else date.max)
    for one in found:
        share = f"{100 * one.lapsed / one.granted:.1f} %" if one.granted > 0 else "-"
        cost = f"¥{one.cost_fen // 100:,}.{one.cost_fen % 100:02}"
        click.echo(f"{one.code:<16} {one.lapsed:>14,} / {one.granted:,} points  {share:>8}  {cost}")


@funds.command("propose-deposit")
@click.option("--fund", "fund_id", type=int, required=True)
@click.option("--points", type=int, required=True)
@click.option("--amount-fen", type=int, required=True, help="what the points cost, in fen")
@tagged
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_deposit(reason: str, name: str, **payload: Any) -> None:
    """Propose to buy points for a fund, for no less than they are worth."""
    with reading() as session:
        fund_service.refuse_below_value(session, payload["points"], payload["amount_fen"])
    put_before(DEPOSIT, tag_of(payload), reason, name)
