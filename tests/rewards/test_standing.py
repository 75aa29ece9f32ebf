"""Accounts at Stripe: nothing is sent to one that cannot be paid to, and of a payout that failed everybody reads.

And what happens in Stripe's own dashboard, or is held here and does not show there, stands in the report.
"""

import random
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict
from carbon_credits.jobs import inbox as job
from carbon_credits.jobs.settlement import pay_all, read_statements
from carbon_credits.rewards import accounts, payments, rail_report, standing, statements
from carbon_credits.rewards.merchant_models import AccountStanding
from carbon_credits.rewards.payment_contract import Payout
from tests.faults.worker import surrounded
from tests.rewards import test_stripe_money as ground
from tests.rewards.test_fundings import a_funding, a_refund
from tests.rewards.test_stripe_money import A_LONG_TIME, told_all
from tests.rewards.till_ground import Shop, Staff
from tests.stripe_server import StripeServer, money
from tests.stripe_server.ground import ways_to

stripe, staff, shop, fund_id = ground.stripe, ground.staff, ground.shop, ground.fund_id


def account_of(session: Session, shop: Shop) -> tuple[int, str]:
    session.rollback()
    found = accounts.in_force(session, shop.merchant_id)
    assert found is not None
    return found.account_id, str(found.provider_ref)


def standing_of(session: Session, shop: Shop) -> AccountStanding:
    found = standing.of(session, account_of(session, shop)[0])
    assert found is not None
    session.expunge(found)
    # the session reads over the worker's connection while there is one around it
    session.rollback()
    return found


def test_a_payment_waits_for_an_account_that_cannot_be_paid_to(
    session: Session, settings: Settings, stripe: StripeServer, shop: Shop, staff: Staff
) -> None:
    _, reference = account_of(session, shop)
    stripe.people.lose_papers(reference)
    with surrounded(settings, ways_to(stripe)):
        told_all(session, stripe)
        assert standing_of(session, shop).payable is False
        pay_all()
        assert ground.payments(session) == []
        assert [call for call, _ in stripe.asked if call == "POST /v1/transfers"] == []
        row = session.execute(text("select settlement_id from settlement")).scalar_one()
        settlement = statements.whole(session, row).settlement
        waits = standing.why_unpaid(session, settlement)
        assert waits is not None
        assert "补齐" in waits.zh
        session.rollback()
        # the notice that it is complete is lost: it is asked about all the same, once some time has passed
        stripe.people.complete(reference)
        assert standing.ask_due(ways_to(stripe).collector) == 0  # type: ignore[arg-type]
        session.execute(text("update account_standing set asked_at = asked_at - interval '16 minutes'"))
        session.commit()
        job.collect()
        assert standing_of(session, shop).payable is True
        pay_all()
    assert ground.payments(session) == [("paid", 1, 0)]
    session.rollback()
    assert standing.why_unpaid(session, statements.whole(session, row).settlement) is None


def test_what_was_refused_before_we_knew_is_tried_again_once_it_is_complete(
    session: Session, settings: Settings, stripe: StripeServer, shop: Shop, staff: Staff
) -> None:
    _, reference = account_of(session, shop)
    stripe.people.lose_papers(reference)
    with surrounded(settings, ways_to(stripe)):
        pay_all()
        assert ground.payments(session) == [("failed", 1, 0)]
        job.collect()
        row = session.execute(text("select settlement_id from settlement")).scalar_one()
        session.execute(text("update payment set changed_at = changed_at - interval '11 minutes'"))
        with pytest.raises(Conflict) as no:
            payments.retry(session, row, staff.asks)
        assert (no.value.code, "补齐" in no.value.detail.zh) == ("cannot_be_paid", True)
        session.commit()
        pay_all()
        assert ground.payments(session) == [("failed", 1, 0)]
        stripe.people.complete(reference)
        told_all(session, stripe)
        pay_all()
    assert ground.payments(session) == [("failed", 1, 0), ("paid", 2, 0)]


