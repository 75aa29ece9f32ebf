"""The batch: claimed acts of one shard become decisions, postings and balances in one transaction.

Everything is decided under the shard's advisory lock, so no two batches of a shard overlap; locks are taken in
stages and no stage goes back: exclusivity claims, funds, wallets. Rows in equal rows out, or the batch fails and
nothing happened; running it again changes nothing, for what was decided is no longer on the work list.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import InvariantBroken
from carbon_credits.crediting import (
    bonuses,
    booking,
    capping,
    comparing,
    deciding,
    exclusivity,
    matching,
    reopening,
)
from carbon_credits.crediting.reading import UNREAD, Reading, reading_of
from carbon_credits.crediting.releases import publish
from carbon_credits.crediting.working_tables import (
    analyze,
    methodologies_met,
    remember_methodologies,
    working_connection,
)
from carbon_credits.ledger import funds
from carbon_credits.ledger.locks import SHARD_LOCK

BATCH_SIZE = 4_000
POLICY = f"select ({capping.PERIODS}), ({bonuses.CONCERNED})"
TUNING = text("""
select set_config('statement_timeout', '120s', true), set_config('enable_mergejoin', 'off', true),
       set_config('random_page_cost', '1.0', true), set_config('work_mem', '32MB', true), set_config('jit', 'off', true)
