"""The demonstration's staff at the console: one for each role there is, with what they sign in with."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.cli.demo.rules import Member
from carbon_credits.core.crypto import Vault
from carbon_credits.staff import credentials, passwords, second_factor
from carbon_credits.staff.models import Credential, Staff
from carbon_credits.staff.service import Role, add

# beside those who set the demonstration's rules and let its shops in
OTHERS: Final = (
    Member("demo-methodology", (Role.METHODOLOGY.value,)),
    Member("demo-partner", (Role.PARTNER.value,)),
    Member("demo-street", (Role.STREET.value,)),
    Member("demo-support", (Role.SUPPORT.value,)),
    Member("demo-audit", (Role.AUDIT.value,)),
)
STREET: Final = "zumiao"


def ensure(
    session: Session,
    vault: Vault,
    others: Iterable[Member],
    known: Iterable[Mapping[str, Any]],
    now: datetime,
) -> list[dict[str, Any]]:
    """See that everybody can sign in; a password cannot be read back, so one that the file has lost is made anew."""
    told = {each["name"]: each for each in known if each.get("password")}
    return [_ensure(session, vault, member, told, now) for member in (*others, *OTHERS)]


def _ensure(
    session: Session, vault: Vault, member: Member, told: Mapping[str, Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    number = session.scalar(select(Staff.staff_id).where(Staff.name == member.name))
    if number is None:
        roles = [Role(role) for role in member.roles]
        streets = [STREET] if Role.STREET in roles else None
        number = add(session, member.name, roles, "demo", streets).staff_id
    has_one = session.scalar(select(Credential.staff_id).where(Credential.staff_id == number)) is not None
    if has_one and member.name in told:
        return dict(told[member.name])
    password, secret = secrets.token_urlsafe(15), second_factor.new_secret()
    credentials.set_up(session, vault, number, passwords.hash_of(password), secret, 0, now)
    return {
        "name": member.name,
        "roles": list(member.roles),
        "password": password,
        "totp_secret": secret,
    }
