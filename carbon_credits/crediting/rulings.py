"""A person's word on acts that wait for one: credited, refused or kept on hold, always with a reason, each once.

Nothing is booked here. A trip's word is another round of its verdict (`reviews`); any other act goes back on the work
list, with its refusal or to be decided again. Keeping an act on hold writes why, so that the next who opens it knows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import no_such_activity, parse_public_id, public_id
from carbon_credits.activities.work_list import ActRef, lock_shards, put_back
from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting import reviews
from carbon_credits.crediting.held_act import HeldActFile
from carbon_credits.crediting.standings import Standing, standings
from carbon_credits.staff.service import Role, require_role

# how many may be decided at once; beyond SAMPLE_FROM a few are looked at first
MOST: Final = 200
SAMPLE_FROM: Final = 20
SAMPLE: Final = 5

CREDIT: Final = "credit"
REJECT: Final = "reject"
KEEP: Final = "keep"
OUTCOMES: Final[Mapping[str, Text]] = {
    CREDIT: Text("通过", "Accept"),
    REJECT: Text("不予计入", "Refuse"),
    KEEP: Text("继续暂缓", "Keep on hold"),
}
# why, in a word that can be counted; the sentence beside it is the person's own
CODES: Final[Mapping[str, Mapping[str, Text]]] = {
    CREDIT: {
        "evidence_fits": Text("证据与申报相符", "The evidence fits the claim"),
        "explained": Text("疑点已得到合理解释", "What was odd has been explained"),
        "fault_of_ours": Text("系统或规则误判", "Our rules or machines were at fault"),
    },
    REJECT: {
        "refused_evidence": Text("证据与申报不符", "The evidence does not fit the claim"),
        "refused_double": Text("与另一记录为同一行为", "The same act as another"),
        "refused_unshown": Text("证据不足以证明", "The evidence does not suffice"),
        "refused_numbers": Text("申报数据有误", "The numbers told are wrong"),
    },
    KEEP: {
        "more_records": Text("等待合作方补充记录", "More records are expected"),
        "second_opinion": Text("需要另一人复核", "Another person should look"),
        "resident_asked": Text("已请居民补充说明", "The resident was asked"),
    },
}
ACTIONS: Final[Mapping[str, str]] = {
    CREDIT: "review.credited",
    REJECT: "review.rejected",
    KEEP: "review.kept",
}

# What people decided of late on acts with one of these reasons; looked for among the newest deeds of the kind.
_BEFORE: Final = text("""
select e.at, e.action, e.subject, e.after ->> 'code' as code, e.reason, g.name
from (
  select * from audit_entry where action in ('review.credited', 'review.rejected') order by audit_id desc limit 2000
) e
left join staff g on e.actor = 'staff:' || g.staff_id
where e.after -> 'reasons' ?| cast(:reasons as text[]) and e.subject <> :subject
order by e.audit_id desc
limit :most
""")


@dataclass(frozen=True)
class Ruling:
    """What is decided (credit, reject or keep), the code of the reason, and the reason in a person's words."""

    outcome: str
    code: str
    words: str


@dataclass(frozen=True)
class Refused:
    """An act of many that was not decided, and why not."""

    resident_id: int
    activity: str
    why: Conflict | NotFound


@dataclass(frozen=True)
class Precedent:
    """An earlier word on an act that was held for the same."""

    at: datetime
    outcome: str
    activity: str
    code: str
    words: str | None
    by_name: str | None


def rule(
    session: Session,
    resident_id: int,
    name: str,
    ruling: Ruling,
    staff_id: int,
    today: date,
    territory: Collection[str] | None = None,
) -> Standing:
    """Decide one act; returns it as it stood. The caller rings for its shard afterwards.

    Raises NotFound, NotAllowed without the role, Invalid for a reason that is none of its outcome, and Conflict when the
    act does not wait for a person (any more) or cannot be decided so.
    """
    done, refused = rule_many(session, [(resident_id, name)], ruling, staff_id, today, territory)
    if refused:
        raise refused[0].why
    return done[0]


def rule_many(
    session: Session,
    acts: Iterable[tuple[int, str]],
    ruling: Ruling,
    staff_id: int,
    today: date,
    territory: Collection[str] | None = None,
) -> tuple[list[Standing], list[Refused]]:
    """Decide many alike: those that were, and those that were not and why. Each is decided once, whoever else is at it.

    Raises NotAllowed without the role, Invalid for more than MOST and for what is wrong with the reason.
    """
    require_role(session, staff_id, Role.SUPPORT)
    _check(ruling)
    wanted = sorted(set(acts), key=lambda act: (shard_of(act[0]), *act))
    if not 0 < len(wanted) <= MOST:
        raise Invalid(
            "wrong_number", Text(f"一次可决定 1 至 {MOST} 条", f"1 to {MOST} can be decided at once")
        )
    lock_shards(session, {shard_of(resident) for resident, _ in wanted})
    known = standings(session, wanted, territory)
    done, refused = [], []
    for resident, name in wanted:
        act = known.get((resident, name))
        why = _why_not(act, ruling)
        if act is None or why is not None:
            refused.append(Refused(resident, name, why or no_such_activity()))
            continue
        done.append(act)
        _carry_out(session, act, ruling, staff_id, today)
        _write_down(session, act, ruling, staff_id)
    return done, refused


def precedents(session: Session, act: HeldActFile, most: int = 10) -> Sequence[Precedent]:
    """What people decided before on acts that were held for one of the same reasons, the newest first."""
    given = {
        "reasons": list(act.reasons),
        "subject": subject_of(act.activity),
        "most": most,
    }
    return [
        Precedent(
            row.at,
            CREDIT if row.action == ACTIONS[CREDIT] else REJECT,
            row.subject.rpartition(":")[2],
            row.code,
            row.reason,
            row.name,
        )
        for row in session.execute(_BEFORE, given)
    ]


def subject_of(name: str) -> str:
    """How the audit names an act."""
    return f"activity:{public_id(*parse_public_id(name))}"


def _check(ruling: Ruling) -> None:
    if ruling.code not in CODES.get(ruling.outcome, {}):
        raise Invalid(
            "wrong_reason", Text("请选择与决定相符的原因", "Choose a reason that goes with the decision")
        )


def _why_not(act: Standing | None, ruling: Ruling) -> Conflict | None:
    if act is None or ruling.outcome in act.outcomes:
        return None
    if not act.outcomes:
        said = Text("该记录已不在待核对之列", "This act does not wait for a person any more")
        return Conflict("no_review", said)
    said = Text(
        "该记录不能这样决定，请看页面上的说明", "This act cannot be decided so: see what its page says"
    )
    return Conflict("not_so", said)


def _carry_out(session: Session, act: Standing, ruling: Ruling, staff_id: int, today: date) -> None:
    if ruling.outcome == KEEP:
        return
    accepted = ruling.outcome == CREDIT
    if act.is_sample or act.look == "review":
        reviews.decide(session, act.resident_id, act.activity, staff_id, today, accepted=accepted)
        return
    which = [ActRef(act.resident_id, act.occurred_on, act.activity_id)]
    verdict: Any = (None, ["accepted_by_staff"]) if accepted else ("rejected", [ruling.code])
    put_back(session, which, *verdict)


def _write_down(session: Session, act: Standing, ruling: Ruling, staff_id: int) -> None:
    after = {"code": ruling.code, "reasons": list(act.reasons), "score": act.score}
    action, subject = ACTIONS[ruling.outcome], subject_of(act.activity)
    before = {"state": act.state}
    audit.record(session, f"staff:{staff_id}", action, subject, before, after, reason=ruling.words)
