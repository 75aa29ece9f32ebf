"""Invitations: a link that lets one person set a password and an authenticator, once and within three days.

Whoever has the link becomes that person, so at the console two people decide that one is made (`administering`); the
operator's command makes one too, for the first administrator there is nobody to ask.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.staff import credentials, identities, passwords, second_factor, sessions
from carbon_credits.staff.models import Invitation, Staff

LIFE: Final = timedelta(hours=72)
PATH: Final = "/admin/welcome/"
_CODE_BYTES: Final = 32
_LONGEST: Final = 64


@dataclass(frozen=True)
class Opened:
    """What an invited person sees: their name, and the secret for their authenticator with its address."""

    staff_id: int
    name: str
    secret: str
    otpauth: str
    expires_at: datetime


def issue(
    session: Session, vault: Vault, staff_id: int, by: str, now: datetime, approval_id: int | None = None
) -> str:
    """A new invitation's code; an earlier one, what the person signed in with and their sessions end at once.

    Raises NotFound when the account is closed, Conflict when the approval has made one already.
    """
    held = select(Staff.staff_id).where(Staff.staff_id == staff_id, Staff.status == "active")
    if session.execute(held.with_for_update(key_share=True)).scalar_one_or_none() is None:
        raise NotFound("staff_unknown", Text("没有此工作人员", "There is no such active member of staff"))
    if approval_id is not None and _was_used(session, approval_id):
        raise Conflict("invitation_made", Text("该审批已生成过邀请", "This approval has made its invitation"))
    end_open(session, staff_id, now)
    credentials.forget(session, staff_id)
    identities.end(session, staff_id, by, now)
    sessions.end_all(session, staff_id, "reset", by, now)
    code = secrets.token_urlsafe(_CODE_BYTES)
    session.execute(
        insert(Invitation).values(
            code_mac=_mac(vault, code),
            staff_id=staff_id,
            made_by=by,
            approval_id=approval_id,
            made_at=now,
            expires_at=now + LIFE,
            totp_secret=second_factor.sealed(vault, second_factor.new_secret(), staff_id),
        )
    )
    made = {"approval": approval_id, "expires_at": (now + LIFE).isoformat()}
    audit.record(session, by, "staff.invited", f"staff:{staff_id}", None, made)
    return code


def end_open(session: Session, staff_id: int, now: datetime) -> None:
    """An invitation that was not used yet is worth nothing from now on."""
    session.execute(
        update(Invitation)
        .where(Invitation.staff_id == staff_id, Invitation.used_at.is_(None), Invitation.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


def opened(session: Session, vault: Vault, code: str, now: datetime) -> Opened:
    """What a link opens, as often as it is opened before it is used. Raises NotFound when it is not good any more."""
    asked = (
        select(Invitation.staff_id, Staff.name, Invitation.totp_secret, Invitation.expires_at)
        .join(Staff, Staff.staff_id == Invitation.staff_id)
        .where(*_good(vault, code, now), Staff.status == "active")
    )
    row = session.execute(asked).one_or_none()
    if row is None:
        raise _spent()
    secret = second_factor.unsealed(vault, bytes(row.totp_secret), row.staff_id)
    address = second_factor.address_of(secret, row.name)
    return Opened(row.staff_id, row.name, secret, address, row.expires_at)


def accept(
    session: Session, vault: Vault, code: str, password: str, totp: str, now: datetime
) -> tuple[int, list[str]]:
    """Set the password and the authenticator; returns the member's number and the codes for paper, shown this once.

    Raises NotFound when the link is not good any more, Invalid for a password that will not do and for a wrong code:
    then the link is as good as before. Of two at a time one wins.
    """
    found = opened(session, vault, code, now)
    passwords.judge(password, found.name)
    step = second_factor.step_of(found.secret, totp.strip().replace(" ", ""), now)
    if step is None:
        raise credentials.wrong_code()
    hashed = passwords.hash_of(password)
    used = (
        update(Invitation)
        .where(*_good(vault, code, now))
        .values(used_at=now)
        .returning(Invitation.staff_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(used).scalar_one_or_none() is None:
        raise _spent()
    return found.staff_id, credentials.set_up(session, vault, found.staff_id, hashed, found.secret, step, now)


def _good(vault: Vault, code: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.code_mac == _mac(vault, code[:_LONGEST]),
        Invitation.used_at.is_(None),
        Invitation.ended_at.is_(None),
        Invitation.expires_at > now,
    )


def _was_used(session: Session, approval_id: int) -> bool:
    asked = select(Invitation.staff_id).where(Invitation.approval_id == approval_id)
    return session.execute(asked).scalar_one_or_none() is not None


def _spent() -> NotFound:
    told = Text("邀请链接无效、已使用或已过期", "The invitation is unknown, used or run out")
    return NotFound("invitation_spent", told)


def _mac(vault: Vault, code: str) -> bytes:
    return vault.blind("staff-invitation", code)
