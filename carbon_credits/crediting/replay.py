"""Replay: every credit once more, from what is stored, by a path that shares nothing with the first.

The stored documents are compiled by `methodologies.compiling`; acts, decisions and postings stream past once and each
is held against what the document says of it. Nothing is written. A difference names the act, its release, what differs,
what was expected and what was found.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.core.db import raw_connection
from carbon_credits.crediting.replayed_rows import CREDITS, RESTATED
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.methodologies.compiling import Compiled, UnreadableDocument, compile_release

LISTED: Final = 20
NONE: Final = b"\\N"
# a district is read in one go, by one process: what doors may take is no measure here
PATIENCE: Final = """
select set_config('statement_timeout', '0', true), set_config('work_mem', '256MB', true),
       set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)
"""
# the columns of a row, in the order of replayed_rows.py
(ACTIVITY, DAY, GENERATION, RELEASE, MONITORED, SECONDS, BROKEN, RAW, FIGURE, POSTED, ASTRAY, COUNTED, CAPPED, BEFORE,
 ORDER) = range(15)  # fmt: skip
EVERYBODY: Final = (0, 2**63 - 1)


@dataclass(frozen=True)
class Scope:
    """Which credits: acts of these days, of residents after the first number up to the second, of one shard or all."""

    since: date = date(2000, 1, 1)
    until: date = date(2999, 12, 31)
    residents: tuple[int, int] = EVERYBODY
    shard: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Finding:
    """One difference. A release's own fault names no act."""

    what: str
    expected: str
    found: str
    release: str
    activity: str = ""
    generation: int = 0
    restatement: int = 0


@dataclass
class Replayed:
    """How many figures were recomputed, how many did not agree, and the first of those."""

    credits: int = 0
    restated: int = 0
    mismatches: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: "Replayed") -> None:
        """Count another part of the same replay in."""
        self.credits += other.credits
        self.restated += other.restated
        self.mismatches += other.mismatches
        known = set(self.findings)
        self.findings += [f for f in other.findings if f not in known]


@dataclass
class _Release:
    """A stored release, what is wrong with it, and the number its caps count."""

    name: str
    compiled: Compiled | None
    faults: list[Finding]
    quantity: str | None
    said: bool = False


def replay(session: Session, scope: Scope | None = None, listed: int = LISTED) -> Replayed:
    """Recompute every credit in scope. Reads only; needs as long as reading the rows takes."""
    raw = raw_connection(session)
    replaying = _Replaying(_releases(raw), listed)
    given = scope or Scope()
    for line in lines(raw, CREDITS, given):
        replaying.credit(line[:-1].split(b"\t"))
    for line in lines(raw, RESTATED, given):
        replaying.restated(line[:-1].split(b"\t"))
    return replaying.done


def lines(connection: "Connection[Any]", statement: str, scope: Scope) -> Iterator[bytes]:
    """The rows of a statement of replayed_rows.py as COPY sends them, each with its line end."""
    connection.execute(PATIENCE)
    after, upto = scope.residents
    given: dict[str, Any] = {"since": scope.since, "until": scope.until, "after": after, "upto": upto}
    asked = sql.SQL(statement).format(
        **{name: sql.Literal(value) for name, value in given.items()},
        shard=sql.SQL("true" if scope.shard is None else f"d.shard_id = {int(scope.shard)}"),
        limit=sql.SQL("all" if scope.limit is None else str(int(scope.limit))),
    )
    with connection.cursor().copy(sql.SQL("copy ({}) to stdout").format(asked)) as copy:
        for line in copy:
            yield bytes(line)


