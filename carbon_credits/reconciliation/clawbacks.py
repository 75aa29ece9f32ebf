"""Taking back what was credited: announced, with fourteen days to object; at once only where two people found fraud.

A feed that is broken would otherwise debit a whole town: when too large a share of one feed's credits of a day is to be
taken back, nothing is, and the feed itself becomes a case.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.activities import appeals
from carbon_credits.activities.names import parse_public_id, public_id
from carbon_credits.activities.work_list import ActRef, put_back
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.reconciliation import cases
from carbon_credits.reconciliation.cases import CLAWBACK, OUTLIER, ActSubject, act_subject
from carbon_credits.reconciliation.models import Case
from carbon_credits.residents.notices import tell

# more than this share of a feed's credits of a day is no matter of single acts; so few are never a share
MOST_SHARE: Final = Decimal("0.05")
FEW: Final = 10
SYSTEM: Final = "system"

# What a feed was credited with on a day, taken back since or not; and what was proposed of it and not turned down.
_SHARE = text("""
select
  (select count(distinct a.activity_id)
   from activity a join decision d using (resident_id, occurred_on, activity_id, shard_id)
   where a.source_id = :source and a.occurred_on = :day and d.state in ('credited', 'reversed')) as credited,
  (select count(*) from recon_case c
   where c.kind = 'clawback_proposed' and c.source_id = :source and c.occurred_on = :day
     and coalesce(c.outcome, 'unopposed') in ('unopposed', 'upheld')) as proposed,
  exists (select from recon_case c where c.kind = 'clawback_outlier' and c.source_id = :source
          and c.occurred_on = :day and c.outcome = 'upheld') as looked_at
""")
_STOPPED = """exists (select from recon_case s where s.kind = 'clawback_outlier' and s.state <> 'closed'
                and s.source_id = c.source_id and s.occurred_on = c.occurred_on)"""
_DUE = text(f"""
select c.case_id from recon_case c
where c.kind = 'clawback_proposed' and c.state = 'waiting_for_resident' and c.deadline <= :now
  and c.shard_id = :shard and not {_STOPPED}
  -- one that is being decided again is looked at when that is done
  and not exists (select from activity_queue q where q.shard_id = c.shard_id and q.resident_id = c.resident_id
                  and q.occurred_on = c.occurred_on and q.activity_id = c.activity_id)
