"""Sponsors' money: booked once when it is here, whenever that is; given back only where it is unspent, and to the fen."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.config import Settings
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.ledger import check, funds
from carbon_credits.rewards import collecting, funding_refunds, fundings
from carbon_credits.rewards.collecting import Round
from carbon_credits.rewards.payment_contract import Collector, Unknown
from carbon_credits.rewards.settlement_models import FundingRefund
from carbon_credits.staff.service import Role, add
from tests.faults.worker import surrounded
from tests.stripe_server import StripeServer, running
from tests.stripe_server.ground import collector_to

PAGE = "POST /v1/checkout/sessions"


@pytest.fixture
def stripe() -> Iterator[StripeServer]:
    with running() as server:
        yield server


@pytest.fixture
def collector(stripe: StripeServer) -> Collector:
    return collector_to(stripe)


@pytest.fixture
def fund_id(session: Session) -> int:
    """An empty fund, and two people of finance."""
    for name in ("提", "批"):
        add(session, name, [Role.FINANCE], by="tests")
    made = funds.create_fund(session, "sponsored", "赞助", "Sponsored")
    session.commit()
    return made


@pytest.fixture
def purse_id(session: Session, fund_id: int) -> int:
    made = session.execute(
        text(
            "insert into purse (code, kind, name_zh, name_en) values ('topup', 'sponsor', '贴补', 'Top-up')"
            " returning purse_id"
        )
    ).scalar_one()
    session.commit()
    return int(made)


def agreed(session: Session, kind: str, payload: dict[str, Any]) -> int:
    """Two people agree; the number of what the newest row of it is."""
    proposed = approving.propose(session, kind, payload, "for a test", "提")
    approving.decide(session, proposed.approval_id, "批", approve=True)
    table = {fundings.KIND: "funding", funding_refunds.KIND: "funding_refund"}[kind]
    number = text(f"select max({'refund' if table == 'funding_refund' else 'funding'}_id) from {table}")
    made = session.execute(number).scalar_one()
    session.commit()
    return int(made)


def a_funding(session: Session, **changes: Any) -> int:
    """100,003 fen, for 1,000 points unless told otherwise."""
    payload = {
        "sponsor": "佛山某银行",
        "fund_id": None,
        "points": None,
        "purse_id": None,
        "amount_fen": 100_003,
        "means": "checkout",
    }
    return agreed(session, fundings.KIND, payload | changes)


def a_refund(session: Session, funding: int, **what: int) -> int:
    payload = funding_refunds.payload_of(
        session, funding, points=what.get("points"), amount_fen=what.get("amount_fen")
    )
    return agreed(session, funding_refunds.KIND, payload)


def paid(session: Session, stripe: StripeServer, collector: Collector, number: int) -> None:
    """The sponsor is asked, pays, and we hear of it."""
    told = collecting.ask(collector, number)
    assert told is not None
    stripe.people.pay(told.reference, fee=33)
    collecting.ask(collector, number)
    stripe.people.settle_charges()
    # a fee stays with Stripe when a payment is given back
    stripe.people.top_up(33)
    session.rollback()


def fund_of(session: Session, fund_id: int) -> tuple[int, int, int]:
    """Budget, unallocated, and fen of all deposits."""
    session.rollback()
    row = session.execute(
        text(
            "select budget, unallocated, (select coalesce(sum(amount_fen), 0) from fund_deposit d"
            " where d.fund_id = f.fund_id) from fund f where fund_id = :fund"
        ),
        {"fund": fund_id},
    ).one()
    assert [found for found in check.check(session) if found.violations] == []
    return int(row[0]), int(row[1]), int(row[2])


def state(session: Session, number: int) -> tuple[str, int]:
    session.rollback()
    row = fundings.funding_of(session, number)
    return row.state, row.refunded_fen


def refund_state(session: Session, number: int) -> str:
    session.rollback()
    row = session.get(FundingRefund, number, populate_existing=True)
    assert row is not None
    return row.state


def test_points_are_there_when_the_money_is(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    assert fund_of(session, fund_id) == (0, 0, 0)
    told = collecting.ask(collector, number)
    assert told is not None
    assert told.url is not None
    stripe.people.decline(told.reference)
    collecting.ask(collector, number)
    assert (state(session, number), fund_of(session, fund_id)) == (("created", 0), (0, 0, 0))
    stripe.people.pay(told.reference)
    for _ in range(3):
        collecting.ask(collector, number)
    assert state(session, number) == ("paid", 0)
    assert fund_of(session, fund_id) == (1_000, 1_000, 100_003)
    deeds = session.execute(
        text("select action from audit_entry where subject = 'funding:' || :n order by audit_id"),
        {"n": number},
    ).scalars()
    assert list(deeds) == ["funding.declined", "funding.paid"]


def test_a_purse_is_filled_once(
    session: Session, stripe: StripeServer, collector: Collector, purse_id: int
) -> None:
    number = a_funding(session, purse_id=purse_id, means="intent")
    paid(session, stripe, collector, number)
    collecting.ask(collector, number)
    session.rollback()
    rows = session.execute(text("select kind, amount_fen, cause from purse_entry")).all()
    assert [tuple(row) for row in rows] == [("paid_in", 100_003, f"funding:{number}")]
    assert session.execute(text("select paid_in_fen from purse")).scalar_one() == 100_003


def test_of_eight_who_hear_of_it_at_once_one_books(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int, settings: Settings
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    told = collecting.ask(collector, number)
    assert told is not None
    stripe.people.pay(told.reference)

    def hear() -> None:
        with surrounded(settings):
            assert collecting.follow_funding(collector, told.reference)

    threads = [Thread(target=hear) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fund_of(session, fund_id) == (1_000, 1_000, 100_003)


@pytest.mark.parametrize("kind", ["reset", "error_500", "garbage"])
def test_a_lost_answer_asks_the_sponsor_once(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int, kind: str
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    stripe.fail(kind, PAGE, after=True)
    assert collecting.collect_unfinished(collector) == Round(unknown=1)
    assert collecting.collect_unfinished(collector) == Round(heard=1)
    (page,) = stripe.books.all_of("checkout.session")
    session.rollback()
    assert fundings.funding_of(session, number).provider_ref == page["id"]


def test_a_definite_no_ends_it(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    stripe.fail("refuse", PAGE, code="amount_too_large")
    assert collecting.collect_unfinished(collector) == Round(refused=1)
    assert state(session, number) == ("failed", 0)
    assert collecting.collect_unfinished(collector) == Round()


def test_what_expired_books_nothing_and_late_money_is_booked_all_the_same(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    told = collecting.ask(collector, number)
    assert told is not None
    page = stripe.books.objects[told.reference]
    stripe.people.let_pass(told.reference)
    collecting.ask(collector, number)
    assert state(session, number) == ("expired", 0)
    assert fund_of(session, fund_id) == (0, 0, 0)
    # a bank's transfer that was under way arrives after the page had gone
    stripe.people.pay(told.reference)
    assert page["status"] == "complete"
    assert collecting.follow_funding(collector, told.reference)
    assert state(session, number) == ("paid", 0)
    assert fund_of(session, fund_id) == (1_000, 1_000, 100_003)


def test_another_sum_is_for_a_person(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    told = collecting.ask(collector, number)
    assert told is not None
    stripe.people.pay(told.reference)
    stripe.books.objects[told.reference]["amount_total"] = 100_002
    with pytest.raises(Conflict) as no:
        collecting.ask(collector, number)
    assert no.value.code == "another_amount"
    assert (state(session, number), fund_of(session, fund_id)) == (("created", 0), (0, 0, 0))


def test_asking_ends_when_it_is_cancelled(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    first, second = (a_funding(session, fund_id=fund_id, points=1_000) for _ in range(2))
    collecting.ask(collector, first)
    collecting.end(collector, first)
    assert state(session, first) == ("expired", 0)
    paid(session, stripe, collector, second)
    collecting.end(collector, second)
    assert state(session, second) == ("paid", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"fund_id": 1},
        {"fund_id": 1, "points": 1, "purse_id": 1},
        {"purse_id": 1, "points": 1},
        {"purse_id": 1, "amount_fen": 0},
        {"purse_id": 1, "amount_fen": 1.5},
        {"purse_id": 1, "amount_fen": 10**12},
        {"purse_id": True},
        {"purse_id": 1, "means": "cash"},
        {"purse_id": 1, "sponsor": " "},
        {"purse_id": 1, "sponsor": "a\nb"},
        {"purse_id": 1, "more": 1},
    ],
)
def test_a_wrong_proposal_is_refused(session: Session, fund_id: int, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        a_funding(session, **changes)


def test_points_are_not_sold_below_their_value_nor_into_nothing(session: Session, fund_id: int) -> None:
    with pytest.raises(NotFound):
        a_funding(session, fund_id=fund_id + 1, points=1)
    session.rollback()
    approval = approving.propose(session, fundings.KIND, _payload(fund_id), "a value", "提").approval_id
    session.execute(
        text("insert into point_value values ('2026-01-01', 100_003_001, 'test', :approval)"),
        {"approval": approval},
    )
    with pytest.raises(Invalid) as no:
        a_funding(session, fund_id=fund_id, points=1_000)
    assert no.value.code == "below_point_value"
    session.rollback()


def test_a_price_that_was_agreed_holds_when_the_value_has_risen(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    approval = approving.propose(session, fundings.KIND, _payload(fund_id), "a value", "提").approval_id
    session.execute(
        text("insert into point_value values ('2026-01-01', 200_000_000, 'test', :approval)"),
        {"approval": approval},
    )
    session.commit()
    paid(session, stripe, collector, number)
    assert fund_of(session, fund_id) == (1_000, 1_000, 100_003)


def _payload(fund_id: int) -> dict[str, Any]:
    return {
        "sponsor": "佛山某银行",
        "fund_id": fund_id,
        "points": 1_000,
        "purse_id": None,
        "amount_fen": 100_003,
        "means": "checkout",
    }


def test_unspent_points_go_back_at_their_price_to_the_last_fen(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    paid(session, stripe, collector, number)
    refunds = [a_refund(session, number, points=points) for points in (333, 333)]
    # set aside at once, before anything is sent
    assert fund_of(session, fund_id)[:2] == (334, 334)
    stripe.fail("reset", "POST /v1/refunds", after=True)
    assert collecting.collect_unfinished(collector) == Round(heard=1, unknown=1)
    assert collecting.collect_unfinished(collector) == Round(heard=1)
    assert [refund_state(session, refund) for refund in refunds] == ["paid", "paid"]
    assert state(session, number) == ("paid", 66_601)
    a_refund(session, number, points=334)
    collecting.collect_unfinished(collector)
    assert state(session, number) == ("refunded", 100_003)
    assert fund_of(session, fund_id) == (0, 0, 0)
    assert [one["amount"] for one in stripe.books.all_of("refund")] == [33_402, 33_301, 33_300]
    with pytest.raises(Conflict):
        a_refund(session, number, points=1)


def test_points_that_may_be_spent_do_not_go_back(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    paid(session, stripe, collector, number)
    session.execute(text("insert into fund_slot values (:fund, 0, 1)"), {"fund": fund_id})
    session.execute(text("update fund set unallocated = 999"))
    session.commit()
    with pytest.raises(Conflict) as no:
        a_refund(session, number, points=1_000)
    assert no.value.code == "budget_spent"
    session.rollback()
    assert fund_of(session, fund_id) == (1_000, 999, 100_003)
    a_refund(session, number, points=999)
    assert fund_of(session, fund_id)[:2] == (1, 0)


def test_a_refund_that_comes_back_puts_the_points_back(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    paid(session, stripe, collector, number)
    refund = a_refund(session, number, points=1_000)
    collecting.collect_unfinished(collector)
    assert state(session, number) == ("refunded", 100_003)
    (made,) = stripe.books.all_of("refund")
    stripe.people.end_refund(made["id"], "failed")
    for _ in range(2):
        assert collecting.follow_refund(collector, made["id"])
    assert (refund_state(session, refund), state(session, number)) == ("failed", ("paid", 0))
    assert fund_of(session, fund_id) == (1_000, 1_000, 100_003)
    # and may be given back once more
    a_refund(session, number, points=1_000)
    collecting.collect_unfinished(collector)
    assert state(session, number) == ("refunded", 100_003)


def test_a_refund_that_is_refused_sets_nothing_aside(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    paid(session, stripe, collector, number)
    refund = a_refund(session, number, points=500)
    stripe.fail("refuse", "POST /v1/refunds", code="charge_disputed")
    collecting.collect_unfinished(collector)
    assert refund_state(session, refund) == "failed"
    assert fund_of(session, fund_id) == (1_000, 1_000, 100_003)


def test_of_a_purse_what_is_neither_reserved_nor_spent_goes_back(
    session: Session, stripe: StripeServer, collector: Collector, purse_id: int
) -> None:
    number = a_funding(session, purse_id=purse_id, means="intent")
    paid(session, stripe, collector, number)
    session.execute(text("update purse set reserved_fen = 50000, spent_fen = 10000"))
    session.commit()
    with pytest.raises(Conflict) as no:
        a_refund(session, number, amount_fen=40_004)
    assert no.value.code == "purse_short"
    session.rollback()
    a_refund(session, number, amount_fen=40_003)
    collecting.collect_unfinished(collector)
    assert state(session, number) == ("paid", 40_003)
    session.rollback()
    row = session.execute(text("select paid_in_fen, refunded_fen from purse")).one()
    assert tuple(row) == (100_003, 40_003)
    (made,) = stripe.books.all_of("refund")
    stripe.people.end_refund(made["id"], "failed")
    collecting.follow_refund(collector, made["id"])
    session.rollback()
    assert session.execute(text("select refunded_fen from purse")).scalar_one() == 0
    kinds = session.execute(text("select kind from purse_entry order by entry_id")).scalars()
    assert list(kinds) == ["paid_in", "refunded", "refund_failed"]


def test_what_was_not_paid_is_not_given_back(session: Session, fund_id: int) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    with pytest.raises(Conflict) as no:
        a_refund(session, number, points=1)
    assert no.value.code == "not_paid"


def test_an_approval_buys_points_once(session: Session, fund_id: int) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    approval = fundings.funding_of(session, number).approval_id
    funds.deposit(session, fund_id, 1_000, 100_003, approval)
    with pytest.raises(IntegrityError):
        funds.deposit(session, fund_id, 1_000, 100_003, approval)
    session.rollback()


def test_a_stripe_that_is_down_leaves_everything_as_it_is(
    session: Session, stripe: StripeServer, collector: Collector, fund_id: int
) -> None:
    number = a_funding(session, fund_id=fund_id, points=1_000)
    stripe.stop()
    with pytest.raises(Unknown):
        collecting.ask(collector, number)
    assert collecting.collect_unfinished(collector) == Round(unknown=1)
    assert state(session, number) == ("created", 0)
    stripe.start()
    paid(session, stripe, collector, number)
    assert state(session, number) == ("paid", 0)
