"""What the feeds share: each thing told becomes an item with its control facts; the rest follows from that.

A feed writes one reader that yields `Told`. Parsing is its items, moved by the days that were asked for; the
summary is its facts added up, with what was refused or waits by reason, and what overlaps on one thing.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any, BinaryIO, Final, NamedTuple

from carbon_credits.partners.contract import (
    Item,
    ParseFile,
    ParseOptions,
    Record,
    Scalar,
    Summary,
    Unusable,
)

CORRECTION: Final = "correction_waits"
UNREADABLE: Final = "not_readable"


class Told(NamedTuple):
    """One thing told. `facts` are added up over the file; `span` is when a thing (a connector) was in use."""

    item: Item
    facts: Mapping[str, int] = {}
    span: tuple[str, datetime, datetime] | None = None


Read = Callable[[BinaryIO, ParseOptions], Iterator[Told]]


def parsing(read: Read) -> ParseFile:
    """A feed's `parse_file`: the items of its reader, in the file's order."""

    def parse_file(stream: BinaryIO, options: ParseOptions) -> Iterator[Item]:
        shift = timedelta(days=options.shift_days)
        for told in read(stream, options):
            yield _moved(told.item, shift) if shift else told.item

    return parse_file


def summing(read: Read, *named: str) -> Summary:
    """A feed's `summary`: `rows`, `records`, its own facts, `not_taken:REASON`, and `overlaps` where things are used.

    Facts that are named are told even when they are 0.
    """

    def summary(stream: BinaryIO, options: ParseOptions) -> Mapping[str, int]:
        facts: Counter[str] = Counter(dict.fromkeys(("rows", "records", *named), 0))
        spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        for told in read(stream, options):
            facts.update(rows=_rows(told.item), records=isinstance(told.item, Record))
            facts.update(told.facts)
            if isinstance(told.item, Unusable):
                facts.update(f"not_taken:{reason}" for reason in told.item.reasons)
            if told.span is not None:
                spans[told.span[0]].append(told.span[1:])
        if spans:
            facts["overlaps"] = sum(map(_overlaps, spans.values()))
        return dict(facts)

    return summary


def still_waiting(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions) -> Iterator[Item]:  # noqa: ARG001
    """A feed's `place` where what waits is placed by somebody else: a correction, a weighing."""
    for each in kept:
        yield Unusable(str(each["record_id"]), None, (str(each["reason"]),), waiting=True, kept=each)


def waiting(record_id: str, line: int | None, reason: str, at: datetime | None, **kept: Scalar) -> Unusable:
    """Something that waits, with what must be known of it later."""
    whole: dict[str, Scalar] = {"record_id": record_id, "reason": reason, **kept}
    if at is not None:
        whole["at"] = at.isoformat()
    return Unusable(record_id, line, (reason,), waiting=True, kept=whole)


def correction(
    record_id: str, line: int | None, corrects: str, action: str, at: datetime | None, **kept: Scalar
) -> Unusable:
    """A partner takes a record back (`void`) or says it anew (`correct`): kept until it is applied."""
    return waiting(record_id, line, CORRECTION, at, corrects=corrects, action=action, **kept)


def takes_back(told: Mapping[str, Any], record_id: str, line: int | None) -> Unusable | None:
    """The correction that a record of our own envelope is: `record_type` VOID or CORRECT, and what it `supersedes`.

    A feed that can read a CORRECT by itself reads it as a record `told_anew`; here it waits.
    """
    action = {"VOID": "void", "CORRECT": "correct"}.get(str(told.get("record_type") or "NEW"))
    if action is None:
        return None
    corrects = str(told.get("supersedes") or record_id)[:100]
    # a digest of all of it: the number may be that of the record it takes back
    number = digest(action, repr(sorted(told.items())))
    said = json.dumps(dict(told), ensure_ascii=False, sort_keys=True, default=str)
    return correction(number, line, corrects, action, None, told=said)


def told_anew(told: Mapping[str, Any], record_id: str) -> tuple[str, int]:
    """The number and version under which a record of our own envelope counts: CORRECT tells what it `supersedes` anew."""
    if told.get("record_type") != "CORRECT":
        return record_id, 1
    version = str(told.get("record_version") or "")
    is_number = version.isascii() and version.isdecimal() and len(version) <= 3
    return str(told.get("supersedes") or record_id)[:100], max(2, int(version)) if is_number else 2


def refused(record_id: str, line: int | None, *reasons: str) -> Unusable:
    """Something that is no act, for good."""
    return Unusable(record_id, line, reasons)


def unreadable(told: Any, line: int | None, known: Any = None) -> Told:
    """A thing told that cannot be read; where its number is not known, it is a digest of all of it."""
    is_named = isinstance(known, str) and 0 < len(known) <= 100 and "\0" not in known
    return Told(refused(known if is_named else digest(UNREADABLE, repr(told)), line, UNREADABLE))


def digest(*parts: str) -> str:
    """The number of a thing whose teller gave it none."""
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _moved(item: Item, shift: timedelta) -> Item:
    if isinstance(item, Record):
        return replace(item, occurred_from=item.occurred_from + shift, occurred_to=item.occurred_to + shift)
    if item.kept is None or "at" not in item.kept:
        return item
    at = datetime.fromisoformat(str(item.kept["at"])) + shift
    return replace(item, kept={**item.kept, "at": at.isoformat()})


def _rows(item: Item) -> int:
    return max(1, len(item.settles)) if isinstance(item, Record) else 1


def _overlaps(times: list[tuple[datetime, datetime]]) -> int:
    times.sort()
    return sum(later[0] < earlier[1] for earlier, later in pairwise(times))
