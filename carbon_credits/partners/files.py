"""Files as they came: the same bytes are one file, and a file counts whole or not at all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO, Literal

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, FileFault, ParseOptions, Record, Unusable
from carbon_credits.partners.models import PartnerFile

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Bytes:
    """What identifies a file."""

    sha256: bytes
    length: int


@dataclass(frozen=True)
class FileState:
    """What became of a file. `seen` was not finished: apply it, which is safe to do again."""

    file_id: int
    source_id: int
    state: Literal["seen", "verified", "staged", "applied", "quarantined", "superseded", "refused"]
    counts: Mapping[str, Any] | None
    fault: Mapping[str, Any] | None


def measure(stream: BinaryIO) -> Bytes:
    """The digest and length of a stream, which is rewound."""
    seen, length = sha256(), 0
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        seen.update(chunk)
        length += len(chunk)
    stream.seek(0)
    return Bytes(seen.digest(), length)


def receive(session: Session, source_id: int, name: str, found: Bytes, now: datetime) -> FileState:
    """Note a file brought by hand, or find it: the same bytes for the same source answer with what became of them,
    whichever way they came.
    """
    asked = (
        select(PartnerFile)
        .where(PartnerFile.source_id == source_id, PartnerFile.sha256 == found.sha256)
        .order_by((PartnerFile.state == "applied").desc(), PartnerFile.seq.nulls_first())
        .limit(1)
    )
    known = session.execute(asked.where(or_(PartnerFile.seq.is_(None), PartnerFile.state == "applied")))
    row = known.scalar_one_or_none()
    if row is not None:
        return _state(row)
    noted = (
        insert(PartnerFile)
        .values(
            source_id=source_id, sha256=found.sha256, name=name[:200], bytes=found.length, received_at=now
        )
        .on_conflict_do_nothing()
    )
    session.execute(noted)
    return _state(session.execute(asked.where(PartnerFile.seq.is_(None))).scalar_one())


def state_of(session: Session, file_id: int) -> FileState:
    """What became of a file; raises NotFound."""
    row = session.get(PartnerFile, file_id, populate_existing=True)
    if row is None:
        raise NotFound("file_unknown", Text("没有此文件", "There is no such file"))
    return _state(row)


def check_whole(feed: Feed, stream: BinaryIO, options: ParseOptions) -> Mapping[str, int]:
    """Read a file to its end without doing anything: `records`, and unusable rows by reason.

    Raises FileFault. Called before the first row counts, so that a file cut short credits nothing.
    """
    counts: Counter[str] = Counter(records=0)
    stream.seek(0)
    for item in feed.parse_file(stream, options):
        counts.update(("records",) if isinstance(item, Record) else ())
        counts.update(item.reasons if isinstance(item, Unusable) else ())
    stream.seek(0)
    return dict(counts)


def apply(session: Session, file_id: int, counts: Mapping[str, Any], now: datetime) -> None:
    """The file is done; a file that is done already keeps its first result."""
    _finish(session, file_id, now, state="applied", counts=dict(counts))


def refuse(session: Session, file_id: int, fault: FileFault, now: datetime) -> None:
    """The file is refused whole; what it was refused for is kept."""
    said = {"code": fault.code, "line": fault.line, "detail": fault.detail.both()}
    _finish(session, file_id, now, state="refused", fault=said)


def _finish(session: Session, file_id: int, now: datetime, **values: Any) -> None:
    session.execute(
        update(PartnerFile)
        .where(PartnerFile.file_id == file_id, PartnerFile.state == "seen")
        .values(finished_at=now, **values)
    )


def _state(row: PartnerFile) -> FileState:
    state: Any = row.state
    return FileState(row.file_id, row.source_id, state, row.counts, row.fault)
