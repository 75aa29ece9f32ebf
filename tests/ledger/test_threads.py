"""Many at once: every promise holds, and each wallet, replayed alone in its own order, comes out the same."""

import random
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import now
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.clawback import claw_back
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.ledger.holds import HoldOver, InsufficientPoints, capture, lapse_due, reserve, void
from carbon_credits.ledger.maturing import mature_due
from carbon_credits.ledger.reversing import NotReversible
from carbon_credits.ledger.reversing import reverse as undo
from carbon_credits.ledger.service import postings_of, wallet_of
from tests.factories.ledger import TODAY, Act, a_campaign_fund, a_fund, credit, residents, reverse
from tests.ledger import model
from tests.ledger.books import MERCHANT, SOON, passage_of
from tests.ledger.conftest import Door, assert_sound

THREADS = 8
DAYS = 6
OPERATIONS = 40  # of each thread on each day
LONG_AGO = timedelta(days=-1)
MANY = 1_000
PATIENCE_S = 600  # however slow the machine: who fails ends the waiting at once


@dataclass
class Harness:
    """Eight threads do as they please through the day; at its end all meet and the day changes.

    Each operation takes a number while it still holds its wallets: the order in which they truly happened.
    """

    door: Door
    seed: int
    who: list[int]
    funds: list[int]
    bonus_fund: int
    today: date = TODAY
    numbers: "count[int]" = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)
    log: list[tuple[int, Callable[[dict[int, model.Wallet]], None]]] = field(default_factory=list)
    acts: list[tuple[Act, tuple[model.Part, ...]]] = field(default_factory=list)
    holds: list[tuple[UUID, int]] = field(default_factory=list)
    splits: dict[UUID, dict[model.Bucket, int]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    barrier: threading.Barrier = field(init=False)

    def __post_init__(self) -> None:
        self.barrier = threading.Barrier(THREADS, action=self.tomorrow)

    def tomorrow(self) -> None:
        self.today += timedelta(days=4)

    def run(self, thread: int) -> None:
        dice = random.Random(self.seed * 100 + thread)
        verbs = [self.earn, self.set_aside, self.spend, self.undo, self.give_up, self.take_back, self.sweep]
        try:
            for _ in range(DAYS):
                for _ in range(OPERATIONS):
                    verb = dice.choices(verbs, [40, 24, 12, 8, 8, 12, 4])[0]
                    outcome = verb(dice)
                    with self.lock:
                        self.done[f"{verb.__name__} {outcome}"] += 1
                self.barrier.wait(timeout=PATIENCE_S)
        except BaseException:
            self.barrier.abort()
            raise

    def remember(self, number: int, again: Callable[[dict[int, model.Wallet]], None]) -> None:
        with self.lock:
            self.log.append((number, again))

    def earn(self, dice: random.Random) -> str:
        waits = dice.choice([None, None, 6])
        act = Act(
            dice.choice(self.who),
            points=dice.randint(0, 60),
            bonus=dice.randint(0, 9),
            mg=dice.randint(1, 10**6),
            pool=dice.choice("vcr"),
            fund_id=dice.choice(self.funds),
            bonus_fund_id=self.bonus_fund,
            occurred_on=self.today,
            lot_on=self.today + timedelta(days=dice.choice([5, 20, 60])),
            matures_on=self.today + timedelta(days=waits) if waits else None,
        )
        with self.door() as session:
            granted = credit(session, act, self.today)
            number = next(self.numbers)
        assert granted is not None
        self.remember(number, lambda books: books[act.resident_id].credit(act, granted.parts))
        with self.lock:
            self.acts.append((act, granted.parts))
        return "done"

    def set_aside(self, dice: random.Random) -> str:
        resident_id, points = dice.choice(self.who), dice.randint(1, 90)
        until = now() + (LONG_AGO if dice.random() < 0.2 else SOON)
        today, number, hold_id = self.today, -1, None
        try:
            with self.door() as session:
                try:
                    hold_id = reserve(session, resident_id, points, MERCHANT, until, today).hold_id
                finally:
                    number = next(self.numbers)
        except InsufficientPoints:
            pass

        def again(books: dict[int, model.Wallet]) -> None:
            split = books[resident_id].reserve(points, today)
            assert (split is None) == (hold_id is None)
            if hold_id is not None and split is not None:
                self.splits[hold_id] = split

        self.remember(number, again)
        if hold_id is not None:
            with self.lock:
                self.holds.append((hold_id, resident_id))
        return "refused" if hold_id is None else "done"

    def spend(self, dice: random.Random) -> str:
        return self._resolve(
            dice, capture, lambda books, who, hold_id, _: books[who].capture(self.splits[hold_id], MERCHANT)
        )

    def undo(self, dice: random.Random) -> str:
        return self._resolve(
            dice, undo, lambda books, who, hold_id, day: books[who].undo(self.splits[hold_id], MERCHANT, day)
        )

    def give_up(self, dice: random.Random) -> str:
        return self._resolve(
            dice, void, lambda books, who, hold_id, today: books[who].release(self.splits[hold_id], today)
        )

    def _resolve(
        self,
        dice: random.Random,
        resolve: Callable[[Session, UUID, int, date], object],
        again: Callable[[dict[int, model.Wallet], int, UUID, date], None],
    ) -> str:
        with self.lock:
            if not self.holds:
                return "nothing"
            hold_id, resident_id = dice.choice(self.holds)
        today = self.today
        try:
            with self.door() as session:
                resolve(session, hold_id, shard_of(resident_id), today)
                number = next(self.numbers)
        except (HoldOver, NotReversible):
            return "refused"
        self.remember(number, lambda books: again(books, resident_id, hold_id, today))
        return "done"

    def take_back(self, dice: random.Random) -> str:
        with self.lock:
            if not self.acts:
                return "nothing"
            act, parts = dice.choice(self.acts)
        today = self.today
        with self.door() as session:
            (found,) = claw_back(session, shard_of(act.resident_id), [passage_of(act)], today)
            if found:
                reverse(session, act)
            number = next(self.numbers)

        def again(books: dict[int, model.Wallet]) -> None:
            if found is None:
                books[act.resident_id].expire(today)
            else:
                expected = books[act.resident_id].claw_back(act, parts, today)
                assert vars(found) | {"journal_id": None} == vars(expected)

        self.remember(number, again)
        return "done" if found else "refused"

    def sweep(self, dice: random.Random) -> str:
        today, shard_id = self.today, dice.choice([0, 1])
        what = dice.choice(["mature", "expire", "lapse"])
        lapsed: list[UUID] = []
        with self.door() as session:
            if what == "mature":
                mature_due(session, shard_id, today, MANY)
            elif what == "expire":
                expire_due(session, shard_id, today, MANY)
            else:
                lapse_due(session, today, MANY)
                lapsed = list(session.scalars(_LAPSED_BY_ME))
            number = next(self.numbers)

        def again(books: dict[int, model.Wallet]) -> None:
            if what == "lapse":
                self.lapse_again(books, lapsed, today)
                return
            mine = [books[who] for who in books if shard_of(who) == shard_id]
            if what == "mature":
                model.mature_together(mine, today)
                return
            for wallet in mine:
                wallet.expire(today)

        self.remember(number, again)
        return what

    def lapse_again(self, books: dict[int, model.Wallet], lapsed: list[UUID], today: date) -> None:
        owners = dict(self.holds)
        together: dict[int, dict[model.Bucket, int]] = {}
        for hold_id in lapsed:
            buckets = together.setdefault(owners[hold_id], {})
            for bucket, points in self.splits[hold_id].items():
                buckets[bucket] = buckets.get(bucket, 0) + points
        for resident_id, buckets in together.items():
            books[resident_id].release(buckets, today)


# the rows whose newest version this very transaction wrote
_LAPSED_BY_ME = text("""
    select hold_id from hold
    where state = 'lapsed' and xmin::text = (pg_current_xact_id()::text::numeric % 4294967296)::text
""")


def test_eight_threads_leave_books_that_replay_to_the_same_books(door: Door) -> None:
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    with door() as session:
        funds = [a_fund(session, 20_000), a_fund(session, 900)]
        harness = Harness(door, seed, residents(session, 6), funds, a_campaign_fund(session, 5_000))
    with ThreadPoolExecutor(THREADS) as threads:
        raised = [threads.submit(harness.run, thread).exception for thread in range(THREADS)]
        errors = [error for found in raised if (error := found()) is not None]
    # those who waited for the one that failed only say that they waited in vain
    for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
        raise error
    print(dict(sorted(harness.done.items())))
    assert_sound(door)
    books = {resident_id: model.Wallet() for resident_id in harness.who}
    for _, again in sorted(harness.log, key=lambda entry: entry[0]):
        again(books)
    with door() as session:
        for resident_id, wallet in books.items():
            rows = reversed(postings_of(session, resident_id, None, 100_000))
            said = [(p.contra_kind, p.contra_ref, p.points, p.balance_after) for p in rows]
            assert said == wallet.postings
            stored = wallet_of(session, resident_id)
            assert (stored.available, stored.held, stored.pending, stored.debt) == wallet.balances()
