"""What a resident is told of a credit that is to be taken back, or was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.reconciliation.cases import CLAWBACK, FRAUD
from carbon_credits.reconciliation.models import Case

TAKEN: Final = frozenset({"unopposed", "upheld"})


@dataclass(frozen=True)
class Announcement:
    """Announced, objected, taken_back or dropped; why; until when one may object, and the answer to an objection."""

    state: str
    reason: str
    object_until: datetime | None
    answer: Text | None


def of_act(session: Session, resident_id: int, activity_id: int) -> Announcement | None:
    """The newest announcement about one of a resident's acts."""
    asked = select(Case).where(
        Case.activity_id == activity_id, Case.resident_id == resident_id, Case.kind.in_((CLAWBACK, FRAUD))
    )
    case = session.scalars(asked.order_by(Case.case_id.desc()).limit(1)).first()
    if case is None:
        return None
    waits = case.state == "waiting_for_resident"
    said = None if case.answer_zh is None or case.answer_en is None else Text(case.answer_zh, case.answer_en)
    return Announcement(_state(case), case.reason, case.deadline if waits else None, said)


def _state(case: Case) -> str:
    if case.state == "waiting_for_resident":
        return "announced"
    if case.outcome is None:
        return "objected"
    return "taken_back" if case.outcome in TAKEN else "dropped"