class _Replaying:
    def __init__(self, releases: dict[bytes, _Release], listed: int) -> None:
        self.releases = releases
        self.listed = listed
        self.done = Replayed()

    def credit(self, row: list[bytes]) -> None:
        """Hold one credit against its document, its postings and its own evidence."""
        self.done.credits += 1
        release = self.releases.get(row[RELEASE])
        if release is None or release.faults:
            self._unreadable(row, release)
            return
        wanted, monitored = self._judge(release, row)
        if wanted is None or row[RAW] != b"%d" % wanted:
            self._differs(row, release, "raw_mg", _words(wanted), row[RAW])
        elif row[FIGURE] != b"%d" % _share(wanted, monitored, release.quantity, row):
            share = _share(wanted, monitored, release.quantity, row)
            self._differs(row, release, "credited_mg", str(share), row[FIGURE])
        elif row[POSTED] != row[FIGURE] or row[ASTRAY] != b"0":
            self._differs(
                row,
                release,
                "posted_mg",
                row[FIGURE].decode(),
                row[POSTED] + b" and " + row[ASTRAY] + b" astray",
            )
        elif row[BROKEN] != NONE:
            self._broken(row, release)

    def restated(self, row: list[bytes]) -> None:
        """Hold one restated figure against the document it was restated under; what was posted is the difference."""
        self.done.restated += 1
        release = self.releases.get(row[RELEASE])
        if release is None or release.faults:
            self._unreadable(row, release)
            return
        wanted, monitored = self._judge(release, row)
        figure = 0 if wanted is None else _share(wanted, monitored, release.quantity, row)
        difference = b"%d" % (int(row[FIGURE]) - int(row[BEFORE]))
        if (NONE if wanted is None else b"%d" % wanted) != row[RAW]:
            self._differs(row, release, "raw_mg", _words(wanted), row[RAW])
        elif row[FIGURE] != b"%d" % figure:
            self._differs(row, release, "restated_mg", str(figure), row[FIGURE])
        elif row[POSTED] != difference or row[ASTRAY] != b"0":
            self._differs(
                row,
                release,
                "posted_mg",
                difference.decode(),
                row[POSTED] + b" and " + row[ASTRAY] + b" astray",
            )

    def _judge(self, release: _Release, row: list[bytes]) -> tuple[int | None, dict[str, Any]]:
        """The milligrams of the document; None where it refuses, or where the stored numbers are none."""
        assert release.compiled is not None
        try:
            monitored = json.loads(row[MONITORED])
            return release.compiled.judge(monitored, int(row[SECONDS])), monitored
        except (ValueError, KeyError, TypeError):
            return None, {}

    def _unreadable(self, row: list[bytes], release: _Release | None) -> None:
        if release is None:
            self._differs(row, release, "release", "stored", row[RELEASE])
            return
        self.done.mismatches += 1
        if not release.said:
            self.done.findings += release.faults
            release.said = True
        if len(self.done.findings) < self.listed:
            self.done.findings.append(
                _finding(row, release.name, "release", "sound", "not what its digest names")
            )

    def _broken(self, row: list[bytes], release: _Release) -> None:
        for part in row[BROKEN].decode().split("|"):
            what, expected, found = part.split(":", 2)
            self._differs(row, release, what, expected, found.encode())

    def _differs(
        self, row: list[bytes], release: _Release | None, what: str, expected: str, found: bytes
    ) -> None:
        self.done.mismatches += 1
        if len(self.done.findings) < self.listed:
            name = "none" if release is None else release.name
            self.done.findings.append(_finding(row, name, what, expected, found.decode()))


def _finding(row: list[bytes], release: str, what: str, expected: str, found: str) -> Finding:
    act = public_id(date.fromisoformat(row[DAY].decode()), int(row[ACTIVITY]))
    order = int(row[ORDER]) if len(row) > ORDER else 0
    return Finding(what, expected, found, release, act, int(row[GENERATION]), order)


def _share(raw: int, monitored: dict[str, Any], quantity: str | None, row: list[bytes]) -> int:
    """What counted of an act, as the batch shares it out: whole division, nothing past a cap by count."""
    if raw <= 0 or row[CAPPED] == b"t":
        return 0
    if quantity is None:
        return raw
    whole, counted = monitored[quantity], int(row[COUNTED])
    return raw if counted == whole else raw * counted // int(whole)


def _words(wanted: int | None) -> str:
    return "refused" if wanted is None else str(wanted)


def _releases(connection: "Connection[Any]") -> dict[bytes, _Release]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = list(cursor.execute("select * from formula_release").fetchall())
    return {b"%d" % row.release_id: _release(row) for row in rows}


def _release(row: Any) -> _Release:
    """A release held against its own names: the bytes against the digests, the columns against the bytes."""
    name = f"{row.code} v{row.version} from {row.in_force} (release {row.release_id})"
    owner = BY_NUMBER.get(row.methodology)
    quantity = None if owner is None else owner[-1].cap_quantity
    try:
        found = compile_release(bytes(row.document))
    except UnreadableDocument as error:
        fault = Finding("document", "sha256:" + bytes(row.digest).hex(), str(error)[:120], name)
        return _Release(name, None, [fault], quantity)
    told = {
        "digest": (row.digest.hex(), found.digest.hex()),
        "formula_digest": (row.formula_digest.hex(), found.formula_digest.hex()),
        "parameters_digest": (row.parameters_digest.hex(), found.parameters_digest.hex()),
        "names": (
            f"{row.methodology} {row.code} {row.version} {row.in_force}",
            f"{found.number} {found.code} {found.version} {found.since}",
        ),
    }
    faults = [Finding(what, *pair, name) for what, pair in told.items() if pair[0] != pair[1]]
    return _Release(name, found, faults, quantity)
