"""The socket: all that an integration sees of us. It turns bytes into records and knows nothing further.

An integration is one module with one `Feed`. It reads a partner's file and yields, for each thing told there,
a `Record` (an act as the partner tells it) or an `Unusable` (why it is none, or not yet). What is wrong with
the file as a whole is a `FileFault`, and then nothing of the file counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from carbon_credits.core.i18n import Text

Scalar = str | int | bool | None
EvidenceClass = Literal["A", "B"]
RecordClass = Literal["A", "B", "D"]
Encoding = Literal["utf-8", "gb18030"]


@dataclass(frozen=True, slots=True)
class Record:
    """One act as the partner tells it.

    `record_id` is the partner's, or a digest of what identifies the act, so that the same bytes give the
    same record. Times are aware UTC; monitored numbers are integers in the unit their name ends in.
    `evidence` says how numbers were got (`distance`) and which `datum` coordinates have. `settles` names
    records told apart before (two taps) that this one consists of. `evidence_class` is set where the partner
    itself says that this record proves less than its feed does. `version` above 1 says that the record may have been
    told before and that this counts instead; the highest counts.
    """

    record_id: str
    subject_token: str
    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    monitored: Mapping[str, int]
    references: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Scalar] = field(default_factory=dict)
    line: int | None = None
    settles: tuple[str, ...] = ()
    evidence_class: RecordClass | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Unusable:
    """One thing told that is not an act: refused for good, or waiting for something that may still come.

    `kept` is what the feed needs to place a waiting record later; it may be personal and is sealed at rest.
    """

    record_id: str
    line: int | None
    reasons: tuple[str, ...]
    waiting: bool = False
    kept: Mapping[str, Scalar] | None = None


class FileFault(Exception):
    """A whole file that cannot be believed, with the line where that showed."""

    def __init__(self, code: str, detail: Text, line: int | None = None) -> None:
        super().__init__(code if line is None else f"{code} in line {line}")
        self.code = code
        self.detail = detail
        self.line = line


@dataclass(frozen=True)
class ParseOptions:
    """What is said about a file by whoever brings it.

    `shift_days` and `bind_column` are for the demonstration, which plays public files as if they were today's
    and their vehicles or cards as if they were residents. `distances` is a table of station distances.
    `encoding` gb18030 also reads a file that turns out to be UTF-8. `gaps` says that rows of people we do not know
    were left out of a table and that an empty line stands for each, so that lines keep their numbers.
    `complete_through` is until when nothing of the feed is still to come; where nothing is said of it, nothing is.
    """

    shift_days: int = 0
    bind_column: str | None = None
    distances: Path | None = None
    encoding: Encoding = "utf-8"
    gaps: bool = False
    complete_through: datetime | None = None


Item = Record | Unusable
ParseFile = Callable[[BinaryIO, ParseOptions], Iterator[Item]]
Place = Callable[[Iterable[Mapping[str, Scalar]], ParseOptions], Iterator[Item]]
Summary = Callable[[BinaryIO, ParseOptions], Mapping[str, int]]
TableRow = tuple[str, ...]
ReadTable = Callable[[Path], Iterator[TableRow]]


@dataclass(frozen=True)
class Feed:
    """One stream of records of one partner.

    `parse_file` takes a seekable stream, plain or gzip, and streams where the format allows. `place` is given
    what was kept of every waiting record of the feed, and yields those that can be placed by now as records
    and the others as they were. `summary` counts what a file holds, to be held against the partner's totals.
    `tables` reads, by name, what is no record but helps with them (stations, distances): a header, then rows.
    `tells_of_all_by` is set where the partner tells of everybody, not only of those who agreed: the columns of which
    one names whose a row is. Rows of people who never bound an account here are counted and dropped.
    """

    code: str
    partner: str
    partner_names: Text
    names: Text
    evidence_class: EvidenceClass
    methodologies: tuple[str, ...]
    late_days: int
    parse_file: ParseFile
    summary: Summary
    place: Place
    tables: Mapping[str, ReadTable] = field(default_factory=dict)
    tells_of_all_by: tuple[str, ...] = ()
