"""What becomes of a delivered file: its states, who comes next of a feed, versions, and how far the feed is complete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.models import FeedWatermark, PartnerFile, Source

# what an operator may decide to overlook; a file that cannot be read stays where it is
WAIVABLE: Final = frozenset(
    {
        "rows_differ",
        "totals_differ",
        "total_unknown",
        "by_type_differs",
        "trailer_differs",
        "too_many_unreadable",
    }
)

# One that has begun to land goes on first; then the lowest number, of which only the newest version still counts.
NEXT = text("""
select file_id from partner_file
where source_id = :source and seq is not null and state in ('seen', 'verified', 'staged')
order by (state = 'staged' and counts is not null) desc, seq, version desc
limit 1
""")
# Feeds with files to be worked on, or with corrections that one who was killed did not settle.
SOURCES_WAITING = text("""
select s.feed, s.source_id from source s
where exists (select from partner_file f
              where f.source_id = s.source_id and f.seq is not null and f.state in ('seen', 'verified', 'staged'))
   or exists (select from record_correction c where c.source_id = s.source_id and c.settled_at is null)
order by s.source_id
""")
ANY_WAITING = text("""
select exists (select from partner_file where seq is not null and state in ('seen', 'verified', 'staged'))
    or exists (select from record_correction where settled_at is null)
""")
# Files applied without a gap after the one the watermark stands at: each one's number is as many after it as its place
# in their order. The last of them is where the watermark moves; it is never moved back.
MOVE_WATERMARK = text("""
with mark as (
  select coalesce((select seq from feed_watermark where source_id = :source), 0) as seq
), next as (
  select f.seq, f.complete_through, mark.seq + row_number() over (order by f.seq) as without_gap
  from partner_file f, mark
  where f.source_id = :source and f.state = 'applied' and f.seq > mark.seq
), reached as (
  select max(seq) as seq, max(complete_through) as complete_through from next where seq = without_gap
)
insert into feed_watermark (source_id, seq, complete_through, moved_at)
select :source, seq, complete_through, :now from reached where seq is not null
on conflict (source_id) do update set
  seq = excluded.seq,
  complete_through = greatest(feed_watermark.complete_through, excluded.complete_through),
  moved_at = excluded.moved_at
""")


@dataclass(frozen=True)
class Waiting:
    """A feed that has files, or their corrections, to be worked on."""

    feed: str
    source_id: int


def feeds_waiting(session: Session) -> list[Waiting]:
    """Feeds with unfinished files or unsettled corrections, by number."""
    return [Waiting(row.feed, row.source_id) for row in session.execute(SOURCES_WAITING)]


def next_file(session: Session, source_id: int) -> PartnerFile | None:
    """The file of a feed to go on with; earlier versions of it that have not begun to land are superseded by it."""
    file_id = session.execute(NEXT, {"source": source_id}).scalar_one_or_none()
    if file_id is None:
        return None
    row = file_of(session, file_id)
    supersede(session, row, ("seen", "verified", "staged", "quarantined"), row.received_at)
    return row


def file_of(session: Session, file_id: int, partner_id: int | None = None) -> PartnerFile:
    """A file with a manifest. Raises NotFound, also when it is not this partner's."""
    asked = (
        select(PartnerFile).join(Source).where(PartnerFile.file_id == file_id, PartnerFile.seq.is_not(None))
    )
    if partner_id is not None:
        asked = asked.where(Source.partner_id == partner_id)
    row = session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound("file_unknown", Text("没有此文件", "There is no such file"))
    return row


