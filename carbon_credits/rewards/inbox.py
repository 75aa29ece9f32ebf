"""What providers tell us unasked: kept once, by their own number, before anything is done about it.

A notice is a hint that something changed and never the news itself: whoever follows it asks the provider. So it does not
matter how often a notice comes, in what order, or whether it comes at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.payment_contract import Notice
from carbon_credits.rewards.settlement_models import InboxEvent

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(hours=1)
# about a day and a half of a provider that does not answer
MOST_ATTEMPTS: Final = 40
# how long a claimed notice is left to whoever claimed it
CLAIM: Final = timedelta(seconds=60)
# a provider repeats a notice for days; what it holds of sponsors is not kept for longer than it is of use
KEPT: Final = timedelta(days=90)
DUE: Final = text("""
select exists (select from inbox_event where state = 'received' and next_at <= clock_timestamp())
""")


@dataclass(frozen=True)
class Heard:
    """A notice that was claimed, as whoever follows it sees it. `attempt` counts from 1."""

    provider: str
    event_id: str
    type: str
    object_ref: str | None
    account_ref: str | None
    attempt: int


def take_in(session: Session, provider: str, told: Notice, raw: bytes) -> bool:
    """Keep a notice whose signature was found right; False for one that is kept already."""
    kept = (
        insert(InboxEvent)
        .values(
            provider=provider,
            event_id=told.event_id,
            type=told.type,
            object_ref=told.object_ref,
            account_ref=told.account_ref,
            raw=raw,
        )
        .on_conflict_do_nothing()
        .returning(InboxEvent.event_id)
    )
    return session.execute(kept).first() is not None


def claim(session: Session, now: datetime) -> Heard | None:
    """Take the notice that is due first, for CLAIM; one that was tried too often is dead."""
    while True:
        row = session.execute(
            select(InboxEvent)
            .where(InboxEvent.state == "received", InboxEvent.next_at <= now)
            .order_by(InboxEvent.next_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).scalar_one_or_none()
        if row is None:
            return None
        if row.attempts < MOST_ATTEMPTS:
            row.attempts += 1
            row.next_at = now + CLAIM
            session.flush()
            return Heard(row.provider, row.event_id, row.type, row.object_ref, row.account_ref, row.attempts)
        row.state, row.last_error = "dead", row.last_error or "never_came_back"
        session.flush()


def done(session: Session, heard: Heard, now: datetime) -> None:
    """A notice was followed, or is about nothing of ours."""
    _change(session, heard, state="done", processed_at=now, last_error=None)


def put_off(session: Session, heard: Heard, why: str, now: datetime) -> None:
    """Nobody answered: again later, each time twice as late, until it is dead."""
    if heard.attempt >= MOST_ATTEMPTS:
        give_up(session, heard, why)
        return
    wait = min(FIRST_WAIT * 2 ** min(heard.attempt - 1, 20), LONGEST_WAIT)
    _change(session, heard, next_at=now + wait, last_error=why[:200])


def give_up(session: Session, heard: Heard, why: str) -> None:
    """A notice that cannot be followed waits for a person."""
    _change(session, heard, state="dead", last_error=why[:200])


def listed(session: Session, *, state: str | None, most: int) -> list[InboxEvent]:
    """Notices in a state, or all, the newest first."""
    asked = select(InboxEvent).order_by(InboxEvent.received_at.desc()).limit(most)
    return list(session.execute(asked if state is None else asked.where(InboxEvent.state == state)).scalars())


def notice(session: Session, event_id: str) -> InboxEvent:
    """One notice; raises NotFound."""
    asked = select(InboxEvent).where(InboxEvent.event_id == event_id)
    row = session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound("notice_unknown", Text("没有此通知", "There is no such notice"))
    return row


def retry(session: Session, event_id: str, by: int, now: datetime) -> None:
    """Let a dead notice be followed again. Raises NotFound, and Conflict for one that is not dead."""
    row = notice(session, event_id)
    session.refresh(row, with_for_update=True)
    if row.state != "dead":
        raise Conflict("not_dead", Text("此通知未停用，无需重试", "This notice is not dead"))
    before = {"last_error": row.last_error}
    row.state, row.attempts, row.next_at, row.last_error = "received", 0, now, None
    session.flush()
    audit.record(session, f"staff:{by}", "notice.retried", f"notice:{event_id}", before, {"type": row.type})


def forget_old(session: Session, now: datetime, most: int) -> int:
    """Delete what was followed long ago; returns how many."""
    old = (
        select(InboxEvent.event_id)
        .where(InboxEvent.state == "done", InboxEvent.received_at < now - KEPT)
        .limit(most)
    )
    gone = delete(InboxEvent).where(InboxEvent.state == "done", InboxEvent.event_id.in_(old))
    return len(session.execute(gone.returning(InboxEvent.event_id)).all())


def _change(session: Session, heard: Heard, **values: object) -> None:
    """Only as whoever claimed it last: a claim that ran out is somebody else's."""
    session.execute(
        update(InboxEvent)
        .where(
            InboxEvent.provider == heard.provider,
            InboxEvent.event_id == heard.event_id,
            InboxEvent.state == "received",
            InboxEvent.attempts == heard.attempt,
        )
        .values(**values)
    )
