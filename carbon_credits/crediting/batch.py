"""The batch: claimed acts of one shard become decisions, postings and balances in one transaction.

Everything is decided under the shard's advisory lock, so no two batches of a shard overlap; locks are taken in
stages and no stage goes back: exclusivity claims, funds, wallets. Rows in equal rows out, or the batch fails and
nothing happened; running it again changes nothing, for what was decided is no longer on the work list.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import InvariantBroken
from carbon_credits.crediting import exclusivity, statements
from carbon_credits.crediting.reading import Reading, reading_of
from carbon_credits.crediting.releases import publish
from carbon_credits.crediting.reversal import Credited, replace
from carbon_credits.ledger import funds
from carbon_credits.ledger.locks import SHARD_LOCK

BATCH_SIZE = 4_000
ANALYZE_FROM = 1_000
TUNING = text("""
select set_config('statement_timeout', '120s', true), set_config('enable_mergejoin', 'off', true),
       set_config('random_page_cost', '1.0', true), set_config('work_mem', '32MB', true), set_config('jit', 'off', true)
""")


@dataclass(frozen=True)
class Outcome:
    """What one batch did: acts by state, points paid, and the journal when anything moved."""

    picked: int = 0
    by_state: Mapping[str, int] = field(default_factory=dict)
    points: int = 0
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
    return _Batch(session, shard_id, today, reading_of(publish(session))).run(most)


class _Batch:
    def __init__(self, session: Session, shard_id: int, today: date, reading: Reading) -> None:
        self.session = session
        self.reading = reading
        self.connection = _working_connection(session)
        self.given: dict[str, object] = {"shard": shard_id, "today": today}
        self.shard_id = shard_id
        self.today = today

    def run(self, most: int) -> Outcome:
        picked = self._execute(self.reading.pick, most=most)
        if picked == 0:
            return Outcome()
        self._judge()
        occurring = exclusivity.decide(self.connection)
        self._compare_with_the_past()
        exclusivity.give_back(self.connection, occurring)
        with self._by_hash():
            self._execute(statements.DECIDE.format(terms=self.reading.terms))
            self._execute(statements.REFUSE.format(unmet_codes=self.reading.unmet_codes))
        self._analyze(picked)
        self._pay()
        journal_id = self._post()
        self._settle_replaced()
        if self._execute(statements.TAKE_OFF_QUEUE) != picked:
            raise InvariantBroken(f"shard {self.shard_id}: the work list changed under a batch")
        return self._outcome(picked, journal_id)

    def _judge(self) -> None:
        self._execute(statements.WITHOUT_WALLET)

    def _compare_with_the_past(self) -> None:
        self._execute(statements.PRIOR)
        with self._by_hash():
            self._execute(statements.REPLACED_IN_BATCH)
            self._execute(statements.REPLACED_BEFORE)
            self._execute(statements.OVERLAPS)

    def _pay(self) -> None:
        """Take the points from the funds; what they cannot pay is refused for good and said so."""
        wanted = {
            int(str(fund)): int(str(points)) for fund, points in self.connection.execute(statements.WANTED)
        }
        obtained = funds.take(self.session, self.shard_id, wanted)
        for fund_id, points in wanted.items():
            if obtained[fund_id] < points:
                self._execute(statements.RATION, fund=fund_id, obtained=obtained[fund_id])

    def _post(self) -> int | None:
        touched = self._execute(statements.WALLETS)
        row = self.connection.execute(statements.POST, self.given).fetchone() if touched else None
        journal_id = int(str(row[0])) if row else None
        self._execute(statements.RECORD_DECISIONS, journal=journal_id)
        if journal_id is not None:
            self._execute(statements.LOTS)
            self._execute(statements.PENDING_LOTS)
            self._execute(statements.TELL, journal=journal_id, acts=touched)
        return journal_id

    def _settle_replaced(self) -> None:
        self._execute(statements.REPLACE_AWAITING)
        rows = self.session.connection().exec_driver_sql(statements.TO_REVERSE).all()
        replaced = ((Credited(*row[:5]), row.replaced_by) for row in rows)
        replace(self.session, replaced, self.today)

    def _outcome(self, picked: int, journal_id: int | None) -> Outcome:
        rows = self.connection.execute(statements.BY_STATE).fetchall()
        by_state = {str(state): int(str(n)) for state, n, _ in rows}
        if sum(by_state.values()) != picked:
            raise InvariantBroken(f"shard {self.shard_id}: {picked} acts picked, {by_state} decided")
        return Outcome(picked, by_state, sum(int(str(points)) for _, _, points in rows), journal_id)

    @contextmanager
    def _by_hash(self) -> Iterator[None]:
        """While working tables are compared with one another: the planner does not know how much lies in a table
        that was empty when it last looked, and would hold each row against each.
        """
        self._execute("select set_config('enable_nestloop', 'off', true)")
        yield
        self._execute("select set_config('enable_nestloop', 'on', true)")

    def _analyze(self, picked: int) -> None:
        """Once for a connection: statistics of a temporary table outlive its rows."""
        info = self.session.connection().info
        if picked >= ANALYZE_FROM and not info.get("batch_analyzed"):
            for table in statements.WORKING_TABLE_NAMES:
                self.connection.execute(f"analyze {table}")
            info["batch_analyzed"] = True

    def _execute(self, statement: str, **given: object) -> int:
        return self.connection.execute(statement, {**self.given, **given}).rowcount


def _working_connection(session: Session) -> Connection[tuple[object, ...]]:
    """The raw connection of the session's transaction, with the working tables in place and empty."""
    pooled = session.connection()
    raw = pooled.connection.driver_connection
    assert isinstance(raw, Connection)
    raw.prepare_threshold = None  # plans are made for the rows at hand
    # asked of the database, not remembered: a first batch that fails takes the tables away with it
    if raw.execute("select to_regclass('pg_temp.batch_act')").fetchone() == (None,):
        raw.execute(statements.WORKING_TABLES)
        pooled.info.pop("batch_analyzed", None)
    return raw
