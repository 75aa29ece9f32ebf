"""One chunk of a partner's items in one transaction: acts, records set aside with reasons, and how far we are."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import cast, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from carbon_credits.activities.counting import let_newest_count
from carbon_credits.activities.intake import RowResult, take_in_ready
from carbon_credits.activities.pieces import note_pieces, told_again
from carbon_credits.activities.ready import Names, Ready, SourceTerms, make_ready, names_of
from carbon_credits.activities.waiting import keep, settle, settled
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.partners import aside, stations
from carbon_credits.partners.contract import Item, ParseOptions, Record, Unusable, Weighing
from carbon_credits.partners.models import PartnerFile, PartnerFileReject

Tally = Counter[str]
ROWS, RECORDS = "rows", "records"
CORRECTED: Final = "corrected"
# a file brought by hand lands while it is seen, one with a manifest once it is staged
OPEN: Final = ("seen", "staged")
MOST_LISTED: Final = 10_000
# a chunk of a file is more work than a request may be
_PATIENCE: Final = text("select set_config('statement_timeout', '60s', true)")


@dataclass(frozen=True)
class Intake:
    """Whose items land: the feed's terms, our keys, the instant of the door, and the file they came in, if any.

    `version` is that of what the file tells (`versions.version_of_file`).
    `drops_strangers`: records of people who are not bound are dropped; otherwise they wait for their binding.
    """

    vault: Vault
    source: SourceTerms
    now: datetime
    file_id: int | None = None
    version: int = 1
    drops_strangers: bool = False


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


@dataclass(frozen=True)
class Told:
    """Items of a chunk as they were told, and what lands of each record: made ready, with its keys."""

    items: Sequence[Item]
    records: Sequence[Record]
    ready: Sequence[Ready | tuple[str, ...]]
    names: Sequence[Names]


def read(intake: Intake, items: Sequence[Item]) -> Told:
    """Make items ready to land; needs no database."""
    records = [item for item in items if isinstance(item, Record)]
    if intake.version > 1:
        records = [replace(record, version=max(record.version, intake.version)) for record in records]
    vault, source = intake.vault, intake.source
    names = [names_of(vault, source.source_id, record) for record in records]
    return Told(items, records, make_ready(vault, source, records, intake.now), names)


def land(session: Session, intake: Intake, told: Told) -> Chunk:
    """Land items: acts and weighings at once, everything else set aside with its reasons."""
    vault, source, now, items = intake.vault, intake.source, intake.now, told.items
    spent = settled(session, vault, source.source_id, items)
    results = take_in_ready(session, source, told.ready)
    if intake.drops_strangers:
        results = [_dropped(result) if result.status == "waiting" else result for result in results]
    ended = list(zip(told.records, results, strict=True))
    strange = [item for item in items if isinstance(item, Unusable)]
    not_acts = [item for item in strange if item.record_id not in spent]
    not_acts += [
        _unusable(record, result) for record, result in ended if result.status in ("waiting", "refused")
    ]
    if not_acts:
        aside.set_aside(session, vault, source.source_id, not_acts, intake.file_id, now)
    _settle(session, intake, told, results, spent)
    stations.land_deposits(session, source.source_id, items, now, intake.file_id)
    weighings = [item for item in items if isinstance(item, Weighing)]
    weighed = stations.land_weighings(session, source.source_id, weighings, now, intake.file_id)
    return Chunk(
        _tally_of_records(ended) + _tally_of_strange(strange, spent) + _tally_of_weighings(weighed),
        frozenset(result.shard_id for result in results if result.shard_id is not None),
        tuple(record.record_id for record, result in ended if result.status == "accepted"),
        tuple(_refused(items, results, weighed, spent)),
    )


def _settle(
    session: Session, intake: Intake, told: Told, results: Sequence[RowResult], spent: frozenset[str]
) -> None:
    """What is an act waits no longer, nor do its pieces; what took one of them back holds for it too."""
    source_id = intake.source.source_id
    acts = [place for place, result in enumerate(results) if _is_act(result)]
    names = [told.names[place] for place in acts]
    settle(session, source_id, names, intake.now)
    changed = note_pieces(
        session, source_id, [(_key(told.ready[place]), told.names[place]) for place in acts]
    )
    if intake.version > 1:
        pieces = spent.union(*(told.records[place].settles for place in acts))
        changed |= told_again(session, source_id, pieces, intake.version)
    let_newest_count(session, source_id, changed)


def land_next(session: Session, intake: Intake, told: Told, mark: Mark) -> tuple[Chunk, Mark]:
    """Land the items after the mark and move it, in one transaction. Raises Conflict when another moved it."""
    session.execute(_PATIENCE)
    chunk = land(session, intake, told)
    reached = Mark(mark.said, mark.items + len(told.items), mark.tally + chunk.tally)
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
    items: Sequence[Item], results: Sequence[RowResult], weighed: Sequence[str], spent: frozenset[str]
) -> Iterator[Refused]:
    of_records, of_weighings = iter(results), iter(weighed)
    for place, item in enumerate(items):
        if isinstance(item, Record):
            result = next(of_records)
            if result.status == "refused":
                yield Refused(place, item.line, result.reasons)
        elif isinstance(item, Weighing):
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


def _key(ready: Ready | tuple[str, ...]) -> bytes:
    assert isinstance(ready, Ready)  # what was refused is no act
    return ready.ext_key


def _dropped(result: RowResult) -> RowResult:
    """Nothing is kept of somebody who did not agree to it."""
    return replace(result, status="dropped", reasons=("not_bound",))


def _is_act(result: RowResult) -> bool:
    return result.status in ("accepted", "duplicate")


def _unusable(record: Record, result: RowResult) -> Unusable:
    waits = result.status == "waiting"
    return Unusable(record.record_id, record.line, result.reasons, waits, keep(record) if waits else None)


def _tally_of_records(told: Sequence[tuple[Record, RowResult]]) -> Tally:
    """A journey of two taps is two rows and one record."""
    tally: Tally = Counter()
    for record, result in told:
        rows = max(1, len(record.settles))
        status = CORRECTED if result.corrects else result.status
        tally.update({ROWS: rows, RECORDS: 1, _name(status, result.reasons): rows})
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
