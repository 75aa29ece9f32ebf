"""Notices before points lapse, and what lapsed of each fund."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.crypto import Vault
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.breakage import breakage
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.ledger.service import open_wallet
from carbon_credits.rewards.expiry_notices import tell_due
from tests.factories.ledger import Act, a_fund, credit, months_of
from tests.factories.redemptions import residents_with
from tests.factories.residents import a_resident
from tests.ledger.conftest import Door, assert_sound

DAY = timedelta(days=1)
NOON = datetime.combine(clock.today(), datetime.min.time(), PROGRAMME_ZONE) + timedelta(hours=12)


@pytest.fixture
def somebody(door: Door, vault: Vault) -> int:
    """A resident with points that lapse in twenty days, in five and in a hundred."""
    with door() as session:
        months_of(session, clock.today(), clock.today() + 40 * DAY)
        resident_id = a_resident(session, vault)
        open_wallet(session, resident_id)
        fund_id = a_fund(session, 1_000)
        for days, points in ((20, 8), (5, 3), (100, 50)):
            day = clock.today() + days * DAY
            credit(session, Act(resident_id, points=points, fund_id=fund_id, lot_on=day), clock.today())
    return resident_id


def tell(door: Door, vault: Vault, shard_id: int, now: datetime) -> int:
    with door() as session:
        return tell_due(session, vault, shard_id, now, 10)


def said(door: Door, vault: Vault) -> list[str]:
    with door() as session:
        rows = session.execute(
            text(
                "select payload->>'subject' as subject, sealed from outbox where topic = 'sms.notice' order by 1"
            )
        ).all()
    opened = [vault.unseal("outbox", row.sealed, f"outbox|sealed|{row.subject}") for row in rows]
    return [json.loads(content)["text"] for content in opened]


def test_each_day_of_lapsing_is_told_of_thirty_days_before_and_seven_by_day(
    door: Door, vault: Vault, somebody: int
) -> None:
    shard_id = shard_of(somebody)
    assert tell(door, vault, shard_id, NOON + timedelta(hours=11)) == 0
    assert [tell(door, vault, shard_id, NOON) for _ in range(2)] == [2, 0]
    assert [f"{n}积分" in "".join(said(door, vault)) for n in (8, 3, 50)] == [True, True, False]
    assert [tell(door, vault, shard_id, NOON + 14 * DAY) for _ in range(2)] == [1, 0]
    assert len(said(door, vault)) == 3


def test_whoever_cannot_be_told_is_noted_and_not_tried_again(door: Door, vault: Vault) -> None:
    with door() as session:
        (nobody,) = residents_with(session, 1, 0)
        fund_id = a_fund(session)
        day = clock.today() + 3 * DAY
        credit(session, Act(nobody, points=5, fund_id=fund_id, lot_on=day), clock.today())
    assert [tell(door, vault, shard_of(nobody), NOON) for _ in range(2)] == [1, 0]
    with door() as session:
        assert session.execute(text("select told from expiry_notice")).scalars().all() == [False]


def test_what_lapsed_is_told_for_each_fund_with_what_it_had_cost(
    door: Door, vault: Vault, somebody: int
) -> None:
    later = clock.today() + 30 * DAY
    with door() as session:
        expire_due(session, shard_of(somebody), later, 10)
    with door() as session:
        (mine,) = [one for one in breakage(session, clock.today(), later) if one.granted]
        (none,) = [one.lapsed for one in breakage(session, clock.today(), later - DAY) if one.granted]
    assert (mine.granted, mine.lapsed, mine.cost_fen, none) == (61, 11, 11, 0)
    assert_sound(door)
