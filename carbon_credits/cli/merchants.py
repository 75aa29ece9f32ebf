"""Commands for merchants: who applies, who is let in, what they sign in with, who is told to stop."""

from typing import Any

import click

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents.service import Street
from carbon_credits.rewards import accounts, clients, merchants
from carbon_credits.rewards.accounts import Bank, Settlement
from carbon_credits.rewards.merchants import Application, Category


@click.group("merchants")
def group() -> None:
    """商户 / Merchants, their clients and accounts."""


@group.command("list")
@plainly
def list_merchants() -> None:
    """Every merchant, its state, and its live clients."""
    with reading() as session:
        for known in merchants.all_of_them(session):
            click.echo(f"{known.code:<24} {known.state:<10} {known.name_zh} / {known.name_en}")
            for client in clients.clients_of(session, known.merchant_id):
                click.echo(f"  {client.client_id:<40} {client.kind:<7} {client.label}")


@group.command("apply")
@click.argument("code")
@click.option("--zh", required=True)
@click.option("--en", required=True)
@click.option("--category", required=True, type=click.Choice([category.value for category in Category]))
@click.option("--street", type=click.Choice([street.value for street in Street]))
@click.option("--address", required=True)
@click.option("--licence", "licence_no", required=True, help="统一社会信用代码 / GB 32100, 18 characters")
@click.option("--contact", "contact_name", required=True)
@click.option("--phone", "contact_phone", required=True)
@click.option("--holder", help="户名 / whose bank account; without it Stripe pays")
@click.option("--number", help="账号 / its number")
@click.option("--bank-code", help="联行号 / twelve digits")
@plainly
def apply(code: str, zh: str, en: str, category: str, street: str | None, **told: Any) -> None:
    """Note an application on a merchant's behalf."""
    holder, number, bank_code = (told.pop(name) or "" for name in ("holder", "number", "bank_code"))
    settlement = (
        Settlement("bank", Bank(holder, number, bank_code)) if holder or number else Settlement("stripe")
    )
    application = Application(
        code,
        Text(zh, en),
        Category(category),
        None if street is None else Street(street),
        settlement=settlement,
        **told,
    )
    with transaction() as session:
        made = merchants.apply(session, settings().vault, application, clock.now())
        audit.record(session, "operator", "merchant.applied", f"merchant:{made.code}")
    click.echo(f"已登记 / noted: {code}")


@group.command("propose-admission")
@click.argument("code")
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_admission(code: str, reason: str, name: str) -> None:
    """Propose to let a merchant in, with the account it gave; a second person approves (role merchant)."""
    with reading() as session:
        payload = merchants.admission(session, code)
    put_before(merchants.ADMIT, payload, reason, name)


@group.command("propose-account")
@click.argument("code")
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_account(code: str, reason: str, name: str) -> None:
    """Propose to pay a merchant to the account it gave last; a second person approves (role finance)."""
    with reading() as session:
        payload = accounts.change(session, merchants.by_code(session, code).merchant_id)
    put_before(accounts.CHANGE, payload, reason, name)


@group.command("add-client")
@click.argument("code")
@click.option("--label", default="system", show_default=True)
@plainly
def add_client(code: str, label: str) -> None:
    """Make a client for a merchant's system; its secret is shown once and kept nowhere."""
    with transaction() as session:
        known = merchants.by_code(session, code)
        made = clients.add_system(session, settings().vault, known.merchant_id, label, clock.now())
        audit.record(
            session, "operator", "client.added", f"merchant:{code}", None, {"client": made.client_id}
        )
    click.echo(f"client_id      {made.client_id}\nclient_secret  {made.client_secret}")
    click.echo("密钥只显示这一次 / the secret is shown this once")


@group.command("end-client")
@click.argument("code")
@click.argument("client_id")
@plainly
def end_client(code: str, client_id: str) -> None:
    """End a client, a system's or a till's; its tokens are refused from now on."""
    with transaction() as session:
        clients.end(session, merchants.by_code(session, code).merchant_id, client_id, clock.now())
        audit.record(session, "operator", "client.ended", f"client:{client_id}")
    click.echo(f"已停用 / ended: {client_id}")
