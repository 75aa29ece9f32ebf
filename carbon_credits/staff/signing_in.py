"""Signing in: a name and a password, then a code; a session begins only when both were right.

Four steps, because a wrong guess must stay counted and a hash must not hold a transaction open: `guessing.count` in one,
`compare` in none, `half_way` and `finish` in one each. Between password and code the browser holds a ticket, sealed and
good for five minutes, which a change of the password makes worthless. Whatever is wrong has one answer.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import NotAuthenticated
from carbon_credits.core.i18n import Text
from carbon_credits.staff import browsers, credentials, guessing, passwords, second_factor, sessions
from carbon_credits.staff.guessing import Account
from carbon_credits.staff.models import Credential, Staff
from carbon_credits.staff.service import written

TICKET_LIFE: Final = timedelta(minutes=5)
_PURPOSE: Final = "staff-half-way"
_PLACE: Final = "staff_session|half_way"
_LONGEST_TICKET: Final = 600


@dataclass(frozen=True)
class HalfWay:
    """Who has shown the password, for whoever asks for the code; `must_change` asks for another password too."""

    staff_id: int
    name: str
    must_change: bool


@dataclass(frozen=True)
class Compared:
    """A password that was right, hashed anew where the parameters have changed."""

    account: Account
    rehashed: str | None


@dataclass(frozen=True)
class SignedIn:
    """What the browser holds from now on: the token of its session, and that by which it is known the next time."""

    session: str
    browser: str


@dataclass(frozen=True)
class Place:
    """Where somebody signs in from; `browser` is what the browser is known by, empty where it is not."""

    address: str
    agent: str
    browser: str = ""


def count(session: Session, vault: Vault, name: str, place: Place, now: datetime) -> Account | None:
    """Count a guess before it is compared; commit, then `compare`. Raises TooMany for a closed address."""
    browser = browsers.mac(vault, place.browser) if place.browser else b""
    return guessing.count(session, written(name), place.address, now, browser)


def compare(account: Account | None, password: str) -> Compared | None:
    """Compare without a transaction; None for a wrong password and for nobody's, in the same time."""
    if (
        not passwords.is_right(None if account is None else account.password_hash, password)
        or account is None
    ):
        return None
    stale = passwords.is_stale(account.password_hash)
    return Compared(account, passwords.hash_of(password) if stale else None)


def half_way(session: Session, vault: Vault, compared: Compared, place: Place, now: datetime) -> str:
    """The password was right: the guess is forgotten, a stale hash replaced; returns the ticket."""
    account = compared.account
    guessing.was_right(session, account, place.address)
    if compared.rehashed is not None:
        session.execute(
            update(Credential)
            .where(Credential.staff_id == account.staff_id, Credential.password_hash == account.password_hash)
            .values(password_hash=compared.rehashed)
        )
    return ticket_for(vault, account.staff_id, account.password_set_at, now)


def ticket_for(vault: Vault, staff_id: int, password_set_at: datetime, now: datetime) -> str:
    """The ticket of somebody whose first factor was seen."""
    said = {
        "staff": staff_id,
        "set": password_set_at.isoformat(),
        "until": (now + TICKET_LIFE).timestamp(),
    }
    return vault.seal(_PURPOSE, json.dumps(said).encode(), _PLACE).hex()


def read_ticket(session: Session, vault: Vault, ticket: str, now: datetime) -> HalfWay | None:
    """Who is half way in, while the ticket lives, the password is the same and the account is open."""
    try:
        said = json.loads(vault.unseal(_PURPOSE, bytes.fromhex(ticket[:_LONGEST_TICKET]), _PLACE))
    except (ValueError, CannotOpen):
        return None
    if said["until"] <= now.timestamp():
        return None
    asked = (
        select(Staff.staff_id, Staff.name, Credential.must_change)
        .join(Credential, Credential.staff_id == Staff.staff_id)
        .where(
            Staff.staff_id == said["staff"],
            Staff.status == "active",
            Credential.password_set_at == datetime.fromisoformat(said["set"]),
        )
    )
    row = session.execute(asked).one_or_none()
    return None if row is None else HalfWay(*row)


def finish(
    session: Session,
    vault: Vault,
    half: HalfWay,
    code: str,
    now: datetime,
    place: Place,
    password: str | None = None,
) -> SignedIn | None:
    """The code was given: the session begins, or None for a wrong code, which stays counted.

    Raises Invalid when another password is to be set and is missing or will not do; then the code is not used up.
    """
    if half.must_change:
        passwords.judge(password or "", half.name)
    if not second_factor.check(session, vault, half.staff_id, code, now):
        audit.record(session, f"staff:{half.staff_id}", "staff.code_wrong", f"staff:{half.staff_id}")
        return None
    if half.must_change:
        actor = f"staff:{half.staff_id}"
        credentials.replace_password(session, half.staff_id, half.name, password or "", actor, now)
    guessing.forget_stale(session, now)
    browsers.forget_stale(session, now)
    return begin(session, vault, half.staff_id, now, place)


def begin(session: Session, vault: Vault, staff_id: int, now: datetime, place: Place) -> SignedIn:
    """Begin a session for who has shown both factors, in a browser that is known from now on.

    Where it was known, guesses from elsewhere stay counted: they did not come from whom this is.
    """
    known_by, was_known = browsers.remember(session, vault, staff_id, place.browser, now)
    if not was_known:
        guessing.forget(session, staff_id)
    token = sessions.begin(session, vault, staff_id, now, address=place.address, agent=place.agent)
    return SignedIn(token, known_by)


def refused() -> NotAuthenticated:
    """The one answer to a name, a password or a code that does not sign in, whatever the matter is."""
    return NotAuthenticated(
        "sign_in_refused",
        Text(
            "姓名、密码或验证码不正确；多次输错后须等待 15 分钟",
            "The name, the password or the code is wrong; after many wrong ones wait for 15 minutes",
        ),
    )
