"""The socket: all that an integration sees of us. It turns bytes into records and knows nothing further.

An integration is one module with one `Feed`. It reads a partner's file and yields, for each thing told there,
a `Record` (an act as the partner tells it), an `Unusable` (why it is none, or not yet) or a `Weighing` (what was taken
out of a station). What is wrong with the file as a whole is a `FileFault`, and then nothing of the file counts.

A partner that pushes in its own format comes to the push door: the feed's own `authenticate` says whether a request
is the partner's, and one of its `operations` reads it and answers in the partner's own words.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from carbon_credits.core.i18n import Text

Scalar = str | int | bool | None
EvidenceClass = Literal["A", "B"]
RecordClass = Literal["A", "B", "D"]
Encoding = Literal["utf-8", "gb18030"]


@dataclass(frozen=True, slots=True)
class StationDeposit:
    """What one deposit put into a station's bag: grams of a material, whoever brought it.

    It is told beside the act, for a bag also holds what was brought by people who are not bound. Nothing in it is
    personal. `is_withdrawn` says that the partner took it back; said once, before or after, that stands.
    """

    record_id: str
    station: str | None
    methodology: str
    at: datetime
    mass_g: int
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Weighing:
    """A station's bag of one material was taken out at an instant, and weighed so many grams net.

    `record_id` is the number of the ticket or document. Without `net_g` it tells the emptying alone. `is_withdrawn` says
    that the partner took this number back.
    """

    record_id: str
    station: str
    methodology: str
    emptied_at: datetime
    net_g: int | None
    line: int | None = None
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One act as the partner tells it.

    `record_id` is the partner's, or a digest of what identifies the act, so that the same bytes give the
    same record. Times are aware UTC; monitored numbers are integers in the unit their name ends in.
    `evidence` says how numbers were got (`distance`), which `datum` coordinates have, and at which of the feed's stations
    a trip began and ended (`from`, `to`), where it has stations. `settles` names records told apart before (two taps)
    that this one consists of. `evidence_class` is set where the partner
    itself says that this record proves less than its feed does. `version` above 1 says that the record may have been
    told before and that this counts instead; the highest counts. `deposits` is what it put into a station's bag.
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
    deposits: tuple[StationDeposit, ...] = ()


@dataclass(frozen=True, slots=True)
class Unusable:
    """One thing told that is not an act: refused for good, or waiting for something that may still come.

    `kept` is what the feed needs to place a waiting record later; it may be personal and is sealed at rest.
    `deposits` lay in a station's bag all the same, or are taken back by this.
    """

    record_id: str
    line: int | None
    reasons: tuple[str, ...]
    waiting: bool = False
    kept: Mapping[str, Scalar] | None = None
    deposits: tuple[StationDeposit, ...] = ()


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
    `encoding` gb18030 also reads a file that turns out to be UTF-8. `numbered` says that each row of a table has
    the number of its line as a first cell, because rows of people we do not know were left out.
    `complete_through` is until when nothing of the feed is still to come; where nothing is said of it, nothing is.
    """

    shift_days: int = 0
    bind_column: str | None = None
    distances: Path | None = None
    encoding: Encoding = "utf-8"
    numbered: bool = False
    complete_through: datetime | None = None


Item = Record | Unusable | Weighing
ParseFile = Callable[[BinaryIO, ParseOptions], Iterator[Item]]
Place = Callable[[Iterable[Mapping[str, Scalar]], ParseOptions], Iterator[Item]]
Summary = Callable[[BinaryIO, ParseOptions], Mapping[str, int]]
TableRow = tuple[str, ...]
ReadTable = Callable[[Path], Iterator[TableRow]]
Sample = Callable[[date], bytes]


Secrets = Mapping[str, str]


@dataclass(frozen=True)
class SecretForm:
    """One value of a partner's secrets: its form, and how many characters are made where none is given (0: none)."""

    pattern: str
    made: int = 0


@dataclass(frozen=True)
class Scheme:
    """One way of knowing a feed's pushes: how a request is signed, for an engineer, and the values both sides hold."""

    how: Text
    forms: Mapping[str, SecretForm]


@dataclass(frozen=True)
class PushRequest:
    """A request as it came: header names in lower case, the body's bytes, and the instant of the door (UTC)."""

    operation: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True)
class Authentic:
    """The request is the partner's. `content` is the JSON to be read, opened where it was sealed; `secrets` are those
    that fitted. `nonce` may be used for one content alone until `until`, where the format has one.
    """

    content: bytes
    secrets: Secrets = field(repr=False)
    nonce: str | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class PushRefusal:
    """Why a push is not taken, for the partner's own words; nothing of it is stored. `pointer` names a field (RFC 6901).

    `authentic` is set where the request was known to be the partner's before it was refused.
    """

    code: str
    detail: Text
    pointer: str = ""
    authentic: Authentic | None = None


@dataclass(frozen=True)
class Pushed:
    """A push that was taken: what was read of it, and by place among its items which were refused and why.

    `counts` has the rows by outcome (`accepted`, `duplicate`, `waiting`, `refused`).
    """

    request: PushRequest
    authentic: Authentic
    document: Any
    items: tuple[Item, ...]
    refused: Mapping[int, tuple[str, ...]]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class PushAnswer:
    """What the partner is told: an HTTP status and a JSON document in the partner's own shape."""

    status: int
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One thing a partner pushes. `scheme` names the way it is signed, `schema` (JSON Schema 2020-12, of the words
    that `partners.shapes` knows) is what the door checks the content by, and `example` is one of a day that is taken.

    `read` is given the decoded content, fractions as Decimal. It may raise FileFault.
    """

    code: str
    names: Text
    scheme: str
    schema: Mapping[str, Any]
    example: Callable[[date], Any]
    read: Callable[[Any], Iterator[Item]]
    accept: Callable[[Pushed], PushAnswer]
    refuse: Callable[[PushRequest, PushRefusal], PushAnswer]


Authenticate = Callable[[PushRequest, Sequence[Secrets]], Authentic | PushRefusal]


@dataclass(frozen=True)
class Feed:
    """One stream of records of one partner.

    `parse_file` takes a seekable stream, plain or gzip, and streams where the format allows. `place` is given
    what was kept of every waiting record of the feed, and yields those that can be placed by now as records
    and the others as they were. `summary` counts what a file holds, to be held against the partner's totals.
    `tables` reads, by name, what is no record but helps with them (stations, distances): a header, then rows.

    A feed that pushes has `authenticate`, which is given the secrets in force (newest first) of the operation's scheme
    and compares them in constant time, `operations` by code, and the `schemes` by which it signs. A feed
    without `authenticate` has no push door. `samples` are small files of ours in its `formats`, by name, as of a day.

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
    authenticate: Authenticate | None = None
    operations: Mapping[str, Operation] = field(default_factory=dict)
    schemes: Mapping[str, Scheme] = field(default_factory=dict)
    samples: Mapping[str, Sample] = field(default_factory=dict)
    formats: Text | None = None
    tells_of_all_by: tuple[str, ...] = ()
