"""A person's decision on a case, whatever its kind."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.activities.work_list import ActRef, put_back
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.reconciliation import cases, clawbacks, disputes
from carbon_credits.reconciliation.cases import AMBIGUOUS, CLAWBACK, DISPUTED, OUTLIER, act_subject
from carbon_credits.reconciliation.models import Case


@dataclass(frozen=True)
class Word:
    """What was decided and why, in both languages; the class that the evidence was found worth, where one was."""

    outcome: str
    answer: Text
    evidence_class: str | None = None


def decide(session: Session, vault: Vault, case_id: int, staff_id: int, word: Word, now: datetime) -> None:
    """Decide a case and carry it out in the same transaction.

    Raises NotFound, Conflict (decided already, or its act since), NotAllowed without the role, and Invalid for what a
    case of this kind cannot come to: one of a feed or file ends by itself.
    """
    kind = session.execute(select(Case.kind).where(Case.case_id == case_id)).scalar_one_or_none()
    if kind is None:
        raise NotFound("case_unknown", Text("没有此事项", "There is no such case"))
    if word.evidence_class is not None and kind not in (DISPUTED, AMBIGUOUS):
        raise Invalid("wrong_outcome", Text("该事项不涉及证据等级", "A case of this kind states no class"))
    if kind == DISPUTED:
        disputes.decide(session, case_id, staff_id, word.outcome, word.answer, now, word.evidence_class)
    elif kind == CLAWBACK:
        clawbacks.decide(session, vault, case_id, staff_id, word.outcome, word.answer, now)
    elif kind == OUTLIER:
        clawbacks.decide_outlier(session, case_id, staff_id, word.outcome, word.answer, now)
    elif kind == AMBIGUOUS:
        _decide_doubtful(session, case_id, staff_id, word, now)
    else:
        said = Text("该事项在原因消除后自动结束", "A case of this kind ends by itself when its cause does")
        raise Invalid("wrong_outcome", said)


def _decide_doubtful(session: Session, case_id: int, staff_id: int, word: Word, now: datetime) -> None:
    """Upheld, the claim is an act of its own, by the class its evidence has; rejected, a record stands for it already."""
    case = cases.case_to_decide(session, case_id, staff_id)
    if (word.outcome, word.evidence_class is None) not in (("upheld", False), ("rejected", True)):
        said = Text("成立须指定证据等级，否则驳回", "Uphold it with a class, or reject it without")
        raise Invalid("wrong_outcome", said)
    assert case.resident_id is not None
    assert case.occurred_on is not None
    assert case.activity_id is not None
    act = act_subject(session, case.resident_id, case.occurred_on, case.activity_id)
    if act is None or act.queued or act.generation != case.generation:
        raise Conflict("decided_since", Text("该记录其后已重新决定", "It has been decided anew since"))
    which = [ActRef(case.resident_id, case.occurred_on, case.activity_id)]
    if word.outcome == "rejected":
        put_back(session, which, "rejected", ["replaced_by_partner_record"])
    else:
        put_back(session, which, None, ["appeal_upheld"], evidence_class=word.evidence_class)
    actor = f"staff:{staff_id}"
    cases.decide(session, case, word.outcome, word.answer, actor, now)
    cases.close(session, case, actor, now)
