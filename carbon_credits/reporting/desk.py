"""What waits for somebody: cases and appeals by age, partners' feeds by how far they are, work that lies behind.

Each is one statement over work lists and their indexes; what is done with is never read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.core.i18n import Text

# a list longer than this is told as "more than"
MOST: Final = 10_000
LATE: Final = timedelta(minutes=1)

_AGES = text("""
select kind, owner_role, name_zh, name_en,
       count(*) filter (where not overdue and age <= interval '1 day') as day,
       count(*) filter (where not overdue and age > interval '1 day' and age <= interval '3 days') as three_days,
       count(*) filter (where not overdue and age > interval '3 days' and age <= interval '7 days') as week,
       count(*) filter (where not overdue and age > interval '7 days') as later,
       count(*) filter (where overdue) as overdue, max(age) as oldest
from (
  select c.kind, c.owner_role, k.name_zh, k.name_en, :now - c.opened_at as age, c.deadline < :now as overdue
  from recon_case c join recon_case_kind k using (kind)
  where c.state not in ('decided', 'closed')
  union all
  select 'appeal', 'support', '申诉', 'Appeals', :now - at, coalesce(answer_by < :now, false)
  from appeal where state = 'open'
) w
group by 1, 2, 3, 4 order by 1
""")
_FEEDS = text("""
select s.source_id, s.feed, p.code as partner, p.name_zh, p.name_en, w.complete_through, w.moved_at,
       grace_of(s.source_id, :today) as grace, coalesce(f.waiting, 0) as waiting, coalesce(f.aside, 0) as aside
from source s
join partner p using (partner_id)
left join feed_watermark w using (source_id)
left join (
  select source_id, count(*) filter (where state in ('seen', 'verified', 'staged')) as waiting,
         count(*) filter (where state = 'quarantined') as aside
  from partner_file where state in ('seen', 'verified', 'staged', 'quarantined') and seq is not null group by source_id
) f using (source_id)
where p.status = 'active'
order by w.complete_through, s.feed
""")
_LIST: Final = """
select {name!r} as name, count(*) as n, min(at) as oldest from (select {at} as at from {of} limit :most) x
"""
# what is on each list although it was due before a moment ago
LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "queued_acts": ("queued_at", "activity_queue where queued_at < :before"),
    "traces": ("received_at", "trip_trace where judged_at is null and received_at < :before"),
    "outbox": ("next_at", "outbox where state = 'waiting' and next_at < :before"),
    "outbox_dead": ("created_at", "outbox where state = 'dead'"),
    "inbox": ("next_at", "inbox_event where state = 'received' and next_at < :before"),
    "inbox_dead": ("received_at", "inbox_event where state = 'dead'"),
    "partner_files": (
        "received_at",
        "partner_file where seq is not null and state in ('seen', 'verified', 'staged') and received_at < :before",
    ),
    "exports": ("asked_at", "export where state in ('asked', 'running') and asked_at < :before"),
    "hook_deliveries": ("next_at", "hook_delivery where state = 'waiting' and next_at < :before"),
}
_LISTS = text(" union all ".join(_LIST.format(name=name, at=at, of=of) for name, (at, of) in LISTS.items()))
# A task is behind when two of its slots have passed since the last one it finished; one never seen is not.
_TASKS = text("""
select t.name, r.slot, r.finished_at
from unnest(cast(:names as text[])) as t (name)
cross join lateral (
  select slot, finished_at from task_run r where r.task = t.name and r.finished_at is not null
  order by slot desc limit 1
) r
order by t.name
""")


@dataclass(frozen=True)
class Ages:
    """Open cases of a kind (or appeals) by age; an overdue one is counted there alone."""

    kind: str
    owner_role: str
    name: Text
    day: int
    three_days: int
    week: int
    later: int
    overdue: int
    oldest: timedelta

    @property
    def total(self) -> int:
        """All that are open."""
        return self.day + self.three_days + self.week + self.later + self.overdue


@dataclass(frozen=True)
class Feed:
    """How far a partner's feed is complete (None where it sends no files), how late that is beyond its grace, and its
    files: waiting for us, put aside.
    """

    source_id: int
    feed: str
    partner: str
    partner_name: Text
    complete_through: datetime | None
    moved_at: datetime | None
    late: timedelta
    waiting: int
    aside: int


@dataclass(frozen=True)
class WorkList:
    """How many lie on a list although they were due a minute ago (MOST stands for that or more), since when."""

    name: str
    n: int
    oldest: datetime | None


@dataclass(frozen=True)
class LateTask:
    """A periodic task that has not finished a slot for longer than twice its period."""

    name: str
    finished_at: datetime
    every: timedelta


def ages(session: Session, now: datetime) -> tuple[Ages, ...]:
    """Open cases by kind, and appeals, each by how long they have been open."""
    rows = session.execute(_AGES, {"now": now})
    return tuple(Ages(row.kind, row.owner_role, Text(row.name_zh, row.name_en), *row[4:]) for row in rows)


def feeds(session: Session, now: datetime) -> tuple[Feed, ...]:
    """The feeds of active partners, the one furthest back first."""
    found = []
    for row in session.execute(_FEEDS, {"today": day_of(now)}):
        behind = now - row.complete_through - row.grace if row.complete_through else timedelta()
        late = max(behind, timedelta())
        name = Text(row.name_zh, row.name_en)
        whose = (row.source_id, row.feed, row.partner, name)
        found.append(Feed(*whose, row.complete_through, row.moved_at, late, row.waiting, row.aside))
    return tuple(found)


def work_lists(session: Session, now: datetime) -> tuple[WorkList, ...]:
    """Every work list, those with nothing late too."""
    rows = session.execute(_LISTS, {"before": now - LATE, "most": MOST})
    return tuple(WorkList(row.name, row.n, row.oldest) for row in rows)


def late_tasks(session: Session, now: datetime, every: Mapping[str, timedelta]) -> tuple[LateTask, ...]:
    """Which periodic tasks lie behind; `every` is how often each is due, by name, as the door has it."""
    rows = session.execute(_TASKS, {"names": sorted(every)})
    return tuple(
        LateTask(row.name, row.finished_at, every[row.name])
        for row in rows
        if row.slot + 3 * every[row.name] < now
    )
