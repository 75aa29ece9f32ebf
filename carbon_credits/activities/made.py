"""A file made ready to land, by as many processes beside one another as there are processors.

Where its rows were dealt into parts by whose they are, each process reads a part and makes all of it ready; otherwise the
file is read here and a process makes each chunk. A process is forked for its task, so that nothing needs to be sent to
it; what it made comes back through a nameless file. It speaks to nobody and ends after its task, also when who waits for
it was killed; so long the locks of that one's connections are held, for a fork has them too. A task whose process fails
is done once more by ourselves, so that what is wrong with it is seen where it is dealt with.
"""

import gc
import logging
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

from carbon_credits.activities.corrections import keys_of
from carbon_credits.activities.spool import packed
from carbon_credits.activities.told import Intake, chunks_of, read
from carbon_credits.core.processors import processors
from carbon_credits.partners.contract import Item

log = logging.getLogger(__name__)

# each holds a chunk and what is made of it, or what its feed joins of a part
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


Task = Callable[[], Iterator[Made]]
# what a feed reads in a part of a file, from its beginning
Part = Callable[[], Iterator[Item]]


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
    if first is None:
        return
    if second is None:
        yield make(intake, first)
        return
    yield from _done(partial(_of_chunk, intake, items) for items in chain((first, second), chunks))


def made_of_parts(intake: Intake, parts: Sequence[Part]) -> Iterator[Made]:
    """Every chunk of each part made ready, in the order of the parts."""
    return _done(partial(_of_part, intake, part, begins=place == 0) for place, part in enumerate(parts))


def _of_chunk(intake: Intake, items: Sequence[Item]) -> Iterator[Made]:
    yield make(intake, items)


def _of_part(intake: Intake, part: Part, *, begins: bool) -> Iterator[Made]:
    for items in chunks_of(part(), begins=begins):
        yield make(intake, items)


def _done(tasks: Iterable[Task]) -> Iterator[Made]:
    """What the tasks make, in their order; the next ones are begun while the eldest is waited for."""
    at_once = min(MOST, processors())
    with closing(_Row()) as row:
        for task in tasks:
            if at_once == 1:
                yield from task()
                continue
            if len(row.running) == at_once:
                yield from row.eldest()
            row.begin(task)
        while row.running:
            yield from row.eldest()


@dataclass(frozen=True)
class _Row:
    """Processes at work, the eldest first, each with its task and where it writes."""

    running: deque[tuple[ForkProcess, Task, IO[bytes]]] = field(default_factory=deque)

    def begin(self, task: Task) -> None:
        """Let a process do this."""
        out = TemporaryFile()  # noqa: SIM115 - closed by whoever takes it from the row
        process = get_context("fork").Process(target=_do_into, args=(out, task), daemon=True)
        process.start()
        self.running.append((process, task, out))

    def eldest(self) -> Iterator[Made]:
        """What the eldest has made, once it is done."""
        process, task, out = self.running.popleft()
        with out:
            process.join()
            if process.exitcode != 0:
                log.warning("made ready once more", extra={"exit": process.exitcode})
                yield from task()
                return
            out.seek(0)
            while True:
                try:
                    # nobody but that process can have written here: the file has no name
                    yield Made._make(pickle.load(out))  # noqa: S301
                except EOFError:
                    return

    def close(self) -> None:
        """What nobody waits for any more ends."""
        for process, _, out in self.running:
            process.kill()
            process.join()
            out.close()


def _do_into(out: IO[bytes], task: Task) -> None:
    # what holds itself goes with this process; to look for it would also copy every page that was inherited
    gc.disable()
    try:
        for made in task():
            pickle.dump(tuple(made), out, protocol=5)
        out.flush()
    except Exception:  # noqa: BLE001 - the waiting process meets it again, and says it
        # not said here: it may quote what people's records hold
        os._exit(1)
