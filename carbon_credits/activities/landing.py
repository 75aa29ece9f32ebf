"""One chunk of a partner's items in one transaction: acts, records set aside with reasons, and how far we are."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import cast, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from carbon_credits.activities.counting import let_newest_count
from carbon_credits.activities.intake import RowResult, take_in_ready
from carbon_credits.activities.pieces import note_pieces, told_again
from carbon_credits.activities.ready import record_key
from carbon_credits.activities.told import Intake, Told, ToldRecord
from carbon_credits.activities.waiting import Waits, keep, lock_pieces, settle, settled
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.partners import aside, stations
from carbon_credits.partners.contract import ParseOptions, Unusable, Weighing
from carbon_credits.partners.models import PartnerFile, PartnerFileReject

Tally = Counter[str]
ROWS, RECORDS = "rows", "records"
CORRECTED: Final = "corrected"
# a file brought by hand lands while it is seen, one with a manifest once it is staged
OPEN: Final = ("seen", "staged")
MOST_LISTED: Final = 10_000
# a chunk of a file is more work than a request may be, also between its statements
_PATIENCE: Final = text("""
select set_config('statement_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '60s', true)
""")


class Refused(NamedTuple):
    """A refused item: its place in the chunk, its line in the file, and why."""

    place: int
    line: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Chunk:
    """What a chunk came to: rows by outcome, the shards that now have work, and the records that are new acts."""

    tally: Tally
    shards: frozenset[int]
    accepted: tuple[str, ...]
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True)
class Mark:
    """How far a file got and what it came to so far; `said` stands for what was said about the file."""

    said: str
    items: int
    tally: Tally

    def as_json(self) -> dict[str, object]:
        """As it is written down beside the file."""
        return {"said": self.said, "items": self.items, "tally": dict(self.tally)}


def land(session: Session, intake: Intake, told: Told, waits: Waits | None = None) -> Chunk:
    """Land items: acts and weighings at once, everything else set aside with its reasons. `waits` is what was set aside
    before, of items that are tried again.
    """
    vault, source, now = intake.vault, intake.source, intake.now
    strange = told.strange
    joins = any(record.names.pieces for record in told.records)
    if joins or any(item.waiting for item in strange):
        lock_pieces(session, source.source_id, joins=joins)
    spent = settled(session, vault, source.source_id, strange)
    results = take_in_ready(session, source, [record.ready for record in told.records], named=False)
    if intake.drops_strangers:
        results = [_dropped(result) if result.status == "waiting" else result for result in results]
    ended = list(zip(told.records, results, strict=True))
    not_acts = [item for item in strange if item.record_id not in spent]
    not_acts += [
        _unusable(record, result) for record, result in ended if result.status in ("waiting", "refused")
    ]
    if waits is not None:
        not_acts = [item for item in not_acts if not waits.as_before(item)]
    if not_acts:
        aside.set_aside(session, vault, source.source_id, not_acts, intake.file_id, now)
    _settle(session, intake, ended, spent)
    stations.land_deposits(session, source.source_id, told.in_bags, now, intake.file_id)
    weighed = stations.land_weighings(session, source.source_id, told.weighings, now, intake.file_id)
    return Chunk(
        _tally_of_records(ended) + _tally_of_strange(strange, spent) + _tally_of_weighings(weighed),
        frozenset(result.shard_id for result in results if result.shard_id is not None),
        tuple(record.record_id for record, result in ended if result.status == "accepted"),
        tuple(sorted(_refused(told, results, weighed, spent))),
    )


def _settle(
    session: Session,
    intake: Intake,
    ended: Sequence[tuple[ToldRecord, RowResult]],
    spent: frozenset[str],
) -> None:
    """What is an act waits no longer, nor do its pieces; what took one of them back holds for it too."""
    source_id = intake.source.source_id
    names = [record.names for record, result in ended if _is_act(result)]
    settle(session, source_id, names)
    changed = note_pieces(session, source_id, names)
    if intake.version > 1:
        pieces = {piece for each in names for piece, _ in each.pieces}
        changed |= told_again(
            session, source_id, pieces.union(record_key(each) for each in spent), intake.version
        )
    let_newest_count(session, source_id, changed)


def land_next(session: Session, intake: Intake, told: Told, mark: Mark) -> tuple[Chunk, Mark]:
    """Land the items after the mark and move it, in one transaction. Raises Conflict when another moved it."""
    session.execute(_PATIENCE)
    chunk = land(session, intake, told)
    reached = Mark(mark.said, mark.items + told.items, mark.tally + chunk.tally)
    found = func.coalesce(PartnerFile.counts["items"].as_integer(), 0)
    moved = session.execute(
        update(PartnerFile)
        .where(PartnerFile.file_id == intake.file_id, PartnerFile.state.in_(OPEN), found == mark.items)
        .values(counts=cast(reached.as_json(), JSONB))
        .returning(PartnerFile.file_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if moved is None:
        raise Conflict(
            "file_being_taken_in", Text("该文件正由另一进程导入", "Another is taking this file in")
        )
    if intake.file_id is not None and chunk.refused:
        _list_rejects(session, intake.file_id, mark.items, chunk.refused)
    return chunk, reached


def mark_of(session: Session, file_id: int, said: str) -> Mark:
    """Where an earlier attempt stopped, when it was told the same about the file; otherwise the beginning."""
    asked = select(PartnerFile.counts).where(PartnerFile.file_id == file_id)
    counts = session.execute(asked).scalar_one()
    if counts is not None and counts["said"] == said:
        return Mark(said, counts["items"], Counter(counts["tally"]))
    forget = update(PartnerFile).where(PartnerFile.file_id == file_id, PartnerFile.state.in_(OPEN))
    session.execute(forget.values(counts=None).execution_options(synchronize_session=False))
    return Mark(said, 0, Counter())


def said_of(options: ParseOptions) -> str:
    """A digest of what was said about a file, distances by their content: told alike, a file gives the same items."""
    told = {**asdict(options), "distances": None, "complete_through": str(options.complete_through)}
    if options.distances is not None:
        told["distances"] = sha256(options.distances.read_bytes()).hexdigest()
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def outcomes(tally: Mapping[str, int]) -> dict[str, int]:
    """Rows by outcome: `accepted`, `corrected`, `duplicate`, `waiting:REASON`, `refused:REASON+REASON`."""
    return {name: tally[name] for name in sorted(tally) if name not in (ROWS, RECORDS)}


def _refused(
    told: Told, results: Sequence[RowResult], weighed: Sequence[str], spent: frozenset[str]
) -> Iterator[Refused]:
    for record, result in zip(told.records, results, strict=True):
        if result.status == "refused":
            yield Refused(record.place, record.line, result.reasons)
    of_weighings = iter(weighed)
    for place, item in told.others:
        if isinstance(item, Weighing):
            if (said := next(of_weighings)) not in ("accepted", "duplicate"):
                yield Refused(place, item.line, (said,))
        elif not item.waiting and item.record_id not in spent:
            yield Refused(place, item.line, item.reasons)


def _list_rejects(session: Session, file_id: int, before: int, refused: Sequence[Refused]) -> None:
    """Keep the first of a file's refused rows, which its sender may read."""
    listed = select(func.count()).where(PartnerFileReject.file_id == file_id)
    room = MOST_LISTED - session.execute(listed).scalar_one()
    rows = [
        {"file_id": file_id, "item": before + row.place, "line": row.line, "reasons": list(row.reasons)}
        for row in refused[: max(0, room)]
    ]
    if rows:
        session.execute(insert(PartnerFileReject).on_conflict_do_nothing(), rows)


def _dropped(result: RowResult) -> RowResult:
    """Nothing is kept of somebody who did not agree to it."""
    return result._replace(status="dropped", reasons=("not_bound",))


def _is_act(result: RowResult) -> bool:
    return result.status in ("accepted", "duplicate")


def _unusable(record: ToldRecord, result: RowResult) -> Unusable:
    if result.status != "waiting":
        return Unusable(record.record_id, record.line, result.reasons)
    assert record.whole is not None  # whose records may not wait, they are dropped
    return Unusable(record.record_id, record.line, result.reasons, waiting=True, kept=keep(record.whole))


def _tally_of_records(ended: Sequence[tuple[ToldRecord, RowResult]]) -> Tally:
    """A journey of two taps is two rows and one record."""
    alike = Counter(
        (CORRECTED if result.corrects else result.status, result.reasons, record.rows)
        for record, result in ended
    )
    tally: Tally = Counter()
    for (status, reasons, rows), many in alike.items():
        tally.update({ROWS: rows * many, RECORDS: many, _name(status, reasons): rows * many})
    return tally


def _tally_of_strange(strange: Sequence[Unusable], spent: frozenset[str]) -> Tally:
    tally: Tally = Counter()
    for item in strange:
        status = "duplicate" if item.record_id in spent else "waiting" if item.waiting else "refused"
        tally.update({ROWS: 1, _name(status, item.reasons): 1})
    return tally


def _tally_of_weighings(weighed: Sequence[str]) -> Tally:
    tally: Tally = Counter()
    for said in weighed:
        is_known = said in ("accepted", "duplicate")
        tally.update({ROWS: 1, said if is_known else _name("refused", (said,)): 1})
    return tally


def _name(status: str, reasons: tuple[str, ...]) -> str:
    return f"{status}:{'+'.join(reasons)}" if status in ("waiting", "refused", "dropped") else status
