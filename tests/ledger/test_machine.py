"""The ledger against a plain-Python model of it: any order of anything, every promise after each step."""

from datetime import date, timedelta
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from carbon_credits.core.clock import now
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.check import check
from carbon_credits.ledger.clawback import claw_back
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.ledger.holds import HoldOver, InsufficientPoints, capture, lapse_due, reserve, void
from carbon_credits.ledger.maturing import mature_due
from carbon_credits.ledger.reversing import NotReversible
from carbon_credits.ledger.reversing import reverse as undo
from carbon_credits.ledger.service import postings_of, wallet_of
from tests.database import Cleaner
from tests.factories.ledger import (
    TODAY,
    Act,
    a_campaign_fund,
    a_deposit,
    a_fund,
    credit,
    months_of,
    residents,
    reverse,
)
from tests.ledger import model
from tests.ledger.books import passage_of
from tests.ledger.conftest import Door

MERCHANT = 7
MANY = 1_000
LONG_AGO = timedelta(days=-1)
QUARTER_HOUR = timedelta(minutes=15)


class Books(RuleBasedStateMachine):
    """Four residents in two shards, two small funds; the model and the database do the same."""

    def __init__(self, door: Door, cleaner: Cleaner) -> None:
        super().__init__()
        cleaner.clean()
        self.door = door
        self.today: date = TODAY
        with door() as session:
            months_of(session, TODAY, TODAY + timedelta(days=150))
            self.residents = residents(session, 4)
            self.free = {
                a_fund(session, 300): 300,
                a_fund(session, 120): 120,
                a_campaign_fund(session, 80): 80,
            }
        self.funds = list(self.free)
        self.wallets = {resident_id: model.Wallet() for resident_id in self.residents}
        self.acts: list[tuple[Act, tuple[model.Part, ...]]] = []
        self.taken_back: set[int] = set()
        self.holds: dict[UUID, tuple[int, dict[model.Bucket, int], bool]] = {}
        self.spent: dict[UUID, tuple[int, dict[model.Bucket, int]]] = {}
        self.undone: set[UUID] = set()

    def shards(self) -> list[int]:
        return sorted({shard_of(resident_id) for resident_id in self.residents})

    @rule(
        who=st.integers(0, 3),
        fund=st.integers(0, 1),
        points=st.integers(0, 60),
        bonus=st.integers(0, 20),
        mg=st.integers(1, 10**6),
        pool=st.sampled_from("vcr"),
        waits=st.sampled_from([None, None, 7, 15]),
        lives=st.sampled_from([3, 20, 60]),
    )
    def earn(
        self, who: int, fund: int, points: int, bonus: int, mg: int, pool: str, waits: int | None, lives: int
    ) -> None:
        act = Act(
            self.residents[who],
            points=points,
            mg=mg,
            pool=pool,
            fund_id=self.funds[fund],
            bonus=bonus,
            bonus_fund_id=self.funds[2],
            occurred_on=self.today,
            lot_on=self.today + timedelta(days=lives),
            matures_on=self.today + timedelta(days=waits) if waits else None,
        )
        with self.door() as session:
            granted = credit(session, act, self.today)
        assert granted is not None
        for kind, fund_id, got in granted.parts:
            wanted = points if kind == 1 else bonus
            assert got == min(wanted, self.free[fund_id])
            self.free[fund_id] -= got
        self.wallets[act.resident_id].credit(act, granted.parts)
        self.acts.append((act, granted.parts))

    @precondition(lambda self: self.acts)
    @rule(which=st.integers(0, 10**6))
    def earn_again(self, which: int) -> None:
        act, _ = self.acts[which % len(self.acts)]
        with self.door() as session:
            assert credit(session, act, self.today) is None

    @rule(who=st.integers(0, 3), points=st.integers(1, 80), over=st.booleans())
    def set_aside(self, who: int, points: int, over: bool) -> None:
        resident_id = self.residents[who]
        split = self.wallets[resident_id].reserve(points, self.today)
        until = now() + (LONG_AGO if over else QUARTER_HOUR)
        try:
            with self.door() as session:
                hold = reserve(session, resident_id, points, MERCHANT, until, self.today)
        except InsufficientPoints:
            assert split is None
            return
        assert split is not None
        self.holds[hold.hold_id] = (resident_id, split, over)

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 10**6))
    def spend(self, which: int) -> None:
        hold_id = list(self.holds)[which % len(self.holds)]
        resident_id, split, over = self.holds[hold_id]
        try:
            with self.door() as session:
                capture(session, hold_id, shard_of(resident_id), self.today)
        except HoldOver:
            assert over
            return
        assert not over
        self.wallets[resident_id].capture(split, MERCHANT)
        del self.holds[hold_id]
        self.spent[hold_id] = (resident_id, split)

    @precondition(lambda self: self.spent)
    @rule(which=st.integers(0, 10**6))
    def undo_a_capture(self, which: int) -> None:
        hold_id = list(self.spent)[which % len(self.spent)]
        resident_id, split = self.spent[hold_id]
        try:
            with self.door() as session:
                undo(session, hold_id, shard_of(resident_id), self.today)
        except NotReversible:
            assert hold_id in self.undone
            return
        assert hold_id not in self.undone
        self.undone.add(hold_id)
        self.wallets[resident_id].undo(split, MERCHANT, self.today)

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 10**6))
    def give_up(self, which: int) -> None:
        hold_id = list(self.holds)[which % len(self.holds)]
        resident_id, split, _ = self.holds.pop(hold_id)
        with self.door() as session:
            void(session, hold_id, shard_of(resident_id), self.today)
        self.wallets[resident_id].release(split, self.today)

    @rule()
    def holds_lapse(self) -> None:
        over = [hold_id for hold_id, (_, _, late) in self.holds.items() if late]
        with self.door() as session:
            assert len(lapse_due(session, self.today, MANY)) == len(over)
        together: dict[int, dict[model.Bucket, int]] = {}
        for hold_id in over:
            resident_id, split, _ = self.holds.pop(hold_id)
            buckets = together.setdefault(resident_id, {})
            for bucket, points in split.items():
                buckets[bucket] = buckets.get(bucket, 0) + points
        for resident_id, buckets in together.items():
            self.wallets[resident_id].release(buckets, self.today)

    @rule()
    def points_mature(self) -> None:
        for shard_id in self.shards():
            with self.door() as session:
                mature_due(session, shard_id, self.today, MANY)
            mine = [wallet for who, wallet in self.wallets.items() if shard_of(who) == shard_id]
            model.mature_together(mine, self.today)

    @rule()
    def points_expire(self) -> None:
        expired = 0
        for shard_id in self.shards():
            with self.door() as session:
                expired += expire_due(session, shard_id, self.today, MANY)
        assert expired == sum(wallet.expire(self.today) for wallet in self.wallets.values())

    @precondition(lambda self: self.acts)
    @rule(which=st.integers(0, 10**6))
    def take_back(self, which: int) -> None:
        act, parts = self.acts[which % len(self.acts)]
        with self.door() as session:
            (found,) = claw_back(session, shard_of(act.resident_id), [passage_of(act)], self.today)
            if found:
                reverse(session, act)
        wallet = self.wallets[act.resident_id]
        if act.activity_id in self.taken_back:
            assert found is None
            wallet.expire(self.today)
            return
        assert found is not None
        expected = wallet.claw_back(act, parts, self.today)
        assert vars(found) | {"journal_id": None} == vars(expected)
        self.taken_back.add(act.activity_id)
        for _, fund_id, points in parts:
            self.free[fund_id] += points

    @rule(days=st.integers(1, 12))
    def days_pass(self, days: int) -> None:
        self.today = min(self.today + timedelta(days=days), TODAY + timedelta(days=150))

    @rule(fund=st.integers(0, 1), points=st.integers(1, 200))
    def money_comes(self, fund: int, points: int) -> None:
        with self.door() as session:
            a_deposit(session, self.funds[fund], points)
        self.free[self.funds[fund]] += points

    @invariant()
    def the_wallets_agree(self) -> None:
        with self.door() as session:
            for resident_id, wallet in self.wallets.items():
                books = wallet_of(session, resident_id)
                assert (books.available, books.held, books.pending, books.debt) == wallet.balances()
                grams = {"v": books.verified_mg, "c": books.claimed_mg, "r": books.removal_mg}
                assert grams == wallet.grams
                rows = reversed(postings_of(session, resident_id, None, MANY))
                said = [(p.contra_kind, p.contra_ref, p.points, p.balance_after) for p in rows]
                assert said == wallet.postings

    @invariant()
    def the_lots_agree(self) -> None:
        with self.door() as session:
            rows = session.execute(
                text("select * from lot where resident_id = any(:who)"), {"who": self.residents}
            ).all()
        for resident_id, wallet in self.wallets.items():
            mine = [row for row in rows if row.resident_id == resident_id]
            free = {(row.expires_on, row.fund_id): row.remaining for row in mine if row.remaining}
            held = {(row.expires_on, row.fund_id): row.held for row in mine if row.held}
            assert free == {bucket: points for bucket, points in wallet.free.items() if points}
            assert held == {bucket: points for bucket, points in wallet.held.items() if points}

    @invariant()
    def the_funds_agree(self) -> None:
        with self.door() as session:
            rows = session.execute(
                text("""
                    select fund_id, unallocated + coalesce((select sum(remaining) from fund_slot s
                                                            where s.fund_id = f.fund_id), 0)
                    from fund f where fund_id = any(:funds)
                """),
                {"funds": self.funds},
            )
            assert {fund_id: int(points) for fund_id, points in rows} == self.free

    @invariant()
    def every_promise_holds(self) -> None:
        with self.door() as session:
            assert [finding for finding in check(session, seal_delay_s=3600) if finding.violations] == []


def test_the_ledger_does_what_its_model_does(door: Door, cleaner: Cleaner) -> None:
    run_state_machine_as_test(
        lambda: Books(door, cleaner),  # type: ignore[arg-type] # a factory will do, its own documentation says
        settings=settings(
            max_examples=10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            print_blob=True,
        ),
    )
