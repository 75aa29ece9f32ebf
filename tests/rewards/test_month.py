"""A month of many merchants: captures, reversals, payments that fail, come back, and whose answers are lost.

It settles to nothing unexplained and, to the last micro-fen, to what plain Python makes of the same captures. The
suite plays a small month; `SETTLEMENT_MONTH=200,100000 .venv/bin/python -m pytest tests/rewards/test_month.py` a
district's.
"""

import os
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.rewards import (
    paying,
    payments,
    provider_lines,
    rail_report,
    settlement_approval,
    statements,
)
from carbon_credits.rewards.payment_contract import Unknown
from carbon_credits.rewards.settlement import make_next
from carbon_credits.rewards.settlement_models import Payment, Settlement
from carbon_credits.staff.models import Staff
from tests.rewards import plain_books
from tests.rewards.plain_books import Owed
from tests.rewards.rail_server import Fault, LoopbackRail, RailServer, running
from tests.rewards.till_ground import Taken, a_month, a_purse, a_shop, after, two_of_finance, write

MERCHANTS, CAPTURES = (int(n) for n in os.environ.get("SETTLEMENT_MONTH", "20,2000").split(","))
DAYS = 30
QUIET = 4  # days at the end on which everything goes well, so that what failed before has its end
SEED = 20_261_129


@dataclass
class Month:
    """What is being played: who acts, what came back on which day."""

    session: Session
    server: RailServer
    rail: LoopbackRail
    chance: random.Random
    people: tuple[str, str]
    finance: int
    is_quiet: bool = False
    returned: dict[tuple[int, date], int] = field(default_factory=lambda: defaultdict(int))
    happened: Counter[str] = field(default_factory=Counter)

    def trouble(self, verb: str, key: str, nth: int) -> Fault:
        """One call in eight goes wrong in some way."""
        del key, nth
        what = self.chance.choices(
            (None, "before", "after", "balance_insufficient", "account_closed"), (70, 4, 4, 2, 2)
        )[0]
        if verb != "pay" and what not in (None, "before"):
            what = None
        if what:
            self.happened[what] += 1
        return what

    def day(self, day: date) -> None:
        """The day after: statements, two people, payments, what comes back, a person who tries again."""
        now = after(day, 2)
        while make_next(self.session, now):
            self.session.commit()
        self.session.commit()
        self.approve(day)
        self.pay(day)
        self.some_come_back(day + timedelta(days=1))
        self.pay(day)
        self.try_again()

    def approve(self, day: date) -> None:
        """One proposal for the day, another's approval."""
        waiting = select(Settlement.day).where(Settlement.state == "frozen").distinct()
        for waiting_day in list(self.session.execute(waiting).scalars()):
            assert waiting_day == day
            asks, agrees = self.people
            payload = settlement_approval.payload_of(self.session, day)
            proposed = approving.propose(self.session, settlement_approval.KIND, payload, "the day", asks)
            approving.decide(self.session, proposed.approval_id, agrees, approve=True)
        self.session.commit()

    def pay(self, day: date) -> None:
        """One round, as the task does it, on that day."""
        now = after(day, 3)
        in_transaction(lambda session: payments.begin(session, "stripe", now))
        done = paying.pay_unfinished(self.rail, day + timedelta(days=1))
        self.happened["heard"] += done.heard

    def some_come_back(self, today: date) -> None:
        """Some transfers are returned, in part or whole, soon or weeks later; we are told of it."""
        for transfer in list(self.server.books.transfers.values()):
            if self.is_quiet or transfer.reversed_fen or self.chance.random() > 0.004:
                continue
            with reading() as session:
                row = session.execute(
                    select(Settlement.merchant_id)
                    .join(Payment, Payment.settlement_id == Settlement.settlement_id)
                    .where(Payment.provider_ref == transfer.reference)
                ).scalar_one_or_none()
            if row is None:
                continue
            fen = self.chance.choice((transfer.amount_fen, self.chance.randint(1, transfer.amount_fen)))
            self.server.books.give_back(transfer.reference, fen)
            self.returned[row, today] += fen
            self.happened["returned"] += 1
            self.hear(transfer.reference, today)

    def hear(self, reference: str, today: date) -> None:
        """A notice, asked about until the rail answers."""
        while True:
            try:
                assert paying.follow_up(self.rail, reference, today)
            except Unknown:
                continue
            return

    def try_again(self) -> None:
        """A person tries again what a person has to."""
        failed = text("""
            select settlement_id from settlement s
            join lateral (select p.state, failure from payment p where p.settlement_id = s.settlement_id
                          order by attempt desc limit 1) p on p.state = 'failed' and not failure = any(:automatic)
            where s.state = 'approved'
        """)
        for number in self.session.execute(failed, {"automatic": list(payments.AUTOMATIC)}).scalars().all():
            payments.retry(self.session, number, self.finance)
        self.session.commit()


