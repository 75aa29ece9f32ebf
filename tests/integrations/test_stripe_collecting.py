"""Sponsors pay by Stripe and are paid back; merchants' accounts are opened; through Stripe's own client."""

from collections.abc import Iterator

import pytest

from carbon_credits.rewards.payment_contract import Means, Outcome, Refused, Unknown
from tests.stripe_server import StripeServer, running
from tests.stripe_server.ground import HOME, collector_to

MEANS: tuple[Means, ...] = ("checkout", "intent")


@pytest.fixture
def stripe() -> Iterator[StripeServer]:
    with running() as server:
        yield server


def test_an_account_is_opened_once_and_linked_as_often_as_wanted(stripe: StripeServer) -> None:
    collector = collector_to(stripe)
    stripe.fail("reset", "POST /v1/accounts", after=True)
    with pytest.raises(Unknown):
        collector.onboard("shop", None, "account:shop:0")
    first = collector.onboard("shop", None, "account:shop:0")
    again = collector.onboard("shop", first.reference, "account:shop:0")
    assert first.reference == again.reference
    assert first.url != again.url
    (account,) = stripe.books.all_of("account")
    assert account["metadata"] == {"merchant": "shop"}
    assert account["controller"]["stripe_dashboard"] == {"type": "express"}
    assert collector.can_be_paid(first.reference) is False
    stripe.people.complete(first.reference)
    assert collector.can_be_paid(first.reference) is True


@pytest.mark.parametrize("means", MEANS)
def test_a_sponsor_is_asked_once_declined_and_pays(stripe: StripeServer, means: Means) -> None:
    collector = collector_to(stripe)
    call = "POST /v1/checkout/sessions" if means == "checkout" else "POST /v1/payment_intents"
    stripe.fail("reset", call, after=True)
    with pytest.raises(Unknown):
        collector.ask(means, 50_000, "memo", "funding:1")
    asked = collector.ask(means, 50_000, "memo", "funding:1")
    assert (asked.state, asked.amount_fen, asked.refunded_fen) == ("open", 50_000, 0)
    assert (asked.url is not None) == (means == "checkout")
    assert (asked.secret is not None) == (means == "intent")
    assert str(asked.secret) not in repr(asked) or asked.secret is None
    stripe.people.decline(asked.reference)
    declined = collector.state_of(means, asked.reference)
    assert (declined.state, declined.declined) == ("open", "insufficient_funds")
    stripe.people.pay(asked.reference, fee=120)
    paid = collector.state_of(means, asked.reference)
    assert (paid.state, paid.amount_fen, paid.declined, paid.secret) == ("paid", 50_000, None, None)
    assert paid.intent_ref is not None
    with pytest.raises(Refused):
        collector.end(means, asked.reference)
    kind = "checkout.session" if means == "checkout" else "payment_intent"
    assert len(stripe.books.all_of(kind)) == 1
    if means == "checkout":
        (page,) = stripe.books.all_of("checkout.session")
        assert (page["success_url"], page["client_reference_id"]) == (HOME, "funding:1")


def test_a_page_that_nobody_pays_on_expires(stripe: StripeServer) -> None:
    collector = collector_to(stripe)
    asked = collector.ask("checkout", 100, "memo", "funding:1")
    stripe.people.let_pass(asked.reference)
    assert collector.state_of("checkout", asked.reference).state == "expired"


@pytest.mark.parametrize(("means", "ended"), [("checkout", "expired"), ("intent", "failed")])
def test_what_is_asked_no_longer_cannot_be_paid(stripe: StripeServer, means: Means, ended: str) -> None:
    collector = collector_to(stripe)
    asked = collector.ask(means, 100, "memo", "funding:1")
    assert collector.end(means, asked.reference).state == ended
    assert collector.state_of(means, asked.reference).state == ended


@pytest.mark.parametrize(("arrives", "state"), [(True, "paid"), (False, "failed")])
def test_money_that_takes_days_is_not_here_before_it_is(
    stripe: StripeServer, arrives: bool, state: str
) -> None:
    collector = collector_to(stripe)
    asked = collector.ask("checkout", 100, "memo", "funding:1")
    stripe.people.pay(asked.reference, takes_days=True)
    assert collector.state_of("checkout", asked.reference).state == "open"
    stripe.people.money_comes(asked.reference, arrives=arrives)
    assert collector.state_of("checkout", asked.reference).state == state


def test_money_is_given_back_once_for_each_key(stripe: StripeServer) -> None:
    collector = collector_to(stripe)
    asked = collector.ask("intent", 1_000, "memo", "funding:1")
    stripe.people.pay(asked.reference)
    assert collector.find_refund(asked.reference, "refund:1") is None
    stripe.fail("reset", "POST /v1/refunds", after=True)
    with pytest.raises(Unknown):
        collector.give_back(asked.reference, 400, "refund:1")
    told = collector.give_back(asked.reference, 400, "refund:1")
    stripe.books.forget_keys()
    assert told == collector.find_refund(asked.reference, "refund:1") == collector.refund_of(told.reference)
    assert told.outcome is Outcome.PAID
    assert collector.state_of("intent", asked.reference).refunded_fen == 400
    with pytest.raises(Refused):
        collector.give_back(asked.reference, 601, "refund:2")
    stripe.people.end_refund(told.reference, "failed")
    failed = collector.refund_of(told.reference)
    assert (failed.outcome, failed.failure) == (Outcome.FAILED, "expired_or_canceled_card")
    assert stripe.books.balance() + stripe.books.balance(pending=True) == 1_000
