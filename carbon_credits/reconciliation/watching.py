"""What becomes a case by itself, and ends when it is no more: a silent feed, a file put aside, a doubtful match."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.reconciliation import cases
from carbon_credits.reconciliation.cases import AMBIGUOUS, QUARANTINED, SILENT
from carbon_credits.reconciliation.models import Case

SYSTEM: Final = "system"
# a feed that sends files is silent when it lies so much further back than its grace allows
SILENT_AFTER: Final = timedelta(days=2)
DOUBTFUL: Final = "两条合作方记录相近 / two of the partner's records fit nearly alike"

# Feeds of active partners that are behind, and files put aside, each as the case it should be.
_FEEDS_AND_FILES = text("""
select 'feed_silent' as kind, 'feed:' || s.feed as subject, s.source_id, null::bigint as file_id,
       '数据只到 ' || to_char(w.complete_through at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')
         || ' / complete through it, nothing since' as reason
from feed_watermark w
join source s using (source_id)
join partner p using (partner_id)
where p.status = 'active' and w.complete_through + grace_of(s.source_id, :today) < :now - :allowed
union all
select 'file_quarantined', 'file:' || f.file_id, f.source_id, f.file_id, coalesce(f.fault ->> 'code', 'unknown')
from partner_file f
where f.state = 'quarantined'
order by kind, subject
""")
# Claims held because two records fit them, by their newest decision, and not being decided again.
_DOUBTFUL = text("""
select d.resident_id, d.occurred_on, d.activity_id, d.generation, d.shard_id, d.methodology, 0 as source_id
from decision d
where d.state = 'held' and 'ambiguous_match' = any(d.reasons)
  and (select true from decision later
       where later.resident_id = d.resident_id and later.occurred_on = d.occurred_on
         and later.activity_id = d.activity_id and later.generation > d.generation limit 1) is null
  and not exists (select from activity_queue q where q.shard_id = d.shard_id and q.resident_id = d.resident_id
                  and q.occurred_on = d.occurred_on and q.activity_id = d.activity_id)
order by d.activity_id
""")


def watch(session: Session, now: datetime) -> int:
    """Open a case for what is found and end those of what is no more; returns how many steps were taken.

    Done again it does nothing.
    """
    found = {**_feeds_and_files(session, now), **_doubtful(session)}
    known = {(case.kind, case.subject): case for case in _unfinished(session)}
    steps = 0
    for key, about in found.items():
        if key not in known:
            kind, subject = key
            reason = about.pop("reason")
            steps += cases.open_case(session, kind, subject, reason, SYSTEM, now, **about) is not None
    for key, case in known.items():
        if key not in found:
            cases.decide(session, case, "resolved", None, SYSTEM, now)
            cases.close(session, case, SYSTEM, now)
            steps += 1
    return steps


def _feeds_and_files(session: Session, now: datetime) -> dict[tuple[str, str], dict[str, Any]]:
    given = {"now": now, "today": now.date(), "allowed": SILENT_AFTER}
    return {
        (row.kind, row.subject): {"source_id": row.source_id, "file_id": row.file_id, "reason": row.reason}
        for row in session.execute(_FEEDS_AND_FILES, given)
    }


def _doubtful(session: Session) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (AMBIGUOUS, f"act:{public_id(row['occurred_on'], row['activity_id'])}:{row['generation']}"): {
            **row,
            "reason": DOUBTFUL,
        }
        for row in session.execute(_DOUBTFUL).mappings()
    }


def _unfinished(session: Session) -> list[Case]:
    asked = select(Case).where(
        Case.kind.in_((SILENT, QUARANTINED, AMBIGUOUS)), Case.state.in_(cases.UNFINISHED)
    )
    return list(session.execute(asked.order_by(Case.case_id).with_for_update()).scalars())
