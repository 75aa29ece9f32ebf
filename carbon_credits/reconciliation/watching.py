"""What becomes a case by itself: a feed that has fallen silent, a file put aside; and ends when that does."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.reconciliation import cases
from carbon_credits.reconciliation.cases import QUARANTINED, SILENT
from carbon_credits.reconciliation.models import Case

SYSTEM: Final = "system"
# a feed that sends files is silent when it lies so much further back than its grace allows
SILENT_AFTER: Final = timedelta(days=2)

# Feeds of active partners that are behind, and files put aside, each as the case it should be.
_FOUND = text("""
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


def watch(session: Session, now: datetime) -> int:
    """Open a case for what is found and end those of what is no more; returns how many steps were taken.

    Done again it does nothing.
    """
    given = {"now": now, "today": now.date(), "allowed": SILENT_AFTER}
    found = {(row.kind, row.subject): row for row in session.execute(_FOUND, given)}
    steps = 0
    for (kind, subject), row in found.items():
        about = {"source_id": row.source_id, "file_id": row.file_id}
        opened = cases.open_case(session, kind, subject, row.reason, SYSTEM, now, **about)
        steps += opened is not None
    unfinished = select(Case).where(Case.kind.in_((SILENT, QUARANTINED)), Case.state.in_(cases.UNFINISHED))
    for case in session.execute(unfinished.order_by(Case.case_id).with_for_update(skip_locked=True)).scalars().all():
        if (case.kind, case.subject) not in found:
            cases.decide(session, case, "resolved", None, SYSTEM, now)
            cases.close(session, case, SYSTEM, now)
            steps += 1
    return steps
