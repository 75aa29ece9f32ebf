"""Asks the books every question in invariants.sql; a promise that holds has no row to show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.ledger.posting_hash import JOURNAL_HASH

INVARIANTS = Path(__file__).with_name("invariants.sql")
# a journal may wait this long for the sealer, which runs several times a minute
SEAL_DELAY_S = 60
SAMPLE = 10
_COUNTED = "select count(*) over () as violations, q.* from ({{question}}) q limit :sample"
_HEADING = re.compile(r"^-- (I\d+): (.+)$", re.MULTILINE)
_PARTS = re.compile(r"\s*-- violations\n(?P<violations>.+?)\n-- examined\n(?P<examined>.+)", re.DOTALL)


@dataclass(frozen=True)
class Invariant:
    """One promise of the books and its two questions."""

    name: str
    promise: str
    violations: str
    examined: str


@dataclass(frozen=True)
class Finding:
    """What one question brought to light; `sample` holds the first offending rows."""

    name: str
    promise: str
    examined: int
    violations: int
    sample: tuple[dict[str, Any], ...]

    @property
    def verdict(self) -> str:
        """One word for the table: holds, broken, or not exercised."""
        if self.violations:
            return "broken"
        return "holds" if self.examined else "not exercised"


def invariants() -> list[Invariant]:
    """The promises in the order of the file."""
    return list(_read(INVARIANTS.read_text(encoding="utf-8").replace("{{JOURNAL_HASH}}", JOURNAL_HASH)))


def check(session: Session, seal_delay_s: int = SEAL_DELAY_S) -> list[Finding]:
    """Ask everything. Each question is one statement, so it sees one moment even while others write."""
    # a whole district is read: limits meant for doors do not apply, and joins should stay in memory
    for name, value in (("statement_timeout", "0"), ("jit", "off"), ("work_mem", "64MB")):
        session.execute(text("select set_config(:name, :value, true)"), {"name": name, "value": value})
    return [_ask(session, invariant, seal_delay_s) for invariant in invariants()]


def report(findings: list[Finding]) -> list[tuple[str, str, str, str, str]]:
    """(name, verdict, examined, violations, promise) of each finding, for a table."""
    return [
        (
            f.name,
            f.verdict,
            f"{f.examined:,}" if f.examined else "not exercised",
            str(f.violations),
            f.promise,
        )
        for f in findings
    ]


def _read(script: str) -> Iterator[Invariant]:
    headings = list(_HEADING.finditer(script))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        body = script[heading.end() : following.start() if following else len(script)]
        parts = _PARTS.fullmatch(body.rstrip())
        if parts is None:
            raise ValueError(f"{heading[1]} has no violations and examined parts in that order")
        yield Invariant(heading[1], heading[2], parts["violations"].strip(), parts["examined"].strip())


def _ask(session: Session, invariant: Invariant, seal_delay_s: int) -> Finding:
    question = text(_COUNTED.replace("{{question}}", invariant.violations))
    given = {"sample": SAMPLE}
    if ":seal_delay_s" in invariant.violations:
        given["seal_delay_s"] = seal_delay_s
    rows = [dict(row) for row in session.execute(question, given).mappings()]
    examined = int(session.execute(text(invariant.examined)).scalar_one())
    broken = int(rows[0]["violations"]) if rows else 0
    sample = tuple({name: value for name, value in row.items() if name != "violations"} for row in rows)
    return Finding(invariant.name, invariant.promise, examined, broken, sample)
