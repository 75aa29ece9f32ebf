"""A chunk of a partner's items as they were told, and what lands of each record: made ready beside the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from carbon_credits.activities.ready import Names, Ready, SourceTerms, make_ready_named
from carbon_credits.core.crypto import Vault
from carbon_credits.partners.contract import Item, Record, Unusable, Weighing

# items in a transaction: crediting decides as many at once as it finds, and each of its batches has a price of its own
CHUNK: Final = 12_000
# the first are fewer, so that crediting begins while the others land
FIRST: Final = 3_000


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


class ToldRecord(NamedTuple):
    """A record at its place in a chunk: its line, how many things told apart it consists of, what lands of it or why
    nothing does, and its keys; the whole record where it may have to wait for its subject.
    """

    place: int
    line: int | None
    record_id: str
    rows: int
    ready: Ready | tuple[str, ...]
    names: Names
    whole: Record | None


class Told(NamedTuple):
    """A chunk of items as they were told: how many, the records made ready, all others with their places, and whatever
    lay in a station's bag.
    """

    items: int
    records: tuple[ToldRecord, ...]
    others: tuple[tuple[int, Unusable | Weighing], ...]
    in_bags: tuple[Item, ...]

    @property
    def strange(self) -> list[Unusable]:
        """What is no act, or none yet."""
        return [item for _, item in self.others if isinstance(item, Unusable)]

    @property
    def weighings(self) -> list[Weighing]:
        """What was weighed."""
        return [item for _, item in self.others if isinstance(item, Weighing)]


def chunks_of(items: Iterator[Item], *, begins: bool = True) -> Iterator[list[Item]]:
    """Items by so many as land in one transaction; `begins` says that nothing of their file lands before them."""
    if begins and (chunk := list(islice(items, min(FIRST, CHUNK)))):
        yield chunk
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def read(intake: Intake, items: Sequence[Item]) -> Told:
    """Make items ready to land; needs no database. Of records that will not wait only what lands is kept."""
    placed = [(place, item) for place, item in enumerate(items) if isinstance(item, Record)]
    records = [record for _, record in placed]
    if intake.version > 1:
        records = [replace(record, version=max(record.version, intake.version)) for record in records]
    made = make_ready_named(intake.vault, intake.source, records, intake.now)
    told = tuple(
        ToldRecord(
            place,
            record.line,
            record.record_id,
            len(record.settles) or 1,
            ready,
            names,
            None if intake.drops_strangers else record,
        )
        for (place, record), (ready, names) in zip(placed, made, strict=True)
    )
    others = tuple((place, item) for place, item in enumerate(items) if not isinstance(item, Record))
    in_bags = tuple(item for item in items if not isinstance(item, Weighing) and item.deposits)
    return Told(len(items), told, others, in_bags)