def a_played_month(session: Session, server: RailServer, taken: list[Taken], first: date) -> Month:
    """Every day of it, then the quiet days."""
    staff = two_of_finance(session)
    asked = select(Staff.name).where(Staff.staff_id.in_((staff.asks, staff.agrees)))
    asks, agrees = session.execute(asked).scalars()
    session.commit()
    month = Month(session, server, LoopbackRail(server.port), random.Random(SEED), (asks, agrees), staff.asks)
    server.faults = month.trouble
    by_day: dict[date, list[Taken]] = defaultdict(list)
    for one in taken:
        by_day[one.day].append(one)
    for n in range(DAYS + QUIET):
        day = first + timedelta(days=n)
        write(session, by_day[day])
        session.commit()
        if n >= DAYS:
            server.faults = lambda _verb, _key, _nth: None
            month.is_quiet = True
        month.day(day)
    return month


def test_a_month_settles_to_nothing_unexplained_and_to_the_last_micro_fen(
    session: Session, bare_app: Flask
) -> None:
    staff = two_of_finance(session)
    purse = a_purse(session, 100 * CAPTURES)
    shops = [
        a_shop(session, staff, points=41 + n % 60, subsidy_fen=n % 4 * 30, purse_id=purse)
        for n in range(MERCHANTS)
    ]
    first = clock.today() + timedelta(days=1)
    taken = a_month(shops, first, DAYS, CAPTURES, SEED)
    with running() as server:
        month = a_played_month(session, server, taken, first)
        told = list(month.rail.statement(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)))
        in_transaction(lambda opened: provider_lines.take_in(opened, "stripe", told))
        in_transaction(lambda opened: provider_lines.reconcile(opened, "stripe"))
        balances = dict(server.books.balances)
    for what in ("before", "after", "balance_insufficient", "account_closed", "returned"):
        assert month.happened[what] > 0, what
    assert_as_plain_python_says(session, taken, month)
    assert_nothing_unexplained(session, balances)
    assert_every_merchant_has_what_it_took(session, taken, balances)
    print(f"seed {SEED}: {MERCHANTS} merchants, {CAPTURES} captures, {dict(month.happened)}")


def assert_as_plain_python_says(session: Session, taken: list[Taken], month: Month) -> None:
    found = {
        (row.merchant_id, row.day): Owed(
            row.captures, row.reversals, row.carried_in, row.lines_micro_fen, row.amount_fen, row.carried_out
        )
        for row in session.execute(select(Settlement)).scalars()
    }
    # a settlement of nothing but what came back is paid a day later, so the plain books know the same days
    assert found == plain_books.owed(taken, month.returned)
    every = list(session.execute(select(Settlement.settlement_id)).scalars())
    assert statements.altered(session, every) == []
    spent = sum(one.shop.subsidy_fen for one in taken if not one.undone)
    purse = session.execute(text("select spent_fen, paid_in_fen - reserved_fen from purse")).one()
    assert tuple(purse) == (spent, spent)


def assert_nothing_unexplained(session: Session, balances: dict[str, int]) -> None:
    now = clock.now()
    found = rail_report.report(
        session, "stripe", now - timedelta(days=2), now + timedelta(days=1), now + timedelta(days=9)
    )
    assert (found.unexplained, found.in_transit, found.findings) == (0, 0, ())
    assert found.closing == -sum(balances.values())
    assert found.opening + sum(found.moved.values()) - found.fees + found.other == found.closing
    left: Any = session.execute(
        text("select count(*) from settlement where state not in ('paid', 'carried')")
    ).scalar_one()
    assert left == 0


def assert_every_merchant_has_what_it_took(
    session: Session, taken: list[Taken], balances: dict[str, int]
) -> None:
    """What lies on its account and what is carried on are, in micro-fen, what it took and did not undo."""
    took: Counter[int] = Counter()
    for one in taken:
        took[one.shop.merchant_id] += 0 if one.undone else one.shop.micro_fen
    rows = session.execute(
        text("""
            select distinct on (m.merchant_id) m.merchant_id, a.provider_ref, s.carried_out
            from merchant m join merchant_account a on a.merchant_id = m.merchant_id and a.state = 'active'
            join settlement s on s.merchant_id = m.merchant_id order by m.merchant_id, s.day desc
        """)
    )
    has = {row.merchant_id: balances.get(row.provider_ref, 0) * 1_000_000 + row.carried_out for row in rows}
    assert has == dict(took)