order by c.deadline, c.case_id
limit :most
""")  # noqa: S608 - made of constants


@dataclass(frozen=True)
class Proposed:
    """Cases opened; acts skipped (not credited, or proposed before); feeds and days at which it stopped."""

    opened: tuple[int, ...]
    skipped: int
    stopped: tuple[tuple[int, date], ...]


def propose(
    session: Session,
    vault: Vault,
    acts: Iterable[tuple[int, str]],
    reason: Text,
    actor: str,
    now: datetime,
) -> Proposed:
    """Announce that the credits of these acts (resident, public name) are to be taken back, and why.

    Running it twice announces once. Where a feed and day have more than their share nothing is announced.
    """
    by_feed: dict[tuple[int, date], list[ActSubject]] = defaultdict(list)
    skipped = 0
    for act in _subjects(session, acts):
        if act is None or act.state != "credited" or act.queued or _known(session, act):
            skipped += 1
        else:
            by_feed[act.source_id, act.occurred_on].append(act)
    opened: list[int] = []
    stopped = []
    for (source, day), those in sorted(by_feed.items()):
        if _too_many(session, source, day, len(those)):
            _stop(session, source, day, now)
            stopped.append((source, day))
            continue
        opened += [_announce(session, vault, act, reason, actor, now) for act in those]
    return Proposed(tuple(opened), skipped, tuple(stopped))


def carry_out_due(session: Session, shard_id: int, now: datetime, most: int) -> int:
    """Take back what nobody objected to within the window.

    The caller holds the shard's lock. Done twice, it pays once.
    """
    due = session.execute(_DUE, {"now": now, "shard": shard_id, "most": most}).scalars().all()
    for number in due:
        case = cases.case_of(session, number)
        took = take_back(session, case, "clawback_unopposed")
        cases.decide(session, case, "unopposed" if took else "resolved", None, SYSTEM, now)
        cases.close(session, case, SYSTEM, now)
    return len(due)


def decide(
    session: Session, vault: Vault, case_id: int, staff_id: int, outcome: str, answer: Text, now: datetime
) -> None:
    """A person's word on an objection: upheld takes the credit back, rejected leaves it. The resident is told.

    Raises Invalid for another outcome, Conflict before anybody objected (the window decides) and NotAllowed without the
    role.
    """
    case = cases.case_to_decide(session, case_id, staff_id)
    if case.kind != CLAWBACK or outcome not in ("upheld", "rejected"):
        raise Invalid("wrong_outcome", Text("该事项不能这样处理", "This case cannot be decided so"))
    if case.state == "waiting_for_resident" and outcome == "upheld":
        raise Conflict("window_open", Text("异议期未满", "The resident may still object"))
    if outcome == "upheld":
        take_back(session, case, "clawback_upheld")
    actor = f"staff:{staff_id}"
    cases.decide(session, case, outcome, answer, actor, now)
    cases.close(session, case, actor, now)
    which: Any = (case.activity_id, case.generation, "clawback")
    appeals.settle(session, which, "lost" if outcome == "upheld" else "won", answer, staff_id, now)
    assert case.resident_id is not None
    tell(session, vault, case.resident_id, f"case:{case_id}", answer, now + (case.deadline - case.opened_at))


def decide_outlier(
    session: Session, case_id: int, staff_id: int, outcome: str, answer: Text, now: datetime
) -> int:
    """A person's word on a feed's day: upheld lets it be clawed back after all, rejected ends what was proposed of it.

    Returns how many open proposals ended.
    """
    case = cases.case_to_decide(session, case_id, staff_id)
    if case.kind != OUTLIER or outcome not in ("upheld", "rejected"):
        raise Invalid("wrong_outcome", Text("该事项不能这样处理", "This case cannot be decided so"))
    actor, ended = f"staff:{staff_id}", 0
    if outcome == "rejected":
        proposed = select(Case).where(
            Case.kind == CLAWBACK,
            Case.source_id == case.source_id,
            Case.occurred_on == case.occurred_on,
            Case.state.in_(cases.UNFINISHED),
        )
        for one in session.execute(proposed.order_by(Case.case_id).with_for_update()).scalars().all():
            cases.decide(session, one, "rejected", answer, actor, now)
            cases.close(session, one, actor, now)
            which: Any = (one.activity_id, one.generation, "clawback")
            appeals.settle(session, which, "won", answer, staff_id, now)
            ended += 1
    cases.decide(session, case, outcome, answer, actor, now)
    cases.close(session, case, actor, now)
    return ended


def _subjects(session: Session, acts: Iterable[tuple[int, str]]) -> list[ActSubject | None]:
    """In the order of shards, which are locked before anything is looked at."""
    asked = sorted((resident, *parse_public_id(name)) for resident, name in set(acts))
    for shard in sorted({shard_of(resident) for resident, _, _ in asked}):
        lock_shard(session, shard)
    return [act_subject(session, *key) for key in asked]


def _known(session: Session, act: ActSubject) -> bool:
    asked = select(Case.case_id).where(Case.kind == CLAWBACK, Case.subject == _subject(act))
    return session.execute(asked).first() is not None


def _too_many(session: Session, source: int, day: date, wanted: int) -> bool:
    session.execute(text("set local statement_timeout = '60s'"))
    row = session.execute(_SHARE, {"source": source, "day": day}).one()
    proposed = row.proposed + wanted
    return not row.looked_at and proposed > FEW and proposed > MOST_SHARE * row.credited


def _stop(session: Session, source: int, day: date, now: datetime) -> None:
    cases.open_case(
        session,
        OUTLIER,
        f"feed:{source}:{day.isoformat()}",
        f"撤回超过当日计入的 {MOST_SHARE:%} / clawbacks of more than {MOST_SHARE:%} of the day's credits",
        SYSTEM,
        now,
        source_id=source,
        occurred_on=day,
    )


def _announce(
    session: Session, vault: Vault, act: ActSubject, reason: Text, actor: str, now: datetime
) -> int:
    said = f"{reason.zh} / {reason.en}"
    about = {**act.columns(), "state": "waiting_for_resident"}
    number = cases.open_case(session, CLAWBACK, _subject(act), said, actor, now, **about)
    assert number is not None
    deadline = session.execute(select(Case.deadline).where(Case.case_id == number)).scalar_one()
    words = notice_of(act, reason, deadline)
    tell(session, vault, act.resident_id, f"case:{number}", words, deadline)
    return number


def notice_of(act: ActSubject, reason: Text, deadline: datetime) -> Text:
    """What a resident is told: what is to be taken back, why, how to object, until when."""
    name, until = public_id(act.occurred_on, act.activity_id), deadline.astimezone(clock.PROGRAMME_ZONE)
    return Text(
        f"您 {act.occurred_on:%Y-%m-%d} 的记录 {name} 拟撤回减排量和积分，原因：{reason.zh}。"
        f"如有异议，请于 {until:%Y-%m-%d %H:%M} 前在该记录中提出申诉；逾期无异议将撤回。",
        f"Your act {name} of {act.occurred_on:%Y-%m-%d} is to lose its grams and points: {reason.en}. "
        f"To object, appeal on that act before {until:%Y-%m-%d %H:%M}; otherwise they are taken back.",
    )


def _subject(act: ActSubject) -> str:
    return f"act:{public_id(act.occurred_on, act.activity_id)}:{act.generation}"


def take_back(session: Session, case: Case, reason: str) -> bool:
    """Let the batch reverse the credited passage that a case is about; False when it is credited no longer.

    The batch decides the rest of the resident's day again, so that a claim which the record had replaced waits anew.
    """
    assert case.resident_id is not None
    assert case.occurred_on is not None
    assert case.activity_id is not None
    act = act_subject(session, case.resident_id, case.occurred_on, case.activity_id)
    if act is None or act.state != "credited" or act.generation != case.generation:
        return False
    which = ActRef(act.resident_id, act.occurred_on, act.activity_id)
    return put_back(session, [which], "rejected", [reason]) == 1
