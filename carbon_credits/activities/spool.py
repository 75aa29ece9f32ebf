"""What was made ready of a file while it was staged, for landing right after it: read and keyed once.

A nameless file of this process alone: whoever comes after a kill finds nothing and reads the partner's file again.
"""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from carbon_credits.activities.told import Told


@dataclass
class Spool:
    """Chunks in the order they were put; `is_whole` once all of a file are there."""

    file: IO[bytes]
    length: int = 0
    is_whole: bool = False

    def put(self, told: Told) -> None:
        """Write a chunk down."""
        pickle.dump(told, self.file, protocol=5)
        self.length += 1

    def chunks(self) -> Iterator[Told]:
        """Every chunk, from the first."""
        self.file.seek(0)
        for _ in range(self.length):
            # nobody but this process can have written here: the file has no name
            yield pickle.load(self.file)  # noqa: S301


@contextmanager
def spooled(folder: Path) -> Iterator[Spool]:
    """An empty spool on the disk of a folder, gone with the block."""
    with TemporaryFile(dir=folder) as file:
        yield Spool(file)
