"""Stories of acts that are taken back: where the points are found, and where they go."""

from sqlalchemy import text

from carbon_credits.core.clock import now
from carbon_credits.ledger import service
from carbon_credits.ledger.holds import capture, reserve
from tests.factories.ledger import LOT_ON, TODAY, Act, a_campaign_fund, a_fund, credit, residents
from tests.ledger.books import A_DAY, A_WEEK, MERCHANT, SOON, a_resident_with, pockets, take_back
from tests.ledger.conftest import Door, assert_sound


def test_a_clawback_takes_pending_points_first_and_the_grams_in_full(door: Door) -> None:
    resident_id, _, (_, act) = a_resident_with(
        door, Act(0, points=5), Act(0, points=20, bonus=4, mg=900, pool="c", matures_on=TODAY + A_WEEK)
    )
    found = take_back(door, act)
    assert found is not None
    assert found.from_pending == 24
    with door() as session:
        wallet = service.wallet_of(session, resident_id)
    assert (wallet.available, wallet.pending, wallet.verified_mg, wallet.claimed_mg) == (5, 0, 1000, 0)
    assert_sound(door)


def test_a_clawback_goes_from_the_own_lot_to_the_latest_to_debt(door: Door) -> None:
    resident_id, _, (act, _, _) = a_resident_with(
        door,
        Act(0, points=20, lot_on=LOT_ON),
        Act(0, points=4, lot_on=LOT_ON + A_DAY),
        Act(0, points=3, lot_on=LOT_ON + A_WEEK),
    )
    with door() as session:
        hold = reserve(session, resident_id, 15, MERCHANT, now() + SOON, TODAY)
        capture(session, hold.hold_id, hold.shard_id, TODAY)
    found = take_back(door, act)
    assert found is not None
    assert (found.from_lot, found.from_other, found.to_debt) == (5, 7, 8)
    assert pockets(door, resident_id) == (0, 0, 0, 8)
    assert_sound(door)


def test_a_clawback_of_lapsed_points_undoes_their_breakage(door: Door) -> None:
    resident_id, _, (act, _) = a_resident_with(door, Act(0, points=20, lot_on=TODAY), Act(0, points=6))
    found = take_back(door, act, TODAY + A_DAY)
    assert found is not None
    assert found.from_breakage == 20
    assert pockets(door, resident_id) == (6, 0, 0, 0)
    assert_sound(door)


def test_an_act_is_clawed_back_once(door: Door) -> None:
    resident_id, _, (act, _) = a_resident_with(door, Act(0, points=20), Act(0, points=6))
    assert take_back(door, act) is not None
    assert take_back(door, act) is None
    assert pockets(door, resident_id) == (6, 0, 0, 0)
    assert_sound(door)


def test_grams_without_points_are_taken_back_too(door: Door) -> None:
    with door() as session:
        (resident_id,) = residents(session, 1)
        act = Act(resident_id, points=10, fund_id=a_fund(session, 0))
        credit(session, act, TODAY)
    found = take_back(door, act)
    assert found is not None
    assert found.journal_id is not None
    with door() as session:
        assert service.wallet_of(session, resident_id).verified_mg == 0
    assert_sound(door)


def test_each_fund_gets_back_what_it_gave(door: Door) -> None:
    with door() as session:
        (resident_id,) = residents(session, 1)
        base, bonus = a_fund(session, 100), a_campaign_fund(session, 100)
        act = Act(resident_id, points=10, fund_id=base, bonus=3, bonus_fund_id=bonus)
        credit(session, act, TODAY)
    take_back(door, act)
    with door() as session:
        rest = session.execute(
            text("""
                select f.fund_id, f.unallocated + sum(s.remaining)::bigint
                from fund f join fund_slot s using (fund_id) group by f.fund_id order by 1
            """)
        ).all()
    assert [tuple(row) for row in rest] == [(base, 100), (bonus, 100)]
    assert_sound(door)
