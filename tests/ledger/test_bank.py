"""The bank test: whoever adds the books up at any moment, while everything moves, finds that they balance.

Two hundred reads in the suite; `BANK_SECONDS=60 pytest -s tests/ledger/test_bank.py` reads for a minute, a thousand times
at least.
"""

import os
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError

from carbon_credits.core.clock import now
from carbon_credits.core.db import AGAIN, sqlstate
from carbon_credits.core.errors import ProgrammeError
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.balance_sheet import balance_sheet
from carbon_credits.ledger.clawback import claw_back
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.ledger.holds import Reserved, capture, lapse_due, reserve, void
from carbon_credits.ledger.reversing import reverse as undo
from carbon_credits.ledger.sealing import seal_once
from tests.factories.ledger import TODAY, Act, a_campaign_fund, a_deposit, a_fund, credit, residents, reverse
from tests.ledger.books import A_DAY, MERCHANT, SOON, passage_of
from tests.ledger.conftest import Door, assert_sound

SECONDS = float(os.environ.get("BANK_SECONDS", "4"))
READS = 1_000 if SECONDS >= 60 else 200
WRITERS = 4
SHARDS = (0, 1)


class Traffic:
    """Earning, spending, undoing, taking back, lapsing and sealing at random until told to stop."""

    def __init__(self, door: Door, seed: int) -> None:
        self.door, self.seed = door, seed
        self.over = threading.Event()
        with door() as session:
            self.people = residents(session, 40)
            self.funds = [a_fund(session, 100_000), a_fund(session, 500)]
            self.bonus_fund = a_campaign_fund(session, 50_000)
        self.acts: list[Act] = []
        self.holds: list[Reserved] = []

    def run(self, thread: int) -> Counter[str]:
        dice, done = random.Random(f"{self.seed}/{thread}"), Counter[str]()
        ways: dict[Callable[[Any, random.Random], object], int] = {
            self.earn: 40,
            self.set_aside: 25,
            self.spend: 15,
            self.undo: 6,
            self.give_up: 5,
            self.take_back: 8,
            self.sweep: 4,
            self.pay_in: 1,
        }
        while not self.over.is_set():
            way = dice.choices(list(ways), list(ways.values()))[0]
            try:
                with self.door() as session:
                    made = way(session, dice)
                # only what is committed is anybody's to go on with
                if isinstance(made, Act):
                    self.acts.append(made)
                elif isinstance(made, Reserved):
                    self.holds.append(made)
                done[way.__name__] += 1
            except (ProgrammeError, IndexError) as error:
                done[f"{way.__name__} {type(error).__name__}"] += 1
            except DBAPIError as error:
                # as at every door: what the database asks to be done again is done again
                if sqlstate(error) not in AGAIN:
                    raise
                done[f"{way.__name__} again"] += 1
        return done

    def earn(self, session: Any, dice: random.Random) -> Act:
        act = Act(
            dice.choice(self.people),
            points=dice.randint(1, 60),
            bonus=dice.randint(0, 9),
            fund_id=dice.choice(self.funds),
            bonus_fund_id=self.bonus_fund,
            lot_on=TODAY + dice.choice([-A_DAY, A_DAY, 90 * A_DAY]),
            matures_on=dice.choice([None, None, TODAY + 7 * A_DAY]),
        )
        credit(session, act, TODAY)
        return act

    def pay_in(self, session: Any, _: random.Random) -> None:
        a_deposit(session, self.funds[1], 50)

    def set_aside(self, session: Any, dice: random.Random) -> Reserved:
        until = now() + (SOON if dice.random() < 0.9 else timedelta(0))
        return reserve(session, dice.choice(self.people), dice.randint(1, 40), MERCHANT, until, TODAY)

    def spend(self, session: Any, dice: random.Random) -> None:
        hold = dice.choice(self.holds)
        capture(session, hold.hold_id, hold.shard_id, TODAY)

    def undo(self, session: Any, dice: random.Random) -> None:
        hold = dice.choice(self.holds)
        undo(session, hold.hold_id, hold.shard_id, TODAY)

    def give_up(self, session: Any, dice: random.Random) -> None:
        hold = dice.choice(self.holds)
        void(session, hold.hold_id, hold.shard_id, TODAY)

    def take_back(self, session: Any, dice: random.Random) -> None:
        act = dice.choice(self.acts)
        if claw_back(session, shard_of(act.resident_id), [passage_of(act)], TODAY)[0]:
            reverse(session, act)

    def sweep(self, session: Any, dice: random.Random) -> None:
        expire_due(session, dice.choice(SHARDS), TODAY, 20)
        lapse_due(session, TODAY, 20)
        seal_once(session, 200)


def test_the_books_balance_in_every_read_while_everything_moves(door: Door) -> None:
    traffic = Traffic(door, secrets.randbelow(10**6))
    reads, moved, waiting, faults = 0, set(), 0, list[str]()
    with ThreadPoolExecutor(WRITERS) as threads:
        working = [threads.submit(traffic.run, thread) for thread in range(WRITERS)]
        began = time.monotonic()
        try:
            while reads < READS or time.monotonic() - began < SECONDS:
                with door() as session:
                    sheet = balance_sheet(session)
                faults += sheet.faults()
                moved.add((sheet.owed, sheet.sealed, sheet.spent))
                waiting += sheet.unsealed > 0
                reads += 1
        finally:
            took = time.monotonic() - began
            traffic.over.set()
        done = sum((work.result() for work in working), Counter[str]())
    print(
        f"seed {traffic.seed}, {WRITERS} writers: {reads} reads in {took:.1f} s saw {len(moved)} different books"
    )
    print(dict(sorted(done.items())))
    assert faults == []
    assert reads >= READS
    assert len(moved) > READS // 10
    assert sheet.sealed
    # in some reads, for a sweep may have come just before the last
    assert waiting
    assert_sound(door)
