"""Commands of the books: the invariants, and undoing a credit."""

import click

from carbon_credits.cli.later import LaterGroup
from carbon_credits.cli.saying import plainly
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.crediting.ledger_hash import ledger_hash
from carbon_credits.crediting.reversal import reverse as reverse_credit
from carbon_credits.ledger.balance_sheet import balance_sheet
from carbon_credits.ledger.check import check, report
from carbon_credits.staff.service import Role, by_name, require_role


@click.group()
def ledger() -> None:
    """The two books."""


@ledger.command("check")
@click.option("--seal-delay", default=60, show_default=True, help="seconds a journal may be without a seal")
@plainly
def check_ledger(seal_delay: int) -> None:
    """Ask every invariant; ends with 1 when any is broken."""
    with reading() as session:
        findings = check(session, seal_delay)
    for name, verdict, examined, violations, promise in report(findings):
        click.echo(f"{name:<4} {verdict:<14} {examined:>14} {violations:>6}  {promise}")
    for finding in findings:
        for row in finding.sample:
            click.echo(f"     {finding.name}: {row}", err=True)
    if any(finding.violations for finding in findings):
        raise click.exceptions.Exit(1)


@ledger.command("sheet")
@plainly
def show_sheet() -> None:
    """The books on one page, at one moment; ends with 1 when they do not balance."""
    with reading() as session:
        sheet = balance_sheet(session)
    for name, amount in vars(sheet).items():
        click.echo(f"{name:<14} {amount:>18,}")
    for fault in sheet.faults():
        click.echo(f"不平 / does not balance: {fault}", err=True)
    if sheet.faults():
        raise click.exceptions.Exit(1)


@ledger.command("hash")
@plainly
def hash_ledger() -> None:
    """Say what everybody has in the end as one number, the same for any order in which it came."""
    with reading() as session:
        click.echo(ledger_hash(session))


@click.group(
    cls=LaterGroup,
    places={"bounds": "bounding:command", "replay": "replaying:command", "restate": "restating:command"},
)
def credits() -> None:  # noqa: A001 - the word of the trade
    """Credited acts."""


@credits.command("reverse")
@click.argument("resident", type=int)
@click.argument("activity")
@click.option("--as", "name", required=True, help="the member of staff who decides")
@plainly
def reverse(resident: int, activity: str, name: str) -> None:
    """Reverse a credited act: grams in full, points by the clawback order."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.SUPPORT)
        reverse_credit(session, resident, activity, "reversed_by_staff", clock.today())
        audit.record(
            session, f"staff:{member.staff_id}", "activity.reversed", f"activity:{activity}", None, None
        )
    click.echo(f"已撤销 / reversed: {activity}")
