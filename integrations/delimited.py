"""Reading partners' CSV files strictly: a fault is named with its line, a file cut short is not believed.

Plain or gzip; UTF-8, or GB18030 where that was declared. The last line must be ended: whether a number
before the end of a file is whole cannot be known otherwise.
"""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Encoding, FileFault

_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 1 << 20
_BLOCK: Final = 1 << 16
_LONGEST_LINE: Final = 64 * 1024


def unpacked(stream: BinaryIO) -> BinaryIO:
    """The stream from its beginning, unpacked when it is gzip."""
    stream.seek(0)
    start = stream.read(2)
    stream.seek(0)
    return gzip.GzipFile(fileobj=stream) if start == _GZIP else stream  # type: ignore[return-value]


def encoding_of(stream: BinaryIO, declared: Encoding) -> str:
    """UTF-8, unless GB18030 was declared and the bytes are not UTF-8."""
    if declared == "utf-8":
        return "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8")()
    plain = unpacked(stream)
    try:
        while chunk := read_chunk(plain):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def read_chunk(plain: BinaryIO, size: int = _CHUNK) -> bytes:
    """The next bytes; raises FileFault when the packing is damaged or cut short."""
    try:
        return plain.read(size)
    except EOFError as error:
        raise cut(None) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise damaged(None) from error


def rows(
    stream: BinaryIO, declared: Encoding, required: Sequence[frozenset[str]], *, gaps: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The header, then each row, with the number of its line.

    `required` lists the sets of columns of which one must be there; others may stand beside them. With `gaps` an empty
    line stands for a row that was left out; otherwise it is a fault. Raises
    FileFault with code `cut_short`, `damaged`, `wrong_encoding`, `nul_byte`, `wrong_header`,
    `wrong_columns` or `broken_row`.
    """
    reader = csv.reader(_lines(stream, encoding_of(stream, declared)), strict=True)
    header = _next(reader)
    names = set(header or ())
    if header is None or len(names) != len(header) or not any(wanted <= names for wanted in required):
        raise FileFault("wrong_header", Text("表头不符", "The header is not that of this feed"), 1)
    yield 1, header
    width = len(header)
    while (row := _next(reader)) is not None:
        if gaps and not row:
            continue
        if len(row) != width:
            raise FileFault("wrong_columns", Text("列数不符", "Too many or too few columns"), reader.line_num)
        yield reader.line_num, row


def loose_rows(stream: BinaryIO, declared: Encoding) -> Iterator[tuple[int, list[str]]]:
    """Each row of a file whose rows differ in width, as bills do, with the number of its line.

    Raises FileFault as `rows` does, but for what is said of columns.
    """
    reader = csv.reader(_lines(stream, encoding_of(stream, declared)))
    while (row := _next(reader)) is not None:
        yield reader.line_num, row


def column(header: Sequence[str], name: str | None) -> int | None:
    """Where a column stands, None when none was asked for; raises FileFault when there is no such column."""
    if name is None:
        return None
    if name not in header:
        raise FileFault("no_such_column", Text("没有所指定的列", "There is no column of that name"), 1)
    return header.index(name)


def cut(line: int | None) -> FileFault:
    """The file ends before its end."""
    return FileFault("cut_short", Text("文件不完整", "The file is cut short"), line)


def damaged(line: int | None) -> FileFault:
    """The packing does not open."""
    return FileFault("damaged", Text("压缩文件已损坏", "The gzip file is damaged"), line)


def _next(reader: "Iterator[list[str]]") -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        line: int = getattr(reader, "line_num", 0)
        raise FileFault("broken_row", Text("该行无法读取", "The row cannot be read"), line) from error


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    plain = unpacked(stream)
    number, rest = 0, b""
    while True:
        try:
            chunk = plain.read(_BLOCK)
        except EOFError as error:
            raise cut(number + 1) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise damaged(number + 1) from error
        *whole, rest = (rest + chunk).split(b"\n")
        yield from _texts(whole, number, encoding)
        number += len(whole)
        if len(rest) >= _LONGEST_LINE:
            raise _too_long(number + 1)
        if not chunk:
            break
    if b"\0" in rest:
        raise _nul(number + 1)
    if rest:
        raise cut(number + 1)


def _texts(lines: list[bytes], before: int, encoding: str) -> Iterator[str]:
    """Lines as text, each ended; a fault is named by its line."""
    for number, line in enumerate(lines, before + 1):
        if b"\0" in line:
            raise _nul(number)
        if len(line) >= _LONGEST_LINE:
            raise _too_long(number)
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            said = Text("编码不符", "This is not the encoding that was declared")
            raise FileFault("wrong_encoding", said, number) from error
        yield (text.removeprefix("\ufeff") if number == 1 else text) + "\n"


def _nul(number: int) -> FileFault:
    return FileFault("nul_byte", Text("含有空字节", "There is a NUL byte"), number)


def _too_long(number: int) -> FileFault:
    return FileFault("broken_row", Text("该行过长", "The line is too long"), number)
