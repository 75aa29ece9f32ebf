"""Dealing by a process of its own, while this one unpacks and counts.

It is forked, so that it knows whose rows are ours and has the parts open; it hears of the rows through a pipe, which
holds the other up when it is full, and ends when the pipe does, also when who reads the file was killed.
"""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, BinaryIO, Final

from carbon_credits.partners.dealing import OwnHand

# of a table that is not read by blocks: how many rows are told at once
_AT_ONCE: Final = 1_000


class DealingFailed(Exception):
    """The process that dealt is gone, or could not: the file has to be read once more."""


class HandBeside:
    """Tells another what to deal. Raises DealingFailed."""

    def __init__(self, tells: "Connection[Any, Any]", hears: "Connection[Any, Any]") -> None:
        self._tells, self._hears = tells, hears
        self._few: list[tuple[int, bytes, str | None]] = []

    def begin(self, header: bytes) -> None:
        """Each part begins with the header."""
        self._tell("begin", header)

    def block(self, first: int, raw: Sequence[bytes], tokens: Sequence[str] | None) -> None:
        """In one piece each, for there is no line end within."""
        self._tell("block", first, b"\n".join(raw), None if tokens is None else "\n".join(tokens))

    def row(self, first: int, raw: bytes, token: str | None) -> None:
        """Some at a time."""
        self._few.append((first, raw, token))
        if len(self._few) == _AT_ONCE:
            self._flush()

    def end(self) -> int:
        """Wait for the other; how many rows it left out."""
        self._flush()
        self._tell("end")
        try:
            left_out: int = self._hears.recv()
        except (EOFError, OSError) as error:
            raise DealingFailed from error
        return left_out

    def _flush(self) -> None:
        if self._few:
            self._tell("rows", self._few)
            self._few = []

    def _tell(self, *told: object) -> None:
        try:
            self._tells.send(told)
        except OSError as error:
            raise DealingFailed from error


@contextmanager
def hand_beside(outs: Sequence[BinaryIO], parts: Mapping[str, int]) -> Iterator[HandBeside]:
    """A hand in a process of its own, which is gone after the block."""
    context = get_context("fork")
    its, tells = context.Pipe(duplex=False)
    hears, answers = context.Pipe(duplex=False)
    process = context.Process(target=_deal, args=(its, answers, (tells, hears), outs, parts), daemon=True)
    process.start()
    its.close()
    answers.close()
    try:
        yield HandBeside(tells, hears)
    finally:
        tells.close()
        hears.close()
        process.kill()
        process.join()


def _deal(
    hears: "Connection[Any, Any]",
    answers: "Connection[Any, Any]",
    others: "Sequence[Connection[Any, Any]]",
    outs: Sequence[BinaryIO],
    parts: Mapping[str, int],
) -> None:
    """The other's life. What it raises stays here, for it may quote people's records; it gives no answer then."""
    # with its own ends open it would wait for itself when the other is gone
    for other in others:
        other.close()
    # what holds itself goes with this process; to look for it would also copy every page that was inherited
    gc.disable()
    hand = OwnHand(outs, parts)
    try:
        while (told := hears.recv())[0] != "end":
            _do(hand, *told)
        for out in outs:
            out.flush()
        answers.send(hand.end())
    except Exception:  # noqa: BLE001 - who waits meets the end of the pipe
        return


def _do(hand: OwnHand, what: str, *told: Any) -> None:
    if what == "begin":
        hand.begin(*told)
    elif what == "block":
        first, raw, tokens = told
        hand.block(first, raw.split(b"\n"), None if tokens is None else tokens.split("\n"))
    else:
        for row in told[0]:
            hand.row(*row)
