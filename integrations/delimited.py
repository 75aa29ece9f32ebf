"""Reading partners' CSV files strictly: a fault is named with its line, a file cut short is not believed.

Plain or gzip; UTF-8, or GB18030 where that was declared. The last line must be ended: whether a number
before the end of a file is whole cannot be known otherwise.
"""

import codecs
import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Encoding, FileFault

_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 1 << 20
_BLOCK: Final = 1 << 16
_UNUSUAL: Final = re.compile('["\r]')
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
    stream: BinaryIO, declared: Encoding, required: Sequence[frozenset[str]], *, numbered: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The header, then each row, with the number of its line.

    `required` lists the sets of columns of which one must be there; others may stand beside them. A `numbered`
    table has the number of each row's line as a first cell, and lacks rows. Raises
    FileFault with code `cut_short`, `damaged`, `wrong_encoding`, `nul_byte`, `wrong_header`,
    `wrong_columns` or `broken_row`.
    """
    blocks = _blocks(stream, encoding_of(stream, declared))
    told = _split(blocks, numbered=numbered)
    _, header = next(told, (1, None))
    names = set(header or ())
    if header is None or len(names) != len(header) or not any(wanted <= names for wanted in required):
        raise FileFault("wrong_header", Text("表头不符", "The header is not that of this feed"), 1)
    yield 1, header
    width = len(header)
    for number, row in told:
        if len(row) == width and (row != [""]):
            yield number, row
        else:
            raise FileFault("wrong_columns", Text("列数不符", "Too many or too few columns"), number)


def loose_rows(stream: BinaryIO, declared: Encoding) -> Iterator[tuple[int, list[str]]]:
    """Each row of a file whose rows differ in width, as bills do, with the number of its line.

    Raises FileFault as `rows` does, but for what is said of columns.
    """
    reader = csv.reader(_lines(_blocks(stream, encoding_of(stream, declared))))
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


def _next(reader: "Iterator[list[str]]", before: int = 0) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        line: int = before + getattr(reader, "line_num", 0)
        raise FileFault("broken_row", Text("该行无法读取", "The row cannot be read"), line) from error


def _split(blocks: Iterator[list[str]], *, numbered: bool) -> Iterator[tuple[int, list[str]]]:
    """Rows with the numbers of their lines, or those that they bear where they are `numbered`. Where nothing is quoted a
    row is split as it stands, which is what a CSV reader makes of it; from the first block with a quote on a reader goes
    on.
    """
    ended = 0
    for block in blocks:
        if _UNUSUAL.search("\n".join(block)):
            reader = csv.reader(_lines(chain((block,), blocks)), strict=True)
            while (row := _next(reader, ended)) is not None:
                yield (int(row.pop(0)) if numbered else ended + reader.line_num), row
            return
        for place, line in enumerate(block, ended + 1):
            row = line.split(",")
            yield (int(row.pop(0)) if numbered else place), row
        ended += len(block)


def _lines(blocks: Iterator[list[str]]) -> Iterator[str]:
    for block in blocks:
        for line in block:
            yield line + "\n"


def _blocks(stream: BinaryIO, encoding: str) -> Iterator[list[str]]:
    """Lines without their ends, some at a time. Raises FileFault."""
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
        yield _texts(whole, number, encoding)
        number += len(whole)
        if len(rest) >= _LONGEST_LINE:
            raise _too_long(number + 1)
        if not chunk:
            break
    if b"\0" in rest:
        raise _nul(number + 1)
    if rest:
        raise cut(number + 1)


def _texts(lines: list[bytes], before: int, encoding: str) -> list[str]:
    """Lines as text; all at once where nothing is wrong, otherwise the line at fault is named."""
    block = b"\n".join(lines)
    if not lines or b"\0" in block or max(map(len, lines)) >= _LONGEST_LINE:
        return [_text(line, number, encoding) for number, line in enumerate(lines, before + 1)]
    try:
        texts = block.decode(encoding).split("\n")
    except UnicodeDecodeError:
        return [_text(line, number, encoding) for number, line in enumerate(lines, before + 1)]
    if before == 0:
        texts[0] = texts[0].removeprefix("\ufeff")
    return texts


def _text(line: bytes, number: int, encoding: str) -> str:
    if b"\0" in line:
        raise _nul(number)
    if len(line) >= _LONGEST_LINE:
        raise _too_long(number)
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError as error:
        said = Text("编码不符", "This is not the encoding that was declared")
        raise FileFault("wrong_encoding", said, number) from error
    return text.removeprefix("\ufeff") if number == 1 else text


def _nul(number: int) -> FileFault:
    return FileFault("nul_byte", Text("含有空字节", "There is a NUL byte"), number)


def _too_long(number: int) -> FileFault:
    return FileFault("broken_row", Text("该行过长", "The line is too long"), number)
