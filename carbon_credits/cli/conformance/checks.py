"""Named checks: what held, what did not and what to mend, in both languages; printed as a table or as JSON."""

import json
from dataclasses import dataclass, field
from typing import Final, Literal

from rich.markup import escape
from rich.table import Table

from carbon_credits.cli.tables import console
from carbon_credits.core.i18n import Text

Outcome = Literal["passed", "failed", "skipped"]
MARKS: Final[dict[Outcome, str]] = {
    "passed": "✓ 通过 pass",
    "failed": "✗ 不通过 FAIL",
    "skipped": "– 未查 skip",
}
NOTHING: Final = Text("", "")
LONGEST: Final = 500


@dataclass(frozen=True)
class Check:
    """One check: its name, how it came out, what was found and what to mend."""

    name: str
    outcome: Outcome
    found: Text
    mend: Text = NOTHING


@dataclass
class Report:
    """The checks of one run, in order."""

    checks: list[Check] = field(default_factory=list)

    def expect(self, name: str, holds: bool, found: Text, mend: Text) -> bool:
        """Note whether something holds; returns it."""
        self.checks.append(Check(name, "passed", found) if holds else Check(name, "failed", found, mend))
        return holds

    def skip(self, name: str, why: Text) -> None:
        """Note what could not be looked at."""
        self.checks.append(Check(name, "skipped", why))

    @property
    def is_good(self) -> bool:
        """Whether nothing failed, and something was looked at."""
        outcomes = {check.outcome for check in self.checks}
        return "failed" not in outcomes and "passed" in outcomes

    def as_json(self) -> str:
        """One document."""
        told = [
            {"name": c.name, "outcome": c.outcome, "found": c.found.both(), "mend": c.mend.both()}
            for c in self.checks
        ]
        return json.dumps({"passed": self.is_good, "checks": told}, ensure_ascii=False, indent=1)

    def show(self) -> None:
        """A table for people."""
        table = Table(show_lines=False)
        for heading in ("检查 check", "结果 result", "所见与改正 found, and what to mend"):
            table.add_column(heading, overflow="fold")
        for check in self.checks:
            said = _both(check.found)
            if check.mend.zh:
                said += f"\n→ {_both(check.mend)}"
            table.add_row(check.name, MARKS[check.outcome], said)
        console().print(table)
        failed = sum(check.outcome == "failed" for check in self.checks)
        words = "全部通过 / all passed" if self.is_good else f"{failed} 项不通过 / {failed} failed"
        console().print(words)


def _both(text: Text) -> str:
    """Both languages, or what is the same in both once. Part of it came from elsewhere: no control characters, no end."""
    said = text.zh if text.zh == text.en else f"{text.zh} / {text.en}"
    return escape("".join(c if c.isprintable() else "?" for c in said)[:LONGEST])
