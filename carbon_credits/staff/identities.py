"""Who of ours somebody at the provider of single sign-on is: connected by the person, ended with the account."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.staff.models import Credential, Staff, StaffIdentity, StaffSession


@dataclass(frozen=True)
class Known:
    """A member of staff who has come from the provider."""

    staff_id: int
    password_set_at: datetime


def connect(
    session: Session, vault: Vault, session_id: int, issuer: str, subject: str, now: datetime
) -> None:
    """Connect the holder of a session, who has stepped up in it. Once more changes nothing.

    Raises Conflict when the session has ended, or one of the two is connected to somebody else already.
    """
    living = select(StaffSession.staff_id).where(
        StaffSession.session_id == session_id, StaffSession.ended_at.is_(None), StaffSession.idle_end > now
    )
    staff_id = session.execute(living).scalar_one_or_none()
    if staff_id is None:
        raise Conflict(
            "session_ended", Text("登录已过期，请重新登录", "The session has ended: sign in again")
        )
    row = {"staff_id": staff_id, "issuer": issuer, "subject_mac": _mac(vault, issuer, subject)}
    made = insert(StaffIdentity).values(connected_at=now, **row).on_conflict_do_nothing()
    if session.execute(made.returning(StaffIdentity.identity_id)).scalar_one_or_none() is not None:
        audit.record(session, f"staff:{staff_id}", "staff.identity_connected", f"staff:{staff_id}")
        return
    if known(session, vault, issuer, subject) != staff_id:
        told = Text(
            "该统一登录账号已与他人关联，或您已关联另一账号", "One of the two is connected to another already"
        )
        raise Conflict("identity_taken", told)


def known(session: Session, vault: Vault, issuer: str, subject: str) -> int | None:
    """The number of whoever is connected to a subject."""
    asked = select(StaffIdentity.staff_id).where(
        StaffIdentity.issuer == issuer,
        StaffIdentity.subject_mac == _mac(vault, issuer, subject),
        StaffIdentity.ended_at.is_(None),
    )
    return session.execute(asked).scalar_one_or_none()


def who_may_enter(session: Session, vault: Vault, issuer: str, subject: str) -> Known | None:
    """Whoever is connected, while the account is open and has a second factor to be shown."""
    asked = (
        select(Staff.staff_id, Credential.password_set_at)
        .join(Credential, Credential.staff_id == Staff.staff_id)
        .where(Staff.staff_id == known(session, vault, issuer, subject), Staff.status == "active")
    )
    row = session.execute(asked).one_or_none()
    return None if row is None else Known(*row)


def is_connected(session: Session, staff_id: int, issuer: str) -> bool:
    """Whether somebody is connected to this provider."""
    asked = select(StaffIdentity.identity_id).where(
        StaffIdentity.staff_id == staff_id, StaffIdentity.issuer == issuer, StaffIdentity.ended_at.is_(None)
    )
    return session.execute(asked).scalar_one_or_none() is not None


def end(session: Session, staff_id: int, by: str, now: datetime) -> None:
    """Nobody comes from a provider as this person any more. None is no fault."""
    ended = (
        update(StaffIdentity)
        .where(StaffIdentity.staff_id == staff_id, StaffIdentity.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StaffIdentity.identity_id)
        .execution_options(synchronize_session=False)
    )
    if session.scalars(ended).all():
        audit.record(session, by, "staff.identity_ended", f"staff:{staff_id}")


def _mac(vault: Vault, issuer: str, subject: str) -> bytes:
    return vault.blind("staff-identity", f"{issuer} {subject}")
