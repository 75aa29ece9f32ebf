"""Two persons for what matters: one proposes, another decides, and what was decided on cannot have changed.

Deciding executes nothing: the door that receives the approval reads the payload and calls the room
concerned, in the same transaction.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    LargeBinary,
    Text,
    column,
    exists,
    func,
    insert,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from carbon_credits.core import audit, i18n
from carbon_credits.core.crypto import digest, same
from carbon_credits.core.db import Model
from carbon_credits.core.errors import Conflict, InvariantBroken, NotAllowed, NotFound

State = Literal["proposed", "approved", "rejected", "withdrawn"]

# the two columns needed of a table that lives a floor above
_staff = table("staff", column("staff_id"), column("status"))


class Approval(Model):
    """A proposal and what became of it. The application may change its state and nothing else."""

    __tablename__ = "approval"

    approval_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    payload: Mapped[Any] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[int]
    proposed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    state: Mapped[str] = mapped_column(Text, server_default="proposed")
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def propose(session: Session, kind: str, payload: Mapping[str, Any], reason: str, by: int) -> Approval:
    """Ask for a second person's approval; `payload` is what will be done, without floats.

    Raises NotAllowed when the proposer is not active staff, ValueError for a payload that has no exact form.
    """
    _require_active(session, by)
    statement = insert(Approval).values(
        kind=kind, payload=dict(payload), digest=_digest(kind, payload), reason=reason, proposed_by=by
    )
    proposed = session.execute(statement.returning(Approval)).scalar_one()
    subject = f"approval:{proposed.approval_id}"
    audit.record(session, f"staff:{by}", "approval.proposed", subject, None, {"kind": kind})
    return proposed


def decide(
    session: Session,
    approval_id: int,
    by: int,
    *,
    approve: bool,
    why: str | None = None,
    seen: str | None = None,
) -> Approval:
    """Approve or reject, once, by another active member of staff; of two at a time one wins. `why` is kept in the audit.

    `seen` is the digest, in hexadecimal, of what whoever decides was shown. Raises NotFound, Conflict (decided already,
    or something else was shown), NotAllowed (the proposer, or not active staff) and InvariantBroken when the payload is
    no longer what was proposed.
    """
    _require_active(session, by)
    state: State = "approved" if approve else "rejected"
    decided = _settle(session, approval_id, by, state, Approval.proposed_by != by, why)
    if seen is not None and seen != bytes(decided.digest).hex():
        raise Conflict(
            "not_what_was_shown", i18n.Text("您看到的不是此提案", "This is not what you were shown")
        )
    # looked at under the row's lock: what is compared is what is then put in force
    if not is_unchanged(decided.kind, decided.payload, bytes(decided.digest)):
        raise InvariantBroken(f"approval {approval_id} is not what was proposed")
    return decided


def withdraw(session: Session, approval_id: int, by: int) -> Approval:
    """Take back one's own proposal. Raises NotFound, Conflict (decided already), NotAllowed (another's)."""
    return _settle(session, approval_id, by, "withdrawn", Approval.proposed_by == by)


def is_unchanged(kind: str, payload: Mapping[str, Any], kept: bytes) -> bool:
    """Whether a payload is what was proposed, by the digest that was kept then."""
    try:
        return same(_digest(kind, payload), kept)
    except ValueError:
        return False


def _settle(
    session: Session, approval_id: int, by: int, state: State, whose: Any, why: str | None = None
) -> Approval:
    statement = (
        update(Approval)
        .where(Approval.approval_id == approval_id, Approval.state == "proposed", whose)
        .values(
            state=state, decided_by=None if state == "withdrawn" else by, decided_at=func.clock_timestamp()
        )
        .returning(Approval)
        .execution_options(populate_existing=True)
    )
    settled = session.execute(statement).scalar_one_or_none()
    if settled is None:
        raise _why_not(session, approval_id)
    subject = f"approval:{approval_id}"
    told = {"kind": settled.kind}
    audit.record(session, f"staff:{by}", f"approval.{state}", subject, None, told, reason=why)
    return settled


def _why_not(session: Session, approval_id: int) -> Exception:
    state = session.execute(
        select(Approval.state).where(Approval.approval_id == approval_id)
    ).scalar_one_or_none()
    if state is None:
        return _unknown()
    if state != "proposed":
        return Conflict("decided_already", i18n.Text("此事项已有决定", "This has been decided already"))
    said = i18n.Text(
        "提议人不得自行审批，他人不得撤回", "The proposer may only withdraw; another person decides"
    )
    return NotAllowed("wrong_person", said)


def _require_active(session: Session, staff_id: int) -> None:
    active = exists().where(_staff.c.staff_id == staff_id, _staff.c.status == "active")
    if not session.execute(select(active)).scalar_one():
        said = i18n.Text("工作人员账号不存在或已停用", "There is no such active member of staff")
        raise NotAllowed("staff_not_active", said)


def _unknown() -> NotFound:
    return NotFound("approval_unknown", i18n.Text("没有此审批事项", "There is no such approval"))


def _digest(kind: str, payload: Mapping[str, Any]) -> bytes:
    return digest("approval", kind.encode(), _canonical(payload))


def _canonical(payload: Mapping[str, Any]) -> bytes:
    """One form of a payload, the same before and after the database; a float has none."""
    _refuse_floats(payload)
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("a payload holds whole numbers and text, so that it has one exact form")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
