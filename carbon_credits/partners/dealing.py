"""Where the rows of an unpacked table go: on as they are, or, where only some are ours, into parts by whose they are.

What a feed joins to one record is one person's, so the parts can be read beside one another. Rows of others are left out;
each row of a part has the number of its line before it, as a first cell, and each part has the header.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

NOBODY: Final = -1


@dataclass(frozen=True)
class Ours:
    """Whose rows are ours, by their cell in the first of `columns` that a table has: the number of the part in which
    somebody's rows go, or NOBODY.
    """

    columns: tuple[str, ...]
    parts: Mapping[str, int]


class Dealer:
    """Writes a table to `outs`, the parts; to the first of them as it is where all of it is ours (None).

    `left_out` counts the rows that were not written.
    """

    def __init__(self, outs: Sequence[BinaryIO], ours: Ours | None) -> None:
        self._outs = outs
        self._ours = ours
        self._whose: int | None = None
        self.left_out = 0

    def header(self, names: Sequence[str], raw: bytes) -> None:
        """Begin, with the names of the columns and the line that they stand in."""
        if self._ours is None:
            self._outs[0].write(raw)
            return
        self._whose = next((names.index(name) for name in self._ours.columns if name in names), None)
        for out in self._outs:
            out.write(b"1," + raw.removeprefix(BOM_UTF8))

    def rows(self, first: int, raw: Sequence[bytes], columns: Sequence[Sequence[str]]) -> None:
        """Rows of a line each, without its end, the first in line `first`; and their cells by column."""
        if self._ours is None:
            self._outs[0].write(b"\n".join(raw) + b"\n")
            return
        parts = self._ours.parts
        # a table that does not say whose its rows are cannot be dealt
        whose = [0] * len(raw) if self._whose is None else [parts[token] for token in columns[self._whose]]
        dealt: list[list[bytes]] = [[] for _ in self._outs]
        for number, (line, part) in enumerate(zip(raw, whose, strict=True), first):
            if part != NOBODY:
                dealt[part].append(b"%d,%b\n" % (number, line))
        for out, rows in zip(self._outs, dealt, strict=True):
            out.write(b"".join(rows))
        self.left_out += len(raw) - sum(map(len, dealt))

    def row(self, first: int, raw: bytes, cells: Sequence[str]) -> None:
        """A row of one line or more, with their ends, the first of them line `first`; and its cells."""
        if self._ours is None:
            self._outs[0].write(raw)
            return
        part = 0 if self._whose is None else self._ours.parts[cells[self._whose]]
        if part == NOBODY:
            self.left_out += 1
        else:
            self._outs[part].write(b"%d,%b" % (first, raw))
