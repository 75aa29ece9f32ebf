"""`flask fundings` and `flask inbox`: sponsors' money in and back, and what providers told us and nobody could follow."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tagging import tag_of, tagged
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Unavailable
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.inbox import collect, follow_due
from carbon_credits.jobs.surroundings import ways
from carbon_credits.rewards import collecting, funding_refunds, fundings, inbox
from carbon_credits.rewards.payment_contract import Collection, Collector, Unknown
from carbon_credits.staff.service import Role, by_name, require_role

AS = click.option("--as", "name", required=True, help="a member of staff with the role finance")
REASON = click.option("--reason", required=True)
MOST = click.option("--most", type=click.IntRange(1, 1_000), default=20, show_default=True)


@click.group("fundings")
def group() -> None:
    """赞助款 / Sponsors' money, into a fund or a purse."""


@group.command("propose")
@click.option("--sponsor", required=True, help="who pays")
@click.option("--fund", "fund_id", type=int, help="a fund, with --points")
@click.option("--points", type=int, help="what the money buys")
@click.option("--purse", "purse_id", type=int, help="or a purse, in fen")
@click.option("--amount-fen", type=int, required=True)
@click.option("--means", type=click.Choice(["checkout", "intent"]), default="checkout", show_default=True)
@tagged
@REASON
@AS
@plainly
def propose(reason: str, name: str, **payload: Any) -> None:
    """Propose to ask a sponsor for money; a second person approves, and `link` says where it is paid."""
    needed_collector()
    put_before(fundings.KIND, tag_of(payload), reason, name)


@group.command("list")
@MOST
@plainly
def list_fundings(most: int) -> None:
    """The newest ones: amounts in fen."""
    with reading() as session:
        rows = fundings.listed(session, most)
    if not rows:
        click.echo("没有赞助款 / none")
    for row in rows:
        what = f"fund {row.fund_id}: {row.points:,} points" if row.fund_id else f"purse {row.purse_id}"
        back = f"  退 back {row.refunded_fen:,}" if row.refunded_fen else ""
        click.echo(
            f"#{row.funding_id} {row.state:<9} {row.amount_fen:>12,} fen{back}  {row.sponsor}  {what}"
            f"  approval #{row.approval_id}"
        )


@group.command("link")
@click.argument("funding", type=int)
@AS
@plainly
def link(funding: int, name: str) -> None:
    """Where a sponsor pays, or what its own page needs to take the payment; asks Stripe now."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.FINANCE)
        audit.record(session, f"staff:{member.staff_id}", "funding.shown", f"funding:{funding}")
    _show(_asked(lambda collector: collecting.ask(collector, funding)), funding)


@group.command("cancel")
@click.argument("funding", type=int)
@AS
@plainly
def cancel(funding: int, name: str) -> None:
    """Ask a sponsor no longer. What was paid before that stays paid."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.FINANCE)
        audit.record(session, f"staff:{member.staff_id}", "funding.cancelled", f"funding:{funding}")
    _show(_asked(lambda collector: collecting.end(collector, funding)), funding)


@group.command("propose-refund")
@click.argument("funding", type=int)
@click.option("--points", type=int, help="of a fund: unallocated points, at the price they were bought for")
@click.option("--amount-fen", type=int, help="of a purse: what is neither reserved nor spent")
@REASON
@AS
@plainly
def propose_refund(funding: int, points: int | None, amount_fen: int | None, reason: str, name: str) -> None:
    """Propose to give unspent money back; a second person approves, and it is sent within minutes."""
    with reading() as session:
        payload = funding_refunds.payload_of(session, funding, points=points, amount_fen=amount_fen)
    put_before(funding_refunds.KIND, payload, reason, name)


@group.command("follow")
@plainly
def follow() -> None:
    """Ask Stripe now about everything that has no end, as the scheduler does every five minutes."""
    needed_collector()
    click.echo(f"已核对 / heard: {collect()}")


@click.group("inbox")
def inbox_group() -> None:
    """支付方通知 / What providers told us."""


@inbox_group.command("list")
@click.option(
    "--state", type=click.Choice(["received", "done", "dead", "all"]), default="dead", show_default=True
)
@MOST
@plainly
def list_notices(state: str, most: int) -> None:
    """Notices that nobody could follow, or others, the newest first."""
    with reading() as session:
        rows = inbox.listed(session, state=None if state == "all" else state, most=most)
    if not rows:
        click.echo("没有通知 / none")
    for row in rows:
        click.echo(
            f"{_local(row.received_at)} {row.provider} {row.event_id} {row.state:<8} {row.type} "
            f"{row.object_ref or '—'}  {row.attempts}×  {row.last_error or ''}".rstrip()
        )


@inbox_group.command("retry")
@click.argument("event")
@AS
@plainly
def retry(event: str, name: str) -> None:
    """Follow a dead notice once more, now."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.FINANCE)
        inbox.retry(session, event, member.staff_id, clock.now())
    follow_due()
    with reading() as session:
        row = inbox.notice(session, event)
    click.echo(f"{row.event_id}: {row.state} {row.last_error or ''}".rstrip())


def needed_collector() -> Collector:
    """Stripe, where it is; raises Unavailable where it is not."""
    collector = ways().collector
    if collector is None:
        said = Text("未配置 Stripe（CARBON_STRIPE_KEY）", "There is no Stripe here: set CARBON_STRIPE_KEY")
        raise Unavailable("no_collector", said)
    return collector


def _asked(call: Callable[[Collector], Collection | None]) -> Collection | None:
    try:
        return call(needed_collector())
    except Unknown as unknown:
        said = Text("Stripe 没有答复，请稍后再试", "Stripe gave no answer: try again later")
        raise Unavailable("no_answer", said) from unknown


def _show(told: Collection | None, funding: int) -> None:
    if told is None:
        raise click.ClickException("Stripe 不接受此款，已记为失败 / Stripe refused it; it is noted as failed")
    click.echo(f"#{funding}: {told.state}  {told.amount_fen:,} fen")
    for words, value in (
        ("链接 link", told.url),
        ("client_secret", told.secret),
        ("拒付 declined", told.declined),
    ):
        if value:
            click.echo(f"{words}: {value}")


def _local(instant: datetime) -> str:
    return instant.astimezone(clock.PROGRAMME_ZONE).strftime("%m-%d %H:%M:%S")
