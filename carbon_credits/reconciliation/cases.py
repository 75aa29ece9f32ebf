"""Cases: what a person must look at, whose it is, until when, and what was decided. Each step is in the audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.reconciliation.models import Case, CaseKind, CaseState
from carbon_credits.staff.service import Role, require_role

DISPUTED: Final = "disputed"
CLAWBACK: Final = "clawback_proposed"
FRAUD: Final = "clawback_fraud"
OUTLIER: Final = "clawback_outlier"
AMBIGUOUS: Final = "ambiguous_match"
SILENT: Final = "feed_silent"
QUARANTINED: Final = "file_quarantined"
UNFINISHED: Final = ("open", "waiting_for_partner", "waiting_for_resident")

_ACT = text("""
select a.source_id, a.methodology, a.shard_id, d.generation, d.state,
       exists (select from activity_queue q where q.shard_id = a.shard_id and q.resident_id = a.resident_id
               and q.occurred_on = a.occurred_on and q.activity_id = a.activity_id) as queued
from activity a
join lateral (
  select generation, state from decision d
  where d.resident_id = a.resident_id and d.occurred_on = a.occurred_on and d.activity_id = a.activity_id
  order by generation desc limit 1
) d on true
where a.resident_id = :resident and a.occurred_on = :day and a.activity_id = :activity
""")
_COUNTS = text("""
select kind, count(*) as unfinished, count(*) filter (where deadline < :now) as overdue
from recon_case where state in ('open', 'waiting_for_partner', 'waiting_for_resident')
group by kind order by kind
""")


@dataclass(frozen=True)
class ActSubject:
    """The decided act that a case is about; `state` is that of its newest decision, `queued` that it is being redone."""

    resident_id: int
    occurred_on: date
    activity_id: int
    generation: int
    source_id: int
    methodology: int
    shard_id: int
    state: str
    queued: bool

    def columns(self) -> dict[str, Any]:
        """As a case's row names it."""
        names = (
            "resident_id",
            "occurred_on",
            "activity_id",
            "generation",
            "source_id",
            "methodology",
            "shard_id",
        )
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Count:
    """How many cases of a kind are unfinished, and how many of these are past their deadline."""

    kind: str
    unfinished: int
    overdue: int


def act_subject(session: Session, resident_id: int, day: date, activity_id: int) -> ActSubject | None:
    """An act by its key, with its newest decision; None where nothing was decided."""
    given = {"resident": resident_id, "day": day, "activity": activity_id}
    row = session.execute(_ACT, given).mappings().first()
    return None if row is None else ActSubject(resident_id, day, activity_id, **row)


def open_case(
    session: Session,
    kind: str,
    subject: str,
    reason: str,
    actor: str,
    now: datetime,
    *,
    days: int | None = None,
    **about: Any,
) -> int | None:
    """Open a case of a kind; None when the same thing has one. `about` are its columns: the act, feed or file.

    `days` until the deadline are the kind's unless said otherwise.
    """
    of_kind = session.get_one(CaseKind, kind)
    deadline = now + timedelta(days=days or of_kind.days)
    made = (
        insert(Case)
        .values(kind=kind, subject=subject, owner_role=of_kind.owner_role, reason=reason, **about)
        .values(opened_at=now, opened_by=actor, deadline=deadline)
        # either of two partial unique indexes may know it
        .on_conflict_do_nothing()
        .returning(Case.case_id)
    )
    number: int | None = session.execute(made).scalar_one_or_none()
    if number is not None:
        after = {"kind": kind, "subject": subject, "state": about.get("state", "open")}
        audit.record(session, actor, "case.opened", f"case:{number}", None, after)
    return number


def case_of(session: Session, case_id: int, kind: str | None = None) -> Case:
    """A case, locked until the transaction ends. Raises NotFound, also where it is of another kind."""
    asked = select(Case).where(Case.case_id == case_id).with_for_update()
    case = session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()
    if case is None or kind not in (None, case.kind):
        raise NotFound("case_unknown", Text("没有此事项", "There is no such case"))
    return case


def case_to_decide(session: Session, case_id: int, staff_id: int) -> Case:
    """A case and, before it, the shard of its act, locked for whoever decides, who must have its role."""
    shard = session.execute(select(Case.shard_id).where(Case.case_id == case_id)).scalar_one_or_none()
    if shard is not None:
        lock_shard(session, shard)
    case = case_of(session, case_id)
    require_role(session, staff_id, Role(case.owner_role))
    _require_unfinished(case)
    return case


def pass_on(session: Session, case: Case, state: str, actor: str, **values: Any) -> None:
    """Take a locked case to another state. Raises Conflict when none leads there; the trigger holds the same list."""
    follows = select(CaseState.state).where(CaseState.follows == case.state, CaseState.state == state)
    if session.execute(follows).scalar_one_or_none() is None:
        said = Text(f"该事项目前为 {case.state}", f"The case is {case.state}: it cannot become {state}")
        raise Conflict("case_elsewhere", said)
    before = {"state": case.state}
    for name, value in {**values, "state": state}.items():
        setattr(case, name, value)
    session.flush()
    after = {"state": state} | {name: values[name] for name in ("outcome", "source_id") if name in values}
    audit.record(session, actor, f"case.{state}", f"case:{case.case_id}", before, after)


def decide(
    session: Session, case: Case, outcome: str, answer: Text | None, actor: str, now: datetime
) -> None:
    """Write down what was decided, by whom, when and why; `close` follows when its effect is carried out."""
    said = {"answer_zh": answer.zh, "answer_en": answer.en} if answer else {}
    pass_on(session, case, "decided", actor, outcome=outcome, decided_by=actor, decided_at=now, **said)


def close(session: Session, case: Case, actor: str, now: datetime) -> None:
    """The decision is carried out."""
    pass_on(session, case, "closed", actor, closed_at=now)


def assign(session: Session, case_id: int, staff_id: int, by: int) -> None:
    """Make a member of staff the owner. Raises NotAllowed without the case's role, Conflict when it is decided."""
    case = case_of(session, case_id)
    require_role(session, staff_id, Role(case.owner_role))
    _require_unfinished(case)
    before, case.owner_id = {"owner": case.owner_id}, staff_id
    session.flush()
    audit.record(session, f"staff:{by}", "case.assigned", f"case:{case_id}", before, {"owner": staff_id})


def listed(
    session: Session, *, every: bool, kind: str | None, overdue_at: datetime | None, most: int
) -> Sequence[Case]:
    """Cases, the one to be answered first on top: unfinished ones, or all; those past their deadline at an instant."""
    asked = select(Case).order_by(Case.deadline, Case.case_id).limit(most)
    if not every:
        asked = asked.where(Case.state.in_(UNFINISHED))
    if kind is not None:
        asked = asked.where(Case.kind == kind)
    if overdue_at is not None:
        asked = asked.where(Case.deadline < overdue_at, Case.state.in_(UNFINISHED))
    return session.execute(asked).scalars().all()


def counts(session: Session, now: datetime) -> list[Count]:
    """Unfinished and overdue cases by kind."""
    return [Count(*row) for row in session.execute(_COUNTS, {"now": now})]


def _require_unfinished(case: Case) -> None:
    if case.state not in UNFINISHED:
        raise Conflict("case_decided", Text("该事项已有决定", "The case is decided already"))