@pytest.mark.parametrize("seed", range(2))
def test_a_payout_that_failed_is_remembered_until_one_arrives_whatever_the_order(
    session: Session, settings: Settings, stripe: StripeServer, shop: Shop, seed: int
) -> None:
    _, reference = account_of(session, shop)
    with surrounded(settings, ways_to(stripe)):
        pay_all()
        stripe.people.payout_arrives(stripe.people.pay_out(reference), fails="account_closed")
        told = stripe.books.told_of("payout.failed")[0]
        assert told["account"] == reference
        told_all(session, stripe)
        found = standing_of(session, shop)
        assert (found.payable, found.payout_failure, found.payout_amount) == (True, "account_closed", 285)
        said = standing.says(found)
        assert said is not None
        assert "CNY 2.85" in said.zh
        assert "account_closed" in said.en
        stripe.people.payout_arrives(stripe.people.pay_out(reference))
        random.Random(seed).shuffle(stripe.books.events)
        told_all(session, stripe)
        found = standing_of(session, shop)
        assert (found.payable, found.payout_ref, standing.says(found)) == (True, None, None)
    assert session.execute(text("select count(*) from inbox_event where state <> 'done'")).scalar_one() == 0


def test_an_older_answer_does_not_replace_a_younger_one(
    session: Session, stripe: StripeServer, shop: Shop
) -> None:
    account_id, _ = account_of(session, shop)
    now = clock.now()
    failed = Payout("po_1", 285, "hkd", now, "account_closed")
    standing.note(session, account_id, True, None, now)
    standing.note(session, account_id, False, failed, now - timedelta(seconds=1))
    session.commit()
    found = standing_of(session, shop)
    assert (found.payable, found.payout_ref) == (True, None)
    assert standing.follow(ways_to(stripe).collector, "acct_nobody") is False  # type: ignore[arg-type]


def findings(session: Session, ahead: timedelta = timedelta()) -> dict[str, int]:
    """What the report names, and the sum of it, in fen."""
    session.rollback()
    now = clock.now()
    end = now + timedelta(minutes=1)
    found = rail_report.report(session, "stripe", now - A_LONG_TIME, end, now + ahead)
    session.rollback()
    told: dict[str, int] = {}
    for finding in found.findings:
        told[finding.what] = told.get(finding.what, 0) + finding.fen
    assert found.unexplained == sum(abs(finding.fen) for finding in found.findings)
    return told


def test_what_was_done_in_the_dashboard_is_not_explained(
    session: Session, settings: Settings, stripe: StripeServer, fund_id: int
) -> None:
    a_funding(session, fund_id=fund_id, points=1_000)
    with surrounded(settings, ways_to(stripe)):
        job.collect()
        (page,) = stripe.books.all_of("checkout.session")
        stripe.people.pay(page["id"], fee=77)
        told_all(session, stripe)
        with stripe.books.lock:
            money.refund(stripe.books, {"payment_intent": page["payment_intent"], "amount": 500}, account="")
        stripe.people.dispute(page["id"], fee=1_500)
        told_all(session, stripe)
        read_statements()
    assert findings(session) == {"line:refund": -500, "line:adjustment": -100_003}


def test_what_we_hold_and_stripe_does_not_show_is_not_explained(
    session: Session, settings: Settings, stripe: StripeServer, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    with surrounded(settings, ways_to(stripe)):
        job.collect()
        (page,) = stripe.books.all_of("checkout.session")
        stripe.people.pay(page["id"])
        told_all(session, stripe)
        a_refund(session, number, points=250)
        a_refund(session, number, points=100)
        job.collect()
        shown = [line for line in stripe.books.lines if line["type"] not in ("charge", "refund")]
        every, stripe.books.lines = stripe.books.lines, shown
        read_statements()
        # for two days it may be under way
        assert findings(session) == {}
        assert findings(session, timedelta(days=3)) == {"funding": 100_003, "refund": -25_001 - 10_000}
        stripe.books.lines = every
        read_statements()
        assert findings(session, timedelta(days=3)) == {}
        # a refund that failed, and whose money does not come back
        stripe.people.end_refund(stripe.books.all_of("refund")[0]["id"], "failed")
        back = stripe.books.lines.pop()
        told_all(session, stripe)
        read_statements()
        assert findings(session, timedelta(days=3)) == {"refund_failure": back["amount"]}
        stripe.books.lines.append(back)
        read_statements()
        assert findings(session, timedelta(days=3)) == {}
