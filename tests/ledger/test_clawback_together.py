"""Many acts taken back together come to the same as one by one: every pocket, bucket, fund and posting."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import now
from carbon_credits.core.ids import SHARD_SIZE, shard_of
from carbon_credits.ledger.clawback import claw_back
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.ledger.holds import InsufficientPoints, capture, reserve
from carbon_credits.ledger.maturing import mature_due
from carbon_credits.ledger.recovery import Recovered
from tests.factories.ledger import TODAY, Act, a_campaign_fund, a_fund, credit, residents, reverse
from tests.ledger.books import MERCHANT, SOON, a_resident_with, passage_of
from tests.ledger.conftest import Door, assert_sound
from tests.statements import asked_of

MANY = 1_000
PEOPLE = 3
# what stands in the books of one resident, funds by their place among the two
STANDS = text("""
select 'wallet', 0, null::date, null::date, w.available, w.held, w.pending, w.debt, w.verified_mg, w.claimed_mg,
       w.removal_mg, w.seq::bigint
from wallet w where resident_id = :resident
union all
select 'lot', array_position(:funds, fund_id), expires_on, null, earned, remaining, held, 0, 0, 0, 0, 0
from lot where resident_id = :resident
union all
select 'pending', array_position(:funds, fund_id), expires_on, matures_on, points, 0, 0, 0, 0, 0, 0, 0
from pending_lot where resident_id = :resident
union all
select 'posting', coalesce(array_position(:funds, contra_ref), 0), lot_on, effective_on, wallet_seq, balance_after,
       points, contra_kind, verified_mg, claimed_mg, removal_mg, generation
from posting where resident_id = :resident
order by 1, 2, 3, 4, 5
""")
LEFT = text("""
select unallocated + coalesce((select sum(remaining) from fund_slot s where s.fund_id = f.fund_id), 0) from fund f
where fund_id = any(:funds) order by fund_id
""")
ACTS = st.lists(
    st.tuples(
        st.integers(0, PEOPLE - 1),  # whose
        st.integers(0, 1),  # fund
        st.integers(0, 40),  # points
        st.sampled_from([0, 0, 7]),  # bonus
        st.sampled_from([None, None, 2, 30]),  # days until they mature
        st.sampled_from([3, 20, 60]),  # days they live
        st.sampled_from("vcr"),
    ),
    min_size=2,
    max_size=10,
)


class Side:
    """Some people with two funds of their own, who live through the same as their twins."""

    def __init__(self, door: Door, whose: Sequence[int]) -> None:
        self.door = door
        self.whose = whose
        with door() as session:
            self.funds = [a_fund(session, 200), a_fund(session, 90), a_campaign_fund(session, 60)]
        self.acts: list[Act] = []

    def live(self, acts: Sequence[tuple[Any, ...]], spends: Sequence[tuple[int, int]]) -> None:
        with self.door() as session:
            for who, fund, points, bonus, waits, lives, pool in acts:
                act = Act(
                    self.whose[who],
                    points=points,
                    bonus=bonus,
                    pool=pool,
                    fund_id=self.funds[fund],
                    bonus_fund_id=self.funds[2],
                    matures_on=TODAY + timedelta(days=waits) if waits else None,
                    lot_on=TODAY + timedelta(days=lives),
                )
                credit(session, act, TODAY)
                self.acts.append(act)
        for who, points in spends:
            self.spend(self.whose[who], points)

    def spend(self, resident_id: int, points: int) -> None:
        try:
            with self.door() as session:
                hold = reserve(session, resident_id, points, MERCHANT, now() + SOON, TODAY)
                capture(session, hold.hold_id, hold.shard_id, TODAY)
        except InsufficientPoints:
            return

    def take_back(self, parts: Sequence[Sequence[int]], today: date) -> list[Recovered | None]:
        found: list[Recovered | None] = []
        for part in parts:
            acts = [self.acts[place] for place in part]
            with self.door() as session:
                found += claw_back(session, 0, [passage_of(act) for act in acts], today)
                for act in acts:
                    reverse(session, act)
        return [None if each is None else replace(each, journal_id=None) for each in found]

    def stands(self) -> list[list[tuple[Any, ...]]]:
        with self.door() as session:
            of_people = [
                session.execute(STANDS, {"resident": one, "funds": self.funds}).all() for one in self.whose
            ]
            of_people.append(session.execute(LEFT, {"funds": self.funds}).all())
        return [[tuple(row) for row in rows] for rows in of_people]


def _people(session: Session) -> list[int]:
    """In one shard, so that all of them can be taken back in one go."""
    made: list[int] = []
    while len(made) < 2 * PEOPLE:
        made += [one for one in residents(session, 1) if one <= SHARD_SIZE]
    return made


def test_together_is_as_one_by_one(door: Door) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        acts=ACTS,
        spends=st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.integers(1, 60)), max_size=4),
        days=st.sampled_from([0, 2, 4, 25]),
        data=st.data(),
    )
    def hold(acts: Any, spends: Any, days: int, data: st.DataObject) -> None:
        today = TODAY + timedelta(days=days)
        with door() as session:
            people = _people(session)
        one_by_one, together = Side(door, people[:PEOPLE]), Side(door, people[PEOPLE:])
        for side in (one_by_one, together):
            side.live(acts, spends)
        # for both at once: whom a batch finds lapsed depends on who else is in it, the people of examples before too
        with door() as session:
            mature_due(session, 0, today, MANY)
            expire_due(session, 0, today - timedelta(days=1), MANY)
        order = data.draw(st.permutations(range(len(acts))))[: data.draw(st.integers(1, len(acts)))]
        # one of them twice: done once
        order = [*order, order[0]]
        assert one_by_one.take_back([[place] for place in order], today) == together.take_back([order], today)
        assert one_by_one.stands() == together.stands()

    hold()
    assert_sound(door)


def test_many_cost_as_many_statements_as_one(door: Door) -> None:
    def statements(acts: Sequence[Act]) -> int:
        with door() as session:
            with asked_of(session.get_bind()) as asked:
                found = claw_back(
                    session, shard_of(acts[0].resident_id), [passage_of(act) for act in acts], TODAY
                )
            assert all(each is not None and each.from_lot + each.from_pending == 10 for each in found)
            for act in acts:
                reverse(session, act)
        return len(asked)

    soon = TODAY + timedelta(days=3)
    _, _, acts = a_resident_with(door, *(Act(0, matures_on=soon if n % 2 else None) for n in range(42)))
    assert statements(acts[:2]) == statements(acts[2:])
    assert_sound(door)
