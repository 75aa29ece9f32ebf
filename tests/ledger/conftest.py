"""A door to the books: each use is one transaction with a real commit, as the application's role."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import today
from carbon_credits.ledger.check import check
from tests.factories.ledger import TODAY, months_of

Door = Callable[[], AbstractContextManager[Session]]
# a deadlock is told after a second; a slow machine is none
LIMITS = "-c timezone=UTC -c lock_timeout=60s -c statement_timeout=120s"


def engine_of(url: str, pool_size: int = 4) -> Engine:
    """An engine for this many threads at most, with limits that only a standstill reaches."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"options": LIMITS},
    )


def door_of(engine: Engine) -> Door:
    """Open, do, commit."""

    @contextmanager
    def door() -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as opened, opened.begin():
            yield opened

    return door


@pytest.fixture
def engine(empty: None, database_url: str) -> Iterator[Engine]:
    """On empty tables, with partitions for a year to come."""
    made = engine_of(database_url, pool_size=10)
    with door_of(made)() as opened:
        months_of(opened, TODAY.replace(day=1), TODAY.replace(year=TODAY.year + 1))
        # what redeems books on the day it is
        months_of(opened, today(), today())
    yield made
    made.dispose()


@pytest.fixture
def door(engine: Engine) -> Door:
    """As many transactions as a test needs, in as many threads."""
    return door_of(engine)


@pytest.fixture
def owner(owner_url: str, engine: Engine) -> Iterator[Session]:
    """The owner's hand, triggers asleep: what it writes is undone."""
    made = engine_of(owner_url)
    with Session(made) as opened:
        opened.execute(text("set local session_replication_role = replica"))
        yield opened
        opened.rollback()
    made.dispose()


def assert_sound(door: Door) -> None:
    """Every invariant holds; journals of a test need not be sealed yet."""
    with door() as opened:
        broken = [f for f in check(opened, seal_delay_s=3600) if f.violations]
    assert not broken, broken
