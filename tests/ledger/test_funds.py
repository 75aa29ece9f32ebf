"""Points come out of a budget, and never more than it holds, whoever asks and from wherever."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from carbon_credits.core.errors import NotFound
from carbon_credits.ledger import funds
from tests.factories.ledger import a_deposit, a_fund
from tests.ledger.conftest import Door


def left(door: Door, fund_id: int) -> tuple[int, dict[int, int]]:
    with door() as session:
        unallocated = session.execute(
            text("select unallocated from fund where fund_id = :f"), {"f": fund_id}
        ).scalar_one()
        slots = session.execute(
            text("select shard_id, remaining from fund_slot where fund_id = :f order by 1"), {"f": fund_id}
        )
        return unallocated, {row.shard_id: row.remaining for row in slots}


def test_a_slot_fetches_its_need_and_a_reserve(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session, 10_000)
        assert funds.take(session, 0, {fund_id: 50}) == {fund_id: 50}
    assert left(door, fund_id) == (9_750, {0: 200})


def test_a_slot_with_enough_asks_nobody(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session, 10_000)
        funds.take(session, 0, {fund_id: 50})
        funds.take(session, 0, {fund_id: 200})
    assert left(door, fund_id) == (9_750, {0: 0})


def test_the_last_points_come_from_the_other_slots(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session, 100)
        funds.take(session, 0, {fund_id: 10})
        funds.take(session, 1, {fund_id: 10})
        assert funds.take(session, 2, {fund_id: 80}) == {fund_id: 80}
        assert funds.take(session, 2, {fund_id: 1}) == {fund_id: 0}
    assert left(door, fund_id) == (0, {0: 0, 1: 0, 2: 0})


def test_a_fund_gives_what_it_has_and_not_more(door: Door) -> None:
    with door() as session:
        rich, poor = a_fund(session, 100), a_fund(session, 7)
        assert funds.take(session, 0, {poor: 30, rich: 30}) == {poor: 7, rich: 30}


def test_what_comes_back_can_be_taken_again(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session, 10)
        funds.take(session, 0, {fund_id: 10})
        assert funds.take(session, 0, {fund_id: -4}) == {fund_id: -4}
        assert funds.take(session, 1, {fund_id: 9}) == {fund_id: 4}


def test_an_unknown_fund_is_not_found(door: Door) -> None:
    for ask in (lambda s: funds.take(s, 0, {999: 1}), lambda s: funds.deposit(s, 999, 1, 1, 1)):
        with pytest.raises(NotFound), door() as session:
            ask(session)


def test_one_approval_pays_in_once(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session, 10)
        approval_id = session.execute(text("select max(approval_id) from approval")).scalar_one()
    with pytest.raises(IntegrityError), door() as session:
        funds.deposit(session, fund_id, 10, 10, approval_id)
    assert left(door, fund_id) == (10, {})


def test_shards_that_ask_at_once_get_everything_and_nothing_twice(door: Door) -> None:
    with door() as session:
        both = [a_fund(session, 2_000), a_fund(session, 500)]

    def ask(shard_id: int) -> dict[int, int]:
        got = dict.fromkeys(both, 0)
        for _ in range(40):
            with door() as session:
                for fund_id, points in funds.take(session, shard_id, dict.fromkeys(both, 9)).items():
                    got[fund_id] += points
        return got

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(ask, range(8)))
    # 8 * 40 * 9 = 2,880 were wanted of each: both funds are spent to the last point
    assert {fund_id: sum(got[fund_id] for got in results) for fund_id in both} == {
        both[0]: 2_000,
        both[1]: 500,
    }
    for fund_id in both:
        unallocated, slots = left(door, fund_id)
        assert (unallocated, sum(slots.values())) == (0, 0)
    with door() as session:
        a_deposit(session, both[1], 5)
        assert funds.take(session, 3, {both[1]: 9}) == {both[1]: 5}
