"""Where members of staff are signed in: one row a browser, ended by time, by its holder or by an administrator.

The cookie holds 256 random bits and the table their keyed digest, so whoever reads the table is signed in nowhere.
A session ends a quarter of an hour after its last request and ten hours after it began; what needs the second factor
again has it for five minutes. Roles and streets are read with every request, so a change counts from the next one on.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.staff.models import Staff, StaffSession
from carbon_credits.staff.service import Role

IDLE: Final = timedelta(minutes=15)
ABSOLUTE: Final = timedelta(hours=10)
STEPPED_UP: Final = timedelta(minutes=5)
TOKEN_BYTES: Final = 32
_LONGEST_TOKEN: Final = 64
_ADDRESS: Final = 45
_AGENT: Final = 200
Why = Literal["signed_out", "ended", "password_changed", "reset", "closed", "roles_changed"]


@dataclass(frozen=True)
class Member:
    """Who is asking, in which session. `streets` None is the whole district; `csrf` goes into every form."""

    staff_id: int
    name: str
    roles: frozenset[Role]
    streets: frozenset[str] | None
    session_id: int
    csrf: str
    stepped_up_until: datetime | None

    @property
    def actor(self) -> str:
        """How the audit names them."""
        return f"staff:{self.staff_id}"


@dataclass(frozen=True)
class Signed:
    """A session as its holder sees it in a list."""

    session_id: int
    begun_at: datetime
    seen_at: datetime
    address: str
    agent: str


def begin(session: Session, vault: Vault, staff_id: int, now: datetime, *, address: str, agent: str) -> str:
    """Begin a session and return the token for the cookie. Raises NotAllowed when the account is closed.

    The caller has seen both factors.
    """
    active = select(Staff.staff_id).where(Staff.staff_id == staff_id, Staff.status == "active")
    if session.execute(active.with_for_update(key_share=True)).scalar_one_or_none() is None:
        raise NotAllowed("staff_not_active", Text("账号已停用", "The account is closed"))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    begun = insert(StaffSession).values(
        staff_id=staff_id,
        token_mac=_mac(vault, token),
        begun_at=now,
        seen_at=now,
        idle_end=now + IDLE,
        absolute_end=now + ABSOLUTE,
        address=address[:_ADDRESS] or "?",
        agent=agent[:_AGENT],
    )
    session_id = session.execute(begun.returning(StaffSession.session_id)).scalar_one()
    audit.record(session, f"staff:{staff_id}", "staff.signed_in", f"staff_session:{session_id}")
    return token


_CURRENT: Final = text("""
update staff_session g
set seen_at = greatest(g.seen_at, cast(:now as timestamptz)),
    idle_end = least(g.absolute_end, greatest(g.idle_end, cast(:now as timestamptz) + :idle))
from staff s
where g.token_mac = :mac and g.ended_at is null and g.idle_end > :now
  and s.staff_id = g.staff_id and s.status = 'active'
returning s.staff_id, s.name, s.roles, s.streets, g.session_id, g.stepped_up_at
""")


def current(session: Session, vault: Vault, token: str, now: datetime) -> Member | None:
    """Whose token this is, while the session lives and the account is open; being asked extends the idle end."""
    if len(token) > _LONGEST_TOKEN:
        return None
    given = {"mac": _mac(vault, token), "now": now, "idle": IDLE}
    row = session.execute(_CURRENT, given).one_or_none()
    if row is None:
        return None
    until = None if row.stepped_up_at is None else row.stepped_up_at + STEPPED_UP
    return Member(
        row.staff_id,
        row.name,
        frozenset(map(Role, row.roles)),
        None if row.streets is None else frozenset(row.streets),
        row.session_id,
        vault.blind("staff-csrf", token).hex(),
        until if until is not None and until > now else None,
    )


def step_up(session: Session, session_id: int, now: datetime) -> None:
    """The second factor was shown again: good for STEPPED_UP from now. Raises NotFound when the session has ended."""
    stepped = (
        update(StaffSession)
        .where(StaffSession.session_id == session_id, StaffSession.ended_at.is_(None))
        .values(stepped_up_at=now)
        .returning(StaffSession.staff_id)
        .execution_options(synchronize_session=False)
    )
    staff_id = session.execute(stepped).scalar_one_or_none()
    if staff_id is None:
        raise _unknown()
    audit.record(session, f"staff:{staff_id}", "staff.stepped_up", f"staff_session:{session_id}")


def end(session: Session, session_id: int, why: Why, by: str, now: datetime) -> None:
    """End one session; `by` is the actor. Raises NotFound when there is none, or it has ended."""
    ended = (
        update(StaffSession)
        .where(StaffSession.session_id == session_id, StaffSession.ended_at.is_(None))
        .values(ended_at=now, why=why)
        .returning(StaffSession.session_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(ended).scalar_one_or_none() is None:
        raise _unknown()
    audit.record(session, by, "staff.session_ended", f"staff_session:{session_id}", None, {"why": why})


def end_of(session: Session, staff_id: int, session_id: int, by: str, now: datetime) -> None:
    """End a session that is this member's. Raises NotFound when it is not, or has ended."""
    mine = select(StaffSession.session_id).where(
        StaffSession.session_id == session_id, StaffSession.staff_id == staff_id
    )
    if session.execute(mine).scalar_one_or_none() is None:
        raise _unknown()
    end(session, session_id, "ended", by, now)


def end_all(session: Session, staff_id: int, why: Why, by: str, now: datetime, but: int | None = None) -> int:
    """End every session of a member of staff, `but` one; returns how many ended. None is no fault."""
    ended = (
        update(StaffSession)
        .where(
            StaffSession.staff_id == staff_id,
            StaffSession.ended_at.is_(None),
            StaffSession.session_id.is_distinct_from(but),
        )
        .values(ended_at=now, why=why)
        .returning(StaffSession.session_id)
        .execution_options(synchronize_session=False)
    )
    numbers = sorted(session.scalars(ended))
    if numbers:
        audit.record(
            session, by, "staff.sessions_ended", f"staff:{staff_id}", None, {"why": why, "sessions": numbers}
        )
    return len(numbers)


def sessions_of(session: Session, staff_id: int, now: datetime) -> list[Signed]:
    """Where somebody is signed in now, the newest first."""
    living = (
        select(
            StaffSession.session_id,
            StaffSession.begun_at,
            StaffSession.seen_at,
            StaffSession.address,
            StaffSession.agent,
        )
        .where(
            StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None), StaffSession.idle_end > now
        )
        .order_by(StaffSession.session_id.desc())
    )
    return [Signed(*row) for row in session.execute(living)]


def _unknown() -> NotFound:
    return NotFound(
        "staff_session_unknown", Text("该会话不存在或已结束", "There is no such session, or it has ended")
    )


def _mac(vault: Vault, token: str) -> bytes:
    return vault.blind("staff-session", token)
