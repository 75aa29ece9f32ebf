"""How many things wait for a person, queue by queue, and since when: for the page of queues and the dashboard."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.crediting import held
from carbon_credits.groups import group_list
from carbon_credits.reconciliation import cases, feed_board, objections

_FIRST: Final = text("""
select min(deadline) from recon_case where state not in ('decided', 'closed')
""")


@dataclass(frozen=True)
class Queue:
    """A queue: how many wait (`is_more`: at least so many), how many are late, since when or until when the first."""

    name: str
    n: int
    overdue: int = 0
    since: datetime | None = None
    due: datetime | None = None
    is_more: bool = False


def counts(session: Session, now: datetime, territory: Collection[str] | None = None) -> list[Queue]:
    """Every queue: held acts, sampled trips, appeals, what groups ask for; and what belongs to no street: cases, files,
    feeds behind. Who has a territory is told of what belongs to it alone.
    """
    waiting = held.tally(session, held.Wanted(held.HELD, territory=territory), now)
    drawn = held.tally(session, held.Wanted(held.SAMPLE, territory=territory), now)
    due = objections.count(session, now, territory)
    since = held.oldest(session, territory, now) if waiting.n else None
    asking = group_list.waiting(session, territory)
    found = [
        Queue("held", waiting.n, since=since, is_more=waiting.is_more),
        Queue("sample", drawn.n, is_more=drawn.is_more),
        Queue("appeals", due.n, due.overdue, due=due.next_due),
        Queue("joining", asking.joining, since=asking.joining_since),
        Queue("driving", asking.driving, since=asking.driving_since),
    ]
    return found if territory is not None else [*found, *_of_the_district(session, now)]


def _of_the_district(session: Session, now: datetime) -> list[Queue]:
    by_kind = cases.counts(session, now)
    quarantined, oldest = feed_board.aside(session)
    behind = [line for line in feed_board.board(session, now) if line.is_behind]
    return [
        Queue(
            "cases",
            sum(kind.unfinished for kind in by_kind),
            sum(kind.overdue for kind in by_kind),
            due=session.execute(_FIRST).scalar(),
        ),
        Queue("files", quarantined, since=oldest),
        Queue(
            "feeds",
            len(behind),
            since=min((line.complete_through for line in behind if line.complete_through), default=None),
        ),
    ]
