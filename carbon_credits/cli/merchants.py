"""Commands for merchants: who applies, who is let in, what they sign in with, who is told to stop."""

from collections.abc import Iterator
from typing import Any

import click

from carbon_credits.cli.later import LaterGroup
from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents.service import Street
from carbon_credits.rewards import (
    accounts,
    clients,
    leaving,
    members,
    merchant_list,
    merchants,
    standing,
    tills,
)
from carbon_credits.rewards.accounts import Bank, Settlement
from carbon_credits.rewards.members import MemberRole
from carbon_credits.rewards.merchant_list import Step
from carbon_credits.rewards.merchant_models import AccountStanding
from carbon_credits.rewards.merchants import Application, Category
from carbon_credits.staff.service import by_name


@click.group("merchants", cls=LaterGroup, places={"onboard": "onboarding:command"})
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


@group.command("show")
@click.argument("code")
@plainly
def show(code: str) -> None:
    """One merchant, with whoever answers for it: what a reviewer looks at."""
    with reading() as session:
        known = merchants.by_code(session, code)
        who = merchants.contact(settings().vault, known)
        account = accounts.in_force(session, known.merchant_id)
        waiting = accounts.proposed(session, known.merchant_id)
        click.echo(f"{known.code}  {known.state}  {known.name_zh} / {known.name_en}")
        click.echo(f"  {known.category}  {known.street or '—'}  {known.address}")
        click.echo(f"  统一社会信用代码 / licence {known.licence_no}  {who['name']}  {who['phone']}")
        for words, held in (("在用 / in force", account), ("待批 / waiting", waiting)):
            if held is not None:
                click.echo(
                    f"  {words}: {held.rail} {held.bank_code or ''} …{held.number_end or held.provider_ref}"
                )
                for line in _standing(standing.of(session, held.account_id)):
                    click.echo(f"    {line}")
        if known.state_reason:
            click.echo(f"  {known.state_reason}")


def _standing(found: AccountStanding | None) -> Iterator[str]:
    if found is None:
        return
    asked = f"{found.asked_at.astimezone(clock.PROGRAMME_ZONE):%Y-%m-%d %H:%M}"
    can = "可收款 / can be paid to" if found.payable else "尚不可收款 / cannot be paid to yet"
    yield f"{can} ({asked})"
    if found.payout_ref is not None:
        failed = f"{found.payout_ref} {standing.amount_of(found)} {found.payout_failure}"
        yield f"转出到银行失败 / the last payout to its bank failed: {failed}"
    if told := standing.says(found):
        yield f"{told.zh} / {told.en}"


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


@group.command("add-member")
@click.argument("code")
@click.argument("number", type=click.IntRange(1, 999))
@click.argument("person")
@click.option("--role", required=True, type=click.Choice([role.value for role in MemberRole]))
@plainly
def add_member(code: str, number: int, person: str, role: str) -> None:
    """Add somebody who works there; their PIN is shown once, and a system may set another."""
    pin = members.a_pin()
    with transaction() as session:
        known = merchants.by_code(session, code)
        members.add(session, settings().vault, known.merchant_id, number, person, MemberRole(role), pin)
        told = {"number": number, "role": role}
        audit.record(session, "operator", "member.added", f"merchant:{known.merchant_id}", None, told)
    click.echo(f"工号 {number}，PIN {pin}（只显示这一次）/ number {number}, PIN {pin}, shown this once")


@group.command("pair")
@click.argument("code")
@click.argument("label")
@plainly
def pair(code: str, label: str) -> None:
    """A code for one till, good for ten minutes; it is typed at the till."""
    with transaction() as session:
        known = merchants.by_code(session, code)
        made = tills.begin_pairing(
            session, settings().vault, known.merchant_id, label, "operator", clock.now()
        )
        told = {"label": label}
        audit.record(session, "operator", "till.pairing", f"merchant:{known.merchant_id}", None, told)
    click.echo(f"配对码 / code: {made.code[:5]}-{made.code[5:]}")


@group.command("refuse")
@click.argument("code")
@click.option("--reason", required=True, help="the merchant reads it")
@click.option("--as", "name", required=True)
@plainly
def refuse(code: str, reason: str, name: str) -> None:
    """Say no to an application; it may be made again (role merchant)."""
    _stop(code, "refuse", reason, name)


@group.command("suspend")
@click.argument("code")
@click.option("--reason", required=True, help="the merchant reads it")
@click.option("--as", "name", required=True)
@plainly
def suspend(code: str, reason: str, name: str) -> None:
    """Stop a merchant from the next request on; two people let it go on (role merchant)."""
    _stop(code, "suspend", reason, name)


@group.command("close")
@click.argument("code")
@click.option("--reason", required=True, help="the merchant reads it")
@click.option("--as", "name", required=True)
@plainly
def close(code: str, reason: str, name: str) -> None:
    """A merchant leaves: nothing new, what is out is honoured, it closes with the last of it (role merchant)."""
    _stop(code, "close", reason, name)


@group.command("propose-resume")
@click.argument("code")
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_resume(code: str, reason: str, name: str) -> None:
    """Propose to let a suspended merchant go on; a second person approves (role merchant)."""
    with reading() as session:
        payload = {"merchant_id": merchants.by_code(session, code).merchant_id, "code": code}
    put_before(leaving.RESUME, payload, reason, name)


def _stop(code: str, step: Step, reason: str, name: str) -> None:
    with transaction() as session:
        after = merchant_list.stop(session, code, step, reason, by_name(session, name).staff_id, clock.now())
        state = after.state
    click.echo(f"{code}: {state}")
