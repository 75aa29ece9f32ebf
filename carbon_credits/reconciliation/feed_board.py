"""Partners' feeds side by side: how far each is complete, what is late, missing, put aside or alarming; their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.partners.arrivals import ALARM
from carbon_credits.partners.service import source_by_feed

WINDOW: Final = timedelta(days=30)
MOST_GAPS: Final = 50
STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "quarantined": ("quarantined",),
    "unfinished": ("seen", "verified", "staged"),
    "late": ("seen", "verified", "staged", "quarantined", "applied", "superseded"),
    "all": ("seen", "verified", "staged", "quarantined", "applied", "superseded", "refused"),
}
# after the end of its service day and the feed's grace
_IS_LATE: Final = """
(f.received_at > (f.service_date + 1)::timestamp at time zone 'Asia/Shanghai' + grace_of(f.source_id, f.service_date))"""
# A gap is a number that nothing stands for, beyond the watermark and below the greatest that came.
_BOARD: Final = text(f"""
select s.source_id, s.feed, s.methodologies, s.evidence_class, p.code as partner, p.name_zh, p.name_en, p.status,
       w.seq, w.complete_through, w.moved_at, grace_of(s.source_id, :today) as grace,
       w.complete_through + grace_of(s.source_id, :today) < :now as is_behind,
       coalesce(f.quarantined, 0) as quarantined, coalesce(f.unfinished, 0) as unfinished,
       greatest(coalesce(f.greatest - coalesce(w.seq, 0) - f.beyond, 0), 0) as missing,
       coalesce(f.recent, 0) as recent, coalesce(f.late, 0) as late, f.last_at, coalesce(a.alarms, 0) as alarms
from source s
join partner p using (partner_id)
left join feed_watermark w using (source_id)
left join lateral (
  select count(*) filter (where f.state = 'quarantined') as quarantined,
         count(*) filter (where f.state in ('seen', 'verified', 'staged')) as unfinished,
         max(f.seq) as greatest,
         count(distinct f.seq) filter (where f.seq > coalesce(w.seq, 0) and f.state <> 'refused') as beyond,
         count(*) filter (where f.received_at >= :since) as recent,
         count(*) filter (where f.received_at >= :since and {_IS_LATE}) as late,
         max(f.received_at) as last_at
  from partner_file f where f.source_id = s.source_id and f.seq is not null
) f on true
left join (
  select subject, after ->> 'feed' as feed, count(*) as alarms from audit_entry
  where action = :alarm and at >= :since group by 1, 2
) a on a.subject = 'partner:' || s.partner_id and a.feed = s.feed
where cast(:feed as text) is null or s.feed = :feed
order by is_behind desc nulls last, quarantined desc, s.feed
""")  # noqa: S608 - made of constants
_GAPS: Final = text("""
select g.seq
from (select coalesce((select seq from feed_watermark where source_id = :source), 0) as seq) mark,
     generate_series(mark.seq + 1,
                     (select max(seq) from partner_file where source_id = :source and state <> 'refused')) as g (seq)
where not exists (select from partner_file f
                  where f.source_id = :source and f.seq = g.seq and f.state <> 'refused')
order by 1 limit :most
""")
_FILES: Final = text(f"""
select f.file_id, s.feed, f.seq, f.version, f.name, f.state, f.rows, f.service_date, f.received_at, f.finished_at,
       f.arrived, f.fault, f.waived, {_IS_LATE} as is_late
from partner_file f
join source s using (source_id)
where f.seq is not null and f.state = any(cast(:states as text[]))
  and (cast(:feed as text) is null or s.feed = :feed)
  and (not cast(:late as boolean) or {_IS_LATE})
  and (cast(:seq as bigint) is null or f.seq = :seq)
  and (cast(:before as bigint) is null or f.file_id < :before)
