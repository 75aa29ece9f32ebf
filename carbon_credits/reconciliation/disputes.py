"""A resident objects: a case with a deadline and an answer; what is upheld is decided again by the batch."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import appeals
from carbon_credits.activities.appeals import AppealView
from carbon_credits.activities.names import parse_public_id
from carbon_credits.activities.work_list import ActRef, put_back
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.reconciliation import cases
from carbon_credits.reconciliation.cases import CLAWBACK, DISPUTED, act_subject, case_of
from carbon_credits.reconciliation.models import Case, CaseKind

OUTCOMES: Final = {"upheld": "won", "partly": "partly", "rejected": "lost"}
_CASE = text("""
select case_id from recon_case
where activity_id = :activity and generation = :generation and kind = :kind
  and state in ('open', 'waiting_for_partner', 'waiting_for_resident')
order by case_id desc limit 1
""")


def object_to(session: Session, resident_id: int, name: str, words: str, now: datetime) -> AppealView:
    """Object to the newest decision on an act, or to taking back its credit while that is announced.

    Raises NotFound; Conflict while nothing is decided, or when this was objected to already.
    """
    day, activity, generation = appeals.decided_generation(session, resident_id, name)
    number = unfinished(session, activity, generation, CLAWBACK)
    announced = None if number is None else case_of(session, number)
    kind = DISPUTED if announced is None else CLAWBACK
    days = session.get_one(CaseKind, DISPUTED).days
    answer_by, against = now + timedelta(days=days), "decision" if kind == DISPUTED else "clawback"
    made = appeals.make(session, resident_id, name, words, now, answer_by, against)
    actor = f"resident:{resident_id}"
    if announced is None:
        act = act_subject(session, resident_id, day, activity)
        assert act is not None
        cases.open_case(
            session,
            DISPUTED,
            f"appeal:{made.id}",
            "居民申诉 / the resident objects",
            actor,
            now,
            **act.columns(),
        )
    else:
        cases.pass_on(session, announced, "open", actor, deadline=answer_by)
    return made


def withdraw(session: Session, resident_id: int, name: str, now: datetime) -> AppealView:
    """Take back one's objection while it is open: the case ends, or the window of a clawback goes on as announced."""
    made, actor = appeals.withdraw(session, resident_id, name, now), f"resident:{resident_id}"
    _, activity = parse_public_id(name)
    number = unfinished(
        session, activity, made.generation, DISPUTED if made.against == "decision" else CLAWBACK
    )
    assert number is not None
    case = case_of(session, number)
    if case.kind == DISPUTED:
        cases.decide(session, case, "withdrawn", None, actor, now)
        cases.close(session, case, actor, now)
        return made
    if case.state != "open":
        cases.pass_on(session, case, "open", actor)
    window = timedelta(days=session.get_one(CaseKind, CLAWBACK).days)
    cases.pass_on(session, case, "waiting_for_resident", actor, deadline=case.opened_at + window)
    return made


def decide(
    session: Session,
    case_id: int,
    staff_id: int,
    outcome: str,
    answer: Text,
    now: datetime,
    evidence_class: str | None = None,
) -> None:
    """Answer an objection: upheld or partly puts the act back, where a class is stated with it; rejected leaves it.

    `partly` without a class changes nothing but says so. Raises Conflict when the act was decided anew since, NotAllowed
    without the role.
    """
    case = cases.case_to_decide(session, case_id, staff_id)
    if case.kind != DISPUTED or outcome not in OUTCOMES:
        raise Invalid("wrong_outcome", Text("该事项不能这样处理", "This case cannot be decided so"))
    if outcome == "upheld" or evidence_class is not None:
        _put_back(session, case, outcome, evidence_class)
    actor = f"staff:{staff_id}"
    cases.decide(session, case, outcome, answer, actor, now)
    cases.close(session, case, actor, now)
    which: Any = (case.activity_id, case.generation, "decision")
    appeals.settle(session, which, OUTCOMES[outcome], answer, staff_id, now)


def unfinished(session: Session, activity: int, generation: int, kind: str) -> int | None:
    """The unfinished case of a kind about one passage of an act."""
    given = {"activity": activity, "generation": generation, "kind": kind}
    return session.execute(_CASE, given).scalar_one_or_none()


def _put_back(session: Session, case: Case, outcome: str, evidence_class: str | None) -> None:
    if outcome == "rejected":
        raise Invalid("wrong_outcome", Text("驳回时不得指定证据等级", "A rejected appeal states no class"))
    assert case.resident_id is not None
    assert case.occurred_on is not None
    assert case.activity_id is not None
    act = act_subject(session, case.resident_id, case.occurred_on, case.activity_id)
    if act is None or act.queued or act.generation != case.generation:
        raise Conflict("decided_since", Text("该记录其后已重新决定", "It has been decided anew since"))
    which = ActRef(act.resident_id, act.occurred_on, act.activity_id)
    put_back(session, [which], None, ["appeal_upheld"], evidence_class=evidence_class)
