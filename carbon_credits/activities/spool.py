"""What was made ready of a file while it was staged, for landing right after it: read and keyed once.

A nameless file of this process alone: whoever comes after a kill finds nothing and reads the partner's file again.
"""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from carbon_credits.activities.ready import Names, Ready
from carbon_credits.activities.told import Told, ToldRecord


@dataclass
class Spool:
    """Chunks in the order they were put; `is_whole` once all of a file are there."""

    file: IO[bytes]
    length: int = 0
    is_whole: bool = False

    def put(self, chunk: bytes) -> None:
        """Write a chunk down, as `packed` makes it."""
        self.file.write(chunk)
        self.length += 1

    def chunks(self) -> Iterator[Told]:
        """Every chunk, from the first."""
        self.file.seek(0)
        for _ in range(self.length):
            # nobody but this process can have written here: the file has no name
            records, rest = pickle.load(self.file)  # noqa: S301
            yield rest._replace(records=tuple(map(_told, records)))


def packed(told: Told) -> bytes:
    """A chunk as it lies in the spool."""
    return pickle.dumps((list(map(_flat, told.records)), told._replace(records=())), protocol=5)


def _flat(told: ToldRecord) -> tuple[Any, ...]:
    """Plain tuples are written many times faster than named ones."""
    ready = tuple(told.ready) if isinstance(told.ready, Ready) else list(told.ready)
    return (*told[:4], ready, tuple(told.names), told.whole)


def _told(flat: tuple[Any, ...]) -> ToldRecord:
    place, line, record_id, rows, ready, names, whole = flat
    made = Ready(*ready) if isinstance(ready, tuple) else tuple(ready)
    return ToldRecord(place, line, record_id, rows, made, Names(*names), whole)


@contextmanager
def spooled(folder: Path) -> Iterator[Spool]:
    """An empty spool on the disk of a folder, gone with the block."""
    with TemporaryFile(dir=folder) as file:
        yield Spool(file)
