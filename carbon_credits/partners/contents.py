"""A delivered file is unpacked once, counted on the way, and held against its manifest. Pure: streams and numbers.

Nothing of a file stays in memory but a chunk and a line. Limits stop what is made to burst: bytes unpacked, the ratio
to bytes sent, the length of a line. A trailer row `T,rows,total,hash` is checked and left out of what goes on.
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.manifest import Manifest
from carbon_credits.partners.unpacking import Limits, unpacked

_OTHER_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_TRAILER: Final = re.compile(rb"T,(\d{1,18}),(-?\d{1,18}(?:\.\d{1,6})?),(\d{1,10})\r?\n?")
_MOST_COLUMNS: Final = 200
_HASH_MODULUS: Final = 10**10


@dataclass
class Found:
    """What a file was found to hold. `rows` is None for one that is no table; `types` counts each candidate column."""

    sha256_raw: str = ""
    length: int = 0
    rows: int | None = None
    sums: dict[str, Decimal] = field(default_factory=dict)
    types: dict[str, Counter[str]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    key_hash: int = 0
    trailer: tuple[int, Decimal, int] | None = None


def unpack(sent: BinaryIO, out: BinaryIO, manifest: Manifest, limits: Limits | None = None) -> Found:
    """Unpack a file to `out` without its trailer, and say what it holds.

    Raises FileFault: `cut_short`, `damaged`, `unpacks_too_large`, `line_too_long`, `wrong_encoding`, `nul_byte`,
    `wrong_header`, `wrong_columns`, `broken_row` or `not_a_number`, with the line where there is one.
    """
    within = limits or Limits()
    found = Found()
    chunks = _measured(unpacked(sent, within), found)
    if manifest.is_table:
        _table(_held_back(_lines(chunks, within.line), out, found), manifest, found)
    else:
        _document(chunks, out)
    return found


def faults_of(manifest: Manifest, found: Found) -> list[FileFault]:
    """Where a file and its manifest disagree; totals and types of what is no table are not looked at here."""
    faults = []
    if found.sha256_raw != manifest.sha256_raw:
        detail = Text(
            f"解压后的摘要不符：实为 {found.sha256_raw}",
            f"The unpacked digest is {found.sha256_raw}, not sha256_raw",
        )
        faults.append(FileFault("sha256_raw_differs", detail))
    if found.rows is None:
        return faults
    faults += rows_fault(manifest, found.rows)
    faults += [
        fault
        for name, declared in manifest.totals.items()
        for fault in total_fault(name, declared, found.sums.get(name))
    ]
    if manifest.by_type and Counter(manifest.by_type) not in found.types.values():
        faults.append(FileFault("by_type_differs", _types_said(manifest, found)))
    if found.trailer is not None:
        faults += _trailer_faults(manifest, found, found.trailer)
    return faults


def rows_fault(manifest: Manifest, rows: int) -> list[FileFault]:
    """The fault of a file that does not have as many rows as it declares."""
    if rows == manifest.rows:
        return []
    detail = Text(
        f"清单声明 {manifest.rows} 行，实有 {rows} 行",
        f"The manifest says {manifest.rows} rows; the file has {rows}",
    )
    return [FileFault("rows_differ", detail)]


def total_fault(name: str, declared: Decimal, counted: Decimal | int | None) -> list[FileFault]:
    """The fault of a control total that is not what was counted, or that names nothing that could be."""
    if counted is None:
        detail = Text(
            f"合计 {name} 既非列名也非核对数", f"Total {name} is no column and no control fact of the feed"
        )
        return [FileFault("total_unknown", detail)]
    if declared == counted:
        return []
    detail = Text(
        f"{name} 合计声明为 {declared}，实为 {counted}",
        f"The total of {name} is {counted}; the manifest says {declared}",
    )
    return [FileFault("totals_differ", detail)]


def _types_said(manifest: Manifest, found: Found) -> Text:
    nearest = max(
        found.types, key=lambda c: sum(found.types[c][name] for name in manifest.by_type), default=None
    )
    if nearest is None:
        return Text("没有含这些取值的列", "No column holds the values that by_type names")
    counted = ", ".join(f"{name} {n}" for name, n in found.types[nearest].most_common(10))
    return Text(
        f"by_type 不符：{nearest} 列为 {counted}", f"by_type differs: column {nearest} holds {counted}"
    )


def _trailer_faults(manifest: Manifest, found: Found, trailer: tuple[int, Decimal, int]) -> list[FileFault]:
    told = (
        ("rows", trailer[0], found.rows),
        ("total", trailer[1], sum(manifest.totals.values(), Decimal(0))),
    )
    return [
        FileFault(
            "trailer_differs",
            Text(f"尾行 {name} 为 {said}，实为 {is_}", f"The trailer's {name} is {said}, not {is_}"),
        )
        for name, said, is_ in (*told, ("hash", trailer[2], found.key_hash))
        if said != is_
    ]


def _measured(chunks: Iterator[bytes], found: Found) -> Iterator[bytes]:
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
        if found.length == 0 and chunk.startswith(_OTHER_MARKS):
            raise _wrong_encoding(1)
        if found.length == 0 and chunk.startswith(b"\x1f\x8b"):
            raise FileFault(
                "packed_twice", Text("文件被压缩了两次", "The file is packed twice: pack it once")
            )
        found.length += len(chunk)
        yield chunk
    found.sha256_raw = digest.hexdigest()


def _document(chunks: Iterator[bytes], out: BinaryIO) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
            if b"\0" in chunk:
                raise _nul(None)
            out.write(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(None) from error


def _lines(chunks: Iterator[bytes], longest: int) -> Iterator[bytes]:
    number, rest = 0, b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            if len(line) > longest:
                raise _long_line(number, longest)
            yield line + b"\n"
        if len(rest) > longest:
            raise _long_line(number + 1, longest)
    if rest:
        yield rest


def _held_back(lines: Iterator[bytes], out: BinaryIO, found: Found) -> Iterator[str]:
    """Each line once the next is there, so that the last can be known for a trailer."""
    number, held = 0, None
    for line in lines:
        if held is not None:
            number += 1
            yield _told(held, number, out)
        held = line
    if held is None:
        return
    number += 1
    trailer = _TRAILER.fullmatch(held)
    if trailer is not None:
        found.trailer = int(trailer[1]), Decimal(trailer[2].decode()), int(trailer[3])
    elif held.endswith(b"\n"):
        yield _told(held, number, out)
    else:
        detail = Text(
            "最后一行没有换行符，文件可能不完整", "The last line is not ended: the file may be cut short"
        )
        raise FileFault("cut_short", detail, number)


def _told(line: bytes, number: int, out: BinaryIO) -> str:
    if b"\0" in line:
        raise _nul(number)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(number) from error
    out.write(line)
    return text.removeprefix("\ufeff") if number == 1 else text


def _table(lines: Iterator[str], manifest: Manifest, found: Found) -> None:
    reader = csv.reader(lines, strict=True)
    rows = 0
    try:
        header = next(reader, None)
        if not header or len(header) > _MOST_COLUMNS or len(set(header)) != len(header):
            detail = Text("第一行应为列名，不重复", "The first line must be column names, none twice")
            raise FileFault("wrong_header", detail, 1)
        found.columns = tuple(header)
        summed = [(header.index(name), name) for name in manifest.totals if name in header]
        found.sums = {name: Decimal(0) for _, name in summed}
        counted: list[tuple[int, Counter[str]]] = []
        for row in reader:
            if len(row) != len(header):
                detail = Text("列数与表头不符", "Too many or too few columns")
                raise FileFault("wrong_columns", detail, reader.line_num)
            if rows == 0:
                counted = _candidates(header, row, manifest, found)
            rows += 1
            _add(row, reader.line_num, summed, counted, found)
    except csv.Error as error:
        raise FileFault(
            "broken_row", Text("该行无法读取", "The row cannot be read"), reader.line_num
        ) from error
    found.rows = rows
    found.key_hash %= _HASH_MODULUS


def _candidates(
    header: Sequence[str], row: Sequence[str], manifest: Manifest, found: Found
) -> list[tuple[int, Counter[str]]]:
    """Columns that may be the one that `by_type` counts: their first value is among its names."""
    places = [place for place, value in enumerate(row) if value in manifest.by_type]
    found.types = {header[place]: Counter() for place in places}
    return [(place, found.types[header[place]]) for place in places]


def _add(
    row: Sequence[str],
    line: int,
    summed: Sequence[tuple[int, str]],
    counted: Sequence[tuple[int, Counter[str]]],
    found: Found,
) -> None:
    if row[0].isascii() and row[0].isdigit():
        found.key_hash += int(row[0][-18:])
    for place, name in summed:
        try:
            found.sums[name] += Decimal(row[place] or "0")
        except ArithmeticError as error:
            detail = Text(f"{name} 不是数值", f"{name} is no number, and the manifest gives its total")
            raise FileFault("not_a_number", detail, line) from error
    for place, values in counted:
        # a column of ever new values is not the one, and would fill the memory
        if len(values) <= _MOST_COLUMNS:
            values[row[place]] += 1


def _wrong_encoding(line: int | None) -> FileFault:
    return FileFault("wrong_encoding", Text("请使用 UTF-8 编码", "This is not UTF-8: send UTF-8"), line)


def _nul(line: int | None) -> FileFault:
    return FileFault("nul_byte", Text("含有空字节", "There is a NUL byte"), line)


def _long_line(number: int, longest: int) -> FileFault:
    detail = Text(f"该行超过 {longest:,} 字节", f"The line is longer than {longest:,} bytes")
    return FileFault("line_too_long", detail, number)