def pass_on(session: Session, file_id: int, follows: str, state: str, **noted: int) -> None:
    """Take a file from one state to the next, noting what is said of it. Raises Conflict when another did."""
    moved = (
        update(PartnerFile)
        .where(PartnerFile.file_id == file_id, PartnerFile.state == follows)
        .values(state=state, **noted)
        .returning(PartnerFile.file_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(moved).scalar_one_or_none() is None:
        raise Conflict("file_being_taken_in", Text("该文件正由另一进程处理", "Another is at this file"))


def quarantine(session: Session, file_id: int, faults: Sequence[FileFault]) -> None:
    """Put a file aside whole until a person decides or a newer version comes; why is kept."""
    first, *others = faults
    said: dict[str, Any] = {"code": first.code, "line": first.line, "detail": first.detail.both()}
    said["others"] = [{"code": fault.code, "detail": fault.detail.both()} for fault in others[:20]]
    _set(session, file_id, ("seen", "verified", "staged"), state="quarantined", fault=said)


def release(session: Session, file_id: int, *, waive: bool) -> None:
    """Look at a quarantined file again, overlooking what it was put aside for when told to.

    Raises NotFound, Conflict when it is not in quarantine, Invalid for what cannot be overlooked.
    """
    row = _quarantined(session, file_id)
    codes = (
        {row.fault["code"], *(other["code"] for other in row.fault.get("others", ()))} if row.fault else set()
    )
    if waive and not codes <= WAIVABLE:
        listed = ", ".join(sorted(codes - WAIVABLE))
        raise Invalid("cannot_be_waived", Text(f"不可放行：{listed}", f"This cannot be overlooked: {listed}"))
    waived = sorted({*row.waived, *codes}) if waive else row.waived
    _set(session, file_id, ("quarantined",), state="seen", fault=None, waived=waived, counts=None)


def refuse(session: Session, file_id: int, now: datetime) -> None:
    """A quarantined file is refused for good; its number may come again. Raises NotFound or Conflict."""
    _quarantined(session, file_id)
    _set(session, file_id, ("quarantined",), state="refused", finished_at=now)


def finish(
    session: Session, row: PartnerFile, counts: Mapping[str, Any], told: tuple[int, int], now: datetime
) -> None:
    """A file is applied: it takes the place of earlier versions, and the watermark moves as far as it can.

    `told` is how many records it corrected and took back.
    """
    supersede(session, row, ("applied", "quarantined"), now)
    corrected, voided = told
    values = {"counts": dict(counts), "corrected": corrected, "voided": voided, "finished_at": now}
    _set(session, row.file_id, ("staged",), state="applied", **values)
    session.execute(MOVE_WATERMARK, {"source": row.source_id, "now": now})


def supersede(session: Session, row: PartnerFile, states: Sequence[str], now: datetime) -> None:
    """Earlier versions of a file, in these states and not begun to land or done with it, count no longer."""
    session.execute(
        update(PartnerFile)
        .where(
            PartnerFile.source_id == row.source_id,
            PartnerFile.seq == row.seq,
            PartnerFile.version < row.version,
            PartnerFile.state.in_(states),
            (PartnerFile.counts.is_(None)) | (PartnerFile.state.in_(("applied", "quarantined"))),
        )
        .values(state="superseded", finished_at=now)
        .execution_options(synchronize_session=False)
    )


def applied_before(session: Session, row: PartnerFile) -> int | None:
    """The number of the applied version that this one takes the place of."""
    asked = select(PartnerFile.file_id).where(
        PartnerFile.source_id == row.source_id, PartnerFile.seq == row.seq, PartnerFile.state == "applied"
    )
    return session.execute(asked.where(PartnerFile.file_id != row.file_id)).scalar_one_or_none()


def watermark_of(session: Session, source_id: int) -> FeedWatermark | None:
    """How far a feed is complete; None before its first file."""
    return session.get(FeedWatermark, source_id, populate_existing=True)


def listed(session: Session, states: Sequence[str], most: int) -> list[tuple[PartnerFile, str]]:
    """Files with a manifest in these states and their feed, the newest first."""
    asked = select(PartnerFile, Source.feed).join(Source).where(PartnerFile.seq.is_not(None))
    asked = asked.where(PartnerFile.state.in_(states)).order_by(PartnerFile.file_id.desc()).limit(most)
    return [(row[0], row[1]) for row in session.execute(asked)]


def _quarantined(session: Session, file_id: int) -> PartnerFile:
    row = file_of(session, file_id)
    if row.state != "quarantined":
        raise Conflict(
            "not_in_quarantine", Text("该文件不在隔离区", f"The file is {row.state}, not in quarantine")
        )
    return row


def _set(session: Session, file_id: int, states: Sequence[str], **values: Any) -> None:
    session.execute(
        update(PartnerFile)
        .where(PartnerFile.file_id == file_id, PartnerFile.state.in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
