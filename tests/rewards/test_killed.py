"""kill -9 at every step between captured and settled: one statement, one transfer, one booking, nothing unexplained.

Each step is a process of its own that is stopped where it hurts (by a lock it waits for, or by the rail at a gate) and
killed there; then the next one comes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from typing import Any, Literal

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.rewards import rail_report, settlement, settlement_approval, statements
from tests.rewards import payer
from tests.rewards.rail_server import RailServer, running
from tests.rewards.till_ground import a_purse, a_shop, an_approval, take, two_of_finance
from tests.waiting import wait_until

pytestmark = pytest.mark.fault

Connection = psycopg.Connection[Any]
# each step is forked from a process that has read the programme and done nothing else
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload([payer.__name__])


class Worker:
    """One process that does one step."""

    def __init__(self, step: str, url: str, port: int) -> None:
        self.process = FORKS.Process(target=payer.main, args=(step, url, port))
        self.process.start()

    def kill(self) -> None:
        """No farewell."""
        assert self.process.is_alive(), "it ended before it could be killed"
        self.process.kill()
        self.process.join()

    def ends_well(self) -> None:
        """It did its step to the end."""
        self.process.join(60)
        assert self.process.exitcode == 0


@contextmanager
def held(owner_url: str, *locks: str) -> Iterator[Connection]:
    """Locks that the worker will wait for, let go at the end of the block."""
    with psycopg.connect(owner_url.replace("+psycopg", "")) as connection:
        for lock in locks:
            connection.execute(lock)
        yield connection
        connection.rollback()


def somebody_waits(owner_url: str) -> bool:
    """Whether a connection of this database waits for another's lock."""
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
    return bool(row and row[0])


def killed_at_lock(step: str, owner_url: str, url: str, port: int, lock: str) -> None:
    with held(owner_url, lock):
        worker = Worker(step, url, port)
        wait_until(lambda: somebody_waits(owner_url), within_s=60)
        worker.kill()
    wait_until(lambda: not somebody_waits(owner_url), within_s=60)


def killed_at_gate(
    step: str, server: RailServer, url: str, verb: str, when: Literal["before", "after"]
) -> None:
    server.reached.clear()
    server.go_on.clear()
    server.stop_at = (verb, when)
    worker = Worker(step, url, server.port)
    assert server.reached.wait(60)
    worker.kill()
    server.go_on.set()


def killed_with_the_answer_in_hand(server: RailServer, owner_url: str, url: str) -> None:
    """The rail has answered and our row cannot be written yet."""
    server.reached.clear()
    server.go_on.clear()
    server.stop_at = ("pay", "after")
    worker = Worker("pay", url, server.port)
    assert server.reached.wait(60)
    with held(owner_url, "select from payment for update"):
        server.go_on.set()
        wait_until(lambda: somebody_waits(owner_url), within_s=60)
        worker.kill()
    wait_until(lambda: not somebody_waits(owner_url), within_s=60)


def counts(session: Session) -> dict[str, int]:
    session.rollback()
    asked = "select " + ", ".join(
        f"(select count(*) from {table}) as {table}"
        for table in ("settlement", "settlement_line", "purse_entry", "payment", "provider_line")
    )
    counted = dict(session.execute(text(asked)).mappings().one())
    # nobody stays in a transaction while others are waited for
    session.rollback()
    return counted


def assert_one_transfer_and_nothing_unexplained(session: Session, server: RailServer) -> None:
    session.rollback()
    now = clock.now()
    found = rail_report.report(session, "stripe", now - timedelta(days=9), now + timedelta(minutes=1), now)
    (amount,) = session.execute(text("select amount_fen from settlement")).scalars()
    assert (found.unexplained, found.in_transit, found.closing) == (0, 0, -amount)
    assert server.books.balances.total() == amount
    assert len(server.books.transfers) == 1
    rows = session.execute(text("select state, attempt from payment")).all()
    assert [tuple(row) for row in rows] == [("reconciled", 1)]
    (number,) = session.execute(text("select settlement_id from settlement")).scalars()
    assert statements.altered(session, [number]) == []
    purse = session.execute(text("select reserved_fen, spent_fen from purse")).one()
    assert tuple(purse) == (1_000 - 4 * 50, 4 * 50)


def a_day_at_a_till(session: Session) -> int:
    """Five captures of the last day to settle, one undone, each with a subsidy of 50 fen; an approval to pay by."""
    staff = two_of_finance(session)
    shop = a_shop(session, staff, subsidy_fen=50, purse_id=a_purse(session, 1_000))
    take(session, shop, settlement.last_day(clock.now()), 5, undone=1)
    approval = an_approval(session, staff, settlement_approval.KIND)
    session.commit()
    return approval


@pytest.mark.parametrize("answer", ["lost on the way", "in hand and not written"])
def test_killed_at_every_step_there_is_one_transfer_and_one_booking(
    session: Session, owner_url: str, database_url: str, answer: str
) -> None:
    approval = a_day_at_a_till(session)
    with running() as server:
        port = server.port
        if answer == "lost on the way":
            # the first time all the steps before it, too
            killed_at_lock("make", owner_url, database_url, port, "lock table settlement in share mode")
            killed_at_lock("make", owner_url, database_url, port, "select from purse for update")
            assert counts(session)["settlement"] == counts(session)["settlement_line"] == 0
        Worker("make", database_url, port).ends_well()
        Worker("make", database_url, port).ends_well()
        assert counts(session) | {"provider_line": 0} == {
            "settlement": 1,
            "settlement_line": 6,
            "purse_entry": 3,
            "payment": 0,
            "provider_line": 0,
        }
        session.execute(text("update settlement set state = 'approved', approval_id = :a"), {"a": approval})
        session.commit()
        if answer == "lost on the way":
            killed_at_lock("pay", owner_url, database_url, port, "lock table payment in share mode")
            assert counts(session)["payment"] == 0
            killed_at_gate("pay", server, database_url, "find", "before")
            killed_at_gate("pay", server, database_url, "find", "after")
            assert (counts(session)["payment"], len(server.books.transfers)) == (1, 0)
            killed_at_gate("pay", server, database_url, "pay", "before")
            wait_until(lambda: len(server.books.transfers) == 1)
        else:
            killed_with_the_answer_in_hand(server, owner_url, database_url)
            killed_at_lock("pay", owner_url, database_url, port, "select from payment for update")
        Worker("pay", database_url, port).ends_well()
        Worker("pay", database_url, port).ends_well()
        if answer == "lost on the way":
            killed_at_gate("read", server, database_url, "statement", "after")
            killed_at_lock("read", owner_url, database_url, port, "lock table provider_line in share mode")
            killed_at_lock("read", owner_url, database_url, port, "select from payment for update")
        Worker("read", database_url, port).ends_well()
        assert_one_transfer_and_nothing_unexplained(session, server)
