"""`flask settlements`: merchants' statements, who is paid, the bank's files, and whether it all adds up."""

from datetime import datetime, time, timedelta
from pathlib import Path

import click

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading, transaction
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.jobs import settlement as jobs
from carbon_credits.jobs.surroundings import settings, ways
from carbon_credits.rewards import (
    accounts,
    bank_files,
    payments,
    rail_report,
    settlement_approval,
    standing,
    statements,
    take_backs,
)
from carbon_credits.rewards.merchant_models import MerchantAccount
from carbon_credits.rewards.payment_contract import BankFormat, Encoding
from carbon_credits.staff.service import by_name

AS = click.option("--as", "name", required=True, help="a member of staff of finance")
DAY = click.DateTime(["%Y-%m-%d"])


@click.group(name="settlements")
def group() -> None:
    """商户结算 / What merchants are paid."""


@group.command("make")
@plainly
def make() -> None:
    """Make the statements of every day that is over; what is made already is left alone."""
    made = 0
    while step := in_transaction(jobs.make_statements):
        made += step
    click.echo(f"生成结算单 {made} 张 / made {made} settlements")


@group.command("list")
@click.option("--state", type=click.Choice(statements.STATES))
@click.option("--most", type=click.IntRange(1, 10_000), default=50, show_default=True)
@plainly
def list_settlements(state: str | None, most: int) -> None:
    """Settlements, newest day first."""
    with reading() as session:
        states = statements.STATES if state is None else (state,)
        for row in statements.listed(session, states=states, most=most):
            click.echo(
                f"#{row.settlement_id:<8} {row.day}  merchant {row.merchant_id:<6} {row.state:<9}"
                f" {row.amount_fen:>12,} fen  {row.captures} captures, {row.reversals} reversals"
            )


@group.command("show")
@click.argument("settlement", type=int)
@plainly
def show(settlement: int) -> None:
    """One settlement: its sums, its payments, and whether it still is what was frozen."""
    with reading() as session:
        found = statements.whole(session, settlement)
        row = found.settlement
        click.echo(f"#{row.settlement_id} {row.day} merchant {row.merchant_id}: {row.state}")
        click.echo(f"  {row.captures} captures, {row.reversals} reversals: {row.lines_micro_fen:,} micro-fen")
        click.echo(
            f"  carried in {row.carried_in:,}, out {row.carried_out:,} micro-fen; put right by {row.adjusted_fen:,} fen"
        )
        click.echo(f"  amount {row.amount_fen:,} fen; digest {bytes(row.digest).hex()}")
        for payment in found.payments:
            why = f" ({payment.failure})" if payment.failure else ""
            back = f", {payment.reversed_fen:,} fen came back" if payment.reversed_fen else ""
            click.echo(f"  {payment.key} {payment.rail} {payment.state}{why}{back}")
        if waits := standing.why_unpaid(session, row):
            click.echo(f"  {waits.zh} / {waits.en}")
        if statements.altered(session, [settlement]):
            raise click.ClickException("结算单已被改动 / it is not what was frozen")
    click.echo("  与冻结时一致 / is what was frozen")


@group.command("propose")
@click.option("--day", type=DAY, required=True, help="such as 2026-11-02")
@click.option("--reason", required=True)
@AS
@plainly
def propose(day: datetime, reason: str, name: str) -> None:
    """Ask a second person to approve a day's settlements (`flask approvals approve`)."""
    with reading() as session:
        payload = settlement_approval.payload_of(session, day.date())
    put_before(settlement_approval.KIND, payload, reason, name)


@group.command("keep-out")
@click.argument("settlement", type=int)
@click.option("--reason", required=True)
@click.option("--let-in", is_flag=True, help="let it wait for approval again")
@AS
@plainly
def keep_out(settlement: int, reason: str, let_in: bool, name: str) -> None:
    """Keep a settlement out of what is approved with its day."""
    move = settlement_approval.let_in if let_in else settlement_approval.keep_out
    with transaction() as session:
        move(session, settlement, reason, by_name(session, name).staff_id)
    click.echo(f"#{settlement}: {'frozen' if let_in else 'refused'}")


