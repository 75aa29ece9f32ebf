"""Stories of one wallet: earning, holding, spending, maturing, lapsing."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from carbon_credits.core.clock import now
from carbon_credits.core.errors import NotFound
from carbon_credits.ledger import service
from carbon_credits.ledger.expiry import expire_due, expire_resident
from carbon_credits.ledger.holds import HoldOver, InsufficientPoints, capture, lapse_due, reserve, void
from carbon_credits.ledger.maturing import mature_due
from carbon_credits.ledger.models import ContraKind
from tests.factories.ledger import LOT_ON, TODAY, Act, a_fund, credit, residents
from tests.ledger.books import A_DAY, A_WEEK, MERCHANT, SOON, a_resident_with, pockets, take_back
from tests.ledger.conftest import Door, assert_sound


def test_a_wallet_is_opened_once_and_starts_empty(door: Door) -> None:
    with door() as session:
        (resident_id,) = residents(session, 1)
        service.open_wallet(session, resident_id)
        assert service.wallet_of(session, resident_id) == service.Balances(
            resident_id, 0, 0, 0, 0, 0, 0, 0, 0
        )


def test_a_wallet_that_was_never_opened_is_not_found(door: Door) -> None:
    with door() as session, pytest.raises(NotFound):
        service.wallet_of(session, 12_345_678)


def test_the_lots_that_expire_first_are_spent_first(door: Door) -> None:
    resident_id, _, _ = a_resident_with(
        door, Act(0, points=30, lot_on=LOT_ON), Act(0, points=20, lot_on=LOT_ON - A_DAY)
    )
    with door() as session:
        hold = reserve(session, resident_id, 25, MERCHANT, now() + SOON, TODAY)
    with door() as session:
        assert service.expiring(session, resident_id, TODAY) == [service.Expiring(LOT_ON, 25)]
        captured = capture(session, hold.hold_id, hold.shard_id, TODAY)
    with door() as session:
        posted = text("select sum(points), min(contra_ref) from posting where journal_id = :journal")
        assert tuple(session.execute(posted, {"journal": captured.journal_id}).one()) == (-25, MERCHANT)
    assert pockets(door, resident_id) == (25, 0, 0, 0)
    assert_sound(door)


def test_a_wallet_that_is_short_refuses_and_keeps_everything(door: Door) -> None:
    resident_id, _, _ = a_resident_with(door, Act(0, points=30))
    with pytest.raises(InsufficientPoints), door() as session:
        reserve(session, resident_id, 31, MERCHANT, now() + SOON, TODAY)
    assert pockets(door, resident_id) == (30, 0, 0, 0)


def test_a_closed_wallet_reserves_nothing(door: Door) -> None:
    resident_id, _, _ = a_resident_with(door, Act(0, points=30))
    with door() as session:
        session.execute(text("update wallet set status = 2 where resident_id = :r"), {"r": resident_id})
    with pytest.raises(InsufficientPoints), door() as session:
        reserve(session, resident_id, 1, MERCHANT, now() + SOON, TODAY)


def test_a_hold_is_resolved_once(door: Door) -> None:
    resident_id, _, _ = a_resident_with(door, Act(0, points=30))
    with door() as session:
        hold = reserve(session, resident_id, 10, MERCHANT, now() + SOON, TODAY)
    with door() as session:
        capture(session, hold.hold_id, hold.shard_id, TODAY)
    for again in (capture, void):
        with pytest.raises(HoldOver), door() as session:
            again(session, hold.hold_id, hold.shard_id, TODAY)
    assert pockets(door, resident_id) == (20, 0, 0, 0)


def test_a_hold_nobody_made_is_not_found(door: Door) -> None:
    with pytest.raises(NotFound), door() as session:
        capture(session, uuid4(), 0, TODAY)


def test_a_hold_whose_time_is_up_cannot_be_captured_and_lapses_once(door: Door) -> None:
    resident_id, _, _ = a_resident_with(door, Act(0, points=30))
    with door() as session:
        hold = reserve(session, resident_id, 10, MERCHANT, now() - A_DAY, TODAY)
    with pytest.raises(HoldOver), door() as session:
        capture(session, hold.hold_id, hold.shard_id, TODAY)
    with door() as session:
        assert len(lapse_due(session, TODAY, 100)) == 1
    with door() as session:
        assert len(lapse_due(session, TODAY, 100)) == 0
    assert pockets(door, resident_id) == (30, 0, 0, 0)
    assert_sound(door)


def test_a_bucket_that_lapsed_while_it_was_held_expires_on_release(door: Door) -> None:
    resident_id, _, _ = a_resident_with(
        door, Act(0, points=10, lot_on=TODAY), Act(0, points=10, lot_on=LOT_ON)
    )
    with door() as session:
        hold = reserve(session, resident_id, 15, MERCHANT, now() + SOON, TODAY)
    with door() as session:
        void(session, hold.hold_id, hold.shard_id, TODAY + A_DAY)
    assert pockets(door, resident_id) == (10, 0, 0, 0)
    assert_sound(door)


def test_released_points_repay_debt_first(door: Door) -> None:
    resident_id, _, (act, _) = a_resident_with(door, Act(0, points=10), Act(0, points=2))
    with door() as session:
        hold = reserve(session, resident_id, 12, MERCHANT, now() + SOON, TODAY)
    found = take_back(door, act)
    assert found is not None
    assert found.to_debt == 10
    with door() as session:
        void(session, hold.hold_id, hold.shard_id, TODAY)
    assert pockets(door, resident_id) == (2, 0, 0, 0)
    assert_sound(door)


def test_points_lapse_after_their_last_day_and_only_once(door: Door) -> None:
    resident_id, _, _ = a_resident_with(door, Act(0, points=10, lot_on=TODAY), Act(0, points=5))
    shard_id = (resident_id - 1) // 16_384
    with door() as session:
        assert expire_due(session, shard_id, TODAY, 100) == 0
    with door() as session:
        assert expire_due(session, shard_id, TODAY + A_DAY, 100) == 1
    with door() as session:
        assert expire_due(session, shard_id, TODAY + A_DAY, 100) == 0
        assert expire_resident(session, resident_id, TODAY + A_DAY) == 0
        newest = service.postings_of(session, resident_id, None, 1)[0]
    assert (newest.contra_kind, newest.points, newest.balance_after) == (ContraKind.BREAKAGE, -10, 5)
    assert pockets(door, resident_id) == (5, 0, 0, 0)
    assert_sound(door)


def test_expiry_goes_through_a_shard_in_chunks_until_nothing_is_left(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session)
        made = residents(session, 12)
        for resident_id in made:
            credit(session, Act(resident_id, fund_id=fund_id, lot_on=TODAY), TODAY)
    expired = 0
    for shard_id in (0, 1):
        while True:
            with door() as session:
                done = expire_due(session, shard_id, TODAY + A_DAY, 4)
            expired += done
            assert done <= 4
            if not done:
                break
    assert expired == 12
    assert_sound(door)


def test_pending_points_mature_once_and_repay_debt_first(door: Door) -> None:
    resident_id, _, (spent, _) = a_resident_with(
        door, Act(0, points=10), Act(0, points=25, pool="c", matures_on=TODAY + A_WEEK)
    )
    shard_id = (resident_id - 1) // 16_384
    with door() as session:
        hold = reserve(session, resident_id, 10, MERCHANT, now() + SOON, TODAY)
        capture(session, hold.hold_id, hold.shard_id, TODAY)
    take_back(door, spent)
    assert pockets(door, resident_id) == (0, 0, 25, 10)
    with door() as session:
        assert mature_due(session, shard_id, TODAY, 100) == 0
    with door() as session:
        assert mature_due(session, shard_id, TODAY + A_WEEK, 100) == 1
    with door() as session:
        assert mature_due(session, shard_id, TODAY + A_WEEK, 100) == 0
    assert pockets(door, resident_id) == (15, 0, 0, 0)
    assert_sound(door)


def test_points_whose_life_ended_while_pending_become_breakage(door: Door) -> None:
    resident_id, _, _ = a_resident_with(door, Act(0, points=10, lot_on=TODAY, matures_on=TODAY + A_WEEK))
    with door() as session:
        mature_due(session, (resident_id - 1) // 16_384, TODAY + A_WEEK, 100)
    assert pockets(door, resident_id) == (0, 0, 0, 0)
    assert_sound(door)


def test_postings_are_read_newest_first_page_by_page(door: Door) -> None:
    resident_id, _, _ = a_resident_with(door, *(Act(0, points=n) for n in (1, 2, 3, 4, 5)))
    with door() as session:
        first = service.postings_of(session, resident_id, None, 2)
        second = service.postings_of(session, resident_id, first[-1].wallet_seq, 2)
        last = service.postings_of(session, resident_id, second[-1].wallet_seq, 2)
    assert [p.points for p in (*first, *second, *last)] == [5, 4, 3, 2, 1]
    assert [p.balance_after for p in first] == [15, 10]


def test_the_same_act_is_credited_once(door: Door) -> None:
    resident_id, _, (act,) = a_resident_with(door, Act(0, points=10))
    with door() as session:
        assert credit(session, act, TODAY) is None
    assert pockets(door, resident_id) == (10, 0, 0, 0)
