"""Staff for tests."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.staff import invitations, service, sessions
from carbon_credits.staff.service import Role
from tests.factories.numbers import fresh

PASSWORD = "沧海月明珠有泪 蓝田日暖玉生烟"


@dataclass(frozen=True)
class SignsIn:
    """A member of staff with a password and an authenticator."""

    staff_id: int
    name: str
    secret: str
    recovery: list[str]

    def code(self, now: datetime) -> str:
        """What the authenticator shows."""
        return pyotp.TOTP(self.secret).at(now)


def a_member(session: Session, *roles: Role) -> int:
    """The number of a member of staff; of the programme unless told otherwise."""
    streets = ["zumiao"] if Role.STREET in roles else None
    return service.add(session, f"staff {fresh()}", roles or (Role.PROGRAMME,), "test", streets).staff_id


def who_signs_in(session: Session, vault: Vault, now: datetime, *roles: Role) -> SignsIn:
    """A member of staff who has accepted an invitation a minute before `now`."""
    number = a_member(session, *roles)
    code = invitations.issue(session, vault, number, "test", now - timedelta(minutes=1))
    opened = invitations.opened(session, vault, code, now - timedelta(minutes=1))
    shown = pyotp.TOTP(opened.secret).at(now - timedelta(minutes=1))
    _, recovery = invitations.accept(session, vault, code, PASSWORD, shown, now - timedelta(minutes=1))
    return SignsIn(number, opened.name, opened.secret, recovery)


def signed_in(session: Session, vault: Vault, now: datetime, *roles: Role) -> tuple[int, str]:
    """A member's number, and the token of a session for the cookie."""
    number = a_member(session, *roles)
    return number, sessions.begin(session, vault, number, now, address="127.0.0.1", agent="tests")
