"""Where the rows of an unpacked table go: on as they are, or, where only some are ours, into parts by whose they are.

What a feed joins to one record is one person's, so the parts can be read beside one another. Rows of others are left out;
each row of a part has the number of its line before it, as a first cell, and each part has the header.
"""

from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

NOBODY: Final = -1


@dataclass(frozen=True)
class Ours:
    """Whose rows are ours, by their cell in the first of `columns` that a table has: the number of the part in which
    somebody's rows go, or NOBODY.
    """

    columns: tuple[str, ...]
    parts: Mapping[str, int]


class Hand(Protocol):
    """Deals the rows of a table, each without its end, to the parts in which they go."""

    def begin(self, header: bytes) -> None:
        """Each part begins with the header."""
        ...

    def block(self, first: int, raw: Sequence[bytes], tokens: Sequence[str] | None) -> None:
        """Rows of a line each, the first in line `first`, by whose they are; None where the table does not say it."""
        ...

    def row(self, first: int, raw: bytes, token: str | None) -> None:
        """A row of one line or more, the first of them line `first`."""
        ...

    def end(self) -> int:
        """All is dealt; how many rows were left out."""
        ...


class OwnHand:
    """Deals by itself."""

    def __init__(self, outs: Sequence[BinaryIO], parts: Mapping[str, int]) -> None:
        self._outs, self._parts = outs, parts
        self._left_out = 0

    def begin(self, header: bytes) -> None:
        """To each part."""
        for out in self._outs:
            out.write(b"1," + header.removeprefix(BOM_UTF8) + b"\n")

    def block(self, first: int, raw: Sequence[bytes], tokens: Sequence[str] | None) -> None:
        """To the first part where nobody says whose they are."""
        self._deal(enumerate(raw, first), self._whose(tokens, len(raw)), len(raw))

    def row(self, first: int, raw: bytes, token: str | None) -> None:
        """As a block of one, which may be several lines."""
        self._deal(((first, raw),), self._whose(None if token is None else (token,), 1), 1)

    def end(self) -> int:
        """How many rows were left out."""
        return self._left_out

    def _whose(self, tokens: Sequence[str] | None, many: int) -> list[int]:
        # a table that does not say whose its rows are cannot be dealt
        return [0] * many if tokens is None else [self._parts[token] for token in tokens]

    def _deal(self, rows: Iterable[tuple[int, bytes]], whose: list[int], many: int) -> None:
        dealt: list[list[bytes]] = [[] for _ in self._outs]
        for (number, row), part in zip(rows, whose, strict=True):
            if part != NOBODY:
                dealt[part].append(b"%d,%b\n" % (number, row))
        for out, ours in zip(self._outs, dealt, strict=True):
            out.write(b"".join(ours))
        self._left_out += many - sum(map(len, dealt))


class Dealer:
    """Passes a table on: what is ours of it by a hand; all of it, as it is, to `out` where that has none."""

    def __init__(self, out: BinaryIO, columns: Sequence[str] = (), hand: Hand | None = None) -> None:
        self._out, self._columns, self._hand = out, columns, hand
        self._whose: int | None = None

    def header(self, names: Sequence[str], raw: bytes) -> None:
        """Begin, with the names of the columns and the line that they stand in."""
        if self._hand is None:
            self._out.write(raw)
            return
        self._whose = next((names.index(name) for name in self._columns if name in names), None)
        self._hand.begin(raw.removesuffix(b"\n"))

    def rows(self, first: int, raw: Sequence[bytes], columns: Sequence[Sequence[str]]) -> None:
        """Rows of a line each, without its end, the first in line `first`; and their cells by column."""
        if self._hand is None:
            self._out.write(b"\n".join(raw) + b"\n")
        else:
            self._hand.block(first, raw, None if self._whose is None else columns[self._whose])

    def row(self, first: int, raw: bytes, cells: Sequence[str]) -> None:
        """A row of one line or more, with their ends, the first of them line `first`; and its cells."""
        if self._hand is None:
            self._out.write(raw)
        else:
            token = None if self._whose is None else cells[self._whose]
            self._hand.row(first, raw.removesuffix(b"\n"), token)

    def end(self) -> int:
        """Nothing more comes; how many rows were left out."""
        return 0 if self._hand is None else self._hand.end()
