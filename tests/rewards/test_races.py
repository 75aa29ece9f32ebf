"""Everything that can happen to a redemption, at once: the till, its owner, the clock, a clawback. The books hold."""

import random
import secrets
from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from carbon_credits.core import clock
from carbon_credits.core.db import AGAIN, sqlstate
from carbon_credits.core.errors import ProgrammeError
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.clawback import claw_back
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.rewards import codes, redemptions
from tests.factories.ledger import TODAY, Act, a_fund, credit, residents, reverse
from tests.ledger.books import passage_of
from tests.ledger.conftest import Door
from tests.rewards.counter import Counter

THREADS = 8
TURNS = 60  # of each thread
STOCK = 40


class Hustle:
    """A few people, a scarce offer and eight threads; whatever comes, nothing is sold twice."""

    def __init__(self, counter: Counter, seed: int) -> None:
        self.counter, self.seed = counter, seed
        self.offer_id = counter.offer(stock=STOCK, per_person=12)
        with counter.door() as session:
            self.people = residents(session, 5)
            fund_id = a_fund(session)
            self.acts = [
                Act(who, points=40, fund_id=fund_id, lot_on=TODAY if n % 3 == 0 else clock.today())
                for who in self.people
                for n in range(4)
            ]
            for act in self.acts:
                credit(session, act, TODAY)
        self.open: list[tuple[UUID, int]] = []
        self.taken: list[UUID] = []
        self.again: list[str] = []

    def run(self, thread: int) -> Tally[str]:
        dice, done = random.Random(f"{self.seed}/{thread}"), Tally[str]()
        verbs = [self.reserve, self.take, self.undo, self.cancel, self.lapse, self.expire, self.claw_back]
        for _ in range(TURNS):
            verb = dice.choices(verbs, [30, 25, 8, 10, 6, 4, 4])[0]
            done[f"{verb.__name__} {self.told(verb, dice)}"] += 1
        return done

    def told(self, verb: "object", dice: random.Random) -> str:
        while True:
            try:
                verb(dice)  # type: ignore[operator]
            except ProgrammeError as refusal:
                return refusal.code
            except DBAPIError as error:
                # as at every door: what the database asks to be done again is done again
                if sqlstate(error) not in AGAIN:
                    raise
                self.again.append(sqlstate(error) or "")
                continue
            except IndexError:
                return "nothing"
            return "done"

    def reserve(self, dice: random.Random) -> None:
        who = dice.choice(self.people)
        with self.counter.door() as session:
            made = redemptions.reserve(session, self.counter.vault, who, self.offer_id, clock.now())
        self.open.append((made.id, who))
        if dice.random() < 0.2:
            with psycopg.connect(self.counter.owner_url.replace("+psycopg", "")) as owner:
                owner.execute("update hold set expires_at = now() where hold_id = %s", (made.id,))

    def take(self, dice: random.Random) -> None:
        number, _ = dice.choice(self.open)
        taken = self.counter.take(codes.long_code(self.counter.vault, number))
        self.taken.append(taken.id)

    def undo(self, dice: random.Random) -> None:
        self.counter.undo(dice.choice(self.taken))

    def cancel(self, dice: random.Random) -> None:
        number, who = dice.choice(self.open)
        with self.counter.door() as session:
            redemptions.cancel(session, who, number, clock.today())

    def lapse(self, _: random.Random) -> None:
        with self.counter.door() as session:
            redemptions.lapse_due(session, clock.today(), 5)

    def expire(self, _: random.Random) -> None:
        for shard_id in (0, 1):
            with self.counter.door() as session:
                expire_due(session, shard_id, clock.today(), 5)

    def claw_back(self, dice: random.Random) -> None:
        act = dice.choice(self.acts)
        with self.counter.door() as session:
            if claw_back(session, shard_of(act.resident_id), [passage_of(act)], clock.today())[0]:
                reverse(session, act)


def test_everything_at_once_leaves_books_that_hold(counter: Counter, door: Door) -> None:
    hustle = Hustle(counter, secrets.randbelow(10**6))
    print(f"seed {hustle.seed}, {THREADS} threads")
    with ThreadPoolExecutor(THREADS) as threads:
        done = sum(threads.map(hustle.run, range(THREADS)), Tally[str]())
    print(dict(sorted(done.items())), f"done again: {dict(Tally(hustle.again))}")
    assert all(done[f"{verb} done"] for verb in ("reserve", "take", "cancel", "undo"))
    assert 0 <= counter.left(hustle.offer_id) <= STOCK
