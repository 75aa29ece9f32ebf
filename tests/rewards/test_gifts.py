"""Gifts of many: met and taken, cut off in between and gone on with, or given back to everybody."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.rewards import gifts, redemptions
from carbon_credits.rewards.gifts import Gift
from carbon_credits.rewards.redemptions import Redemption
from tests.factories.redemptions import residents_with
from tests.rewards.counter import Counter, refused


@pytest.fixture
def gift(counter: Counter) -> Gift:
    """Four pieces of ten points."""
    offer_id = counter.offer(kind="group_gift", stock=9)
    until = clock.now() + timedelta(days=2)
    with counter.door() as session:
        return gifts.begin(
            session, counter.vault, counter.resident_id, offer_id, "树林", 4, until, clock.now()
        )


def pledge(counter: Counter, gift: Gift, resident_id: int) -> Redemption:
    with counter.door() as session:
        return gifts.pledge(session, counter.vault, resident_id, gift.join_code, clock.now())


def finish(counter: Counter, limit: int = 2) -> list[int]:
    """Chunk by chunk until nothing is left."""
    done = [-1]
    while done[-1]:
        with counter.door() as session:
            done.append(gifts.finish_due(session, clock.now(), clock.today(), limit))
    return done[1:]


def states(counter: Counter) -> dict[str, int]:
    with counter.door() as session:
        rows = session.execute(text("select state, count(*) as n from redemption group by state"))
        return {str(row.state): int(row.n) for row in rows}


def test_pledges_of_both_shards_are_taken_in_chunks_when_the_goal_is_met(
    counter: Counter, gift: Gift
) -> None:
    with counter.door() as session:
        people = residents_with(session, 4, 10)
    pledged = [pledge(counter, gift, who) for who in people]
    assert finish(counter)[-2:] == [2, 0]
    assert states(counter) == {"captured": 4}
    with refused("gift_over"):
        pledge(counter, gift, counter.resident_id)
    with refused("redemption_over"), counter.door() as session:
        redemptions.cancel(session, people[0], pledged[0].id, clock.today())
    assert counter.left(gift.offer_id) == 5


def test_a_pledge_may_be_taken_back_until_the_goal_is_met(counter: Counter, gift: Gift) -> None:
    first = pledge(counter, gift, counter.resident_id)
    counter.cancel(first.id)
    pledges = [pledge(counter, gift, counter.resident_id) for _ in range(4)]
    with counter.door() as session:
        assert gifts.show(session, counter.vault, gift.join_code.lower()).state == "complete"
    with refused("gift_over"):
        counter.cancel(pledges[0].id)
    assert finish(counter) == [2, 2, 0]


def test_those_who_began_and_those_who_pledged_find_their_gifts_again(counter: Counter, gift: Gift) -> None:
    with counter.door() as session:
        one, other = residents_with(session, 2, 10)
    pledge(counter, gift, one)
    with counter.door() as session:
        mine = {who: gifts.gifts_of(session, counter.vault, who, None, 9) for who in (one, other)}
        begun = gifts.gifts_of(session, counter.vault, counter.resident_id, None, 9)
        assert gifts.gifts_of(session, counter.vault, one, gift.gift_id, 9) == []
    assert mine == {one: begun, other: []}
    assert [(told.join_code, told.pledged) for told in begun] == [(gift.join_code, 10)]


def test_what_is_not_met_in_time_is_given_back(counter: Counter, gift: Gift) -> None:
    for _ in range(3):
        pledge(counter, gift, counter.resident_id)
    assert finish(counter) == [0]
    with psycopg.connect(counter.owner_url.replace("+psycopg", "")) as owner:
        owner.execute("update gift set deadline = clock_timestamp() - interval '1 second'")
    with refused("gift_over"):
        pledge(counter, gift, counter.resident_id)
    assert finish(counter) == [1, 2, 1, 0]
    assert states(counter) == {"cancelled": 3}
    assert (counter.left(gift.offer_id), counter.pockets()) == (9, (200, 0, 0, 0))


def test_only_an_offer_for_many_is_a_gift_of_many(counter: Counter) -> None:
    offer_id, until = counter.offer(), clock.now() + timedelta(days=2)
    with refused("not_a_gift"), counter.door() as session:
        gifts.begin(session, counter.vault, counter.resident_id, offer_id, "树", 2, until, clock.now())
    with refused("gift_unknown"), counter.door() as session:
        gifts.show(session, counter.vault, "7K3M9QX2TA")
