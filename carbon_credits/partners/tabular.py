"""A table is read once, a block of whole lines at a time: counted, added up, and passed on without what is not ours.

A block in which nothing is quoted is split as it stands, which is what a CSV reader would make of it. Whatever is
unusual (a quote, a NUL, a wrong width, a number that is none) sends the block and all behind it to the reader that goes
line by line and names the line of a fault.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.dealing import Dealer

_TRAILER: Final = re.compile(rb"T,(\d{1,18}),(-?\d{1,18}(?:\.\d{1,6})?),(\d{1,10})\r?\n?")
MOST_COLUMNS: Final = 200
_HASH_MODULUS: Final = 10**10
# a CSV reader splits at these too, or keeps them together
_UNUSUAL: Final = (b'"', b"\r", b"\0")


@dataclass
class Counted:
    """What a table was found to hold. `types` counts each candidate column; `strangers` the rows not passed on."""

    rows: int | None = None
    sums: dict[str, Decimal] = field(default_factory=dict)
    types: dict[str, Counter[str]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    key_hash: int = 0
    trailer: tuple[int, Decimal, int] | None = None
    strangers: int = 0


@dataclass(frozen=True)
class Asked:
    """What a manifest asks of a table: which columns to add up, and the names one column may be counted by."""

    totals: Sequence[str]
    types: Mapping[str, int]
    longest: int


def read(chunks: Iterator[bytes], dealer: Dealer, asked: Asked, found: Counted) -> None:
    """Read a table to its end, passing it on by the dealer.

    Raises FileFault: `line_too_long`, `wrong_encoding`, `nul_byte`, `wrong_header`, `wrong_columns`, `broken_row`,
    `not_a_number` or `cut_short`, with its line.
    """
    table = _Table(dealer, asked, found)
    blocks = _blocks(chunks, asked.longest, found)
    for block in blocks:
        if not table.take(block):
            table.take_slowly(chain((block,), blocks))
    table.end()


def _blocks(chunks: Iterator[bytes], longest: int, found: Counted) -> Iterator[bytes]:
    """Whole lines, the last of them held back: it may be a trailer."""
    number, tail = 0, b""
    for chunk in chunks:
        whole = tail + chunk
        end = whole.rfind(b"\n")
        before = whole.rfind(b"\n", 0, max(end, 0)) + 1
        if before:
            number += whole.count(b"\n", 0, before)
            yield whole[:before]
        tail = whole[before:]
        if len(whole) - end - 1 > longest:
            raise long_line(number + (end >= 0) + 1, longest)
    line, _, rest = tail.partition(b"\n")
    if rest:
        number += 1
        yield line + b"\n"
    last = rest or tail
    trailer = _TRAILER.fullmatch(last)
    if trailer is not None:
        found.trailer = int(trailer[1]), Decimal(trailer[2].decode()), int(trailer[3])
    elif last.endswith(b"\n"):
        yield last
    elif last:
        detail = Text(
            "最后一行没有换行符，文件可能不完整", "The last line is not ended: the file may be cut short"
        )
        raise FileFault("cut_short", detail, number + 1)


class _Table:
    def __init__(self, dealer: Dealer, asked: Asked, found: Counted) -> None:
        self._dealer = dealer
        self._asked = asked
        self._found = found
        self._lines = 0
        self._rows = 0
        self._header: list[str] | None = None
        self._summed: list[tuple[int, str]] = []
        self._counted: list[tuple[int, Counter[str]]] = []

    def end(self) -> None:
        """Nothing more comes."""
        if self._header is None:
            raise _wrong_header()
        self._found.rows = self._rows
        self._found.key_hash %= _HASH_MODULUS
        self._found.strangers = self._dealer.end()

    def take(self, block: bytes) -> bool:
        """Take a block as it stands; False, and nothing done, when it needs a closer look."""
        raw = block.split(b"\n")
        if any(unusual in block for unusual in _UNUSUAL) or max(map(len, raw)) > self._asked.longest:
            return False
        try:
            text = block.decode()
        except UnicodeDecodeError:
            return False
        raw.pop()
        if self._header is not None:
            return self._take_rows(raw, text)
        header, _, text = text.partition("\n")
        begins = raw.pop(0) + b"\n"
        self._lines = 1
        if not self._take_header(header.split(",")) or (raw and not self._take_rows(raw, text, begins)):
            self._header, self._lines = None, 0
            return False
        if not raw:
            self._begin(begins)
        return True

    def _take_header(self, header: list[str]) -> bool:
        header = [header[0].removeprefix("\ufeff"), *header[1:]]
        if header == [""] or len(header) > MOST_COLUMNS or len(set(header)) != len(header):
            return False
        self._header = header
        self._found.columns = tuple(header)
        self._summed = [(header.index(name), name) for name in self._asked.totals if name in header]
        self._found.sums = {name: Decimal(0) for _, name in self._summed}
        return True

    def _begin(self, raw: bytes) -> None:
        """Pass the header on, where this is it."""
        if raw:
            self._dealer.header(self._found.columns, raw)

    def _columns(self, raw: list[bytes], text: str) -> list[Sequence[str]] | None:
        """The cells of a block by column, from one list of all; None where a line has too many or too few."""
        width = len(self._header or ())
        if {line.count(b",") for line in raw} != {width - 1} or (width == 1 and b"" in raw):
            return None
        cells = text.removesuffix("\n").replace("\n", ",").split(",")
        return [cells[place::width] for place in range(width)]

    def _take_rows(self, raw: list[bytes], text: str, begins: bytes = b"") -> bool:
        columns = self._columns(raw, text)
        if columns is None:
            return False
        try:
            sums = {name: _sum(columns[place]) for place, name in self._summed}
        except ArithmeticError:
            return False
        for name, amount in sums.items():
            self._found.sums[name] += amount
        if self._rows == 0:
            self._find_candidates([column[0] for column in columns])
        for place, values in self._counted:
            # a column of ever new values is not the one, and would fill the memory
            if len(values) <= MOST_COLUMNS:
                values.update(columns[place])
        if any(map(str.isdigit, columns[0])):
            self._found.key_hash += sum(map(_hashed, columns[0]))
        self._begin(begins)
        self._dealer.rows(self._lines + 1, raw, columns)
        self._rows += len(raw)
        self._lines += len(raw)
        return True

    def take_slowly(self, blocks: Iterator[bytes]) -> None:
        """Take all that is left line by line. Raises FileFault."""
        pending: list[bytes] = []
        before = self._lines
        reader = csv.reader(self._told(blocks, pending), strict=True)
        try:
            if self._header is None:
                header = next(reader, None)
                if header is None or not header or not self._take_header(header):
                    raise _wrong_header()
                self._begin(b"".join(pending))
                pending.clear()
            for row in reader:
                self._take_row(row, before + reader.line_num, pending)
                pending.clear()
        except csv.Error as error:
            detail = Text("该行无法读取", "The row cannot be read")
            raise FileFault("broken_row", detail, before + reader.line_num) from error

    def _told(self, blocks: Iterator[bytes], pending: list[bytes]) -> Iterator[str]:
        for block in blocks:
            for line in _lines(block):
                self._lines += 1
                pending.append(line)
                yield _text(line, self._lines, self._asked.longest)

    def _take_row(self, row: list[str], line: int, raw: Sequence[bytes]) -> None:
        assert self._header is not None
        if len(row) != len(self._header):
            raise FileFault("wrong_columns", Text("列数与表头不符", "Too many or too few columns"), line)
        if self._rows == 0:
            self._find_candidates(row)
        self._rows += 1
        self._found.key_hash += _hashed(row[0])
        for place, name in self._summed:
            try:
                self._found.sums[name] += Decimal(row[place] or "0")
            except ArithmeticError as error:
                detail = Text(f"{name} 不是数值", f"{name} is no number, and the manifest gives its total")
                raise FileFault("not_a_number", detail, line) from error
        for place, values in self._counted:
            if len(values) <= MOST_COLUMNS:
                values[row[place]] += 1
        self._dealer.row(line - len(raw) + 1, b"".join(raw), row)

    def _find_candidates(self, row: Sequence[str]) -> None:
        """Columns that may be the one that `by_type` counts: their first value is among its names."""
        assert self._header is not None
        places = [place for place, value in enumerate(row) if value in self._asked.types]
        self._found.types = {self._header[place]: Counter() for place in places}
        self._counted = [(place, self._found.types[self._header[place]]) for place in places]


def _sum(column: Sequence[str]) -> Decimal:
    """Fares and the like repeat: each value is read once."""
    return sum((Decimal(value or "0") * n for value, n in Counter(column).items()), Decimal(0))


def _hashed(key: str) -> int:
    return int(key[-18:]) if key.isascii() and key.isdigit() else 0


def _lines(block: bytes) -> list[bytes]:
    *whole, _ = block.split(b"\n")
    return [line + b"\n" for line in whole]


def _text(line: bytes, number: int, longest: int) -> str:
    if len(line) - 1 > longest:
        raise long_line(number, longest)
    if b"\0" in line:
        raise nul(number)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong_encoding(number) from error
    return text.removeprefix("\ufeff") if number == 1 else text


def _wrong_header() -> FileFault:
    detail = Text("第一行应为列名，不重复", "The first line must be column names, none twice")
    return FileFault("wrong_header", detail, 1)


def wrong_encoding(line: int | None) -> FileFault:
    """It is not UTF-8."""
    return FileFault("wrong_encoding", Text("请使用 UTF-8 编码", "This is not UTF-8: send UTF-8"), line)


def nul(line: int | None) -> FileFault:
    """No text has a NUL."""
    return FileFault("nul_byte", Text("含有空字节", "There is a NUL byte"), line)


def long_line(number: int, longest: int) -> FileFault:
    """A line longer than any row."""
    detail = Text(f"该行超过 {longest:,} 字节", f"The line is longer than {longest:,} bytes")
    return FileFault("line_too_long", detail, number)
