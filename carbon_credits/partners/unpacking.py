"""Unpacking gzip a chunk at a time, within limits: what a file stands for is never believed before it is counted."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault

CHUNK: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True)
class Limits:
    """Bytes unpacked; how many times the bytes sent that may be, once it is more than `ratio_from`; bytes of a line."""

    unpacked: int = 8 << 30
    ratio: int = 100
    ratio_from: int = 16 << 20
    line: int = 64 << 10


def unpacked(sent: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """The content in chunks, whether it was packed or not. Raises FileFault: `damaged`, `cut_short` or
    `unpacks_too_large`.
    """
    start = sent.read(CHUNK)
    if not start.startswith(_GZIP):
        yield from _counted(_plain(start, sent), limits, None)
    else:
        took = _Taken()
        yield from _counted(_gunzipped(start, sent, took), limits, took)


@dataclass
class _Taken:
    """How many packed bytes went in so far."""

    length: int = 0


def _plain(start: bytes, sent: BinaryIO) -> Iterator[bytes]:
    while start:
        yield start
        start = sent.read(CHUNK)


def _gunzipped(start: bytes, sent: BinaryIO, took: _Taken) -> Iterator[bytes]:
    """Every member in turn; never more than a chunk at once, however much a packed byte stands for."""
    packed, opener = start, zlib.decompressobj(wbits=31)
    try:
        while packed:
            while packed:
                before = len(packed)
                piece = opener.decompress(packed, CHUNK)
                packed = opener.unconsumed_tail
                took.length += before - len(packed)
                yield piece
                if opener.eof and opener.unused_data.strip(b"\0"):
                    packed, opener = opener.unused_data, zlib.decompressobj(wbits=31)
            packed = sent.read(CHUNK)
            if packed and opener.eof:
                opener = zlib.decompressobj(wbits=31)
        # what a full chunk held back is still to come
        while rest := opener.decompress(b"", CHUNK):
            yield rest
    except zlib.error as error:
        raise FileFault(
            "damaged", Text("压缩文件已损坏，请重新压缩", "The gzip is damaged: pack it again")
        ) from error
    if not opener.eof:
        raise FileFault(
            "cut_short", Text("压缩文件不完整，请重新发送", "The gzip is cut short: send it again")
        )


def _counted(chunks: Iterator[bytes], limits: Limits, took: _Taken | None) -> Iterator[bytes]:
    length = 0
    for chunk in chunks:
        length += len(chunk)
        is_bomb = took is not None and length > limits.ratio_from and length > limits.ratio * took.length
        if length > limits.unpacked or is_bomb:
            most = f"{limits.unpacked:,}"
            detail = Text(
                f"解压后超过 {most} 字节，或压缩比超过 {limits.ratio}",
                f"It unpacks to more than {most} bytes, or more than {limits.ratio} times what was sent",
            )
            raise FileFault("unpacks_too_large", detail)
        yield chunk
