"""Reading partners' JSON strictly: an array, one document, or a document a line; numbers as Decimal, never floats.

Elements of an outermost array and documents that follow one another are read one by one; a single document is as
large as it is, up to a limit.
"""

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault
from integrations import delimited

LARGEST: Final = 256 << 20
_CHUNK: Final = 1 << 16
_BLANK: Final = re.compile(r"[ \t\r\n]*")


def is_json(stream: BinaryIO) -> bool:
    """Whether a file begins as JSON does."""
    start = delimited.read_chunk(delimited.unpacked(stream), 64)
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))


def one(raw: bytes) -> Any:
    """One whole document in UTF-8, no name twice in an object. Raises ValueError."""
    try:
        return json.loads(
            raw.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_no_number,
            object_pairs_hook=_once,
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def elements(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Every document with the number of the line where it begins. Raises FileFault: `cut_short`,
    `wrong_encoding`, `broken_document`, `too_large`, `wrong_header` for an empty file.
    """
    text = _Text(stream)
    first = text.next_character()
    if not first:
        raise FileFault("wrong_header", Text("文件为空", "The file is empty"), 1)
    yield from _array(text) if first == "[" else _one_after_another(text)


def _one_after_another(text: "_Text") -> Iterator[tuple[int, Any]]:
    while text.next_character():
        line = text.line
        yield line, text.value()


def _array(text: "_Text") -> Iterator[tuple[int, Any]]:
    text.take("[")
    while text.next_character() != "]":
        line = text.line
        yield line, text.value()
        following = text.next_character()
        if following == ",":
            text.take(",")
        elif following != "]":
            raise _broken(text.line) if following else delimited.cut(text.line)
    text.take("]")
    _nothing_more(text)


def _nothing_more(text: "_Text") -> None:
    if text.next_character():
        raise _broken(text.line)


class _Text:
    """What is still unread of the file, and at which line it begins."""

    def __init__(self, stream: BinaryIO) -> None:
        self._plain = delimited.unpacked(stream)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
        self._unread = ""
        self._at = 0
        self._is_ended = False
        self.line = 1

    def next_character(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            end = _blank(self._unread, self._at)
            self._pass(end)
            if end < len(self._unread) or not self._more():
                return self._unread[self._at : self._at + 1]

    def take(self, expected: str) -> None:
        """Step over a character that was seen."""
        if self._unread[self._at : self._at + 1] != expected:
            raise _broken(self.line)
        self._pass(self._at + 1)

    def value(self) -> Any:
        """The next value; more is read, twice as much each time, while it is not whole."""
        while True:
            try:
                found, end = self._json.raw_decode(self._unread, self._at)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error):
                    raise _broken(self.line + self._unread.count("\n", self._at, error.pos)) from error
                if not self._more():
                    raise delimited.cut(self.line + self._unread.count("\n", self._at)) from error
                continue
            except (ValueError, RecursionError) as error:
                raise _broken(self.line) from error
            if not isinstance(found, dict | list):
                raise _broken(self.line)
            self._pass(end)
            return found

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith(("Unterminated", "Invalid \\")) or error.pos >= len(self._unread) - 16

    def _pass(self, end: int) -> None:
        self.line += self._unread.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        """Read on, as much again as is unread; False at the end."""
        if self._is_ended:
            return False
        self._unread, self._at = self._unread[self._at :], 0
        raw = delimited.read_chunk(self._plain, max(_CHUNK, len(self._unread)))
        self._is_ended = not raw
        try:
            self._unread += self._decoder.decode(raw, final=self._is_ended)
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                raise delimited.cut(self.line) from error
            said = Text("编码不符", "This is not the encoding that was declared")
            raise FileFault("wrong_encoding", said, self.line) from error
        if len(self._unread) > LARGEST:
            said = Text("单个文档过大", "One document is too large")
            raise FileFault("too_large", said, self.line)
        return not self._is_ended


def _blank(text: str, start: int) -> int:
    """Where blanks end."""
    found = _BLANK.match(text, start)
    return start if found is None else found.end()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(told: str) -> Any:
    raise ValueError(told)


def _broken(line: int) -> FileFault:
    return FileFault("broken_document", Text("不是有效的 JSON", "This is not valid JSON"), line)
