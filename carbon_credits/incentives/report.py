"""What a programme has come to: people by tier, what their banks made of it, money given, grams behind it.

Counted are people, each once, by one of their statements: the newest that was granted, or else the newest. A cell of
fewer than FEWEST people is not shown, nor is one from which it could be worked out: what is hidden in a row is never
fewer than FEWEST people, and sums are of what is shown.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.incentives import programmes
from carbon_credits.incentives.programmes import unknown
from carbon_credits.incentives.statements import SEALED_FOR, grams_place
from carbon_credits.residents import service as residents

FEWEST: Final = 10
MG_A_KG: Final = 1_000_000
SILENT: Final = "unanswered"
CELLS: Final = ("granted", "declined_other", "not_used", SILENT)
STATEMENTS: Final = text("""
select s.jti, s.resident_id, s.tier, s.issued_at, s.grams, coalesce(o.outcome, 'unanswered') as outcome,
       coalesce(o.benefit_fen, 0) as benefit_fen
from incentive_statement s
join incentive i on i.incentive_id = s.incentive_id
left join lateral (
  select outcome, benefit_fen from incentive_outcome o where o.jti = s.jti order by o.version desc limit 1
) o on true
where i.code = :code and s.revoked_why is distinct from 'error'
order by s.issued_at, s.jti
""")


@dataclass(frozen=True)
class Person:
    """One person by the statement that counts for them: milligrams behind it, fen of all benefits they were given."""

    tier: str
    outcome: str
    milligrams: int | None
    benefit_fen: int


@dataclass(frozen=True)
class TierRow:
    """A tier's people, by outcome, with the fen given and the kilograms behind those granted; None is not shown."""

    tier: str
    people: int | None
    outcomes: Mapping[str, int | None]
    benefit_fen: int | None
    kg_behind_all: int | None
    kg_behind_granted: int | None


@dataclass(frozen=True)
class Report:
    """The rows in order of their grams. Those whose key was destroyed are counted, their grams are not."""

    code: str
    bank: str
    rows: tuple[TierRow, ...]

    def as_document(self) -> dict[str, Any]:
        """As JSON; `null` is fewer than FEWEST people, or what would give them away."""
        rows = [
            {
                "tier": row.tier,
                "people": row.people,
                **row.outcomes,
                "benefit_fen": row.benefit_fen,
                "kg_behind_all": row.kg_behind_all,
                "kg_behind_granted": row.kg_behind_granted,
            }
            for row in self.rows
        ]
        return {"code": self.code, "bank": self.bank, "fewest": FEWEST, "tiers": rows, "shown": self.shown()}

    def shown(self) -> dict[str, int]:
        """Sums over what is shown, and only that."""
        return {
            "people": _sum(row.people for row in self.rows),
            "granted": _sum(row.outcomes["granted"] for row in self.rows),
            "benefit_fen": _sum(row.benefit_fen for row in self.rows),
            "kg_behind_granted": _sum(row.kg_behind_granted for row in self.rows),
        }


def report_of(session: Session, vault: Vault, code: str) -> Report:
    """The report of a programme over all its versions; raises NotFound."""
    known = programmes.versions(session, code)
    if not known:
        raise unknown()
    of_tier: dict[str, list[Person]] = defaultdict(list)
    for person in _people(session, vault, code):
        of_tier[person.tier].append(person)
    ordered = dict.fromkeys(tier.code for version in reversed(known) for tier in version.terms.tiers)
    return Report(code, known[-1].bank.code, tuple(_row(tier, of_tier[tier]) for tier in ordered))


def suppressed(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Counts of one row without those under FEWEST, nor the smallest others until what is hidden is FEWEST at least.

    Nobody is no group: 0 is shown.
    """
    hidden = {name for name, n in counts.items() if 0 < n < FEWEST}
    while hidden and sum(counts[name] for name in hidden) < FEWEST:
        rest = [name for name, n in counts.items() if name not in hidden and n > 0]
        if not rest:
            break
        hidden.add(min(rest, key=lambda name: counts[name]))
    return {name: None if name in hidden else n for name, n in counts.items()}


def _people(session: Session, vault: Vault, code: str) -> Iterable[Person]:
    rows = session.execute(STATEMENTS, {"code": code}).all()
    chosen: dict[int, Any] = {}
    given: dict[int, int] = defaultdict(int)
    for row in rows:
        given[row.resident_id] += row.benefit_fen
        before = chosen.get(row.resident_id)
        if before is None or row.outcome == "granted" or before.outcome != "granted":
            chosen[row.resident_id] = row
    keys = residents.keys_of(session, vault, list(chosen))
    for resident_id, row in chosen.items():
        key = keys.get(resident_id)
        yield Person(row.tier, row.outcome, _opened(key, row), given[resident_id])


def _opened(key: bytes | None, row: Any) -> int | None:
    if key is None:
        return None
    return int(residents.unseal_for(key, SEALED_FOR, bytes(row.grams), grams_place(row.jti)))


def _row(tier: str, people: list[Person]) -> TierRow:
    enough = len(people) >= FEWEST
    counts = {name: sum(person.outcome == name for person in people) for name in CELLS}
    cells = suppressed(counts) if enough or not people else dict.fromkeys(CELLS)
    granted = [person for person in people if person.outcome == "granted"]
    is_shown = cells["granted"] is not None
    return TierRow(
        tier,
        len(people) if enough or not people else None,
        cells,
        sum(person.benefit_fen for person in granted) if is_shown else None,
        _kilograms(people) if enough or not people else None,
        _kilograms(granted) if is_shown else None,
    )


def _kilograms(people: list[Person]) -> int | None:
    """Whole kilograms, rounded down; None when fewer than FEWEST of them can still be read."""
    read = [person.milligrams for person in people if person.milligrams is not None]
    return sum(read) // MG_A_KG if len(read) >= FEWEST or not people else None


def _sum(shown: Iterable[int | None]) -> int:
    return sum(n for n in shown if n is not None)