order by f.file_id desc
limit :most
""")  # noqa: S608 - made of constants
_ALARMS: Final = text("""
select e.audit_id, e.at, p.code as partner, p.name_zh, p.name_en, e.after
from audit_entry e left join partner p on e.subject = 'partner:' || p.partner_id
where e.action = :alarm and (cast(:before as bigint) is null or e.audit_id < :before)
order by e.audit_id desc limit :most
""")
_COUNT: Final = text("""
select count(*) filter (where f.state = 'quarantined') as quarantined, min(f.received_at) as oldest
from partner_file f where f.state = 'quarantined' and f.seq is not null
""")


@dataclass(frozen=True)
class FeedLine:
    """A feed on the board. `is_behind` is None while it has no watermark; `late`, `recent`, `alarms` of thirty days."""

    source_id: int
    feed: str
    partner: str
    name: Text
    status: str
    seq: int | None
    complete_through: datetime | None
    moved_at: datetime | None
    grace: timedelta
    is_behind: bool | None
    quarantined: int
    unfinished: int
    missing: int
    recent: int
    late: int
    last_at: datetime | None
    alarms: int


@dataclass(frozen=True)
class FileLine:
    """A file that came with a manifest."""

    file_id: int
    feed: str
    seq: int
    version: int
    name: str
    state: str
    rows: int
    service_date: date
    received_at: datetime
    finished_at: datetime | None
    arrived: str
    fault: Mapping[str, Any] | None
    waived: Sequence[str]
    is_late: bool

    @property
    def why(self) -> Text | None:
        """What it was put aside or refused for, in words."""
        return None if self.fault is None else Text(**self.fault["detail"])


@dataclass(frozen=True)
class Alarm:
    """A file that was refused because it was not theirs, or contradicted what had come."""

    number: int
    at: datetime
    partner: str | None
    name: Text | None
    told: Mapping[str, Any]


def board(session: Session, now: datetime, feed: str | None = None) -> list[FeedLine]:
    """Every partner's feed, or one: those behind first, then those with files put aside."""
    given = {"now": now, "today": now.date(), "since": now - WINDOW, "alarm": ALARM, "feed": feed}
    return [_line(row) for row in session.execute(_BOARD, given).mappings()]


def line_of(session: Session, now: datetime, feed: str) -> FeedLine:
    """One feed. Raises NotFound."""
    source_by_feed(session, feed)
    return board(session, now, feed)[0]


def gaps(session: Session, source_id: int) -> list[int]:
    """Numbers that nothing has come for, between the watermark and the greatest that came; at most MOST_GAPS."""
    return list(session.scalars(_GAPS, {"source": source_id, "most": MOST_GAPS}))


def files(
    session: Session,
    which: str,
    before: int | None,
    most: int,
    *,
    feed: str | None = None,
    seq: int | None = None,
) -> list[FileLine]:
    """Files of a kind of STATES, the newest first, `before` a number seen."""
    given = {
        "states": list(STATES[which]),
        "late": which == "late",
        "feed": feed,
        "seq": seq,
        "before": before,
        "most": most,
    }
    return [FileLine(**row) for row in session.execute(_FILES, given).mappings()]


def alarms(session: Session, before: int | None, most: int) -> list[Alarm]:
    """Refusals that somebody must look at, the newest first."""
    given = {"alarm": ALARM, "before": before, "most": most}
    return [
        Alarm(
            row["audit_id"],
            row["at"],
            row["partner"],
            None if row["partner"] is None else Text(row["name_zh"], row["name_en"]),
            row["after"] or {},
        )
        for row in session.execute(_ALARMS, given).mappings()
    ]


def aside(session: Session) -> tuple[int, datetime | None]:
    """How many files lie in quarantine, and since when the first."""
    row = session.execute(_COUNT).one()
    return row.quarantined, row.oldest


def _line(row: RowMapping) -> FeedLine:
    left_out = {"name_zh", "name_en", "methodologies", "evidence_class"}
    told = {name: value for name, value in row.items() if name not in left_out}
    return FeedLine(name=Text(row["name_zh"], row["name_en"]), **told)
