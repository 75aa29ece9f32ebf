"""A delivered file is unpacked once, counted on the way, and held against its manifest. Pure: streams and numbers.

Nothing of a file stays in memory but a chunk and a line. Limits stop what is made to burst: bytes unpacked, the ratio
to bytes sent, the length of a line. A trailer row `T,rows,total,hash` is checked and left out of what goes on.
"""

import codecs
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.core.processors import processors
from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.dealing import Dealer, Ours, OwnHand
from carbon_credits.partners.dealing_beside import DealingFailed, hand_beside
from carbon_credits.partners.manifest import Manifest
from carbon_credits.partners.tabular import Asked, Counted, nul, read, wrong_encoding
from carbon_credits.partners.unpacking import Limits, unpacked

log = logging.getLogger(__name__)

# rows; fewer are dealt sooner than a process is begun
MUCH: Final = 50_000
_OTHER_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass
class Found(Counted):
    """What a file was found to hold. `rows` is None for one that is no table."""

    sha256_raw: str = ""
    length: int = 0


def unpack(
    sent: BinaryIO,
    outs: Sequence[BinaryIO],
    manifest: Manifest,
    limits: Limits | None = None,
    ours: Ours | None = None,
) -> Found:
    """Unpack a file to the first of `outs` without its trailer, and say what it holds; of a table only the rows that are
    `ours`, dealt to `outs`.

    A large one is dealt by a process of its own where there are processors for two; should that fail, once more without.

    Raises FileFault: `cut_short`, `damaged`, `unpacks_too_large`, `line_too_long`, `wrong_encoding`, `nul_byte`,
    `wrong_header`, `wrong_columns`, `broken_row` or `not_a_number`, with the line where there is one.
    """
    within = limits or Limits()
    if not manifest.is_table:
        found = Found()
        _document(_measured(unpacked(sent, within), found), outs[0])
        return found
    if ours is None:
        return _table(sent, Dealer(outs[0]), manifest, within)
    if manifest.rows >= MUCH and processors() > 1:
        try:
            with hand_beside(outs, ours.parts) as hand:
                return _table(sent, Dealer(outs[0], ours.columns, hand), manifest, within)
        except DealingFailed:
            log.warning("dealt once more")
            for stream in (sent, *outs):
                stream.seek(0)
            for out in outs:
                out.truncate()
    return _table(sent, Dealer(outs[0], ours.columns, OwnHand(outs, ours.parts)), manifest, within)


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
    # an empty file has no column that could be counted, and nothing to count in it
    if any(manifest.by_type.values()) and Counter(manifest.by_type) not in found.types.values():
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


def _table(sent: BinaryIO, dealer: Dealer, manifest: Manifest, within: Limits) -> Found:
    found = Found()
    asked = Asked(tuple(manifest.totals), manifest.by_type, within.line)
    read(_measured(unpacked(sent, within), found), dealer, asked, found)
    return found


def _measured(chunks: Iterator[bytes], found: Found) -> Iterator[bytes]:
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
        if found.length == 0 and chunk.startswith(_OTHER_MARKS):
            raise wrong_encoding(1)
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
                raise nul(None)
            out.write(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise wrong_encoding(None) from error
