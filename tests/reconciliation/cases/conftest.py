"""Residents in two shards whose claims wait for the metro, which they are bound to or not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners.models import Source
from tests.factories.acts import a_claimed_act
from tests.factories.partners import a_feed, a_source
from tests.factories.programme import a_fund, a_rate, two_staff
from tests.factories.residents import a_bound_resident, a_resident

NOW = clock.now().replace(microsecond=0)
ENDED = NOW - timedelta(days=10)


@dataclass
class Metro:
    """A metro feed, the people bound to it and one who is not, under a rate; and what can be done about them."""

    session: Session
    source: Source
    staff: tuple[int, int]
    bound: tuple[int, int]
    unbound: int

    @property
    def people(self) -> tuple[int, ...]:
        """All residents."""
        return (*self.bound, self.unbound)

    def ride(
        self, person: int, ended: datetime = ENDED, *, evidence_class: str = "D", number: int = 0
    ) -> int:
        """A metro ride as a phone (D) or the feed itself (A) tells it."""
        begun, told = ended - timedelta(minutes=25), {"distance_m": 9_000}
        made = a_claimed_act(
            self.session,
            person,
            "travel.metro",
            begun,
            ended,
            told,
            evidence_class=evidence_class,
            number=number,
            source=self.source.source_id if evidence_class == "A" else 0,
        )
        assert made is not None
        return made

    def deposit(self, person: int, ended: datetime, *, evidence_class: str = "D") -> int:
        """A bag of paper as a phone (D) or a partner (A) tells it."""
        source = self.source.source_id if evidence_class == "A" else 0
        told = {"mass_g": 1_000, "contamination_ppm": 0}
        made = a_claimed_act(
            self.session,
            person,
            "recycling.paper",
            ended,
            ended,
            told,
            evidence_class=evidence_class,
            source=source,
        )
        assert made is not None
        return made

    def decide(self) -> None:
        """Run the batch over every shard until nothing waits."""
        for shard in sorted({shard_of(person) for person in self.people}):
            while credit_batch(self.session, shard, clock.today()).picked:
                self.session.commit()
            self.session.commit()

    def complete(self, through: datetime, source_id: int | None = None) -> None:
        """Move the feed's watermark."""
        self.session.execute(
            text("""
                insert into feed_watermark (source_id, seq, complete_through) values (:source, 1, :through)
                on conflict (source_id) do update set seq = feed_watermark.seq + 1, complete_through = :through
            """),
            {"source": source_id or self.source.source_id, "through": through},
        )
        self.session.commit()

    def standing(self, activity: int) -> tuple[str, list[str]]:
        """State and reasons of the newest decision."""
        row = self.session.execute(
            text("""select state, reasons from decision where activity_id = :activity
                    order by generation desc limit 1"""),
            {"activity": activity},
        ).one()
        return row.state, list(row.reasons or ())


@pytest.fixture
def metro(session: Session, vault: Vault) -> Metro:
    """Two bound residents in two shards, one unbound, and a feed that has said nothing yet."""
    return make_metro(session, vault)


def make_metro(session: Session, vault: Vault) -> Metro:
    """The same, for tests that begin elsewhere."""
    staff = two_staff(session)
    fund = a_fund(session, staff, 10**9)
    for evidence, rate in (("A", "0.001"), ("B", "0.001"), ("C", "0.0005"), ("D", "0.0002")):
        a_rate(session, staff, fund, evidence, rate)
    feed = a_feed("test_metro", "test_metro_company", methodologies=("travel.metro",))
    source = a_source(session, feed)
    assert source.partner_id is not None
    first, second = (
        a_bound_resident(session, vault, source.partner_id, "test_metro_company", f"rider-{n}")
        for n in (1, 2)
    )
    third = a_resident(session, vault)
    for person in (first, second, third):
        open_wallet(session, person)
    session.commit()
    assert shard_of(first) != shard_of(second)
    return Metro(session, source, staff, (first, second), third)
