"""Campaigns in the batch: a second implementation agrees, whatever the order; money, caps, pauses and ends hold."""

import random
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.crediting.ledger_hash import ledger_hash
from carbon_credits.ledger.check import check
from carbon_credits.ledger.sealing import seal_once
from carbon_credits.programme.campaign_models import Campaign
from tests.crediting.acts import Act
from tests.crediting.bonus_oracle import Offer, bonuses
from tests.crediting.test_oracle import NET, World
from tests.database import Cleaner
from tests.factories.campaigns import launched, pin_lots

STANDING = """
select b.activity_id, c.code, b.entitled, b.due_points, b.points, coalesce(b.reasons, '{}') as reasons, d.bonus
from bonus b join campaign c using (campaign_id)
join decision d using (resident_id, occurred_on, activity_id, generation)
where d.state = 'credited'
"""
WEEKS = 18
PEOPLE = """
insert into resident (resident_id, shard_id, status, street, enrolled_at)
values (:r, (:r - 1) / 16384, 'active', 'zumiao', timestamptz '2025-01-01 00:00+08')
"""


class Campaigned(World):
    """The world of the oracle with two campaigns, over weeks."""

    def __init__(self, session: Session, r: random.Random, today: date | None = None) -> None:
        super().__init__(session, r, 10**9, today)
        self.days = WEEKS
        for resident in self.residents:
            session.execute(text(PEOPLE), {"r": resident})
        people = tuple(session.execute(text("select staff_id from staff order by 1 limit 2")).scalars())
        first, last = self.today - timedelta(days=WEEKS - 2), self.today - timedelta(days=2)
        days = {"starts_on": first.isoformat(), "ends_on": last.isoformat()}
        self.campaigns = [
            launched(
                session, people, code="ride", multiplier="1.337", cap_day=100, cap_week=160, cap_total=240,
                holdout_ppm=300_000, budget_points=10**7, **days,
            ),
            launched(
                session, people, code="sort", reward="bonus", multiplier=None, bonus_points=7, cap_day=10, cap_week=12,
                methodologies=["recycling.paper", "purchases.no_cutlery"], budget_points=10**7, **days,
            ),
        ]  # fmt: skip
        session.commit()

    def offers(self) -> list[Offer]:
        return [_offer(campaign, set(self.residents)) for campaign in self.campaigns]

    def decided(self) -> list[Act]:
        acts = self.acts()
        for act in acts:
            if act.id in self.gone:
                act.refuse("rejected", "withdrawn_by_partner")
        self.oracle.decide(acts)
        return acts


def _offer(campaign: Campaign, residents: set[int]) -> Offer:
    codes = {"ride": {"travel.cycling", "travel.metro"}, "sort": {"recycling.paper", "purchases.no_cutlery"}}
    return Offer(
        campaign.code,
        campaign.starts_on,
        campaign.ends_on,
        codes[campaign.code],
        None if campaign.multiplier is None else Fraction(campaign.multiplier),
        campaign.bonus_points,
        (campaign.cap_day, campaign.cap_week, campaign.cap_total),
        campaign.holdout_ppm,
        campaign.salt,
        residents,
    )


def found(session: Session) -> dict[int, tuple[Any, ...]]:
    rows = session.execute(text(STANDING)).all()
    assert [row for row in rows if row.bonus != row.points or row.points != row.due_points] == []
    return {row.activity_id: (row.code, row.entitled, row.due_points, row.reasons) for row in rows}


def figures(rows: dict[int, tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
    """Without the words."""
    return {act: row[:3] for act, row in rows.items()}


def sound(session: Session) -> None:
    while seal_once(session, 1000) is not None:
        pass
    session.commit()
    assert [finding for finding in check(session, 0) if finding.violations] == []


@pytest.fixture(autouse=True)
def salt(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the residents is held out under it."""
    pin_lots(monkeypatch, bytes([1]) * 16)


@pytest.mark.parametrize("seed", range(4))
def test_bonuses_are_what_a_plain_program_gives(session: Session, seed: int) -> None:
    """Late acts, records that are withdrawn, claims that are replaced: as if all had come at once."""
    r = random.Random(seed)
    world = Campaigned(session, r)
    for _ in range(3):
        world.claim_some(r.choice([60, 250]))
        world.drain()
        world.take_back(r.choice([0, 3, 10]))
    world.drain()
    wanted = bonuses(world.decided(), world.offers(), world.oracle.terms)
    given = found(session)
    assert figures(given) == figures(wanted)
    assert [row for row in given.values() if bool(row[3]) != (row[2] < row[1])] == []
    assert len(wanted) > 15
    sound(session)


def test_what_is_decided_at_once_says_why_less(session: Session) -> None:
    """Decided again and come to the same, a bonus keeps the words it had; so the words are held against one batch."""
    world = Campaigned(session, random.Random(3))
    world.claim_some(600)
    # twice: what one shard's acts lose to the other's is put back on the list
    for shard in (0, 1, 0, 1):
        credit_batch(session, shard, world.today, 10_000)
        session.commit()
    wanted = bonuses(world.decided(), world.offers(), world.oracle.terms)
    assert found(session) == wanted
    reasons = {code for *_, codes in wanted.values() for code in codes}
    assert reasons == {"campaign_daily_cap", "campaign_weekly_cap", "campaign_total_cap"}
    sides = {
        row.side: row.n
        for row in session.execute(text("select side, count(*) as n from campaign_audience group by 1"))
    }
    assert sides["held_out"] > 0


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_arrival_changes_no_bonus(session: Session, cleaner: Cleaner, seed: int) -> None:
    nets, hashes, today = [], set(), clock.today()
    for order in range(3):
        session.commit()
        cleaner.clean()
        world = Campaigned(session, random.Random(seed), today)
        acts = world.think_of(160)
        r = random.Random(100 * seed + order)
        r.shuffle(acts)
        while acts:
            n = r.choice([1, 7, 60])
            piece, acts = acts[:n], acts[n:]
            world.tell(piece + r.sample(piece, len(piece) // 3))
            world.drain()
        nets.append([tuple(row) for row in session.execute(text(NET))])
        hashes.add(ledger_hash(session))
    assert len([row for row in nets[0] if row[3] == "campaign_ride"]) > 4
    assert nets[1] == nets[0]
    assert nets[2] == nets[0]
    assert len(hashes) == 1
