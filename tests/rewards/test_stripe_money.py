"""Settlements and sponsors over one Stripe: whatever died, was lost or came back, its own balance says the same."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.jobs import inbox as job
from carbon_credits.jobs.settlement import pay_all, read_statements
from carbon_credits.ledger import check, funds
from carbon_credits.rewards import accounts, inbox, merchants, onboarding, rail_report, settlement_approval
from carbon_credits.rewards.payment_contract import Notice
from carbon_credits.rewards.settlement import make_next
from carbon_credits.rewards.settlement_models import Payment, Settlement
from carbon_credits.staff.service import Role, add
from tests.faults.worker import surrounded
from tests.rewards.test_fundings import a_funding, a_refund
from tests.rewards.till_ground import Shop, Staff, a_shop, after, an_approval, take, two_of_finance
from tests.stripe_server import StripeServer, money, running
from tests.stripe_server.ground import collector_to, ways_to
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 2)
A_LONG_TIME = timedelta(days=400)


@pytest.fixture
def stripe() -> Iterator[StripeServer]:
    """A Stripe where the programme has money."""
    with running() as server:
        server.people.top_up(1_000_000)
        yield server


@pytest.fixture
def staff(session: Session) -> Staff:
    return two_of_finance(session)


@pytest.fixture
def shop(session: Session, staff: Staff, stripe: StripeServer) -> Shop:
    """A merchant with an account at Stripe and an approved settlement."""
    made = a_shop(session, staff, rail=None)
    session.commit()
    collector = collector_to(stripe)
    code = merchants.merchant(session, made.merchant_id).code
    reference = onboarding.onboard(collector, code).reference
    assert onboarding.onboard(collector, code).reference == reference
    assert onboarding.can_be_paid(collector, code) is False
    stripe.people.complete(reference)
    assert onboarding.can_be_paid(collector, code) is True
    session.rollback()
    waiting = accounts.proposed(session, made.merchant_id)
    assert waiting is not None
    approval = an_approval(session, staff, accounts.CHANGE)
    accounts.put_in_force(session, made.merchant_id, waiting.account_id, approval)
    take(session, made, DAY, 3)
    settled(session, staff)
    return made


@pytest.fixture
def fund_id(session: Session) -> int:
    for name in ("提", "批"):
        add(session, name, [Role.FINANCE], by="tests")
    made = funds.create_fund(session, "sponsored", "赞助", "Sponsored")
    session.commit()
    return made


def settled(session: Session, staff: Staff, day: date = DAY) -> None:
    while make_next(session, after(day)):
        pass
    approval = an_approval(session, staff, settlement_approval.KIND)
    session.execute(
        text("update settlement set state = 'approved', approval_id = :approval where state = 'frozen'"),
        {"approval": approval},
    )
    session.commit()


def payments(session: Session) -> list[tuple[str, int, int]]:
    session.rollback()
    rows = session.execute(
        select(Payment.state, Payment.attempt, Payment.reversed_fen).order_by(Payment.payment_id)
    )
    return [(row.state, row.attempt, row.reversed_fen) for row in rows]


def told_all(session: Session, stripe: StripeServer) -> None:
    """Every event of Stripe's so far, kept as the door keeps it, the newest first; then followed."""
    for event in reversed(stripe.books.events):
        about = event["data"]["object"].get("id")
        notice = Notice(event["id"], event["type"], about, event.get("account"))
        inbox.take_in(session, "stripe", notice, b"{}")
    session.commit()
    job.follow_due()


def balanced(session: Session, stripe: StripeServer) -> None:
    """Stripe's own lines add up to its balance, and each is one of ours."""
    read_statements()
    session.rollback()
    now = clock.now()
    found = rail_report.report(session, "stripe", now - A_LONG_TIME, now + timedelta(minutes=1), now)
    assert found.findings == ()
    assert (found.unexplained, found.in_transit) == (0, 0)
    assert found.closing == stripe.books.balance() + stripe.books.balance(pending=True)
    # the captures here were written without a redemption, which I10 would miss
    assert [broken for broken in check.check(session) if broken.violations and broken.name != "I10"] == []
    # the session reads over the worker's connection while there is one around it
    session.rollback()


