"""A partner's file becomes acts, or is refused whole before its first row counts.

Rows land in chunks, a transaction each, and how far a file got is written down in the same transaction: whoever
comes after a kill goes on where it stopped and counts every row once. What cannot become an act is set aside with
its reasons; what waits is tried again after each file of its feed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, Protocol, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from carbon_credits.activities.intake import terms_of
from carbon_credits.activities.landing import (
    RECORDS,
    ROWS,
    Tally,
    land,
    land_next,
    mark_of,
    outcomes,
    said_of,
)
from carbon_credits.activities.told import CHUNK, Intake, Told, chunks_of, read
from carbon_credits.activities.waiting import Waits, waiting_page
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.partners import files
from carbon_credits.partners.contract import Feed, FileFault, Item, ParseOptions, Scalar
from carbon_credits.partners.models import PartnerFile

T = TypeVar("T")


class Opened(Protocol):
    """Does a piece of work in one transaction of its own."""

    def __call__(self, work: Callable[[Session], T], /) -> T:
        """What the work returned, once it is committed."""
        ...


@dataclass(frozen=True)
class Landed:
    """What one transaction did: how many items of the file are behind us, and the shards that now have work."""

    items: int
    shards: frozenset[int]


Heard = Callable[[Landed], None]


@dataclass(frozen=True)
class Placed:
    """What became of records that waited: how many ended how, and the numbers of those that are acts now."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    record_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """A file's end. `outcomes` counts its rows (`accepted`, `waiting:unknown_subject`, …); `rows` is their sum.

    `known` says that the same bytes were taken in before and this is what they came to then.
    """

    file_id: int
    state: str
    rows: int = 0
    records: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    fault: Mapping[str, Any] | None = None
    known: bool = False
    placed: Placed = field(default_factory=Placed)


@dataclass(frozen=True)
class FileTold:
    """A file as it is landed: its number, what stands for what was said about it, and its items from the first."""

    file_id: int
    said: str
    items: Callable[[], Iterator[Item]]


@dataclass(frozen=True)
class Delivery:
    """A file on its way in: whose it is, its bytes (which must not change meanwhile), and what is said about it."""

    feed: Feed
    stream: BinaryIO
    name: str
    options: ParseOptions

    def items(self) -> Iterator[Item]:
        """What its feed reads in it, from its beginning."""
        self.stream.seek(0)
        return self.feed.parse_file(self.stream, self.options)


def take_in_file(
    vault: Vault,
    delivery: Delivery,
    now: datetime,
    heard: Heard = lambda _: None,
    opened: Opened = in_transaction,
) -> Taken:
    """Take a file in. The same bytes again answer what they first came to, and land nothing; a table of distances
    that now comes with them lets what waits find its place. A refused file is read once more, for its fault may lie
    in what was said about it.

    `heard` is called after each commit. Raises NotFound for a feed that is not installed, Conflict while another
    takes the same file in, FileFault for a faulty table beside a file that is known.
    """
    found = files.measure(delivery.stream)
    source = opened(lambda session: terms_of(session, delivery.feed.code))
    state = opened(lambda s: files.receive(s, source.source_id, delivery.name, found, now))
    if state.state == "applied":
        is_new = delivery.options.distances is not None
        told_now = place(vault, delivery.feed, delivery.options, now, heard, opened) if is_new else Placed()
        return replace(_as_first(state), placed=told_now)
    fault = _fault_of(delivery)
    if fault is not None:
        opened(lambda session: files.refuse(session, state.file_id, fault, now))
        told = {"code": fault.code, "line": fault.line, "detail": fault.detail.both()}
        return Taken(state.file_id, "refused", fault=told)
    if state.state == "refused":
        opened(lambda session: _reopen(session, state.file_id))
    whole = FileTold(state.file_id, said_of(delivery.options), delivery.items)
    tally = land_all(Intake(vault, source, now, state.file_id), whole, heard, opened)
    counts = {ROWS: tally[ROWS], RECORDS: tally[RECORDS], "outcomes": outcomes(tally)}
    opened(lambda session: files.apply(session, state.file_id, counts, now))
    placed = place(vault, delivery.feed, delivery.options, now, heard, opened)
    return Taken(state.file_id, "applied", tally[ROWS], tally[RECORDS], outcomes(tally), placed=placed)


def is_taken_in(session: Session, delivery: Delivery) -> bool:
    """Whether these bytes were taken in before."""
    source = terms_of(session, delivery.feed.code)
    asked = select(PartnerFile.state).where(
        PartnerFile.source_id == source.source_id,
        PartnerFile.sha256 == files.measure(delivery.stream).sha256,
    )
    return session.execute(asked).scalar_one_or_none() == "applied"


def place(
    vault: Vault,
    feed: Feed,
    options: ParseOptions,
    now: datetime,
    heard: Heard = lambda _: None,
    opened: Opened = in_transaction,
) -> Placed:
    """Try again what waits: records whose subject may be bound by now, and what the feed can now make sense of.

    Raises FileFault for a faulty table of distances, NotFound for a feed that is not installed.
    """
    source = opened(lambda session: terms_of(session, feed.code))
    tally: Tally = Counter()
    accepted: list[str] = []
    intake = Intake(vault, source, now, drops_strangers=bool(feed.tells_of_all_by))
    waits = Waits(vault, source.source_id)
    for told in _read(intake, _waiting_items(intake, feed, options, opened, waits)):
        landed = opened(partial(land, intake=intake, told=told, waits=waits))
        tally += landed.tally
        accepted += landed.accepted
        heard(Landed(0, landed.shards))
    return Placed(outcomes(tally), tuple(accepted))


def _waiting_items(
    intake: Intake, feed: Feed, options: ParseOptions, opened: Opened, waits: Waits
) -> Iterator[Item]:
    """All that waits of a feed, as it looks today: whole records first, then what the feed makes of the pieces. `waits`
    hears how it looked before.
    """
    pieces: list[Mapping[str, Scalar]] = []
    after: bytes | None = b""
    while after is not None:
        page = opened(
            partial(
                waiting_page, vault=intake.vault, source_id=intake.source.source_id, after=after, most=CHUNK
            )
        )
        waits.add(page.found)
        pieces += page.pieces
        yield from page.records
        after = page.ends_at
    yield from feed.place(iter(pieces), options)


def land_all(
    intake: Intake,
    told: FileTold,
    heard: Heard,
    opened: Opened,
    made_ready: Iterator[Told] | None = None,
) -> Tally:
    """Land a file from where an earlier attempt stopped, a chunk in each transaction. Raises FileFault.

    `made_ready` are its chunks where they lie ready from its beginning; otherwise the file is read.
    """
    mark = opened(lambda session: mark_of(session, told.file_id, told.said))
    if made_ready is None or mark.items:
        made_ready = _read(intake, islice(told.items(), mark.items, None))
    for chunk in _ahead(made_ready):
        landed, mark = opened(partial(land_next, intake=intake, told=chunk, mark=mark))
        heard(Landed(mark.items, landed.shards))
    return mark.tally


def _read(intake: Intake, items: Iterator[Item]) -> Iterator[Told]:
    for chunk in chunks_of(items):
        yield read(intake, chunk)


def _ahead(chunks: Iterator[Told]) -> Iterator[Told]:
    """Each chunk, while the next is being read and made ready: that is ours to do, landing mostly the database's."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, chunks, None)
        while (told := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield told


def _fault_of(delivery: Delivery) -> FileFault | None:
    try:
        files.check_whole(delivery.feed, delivery.stream, delivery.options)
    except FileFault as fault:
        return fault
    return None


def _reopen(session: Session, file_id: int) -> None:
    """Nothing of a refused file ever landed, so it may be taken in as if it had just come."""
    session.execute(
        update(PartnerFile)
        .where(PartnerFile.file_id == file_id, PartnerFile.state == "refused")
        .values(state="seen", fault=None, finished_at=None)
        .execution_options(synchronize_session=False)
    )


def _as_first(state: files.FileState) -> Taken:
    counts = state.counts or {}
    rows, records = counts.get(ROWS, 0), counts.get(RECORDS, 0)
    return Taken(state.file_id, "applied", rows, records, counts.get("outcomes", {}), known=True)