""")


@dataclass(frozen=True)
class Outcome:
    """What one batch did: acts by state, points paid, of campaigns too, and the journal when anything moved."""

    picked: int = 0
    by_state: Mapping[str, int] = field(default_factory=dict)
    points: int = 0
    bonus: int = 0
    journal_id: int | None = None
    busy: bool = False


def credit_batch(session: Session, shard_id: int, today: date, most: int = BATCH_SIZE) -> Outcome:
    """Decide up to `most` claimed acts of a shard. `busy` when another worker holds the shard.

    Raises InvariantBroken when the rows do not add up; the caller's transaction then undoes all of it.
    """
    session.execute(TUNING)
    locked = session.execute(
        text("select pg_try_advisory_xact_lock(:lock, :shard)"), {"lock": SHARD_LOCK, "shard": shard_id}
    ).scalar_one()
    if not locked:
        return Outcome(busy=True)
    return _Batch(session, shard_id, today, publish(session)).run(most)


class _Batch:
    def __init__(self, session: Session, shard_id: int, today: date, numbers: Mapping[str, int]) -> None:
        self.session = session
        self.numbers = numbers
        self.reading = self._read(methodologies_met(session))
        self.connection = working_connection(session)
        self.given: dict[str, object] = {"shard": shard_id, "today": today}
        self.shard_id = shard_id
        self.today = today

    def run(self, most: int) -> Outcome:
        picked, periods, campaigns, reopened = self._gather(most)
        if picked == 0:
            return Outcome()
        # what one resident's day settles first: then the same acts ask for the same keys, whoever came first
        with self._by_hash():
            self._execute(comparing.OVERLAPS)
            matching.match(self.connection)
        exclusivity.decide(self.session, reopened=reopened)
        with self._by_hash():
            self._execute(self._decide(periods))
            self._execute(deciding.REFUSE.format(unmet_codes=self.reading.unmet_codes))
        analyze(self.session, picked)
        gives = bool(campaigns) and bonuses.decide(
            self.connection, campaigns, self.shard_id, self.reading.terms
        )
        if reopened:
            reopening.settle(self.session, self.connection, self.shard_id, self.today, bonuses_too=gives)
        self._pay(gives)
        journal_id = self._post(gives)
        matching.remember(self.session, self.shard_id, reopened=reopened)
        if self._execute(booking.TAKE_OFF_QUEUE) != picked:
            raise InvariantBroken(f"shard {self.shard_id}: the work list changed under a batch")
        return self._outcome(picked, journal_id, gives)

    def _read(self, met: frozenset[int]) -> Reading:
        """The text for what was met before; before anything was, for the whole catalogue."""
        return reading_of(self.numbers, met or None)

    def _gather(self, most: int) -> tuple[int, list[str], list[int], bool]:
        """Pick what is on the work list and what stands on the same days: how many were picked, the periods of caps,
        the campaigns of these days, and whether anything stood there. Where a methodology comes up that the text does
        not know, once more with it.
        """
        picked = self._execute(self.reading.pick, most=most)
        if picked == 0:
            return 0, [], [], False
        periods, campaigns = self._policy()
        reopened = self._reopen(bool(periods), campaigns)
        met = methodologies_met(self.session)
        row = self.connection.execute(UNREAD, {"read": sorted(met)}).fetchone()
        assert row is not None
        assert isinstance(row[0], list)
        if row[0]:
            remember_methodologies(self.session, met.union(row[0]))
        if not met or not row[0]:
            return picked, periods, campaigns, reopened
        self.reading = self._read(met.union(row[0]))
        self._execute("truncate batch_act, batch_standing")
        return self._gather(most)

    def _policy(self) -> tuple[list[str], list[int]]:
        """Longer periods that have caps, and campaigns of these days: they cost nothing where there are none."""
        row = self.connection.execute(POLICY, self.given).fetchone()
        periods, campaigns = row if row is not None else ([], [])
        assert isinstance(periods, list)
        assert isinstance(campaigns, list)
        return periods, campaigns

    def _reopen(self, longer: bool, campaigns: list[int]) -> bool:
        """Bring back what stands on the days that are touched; whether there was anything."""
        relational, found_here = list(reopening.RELATIONAL), list(reopening.FOUND_HERE)
        reach = {"longer": longer, "relational": relational, "campaigns": campaigns}
        if not self._execute(reopening.standing(bool(campaigns)), **reach):
            return False
        self._execute(reopening.RENUMBER)
        self._execute(self.reading.pick_again, found_here=found_here)
        return True

    def _decide(self, periods: list[str]) -> str:
        """The statement for the caps there are."""
        caps = capping.parts(periods)
        return deciding.DECIDE.format(terms=self.reading.terms, nothing=self.reading.nothing, **caps)

    def _pay(self, gives: bool) -> None:
        """Take the points from the funds; what they cannot pay is refused for good and said so."""
        asked = bonuses.WANTED if gives else deciding.WANTED
        wanted = {int(str(fund)): int(str(points)) for fund, points in self.connection.execute(asked)}
        obtained = funds.take(self.session, self.shard_id, wanted)
        for fund_id, points in wanted.items():
            if obtained[fund_id] < points:
                # a fund pays base points or a campaign's, never both
                for ration in (deciding.RATION, bonuses.RATION) if gives else (deciding.RATION,):
                    self._execute(ration, fund=fund_id, obtained=obtained[fund_id])

    def _post(self, gives: bool) -> int | None:
        book = booking.WITH_BONUSES if gives else booking.BASE
        touched = self._execute(book.wallets)
        row = self.connection.execute(book.post, self.given).fetchone() if touched else None
        journal_id = int(str(row[0])) if row else None
        self._execute(book.record_decisions, journal=journal_id)
        if gives:
            self._execute(bonuses.RECORD, journal=journal_id)
        if journal_id is not None:
            self._execute(book.lots)
            self._execute(book.pending_lots)
            self._execute(booking.TELL, journal=journal_id, acts=touched)
        return journal_id

    def _outcome(self, picked: int, journal_id: int | None, gives: bool) -> Outcome:
        rows = self.connection.execute(booking.BY_STATE).fetchall()
        by_state = {str(state): int(str(n)) for state, n, _ in rows}
        if sum(by_state.values()) != picked:
            raise InvariantBroken(f"shard {self.shard_id}: {picked} acts picked, {by_state} decided")
        paid = self.connection.execute(bonuses.PAID).fetchone() if gives else None
        bonus = int(str(paid[0])) if paid else 0
        return Outcome(picked, by_state, sum(int(str(points)) for _, _, points in rows), bonus, journal_id)

    @contextmanager
    def _by_hash(self) -> Iterator[None]:
        """While working tables are compared with one another: the planner does not know how much lies in a table
        that was empty when it last looked, and would hold each row against each.
        """
        self._execute("select set_config('enable_nestloop', 'off', true)")
        yield
        self._execute("select set_config('enable_nestloop', 'on', true)")

    def _execute(self, statement: str, **given: object) -> int:
        return self.connection.execute(statement, {**self.given, **given}).rowcount