def test_a_month_of_everything_leaves_nothing_unexplained(
    session: Session, settings: Settings, stripe: StripeServer, shop: Shop, staff: Staff, fund_id: int
) -> None:
    first, second = (
        a_funding(session, fund_id=fund_id, points=1_000),
        a_funding(session, fund_id=fund_id, points=50),
    )
    with surrounded(settings, ways_to(stripe)):
        job.collect()
        for page in stripe.books.all_of("checkout.session"):
            stripe.people.pay(page["id"], fee=77)
        stripe.fail("error_500", "POST /v1/transfers", after=True, kept=True)
        for expected in ("created", "paid"):
            pay_all()
            assert [state for state, _, _ in payments(session)] == [expected]
        told_all(session, stripe)
        refunds = [a_refund(session, first, points=250), a_refund(session, second, points=50)]
        job.collect()
        stripe.people.end_refund(stripe.books.all_of("refund")[0]["id"], "failed")
        # Stripe takes a transfer back by itself, in part
        (transfer,) = stripe.books.all_of("transfer")
        with stripe.books.lock:
            money.reverse(stripe.books, {"amount": 7}, transfer["id"], account="")
        told_all(session, stripe)
        assert payments(session) == [("paid", 1, 7)]
        balanced(session, stripe)
        # what came back is owed again, and paid with the next day's
        take(session, shop, DAY + timedelta(days=1), 1)
        settled(session, staff, DAY + timedelta(days=1))
        pay_all()
        balanced(session, stripe)
    session.rollback()
    states = session.execute(text("select state from funding_refund order by refund_id")).scalars().all()
    assert sorted(states) == ["failed", "paid"]
    assert len(refunds) == 2
    paid = sum(one["amount"] - one["amount_reversed"] for one in stripe.books.all_of("transfer"))
    assert paid == session.execute(select(text("sum(amount_fen) - 7")).select_from(Settlement)).scalar_one()


@pytest.mark.fault
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("what", "call", "kind"),
    [
        ("pay", "POST /v1/transfers", "transfer"),
        ("collect", "POST /v1/checkout/sessions", "checkout.session"),
        ("collect", "POST /v1/refunds", "refund"),
    ],
    ids=["transfer", "page", "refund"],
)
def test_killed_after_stripe_and_before_us_there_is_one_of_it_and_one_booking(
    session: Session, settings: Settings, stripe: StripeServer, fund_id: int, what: str, call: str, kind: str
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    ways = ways_to(stripe)
    if kind == "refund":
        with surrounded(settings, ways):
            _collected(stripe)
        a_refund(session, number, points=10)
    _killed(stripe, settings.database_url, what, call)
    assert len(stripe.books.all_of(kind)) == 1
    with surrounded(settings, ways):
        for _ in range(2):
            pay_all()
            _collected(stripe)
        told_all(session, stripe)
        balanced(session, stripe)
    assert len(stripe.books.all_of(kind)) == 1
    session.rollback()
    deposits = text("select count(*) from fund_deposit where points > 0")
    assert session.execute(deposits).scalar_one() == 1
    assert [state for state, _, _ in payments(session)] == ["reconciled"]


def _collected(stripe: StripeServer) -> None:
    """Sponsors are asked, pay, and we hear of it."""
    job.collect()
    for page in stripe.books.all_of("checkout.session"):
        if page["status"] == "open":
            stripe.people.pay(page["id"])
    job.collect()


def _killed(stripe: StripeServer, database_url: str, what: str, call: str) -> None:
    """A worker of its own is killed while it waits for an answer, when the effect has happened."""
    fault = stripe.fail("silent", call, after=True)
    command = [sys.executable, "-m", "tests.rewards.stripe_worker", database_url, stripe.url, what]
    with subprocess.Popen(command, cwd=ROOT) as worker:
        wait_until(lambda: fault.times == 0 or worker.poll() is not None, within_s=60)
        worker.kill()
    assert fault.times == 0
