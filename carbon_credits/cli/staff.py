"""Commands of staff: who works for the programme, the first administrator, invitations, sessions.

What needs two people at the console needs two names here, except where there is nobody to ask: whoever runs commands
on the server could write the tables. All of it is in the audit as the operator's.
"""

from collections.abc import Sequence
from datetime import datetime

import click
from sqlalchemy.orm import Session

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.jobs.surroundings import settings
from carbon_credits.staff import administering, credentials, invitations, roster, sessions
from carbon_credits.staff.roster import Listed
from carbon_credits.staff.service import STREETS, Role, add, by_name

ROLES = click.Choice([role.value for role in Role])
OPERATOR = "operator"


@click.group(name="staff")
def group() -> None:
    """Who works for the programme, and how they sign in."""


@group.command("list")
@plainly
def list_staff() -> None:
    """Everybody, the active first."""
    with reading() as session:
        for one in roster.everybody(session, clock.now()):
            territory = ", ".join(one.streets) if one.streets else "全区 / whole district"
            click.echo(
                f"#{one.staff_id:<4} {one.name}  {', '.join(one.roles)}  {territory}  {one.status}, {_signs_in(one)}"
            )


@group.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=ROLES)
@click.option(
    "--street", "streets", multiple=True, type=click.Choice(sorted(STREETS)), help="all, unless named"
)
@plainly
def add_staff(name: str, roles: tuple[str, ...], streets: tuple[str, ...]) -> None:
    """Add a member of staff."""
    with transaction() as session:
        member = add(session, name, [Role(role) for role in roles], by=OPERATOR, streets=streets)
    click.echo(f"已添加 / added: {member.name} ({', '.join(roles)})")


@group.command("first")
@click.argument("name")
@plainly
def first(name: str) -> None:
    """Make the first administrator and print the link that lets them in; refused once there is one."""
    with transaction() as session:
        code = administering.first(session, settings().vault, name, clock.now())
    _hand_over(name, code)


@group.command("invite")
@click.argument("name")
@plainly
def invite(name: str) -> None:
    """Print a link with which a member sets a password and an authenticator; what they had before ends."""
    with transaction() as session:
        number = by_name(session, name).staff_id
        code = invitations.issue(session, settings().vault, number, OPERATOR, clock.now())
    _hand_over(name, code)


@group.command("roles")
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, required=True, type=ROLES, help="all the roles they have from then on"
)
@click.option(
    "--street", "streets", multiple=True, type=click.Choice(sorted(STREETS)), help="all, unless named"
)
@click.option("--reason", required=True)
@click.option("--as", "proposer", required=True)
@plainly
def roles(name: str, roles: Sequence[str], streets: Sequence[str], reason: str, proposer: str) -> None:
    """Propose other roles or streets; a second person approves them."""
    with reading() as session:
        member = by_name(session, name)
        before = {"roles": member.roles, "streets": member.streets}
        number = member.staff_id
    payload = {
        "staff_id": number,
        "roles": sorted(set(roles)),
        "streets": sorted(set(streets)) or None,
        "before": before,
    }
    put_before(administering.CHANGE, payload, reason, proposer)


@group.command("close")
@click.argument("name")
@click.option("--reason", required=True)
@plainly
def close(name: str, reason: str) -> None:
    """Close an account at once, with its sessions; what its holder did stays."""
    with transaction() as session:
        administering.close(session, by_name(session, name).staff_id, OPERATOR, clock.now(), reason)
    click.echo(f"已停用 / closed: {name}")


@group.command("require-change")
@click.argument("name")
@click.option("--reason", required=True)
@plainly
def require_change(name: str, reason: str) -> None:
    """Ask for another password at the next sign-in, and end the sessions there are."""
    with transaction() as session:
        number = by_name(session, name).staff_id
        credentials.require_change(session, number, OPERATOR, reason)
        sessions.end_all(session, number, "ended", OPERATOR, clock.now())
    click.echo(f"下次登录须更换密码 / to be changed at the next sign-in: {name}")


@group.command("sessions")
@click.argument("name")
@click.option("--end", "number", type=int, help="end this one")
@click.option("--end-all", is_flag=True, help="end all of them")
@plainly
def show_sessions(name: str, number: int | None, *, end_all: bool) -> None:
    """Where a member is signed in; `--end` and `--end-all` end it."""
    now = clock.now()
    with transaction() as session:
        staff_id = by_name(session, name).staff_id
        if end_all:
            sessions.end_all(session, staff_id, "ended", OPERATOR, now)
        elif number is not None:
            sessions.end_of(session, staff_id, number, OPERATOR, now)
        _show(session, staff_id, now)


def _show(session: Session, staff_id: int, now: datetime) -> None:
    found = sessions.sessions_of(session, staff_id, now)
    for one in found:
        click.echo(
            f"#{one.session_id}  {one.begun_at:%F %T} … {one.seen_at:%T} UTC  {one.address}  {one.agent}"
        )
    if not found:
        click.echo("没有登录 / signed in nowhere")


def _hand_over(name: str, code: str) -> None:
    click.echo(f"{settings().public_url}{invitations.PATH}{code}")
    click.echo(
        f"请将此链接单独交给{name}，仅可使用一次，72 小时内有效 / hand this link to {name} alone: good once, for 72 hours"
    )


def _signs_in(one: Listed) -> str:
    if one.invited_until is not None:
        return f"已邀请 / invited until {one.invited_until:%F %H:%M} UTC"
    if not one.has_credential:
        return "不能登录 / cannot sign in"
    locked = "，已锁定 / locked" if one.is_locked else ""
    return f"{one.sessions} 个会话 / sessions{locked}"