@group.command("pay")
@plainly
def pay() -> None:
    """Pay what is approved, now; the same runs every minute by itself."""
    ended = jobs.pay_all()
    click.echo(f"已有结果 {ended} 笔 / an end of {ended} payments is known")


@group.command("retry")
@click.argument("settlement", type=int)
@AS
@plainly
def retry(settlement: int, name: str) -> None:
    """Begin another attempt after one that failed, to the account now in force."""
    with transaction() as session:
        payment = payments.retry(session, settlement, by_name(session, name).staff_id)
    click.echo(f"#{settlement}: 新付款 / payment {payment}")


@group.command("propose-take-back")
@click.option("--payment", "payment_id", type=int, required=True)
@click.option("--amount-fen", type=int, required=True)
@click.option("--reason", required=True)
@AS
@plainly
def propose_take_back(payment_id: int, amount_fen: int, reason: str, name: str) -> None:
    """Ask a second person to have money back; where the account is short, the next statements bear it."""
    put_before(take_backs.KIND, {"payment_id": payment_id, "amount_fen": amount_fen}, reason, name)


@group.command("bank-file")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--encoding", type=click.Choice(["gb18030", "utf-8"]), default="gb18030", show_default=True)
@click.option("--again", type=int, help="write this file once more, byte for byte")
@AS
@plainly
def bank_file(target: Path, encoding: str, again: int | None, name: str) -> None:
    """Write every payment that waits for the bank into one file."""
    coded: Encoding = "utf-8" if encoding == "utf-8" else "gb18030"
    with transaction() as session:
        by = by_name(session, name).staff_id
        if again is None:
            written = bank_files.write(session, _bank(), _opened, coded, by)
        else:
            written = bank_files.write_again(session, _bank(), _opened, again, by)
    target.touch(mode=0o600, exist_ok=True)
    target.write_bytes(written.content)
    click.echo(
        f"文件 {written.file_id}：{written.n} 笔 / file {written.file_id}: {written.n}, {written.total_fen:,} fen"
    )


@group.command("bank-answer")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@AS
@plainly
def bank_answer(source: Path, name: str) -> None:
    """Take in the bank's answer, whole or not at all; the same file again changes nothing."""
    raw = source.read_bytes()
    with transaction() as session:
        new = bank_files.take_in(session, _bank(), raw, by_name(session, name).staff_id)
    if new:
        jobs.hear_bank()
    click.echo(f"新增 {new} 行 / {new} new lines")


@group.command("report")
@click.option("--rail", type=click.Choice(["stripe", "bank"]), required=True)
@click.option("--from", "since", type=DAY, required=True, help="first day")
@click.option("--to", "until", type=DAY, required=True, help="last day")
@plainly
def report(rail: str, since: datetime, until: datetime) -> None:
    """Opening + what moved = closing, in fen; ends with 1 unless unexplained is 0."""
    first = datetime.combine(since.date(), time(0), clock.PROGRAMME_ZONE)
    end = datetime.combine(until.date() + timedelta(days=1), time(0), clock.PROGRAMME_ZONE)
    with reading() as session:
        found = rail_report.report(session, rail, first, end, clock.now())
        owing = take_backs.receivable(session)
    for line, fen in rail_report.lines(found):
        click.echo(f"{line:<12} {fen:>16,}")
    for finding in found.findings:
        click.echo(f"  ! {finding.what} {finding.reference} {finding.fen:,} fen {finding.at:%Y-%m-%d %H:%M}Z")
    for merchant, micro_fen in owing.items():
        click.echo(f"  merchant {merchant} owes {micro_fen:,} micro-fen")
    if found.unexplained:
        raise click.ClickException("有无法解释的金额 / something is unexplained")


def _bank() -> BankFormat:
    found = ways().bank
    if found is None:
        raise Conflict("no_bank_rail", Text("未配置银行文件", "There is no bank file rail here"))
    return found


def _opened(account: MerchantAccount) -> tuple[str, str]:
    bank = accounts.opened(settings().vault, account)
    return bank.holder, bank.number
