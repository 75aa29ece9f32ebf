"""A small programme with credits in two shards, as the batch writes them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock, inserting
from carbon_credits.core.ids import resident_id, shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.service import open_wallet
from tests.factories.acts import a_claimed_act, a_partner_source
from tests.factories.programme import a_cap, a_fund, a_rate, two_staff

PEOPLE = tuple(resident_id(n) for n in (1, 2, 3, 4))


@pytest.fixture(autouse=True)
def many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of some acts claim what is exclusive in the way of batches of thousands."""
    monkeypatch.setattr(inserting, "MANY", 2)


@pytest.fixture
def credited(session: Session) -> Session:
    """Twelve acts of four residents: rides (some capped), metro, paper; and one ride that is too short."""
    people = two_staff(session)
    fund = a_fund(session, people, 10**9)
    for evidence, rate in (("A", "0.001"), ("D", "0.0002")):
        a_rate(session, people, fund, evidence, rate)
    a_cap(session, people, "travel.cycling", "quantity", 7_000)
    a_partner_source(session)
    day = clock.today() - timedelta(days=2)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for number, person in enumerate(PEOPLE):
        open_wallet(session, person)
        for hour in (1, 3):
            ride = at + timedelta(hours=hour)
            told = {"distance_m": 4_000 + number}
            a_claimed_act(session, person, "travel.cycling", ride, ride + timedelta(minutes=20), told)
        tap = at + timedelta(hours=5)
        told = {"distance_m": 9_000 + number}
        a_claimed_act(
            session, person, "travel.metro", tap, tap + timedelta(minutes=25), told, evidence_class="A"
        )
    short = at + timedelta(hours=8)
    a_claimed_act(
        session, PEOPLE[0], "travel.cycling", short, short + timedelta(minutes=2), {"distance_m": 300}
    )
    session.commit()
    credit_all(session)
    return session


def credit_all(session: Session) -> None:
    """Run the batch over every shard until nothing waits."""
    for shard in sorted({shard_of(person) for person in PEOPLE}):
        while credit_batch(session, shard, clock.today()).picked:
            session.commit()
        session.commit()


@pytest.fixture
def tamper(owner_url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """The owner's hand behind every guard."""
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


def grams(session: Session) -> dict[int, tuple[int, int]]:
    """Verified and claimed milligrams by resident."""
    rows = session.execute(text("select resident_id, verified_mg, claimed_mg from wallet order by 1"))
    return {row[0]: (row[1], row[2]) for row in rows}
