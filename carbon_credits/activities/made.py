"""Chunks of a file made ready to land, each in a process of its own, as many beside one another as there are processors.

A process is forked for each chunk, so that nothing needs to be sent to it: the items are there. What it made comes back
through a nameless file. It speaks to nobody and ends after its chunk, also when who waits for it was killed; so long the
locks of that one's connections are held, for a fork has them too. A chunk whose process fails is made once more by
ourselves, so that what is wrong with it is seen where it is dealt with.
"""

import logging
import os
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from multiprocessing import current_process, get_context
from multiprocessing.context import ForkProcess
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

from carbon_credits.activities.corrections import keys_of
from carbon_credits.activities.spool import packed
from carbon_credits.activities.told import Intake, read
from carbon_credits.partners.contract import Item

log = logging.getLogger(__name__)

# each holds a chunk and what is made of it
MOST: Final = 4
# one row that cannot be read is refused alone; many mean that the file is not what it says
UNREADABLE: Final = frozenset({"not_readable", "broken_row"})


class Made(NamedTuple):
    """What is made of a chunk: its rows, how many of them cannot be read, the digests of its records by which versions of
    a file are told apart, and all that lands of it, packed.
    """

    rows: int
    unreadable: int
    keys: bytes
    chunk: bytes


def make(intake: Intake, items: Sequence[Item]) -> Made:
    """Make a chunk ready; needs no database."""
    told = read(intake, items)
    return Made(
        sum(record.rows for record in told.records) + len(told.others),
        sum(not UNREADABLE.isdisjoint(item.reasons) for item in told.strange),
        keys_of(intake.vault, intake.source.source_id, items, told),
        packed(told),
    )


def made_beside(intake: Intake, chunks: Iterator[list[Item]]) -> Iterator[Made]:
    """Each chunk made ready, in the order of the chunks, while further ones are read. A single chunk is made here."""
    first, second = next(chunks, None), next(chunks, None)
    at_once = min(MOST, processors())
    if first is None:
        return
    if second is None or at_once == 1:
        for items in chain([first], [] if second is None else [second], chunks):
            yield make(intake, items)
        return
    with closing(_Row(intake, deque())) as row:
        for items in chain([first, second], chunks):
            if len(row.running) == at_once:
                yield row.eldest()
            row.begin(items)
        while row.running:
            yield row.eldest()


def processors() -> int:
    """How many processors this process may use for processes of its own; one where it may have none."""
    if current_process().daemon:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Row:
    """Processes at work, the eldest first, each with its items and where it writes."""

    intake: Intake
    running: deque[tuple[ForkProcess, list[Item], IO[bytes]]]

    def begin(self, items: list[Item]) -> None:
        """Let a process make this chunk ready."""
        out = TemporaryFile()  # noqa: SIM115 - closed by whoever takes it from the row
        process = get_context("fork").Process(target=_make_into, args=(out, self.intake, items), daemon=True)
        process.start()
        self.running.append((process, items, out))

    def eldest(self) -> Made:
        """What the eldest has made, once it is done."""
        process, items, out = self.running.popleft()
        with out:
            process.join()
            if process.exitcode != 0:
                log.warning(
                    "a chunk is made once more", extra={"exit": process.exitcode, "items": len(items)}
                )
                return make(self.intake, items)
            out.seek(0)
            # nobody but that process can have written here: the file has no name
            return Made._make(pickle.load(out))  # noqa: S301

    def close(self) -> None:
        """What nobody waits for any more ends."""
        for process, _, out in self.running:
            process.kill()
            process.join()
            out.close()


def _make_into(out: IO[bytes], intake: Intake, items: Sequence[Item]) -> None:
    try:
        pickle.dump(tuple(make(intake, items)), out, protocol=5)
        out.flush()
    except Exception:  # noqa: BLE001 - the waiting process meets it again, and says it
        # not said here: it may quote what people's records hold
        os._exit(1)
