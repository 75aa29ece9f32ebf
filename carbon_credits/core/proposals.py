"""Reading what was put before a second person: what waits, what somebody proposed, what was decided, and by whom."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, column, select, table
from sqlalchemy.orm import Session

from carbon_credits.core.approvals import Approval, is_unchanged
from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text

DECIDED: Final = ("approved", "rejected", "withdrawn")
_proposer = table("staff", column("staff_id"), column("name")).alias("proposer")
_decider = table("staff", column("staff_id"), column("name")).alias("decider")


@dataclass(frozen=True)
class Proposal:
    """A proposal with the names of who proposed and who decided; `digest` is of its content, in hexadecimal."""

    id: int
    kind: str
    payload: dict[str, Any]
    digest: str
    reason: str
    state: str
    proposed_by: int
    proposer: str
    proposed_at: datetime
    decider: str | None
    decided_at: datetime | None
    is_unchanged: bool


@dataclass(frozen=True)
class Deed:
    """What the audit holds of a proposal: when, who (`staff:3`), what, and why where that was said."""

    at: datetime
    actor: str
    action: str
    reason: str | None


def waiting(
    session: Session, kinds: Collection[str], for_whom: int, before: int | None = None, most: int = 50
) -> list[Proposal]:
    """What waits for this member of staff: of kinds that they may decide and proposed by another, the newest first."""
    asked = _all().where(
        Approval.state == "proposed", Approval.kind.in_(kinds), Approval.proposed_by != for_whom
    )
    return _page(session, asked, before, most)


def proposed_by(session: Session, staff_id: int, before: int | None = None, most: int = 50) -> list[Proposal]:
    """What this member of staff proposed, in every state, the newest first."""
    return _page(session, _all().where(Approval.proposed_by == staff_id), before, most)


def decided(
    session: Session, kinds: Collection[str], before: int | None = None, most: int = 50
) -> list[Proposal]:
    """What of these kinds is decided or withdrawn, the newest proposal first."""
    asked = _all().where(Approval.state.in_(DECIDED), Approval.kind.in_(kinds))
    return _page(session, asked, before, most)


def proposal(session: Session, approval_id: int, kinds: Collection[str], for_whom: int) -> Proposal:
    """One proposal, of these kinds or of this person's own; raises NotFound for all others."""
    found = _page(session, _all().where(Approval.approval_id == approval_id), None, 1)
    if not found or (found[0].kind not in kinds and found[0].proposed_by != for_whom):
        raise NotFound("approval_unknown", Text("没有此审批事项", "There is no such approval"))
    return found[0]


def deeds(session: Session, approval_id: int) -> Sequence[Deed]:
    """What the audit holds of a proposal, in order."""
    asked = (
        select(AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.reason)
        .where(AuditEntry.subject == f"approval:{approval_id}")
        .order_by(AuditEntry.audit_id)
    )
    return [Deed(*row) for row in session.execute(asked)]


def _all() -> Select[Any]:
    return (
        select(Approval, _proposer.c.name, _decider.c.name)
        .outerjoin(_proposer, _proposer.c.staff_id == Approval.proposed_by)
        .outerjoin(_decider, _decider.c.staff_id == Approval.decided_by)
        .execution_options(populate_existing=True)
    )


def _page(session: Session, asked: Select[Any], before: int | None, most: int) -> list[Proposal]:
    if before is not None:
        asked = asked.where(Approval.approval_id < before)
    rows = session.execute(asked.order_by(Approval.approval_id.desc()).limit(most))
    return [_shown(*row) for row in rows]


def _shown(row: Approval, proposer: str | None, decider: str | None) -> Proposal:
    return Proposal(
        id=row.approval_id,
        kind=row.kind,
        payload=row.payload,
        digest=bytes(row.digest).hex(),
        reason=row.reason,
        state=row.state,
        proposed_by=row.proposed_by,
        proposer=proposer or f"#{row.proposed_by}",
        proposed_at=row.proposed_at,
        decider=decider,
        decided_at=row.decided_at,
        is_unchanged=is_unchanged(row.kind, row.payload, bytes(row.digest)),
    )
