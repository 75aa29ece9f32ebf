"""Commands of green finance: banks, the editor of programmes, revocation, the report."""

import json
from pathlib import Path
from typing import Any, Literal

import click

from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import banks, lifecycle, programmes, report, statements
from carbon_credits.incentives.banks import NewBank
from carbon_credits.jobs.surroundings import settings
from carbon_credits.staff.service import Role, by_name, require_role

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Turn = Literal["active", "paused", "ended"]
TURNS: dict[str, Turn] = {"pause": "paused", "resume": "active", "end": "ended"}


@click.group("incentives")
def group() -> None:
    """碳普惠金融 / Green finance: banks, programmes, statements, the report."""


@group.command("add-bank")
@click.argument("code")
@click.option("--kind", required=True, type=click.Choice(banks.KINDS))
@click.option("--zh", required=True)
@click.option("--en", required=True)
@click.option("--audience", required=True, help="the https address that its statements are addressed to")
@click.option("--contact", required=True, help="who answers there; kept sealed")
@click.option("--as", "name", required=True)
@plainly
def add_bank(code: str, kind: banks.Kind, zh: str, en: str, audience: str, contact: str, name: str) -> None:
    """Register a bank or an insurer; `flask partners add-client CODE` gives its systems a client."""
    with transaction() as session:
        by = by_name(session, name).staff_id
        require_role(session, by, Role.PROGRAMME)
        banks.add(session, settings().vault, NewBank(code, kind, Text(zh, en), audience, contact), by)
    click.echo(f"已登记 / registered: {code}")


@group.command("banks")
@plainly
def list_banks() -> None:
    """Banks and insurers that take part, and who answers there."""
    with reading() as session:
        for bank in banks.banks(session):
            click.echo(
                f"{bank.code:<20} {bank.kind:<8} {bank.name_zh} / {bank.name_en}  {bank.audience}  "
                f"{banks.contact_of(settings().vault, bank)}"
            )


@group.command("draft")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--as", "name", required=True)
@plainly
def draft(path: Path, name: str) -> None:
    """Write a draft of a programme from its terms in JSON, or write it anew."""
    try:
        document: Any = json.loads(path.read_bytes())
    except ValueError as error:
        raise click.ClickException(f"不是 JSON / not JSON: {error}") from error
    if not isinstance(document, dict):
        raise click.ClickException("应为 JSON 对象 / a JSON object")
    with transaction() as session:
        by = by_name(session, name).staff_id
        require_role(session, by, Role.PROGRAMME)
        made = lifecycle.draft(session, document, by)
    click.echo(f"草案 {made.id}：{made.terms.code} v{made.version} / draft {made.id}")


@group.command("show")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True)
@plainly
def show(code: str | None, as_json: bool) -> None:
    """Every version of a programme, or of all."""
    with reading() as session:
        found = programmes.versions(session, code)
    if as_json:
        told = [
            {"id": one.id, "version": one.version, "state": one.state, **one.terms.as_document()}
            for one in found
        ]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for one in found:
        click.echo(
            f"{one.id:>4} {one.terms.code} v{one.version}  {one.state:<8} {one.bank.code}  "
            f"{one.terms.name.zh} / {one.terms.name.en}  {one.state_reason or ''}"
        )


@group.command("propose")
@click.argument("incentive", type=int)
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose(incentive: int, reason: str, name: str) -> None:
    """Put a draft before a second person: `flask approvals approve N --as ANOTHER`."""
    with transaction() as session:
        by = by_name(session, name).staff_id
        require_role(session, by, Role.PROGRAMME)
        proposed = lifecycle.propose(session, incentive, reason, by)
    number = proposed.approval_id
    click.echo(f"提案 #{number} 待另一人批准 / proposal #{number} waits for a second person")


@group.command("reopen")
@click.argument("incentive", type=int)
@click.option("--as", "name", required=True)
@plainly
def reopen(incentive: int, name: str) -> None:
    """Make a draft again of what was rejected, or of one's own proposal."""
    with transaction() as session:
        by = by_name(session, name).staff_id
        require_role(session, by, Role.PROGRAMME)
        lifecycle.reopen(session, incentive, by)
    click.echo("已退回草案 / a draft again")


@group.command("turn")
@click.argument("code")
@click.argument("to", type=click.Choice(list(TURNS)))
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def turn(code: str, to: str, reason: str, name: str) -> None:
    """Pause, resume or end a programme; statements that were given stay what they are."""
    with transaction() as session:
        by = by_name(session, name).staff_id
        require_role(session, by, Role.PROGRAMME)
        now = lifecycle.turn(session, code, TURNS[to], reason, by)
    click.echo(f"{now.terms.code} v{now.version}: {now.state}")


@group.command("revoke")
@click.argument("statement")
@click.option("--why", required=True, type=click.Choice(["fraud", "error"]))
@click.option("--as", "name", required=True)
@plainly
def revoke(statement: str, why: Literal["fraud", "error"], name: str) -> None:
    """Revoke a statement that should not have been; banks see it in the status list."""
    with transaction() as session:
        by = by_name(session, name).staff_id
        require_role(session, by, Role.PROGRAMME)
        statements.revoke(session, statement, why, by, clock.now())
    click.echo("已撤销 / revoked")


@group.command("revoke-all")
@click.argument("resident", type=int)
@click.option("--as", "name", required=True)
@plainly
def revoke_all(resident: int, name: str) -> None:
    """Revoke all that is alive of a resident whose fraud is proven."""
    with transaction() as session:
        by = by_name(session, name).staff_id
        require_role(session, by, Role.PROGRAMME)
        many = statements.revoke_all(session, resident, "fraud", clock.now(), f"staff:{by}")
    click.echo(f"已撤销 {many} 份 / revoked: {many}")


@group.command("report")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True)
@plainly
def tell(code: str, as_json: bool) -> None:
    """People by tier, outcomes, benefit and the kilograms behind it; fewer than ten are never shown."""
    with reading() as session:
        made = report.report_of(session, settings().vault, code).as_document()
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False, indent=2))
        return
    columns = ("people", *report.CELLS, "benefit_fen", "kg_behind_all", "kg_behind_granted")
    click.echo(f"{'tier':<20}" + "".join(f"{name:>18}" for name in columns))
    for row in made["tiers"]:
        cells = ("—" if row[name] is None else f"{row[name]:,}" for name in columns)
        click.echo(f"{row['tier']:<20}" + "".join(f"{cell:>18}" for cell in cells))
    click.echo(
        f"— 少于 {report.FEWEST} 人或可推算 / fewer than {report.FEWEST} people, or would give them away"
    )
