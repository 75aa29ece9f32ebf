"""Providers tell us at one door: what is theirs is kept once and followed in any order, what is not leaves nothing."""

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs import inbox as job
from carbon_credits.jobs import scheduler, surroundings
from carbon_credits.jobs.doorbell import INBOX, queue
from carbon_credits.ledger import funds
from carbon_credits.rewards import accounts, collecting, fundings, inbox, merchants, onboarding
from carbon_credits.rewards.accounts import Settlement
from carbon_credits.rewards.payment_contract import Collector, Ways
from carbon_credits.staff.service import Role, add
from tests.api.conftest import Caller, a_ride
from tests.api.test_case_commands import typed
from tests.factories.rewards import an_application
from tests.stripe_server import StripeServer, running
from tests.stripe_server.ground import an_instruction, collector_to, ways_to
from tests.waiting import wait_until

DOOR = "/webhooks/stripe"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "data": {"object": {"id": "cs_test_nobody", "object": "checkout.session"}},
}


@pytest.fixture
def stripe(app: Flask) -> Iterator[StripeServer]:
    """A Stripe, and the application told of it."""
    before = app.config[surroundings.WAYS]
    with running() as server:
        app.config[surroundings.WAYS] = ways_to(server)
        yield server
    app.config[surroundings.WAYS] = before


@pytest.fixture
def collector(stripe: StripeServer) -> Collector:
    return collector_to(stripe)


@pytest.fixture
def funding(app: Flask, stripe: StripeServer, collector: Collector) -> tuple[int, str]:
    """A sponsor that was asked for 1,000 fen for as many points: its number, and the page to pay on."""
    with app.app_context():
        with transaction() as session:
            for name in ("提", "批"):
                add(session, name, [Role.FINANCE], by="tests")
            fund_id = funds.create_fund(session, "sponsored", "赞助", "Sponsored")
        typed(
            app,
            "fundings",
            "propose",
            "--sponsor",
            "某银行",
            "--fund",
            fund_id,
            "--points",
            1_000,
            "--amount-fen",
            1_000,
            "--reason",
            "test",
            "--as",
            "提",
        )
        typed(app, "approvals", "approve", _newest(), "--as", "批")
        with transaction() as session:
            number = fundings.unfinished(session)[-1]
        told = collecting.ask(collector, number)
    assert told is not None
    return number, told.reference


def _newest() -> int:
    with transaction() as session:
        return int(session.execute(text("select max(approval_id) from approval")).scalar_one())


def tell(client: FlaskClient, stripe: StripeServer, event: Any, **how: Any) -> TestResponse:
    body, headers = stripe.webhooks.signed(event, **how)
    return client.post(DOOR, data=body, headers=headers)


def follow(app: Flask) -> int:
    with app.app_context():
        return job.follow_due()


def row(records: Session, column: str, event_id: str = "evt_1") -> Any:
    records.rollback()
    return getattr(inbox.notice(records, event_id), column)


def standing(records: Session, number: int) -> tuple[str, int, int, int]:
    """The funding's state and what is back, and what the fund has and was paid for it."""
    records.rollback()
    known = fundings.funding_of(records, number)
    points, fen = records.execute(
        text(
            "select budget, (select coalesce(sum(amount_fen), 0) from fund_deposit) from fund where code = 'sponsored'"
        )
    ).one()
    return known.state, known.refunded_fen, int(points), int(fen)


def test_a_notice_is_kept_raw_and_answered_at_once(
    client: FlaskClient, stripe: StripeServer, records: Session
) -> None:
    body, headers = stripe.webhooks.signed(EVENT)
    told = client.post(DOOR, data=body, headers=headers)
    assert (told.status_code, told.get_json()) == (200, {"received": True})
    assert (row(records, "state"), bytes(row(records, "raw"))) == ("received", body)
    assert row(records, "object_ref") == "cs_test_nobody"


def test_forty_times_is_once(threaded_url: str, stripe: StripeServer, records: Session) -> None:
    stripe.webhooks.url = threaded_url + DOOR
    with ThreadPoolExecutor(10) as threads:
        heard = list(threads.map(lambda _: stripe.webhooks.deliver(EVENT), range(40)))
    assert heard == [200] * 40
    assert records.execute(text("select count(*) from inbox_event")).scalar_one() == 1


@pytest.mark.parametrize(
    "how",
    [
        {"secrets": ["whsec_of_somebody"]},
        {"secrets": []},
        {"at": 0},
        {"at": int(clock.now().timestamp()) - 3 * 86_400},
        {"at": int(clock.now().timestamp()) + 86_400},
    ],
    ids=["forged", "unsigned", "ancient", "three days old", "from the future"],
)
def test_what_is_not_theirs_is_a_400_and_leaves_nothing(
    client: FlaskClient, stripe: StripeServer, records: Session, how: dict[str, Any]
) -> None:
    told = tell(client, stripe, EVENT, **how)
    assert (told.status_code, told.get_json()["code"]) == (400, "webhook_refused")
    assert told.mimetype == "application/problem+json"
    assert records.execute(text("select count(*) from inbox_event")).scalar_one() == 0


def test_an_altered_body_is_a_400(client: FlaskClient, stripe: StripeServer, records: Session) -> None:
    body, headers = stripe.webhooks.signed(EVENT)
    for altered in (body.replace(b"nobody", b"somebo"), json.dumps(EVENT).encode(), b""):
        assert client.post(DOOR, data=altered, headers=headers).status_code == 400
    assert records.execute(text("select count(*) from inbox_event")).scalar_one() == 0


def test_while_the_secret_is_changed_both_are_believed(
    client: FlaskClient, stripe: StripeServer, app: Flask
) -> None:
    stripe.webhooks.secrets = ["whsec_test", "whsec_next"]
    assert tell(client, stripe, EVENT).status_code == 200
    app.config[surroundings.WAYS] = ways_to(stripe)
    assert tell(client, stripe, EVENT, secrets=["whsec_next"]).status_code == 200
    stripe.webhooks.secrets = ["whsec_next"]
    app.config[surroundings.WAYS] = ways_to(stripe)
    assert tell(client, stripe, EVENT, secrets=["whsec_test"]).status_code == 400


def test_what_is_too_large_or_packed_is_not_read(client: FlaskClient, stripe: StripeServer) -> None:
    body, headers = stripe.webhooks.signed({**EVENT, "more": "x" * 300_000})
    assert client.post(DOOR, data=body, headers=headers).status_code == 413
    body, headers = stripe.webhooks.signed(EVENT)
    assert client.post(DOOR, data=body, headers=headers | {"Content-Encoding": "gzip"}).status_code == 415
    assert client.get(DOOR).status_code == 405


def test_without_stripe_there_is_no_such_door(app: Flask, client: FlaskClient, stripe: StripeServer) -> None:
    assert client.post("/webhooks/paypal", data=b"{}").status_code == 404
    app.config[surroundings.WAYS] = Ways()
    assert tell(client, stripe, EVENT).status_code == 404


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_order_it_comes_out_the_same(
    app: Flask,
    client: FlaskClient,
    stripe: StripeServer,
    collector: Collector,
    funding: tuple[int, str],
    records: Session,
    seed: int,
) -> None:
    number, page = funding
    stripe.people.decline(page)
    stripe.people.pay(page)
    stripe.people.settle_charges()
    follow_all = list(stripe.books.events)
    random.Random(seed).shuffle(follow_all)
    for event in follow_all + follow_all[:3]:
        assert tell(client, stripe, event).status_code == 200
        if seed % 2:
            follow(app)
    follow(app)
    assert standing(records, number) == ("paid", 0, 1_000, 1_000)
    with app.app_context():
        typed(app, "fundings", "propose-refund", number, "--points", 400, "--reason", "test", "--as", "提")
        typed(app, "approvals", "approve", _newest(), "--as", "批")
        assert job.collect() == 1
    told = [event for event in stripe.books.events if event not in follow_all]
    random.Random(seed).shuffle(told)
    for event in told:
        tell(client, stripe, event)
    follow(app)
    assert standing(records, number) == ("paid", 400, 600, 600)
    assert records.execute(text("select count(*) from inbox_event where state <> 'done'")).scalar_one() == 0


def test_told_by_itself_twice_and_late_it_is_booked_once(
    app: Flask, threaded_url: str, stripe: StripeServer, funding: tuple[int, str], records: Session
) -> None:
    number, page = funding
    stripe.webhooks.begin(threaded_url + DOOR, copies=2)
    threads = [threading.Thread(target=follow, args=(app,)) for _ in range(2)]
    stripe.people.pay(page)
    many = len(stripe.books.events)
    wait_until(lambda: len(stripe.webhooks.heard) == 2 * many)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert standing(records, number) == ("paid", 0, 1_000, 1_000)
    assert {status for _, status in stripe.webhooks.heard} == {200}


def test_a_stripe_that_is_down_is_asked_again_and_residents_notice_nothing(
    app: Flask,
    client: FlaskClient,
    resident: Caller,
    stripe: StripeServer,
    funding: tuple[int, str],
    records: Session,
) -> None:
    number, page = funding
    stripe.people.pay(page)
    event = stripe.books.told_of("checkout.session.completed")[0]
    stripe.stop()
    before = clock.now()
    assert tell(client, stripe, event).status_code == 200
    assert follow(app) == 0
    assert (row(records, "state", event["id"]), row(records, "attempts", event["id"])) == ("received", 1)
    assert row(records, "last_error", event["id"]) == "ConnectionRefusedError"
    assert row(records, "next_at", event["id"]) >= before + inbox.FIRST_WAIT
    assert resident.claim(a_ride()).status_code == 202
    assert resident.get("/v1/wallet").status_code == 200
    stripe.start()
    _due_again(records)
    assert follow(app) == 1
    assert standing(records, number) == ("paid", 0, 1_000, 1_000)


def _due_again(records: Session) -> None:
    records.rollback()
    records.execute(text("update inbox_event set next_at = clock_timestamp() - interval '1 second'"))
    records.commit()


def test_what_cannot_be_followed_is_dead_listed_and_tried_again(
    app: Flask,
    client: FlaskClient,
    stripe: StripeServer,
    funding: tuple[int, str],
    records: Session,
) -> None:
    number, page = funding
    stripe.people.pay(page)
    stripe.books.objects[page]["amount_total"] = 999
    event = stripe.books.told_of("checkout.session.completed")[0]
    tell(client, stripe, event)
    follow(app)
    assert (row(records, "state", event["id"]), row(records, "last_error", event["id"])) == (
        "dead",
        "another_amount",
    )
    assert "another_amount" in typed(app, "inbox", "list")
    stripe.books.objects[page]["amount_total"] = 1_000
    assert "done" in typed(app, "inbox", "retry", event["id"], "--as", "批")
    assert standing(records, number) == ("paid", 0, 1_000, 1_000)
    assert "没有通知" in typed(app, "inbox", "list")
    assert event["id"] in typed(app, "inbox", "list", "--state", "done")
    typed(app, "inbox", "retry", event["id"], "--as", "批", fails=True)


def test_after_many_attempts_it_waits_for_a_person(
    app: Flask, client: FlaskClient, stripe: StripeServer, funding: tuple[int, str], records: Session
) -> None:
    stripe.people.pay(funding[1])
    event = stripe.books.told_of("checkout.session.completed")[0]
    tell(client, stripe, event)
    records.execute(text("update inbox_event set attempts = :most - 1"), {"most": inbox.MOST_ATTEMPTS})
    records.commit()
    stripe.stop()
    follow(app)
    assert row(records, "state", event["id"]) == "dead"


def test_what_was_followed_long_ago_is_forgotten(
    app: Flask, client: FlaskClient, stripe: StripeServer, records: Session
) -> None:
    tell(client, stripe, EVENT)
    follow(app)
    assert row(records, "state") == "done"
    assert inbox.forget_old(records, clock.now() + inbox.KEPT - timedelta(minutes=1), 10) == 0
    assert inbox.forget_old(records, clock.now() + inbox.KEPT + timedelta(minutes=1), 10) == 1
    records.rollback()


def test_operators_read_links_and_cancel(app: Flask, stripe: StripeServer, funding: tuple[int, str]) -> None:
    number, page = funding
    assert "https://checkout.stripe.test/" in typed(app, "fundings", "link", number, "--as", "提")
    assert "某银行" in typed(app, "fundings", "list")
    assert "expired" in typed(app, "fundings", "cancel", number, "--as", "提")
    assert stripe.books.objects[page]["status"] == "expired"
    stripe.stop()
    typed(app, "fundings", "link", number, "--as", "提", fails=True)
    app.config[surroundings.WAYS] = Ways()
    assert "CARBON_STRIPE_KEY" in typed(app, "fundings", "follow", fails=True)


def test_a_ring_that_was_not_heard_is_rung_again_and_the_job_follows(
    app: Flask, client: FlaskClient, stripe: StripeServer, records: Session
) -> None:
    with app.app_context():
        redis = surroundings.redis_of()
        redis.flushdb()
        tell(client, stripe, EVENT)
        # the flag is set before the job is queued
        wait_until(lambda: queue(redis, INBOX.queue).jobs, "a job for the inbox")
        # whoever was to hear it died with its queue
        redis.flushdb()
        scheduler.sweep(redis)
        assert [queued.func_name for queued in queue(redis, INBOX.queue).jobs] == [INBOX.job]
        job.work()
        redis.flushdb()
        scheduler.sweep(redis)
        assert queue(redis, INBOX.queue).jobs == []
    assert row(records, "state") == "done"


def test_a_merchant_reads_what_to_do_about_its_account(
    app: Flask, client: FlaskClient, stripe: StripeServer, collector: Collector, merchant: Caller
) -> None:
    def heard(standing: str, words: str | None) -> None:
        """What Stripe told meanwhile, through the door; then what staff and merchant read of it."""
        for event in stripe.books.events[len(told) :]:
            assert tell(client, stripe, event).status_code == 200
            told.append(event)
        follow(app)
        account = merchant.get("/merchant/v1/account").get_json()["proposed"]
        assert account["payable"] is (standing == "可收款 / can")
        assert (account["to_do"] is None) if words is None else words in account["to_do"]["en"]
        shown = typed(app, "merchants", "show", code)
        assert standing in shown
        assert words is None or words in shown

    told: list[Any] = []
    with app.app_context():
        with transaction() as session:
            code = merchants.merchant(session, merchant.id).code
        reference = onboarding.onboard(collector, code).reference
    assert merchant.get("/merchant/v1/account").get_json()["proposed"]["payable"] is None
    heard("尚不可收款", "complete it by its link")
    stripe.people.complete(reference)
    heard("可收款 / can", None)
    stripe.people.top_up(500)
    ways_to(stripe).rails["stripe"].pay(an_instruction(reference, amount_fen=500))
    stripe.people.payout_arrives(stripe.people.pay_out(reference), fails="account_closed")
    heard("可收款 / can", "could not pay out CNY 5.00 to your bank (account_closed)")
    stripe.people.payout_arrives(stripe.people.pay_out(reference))
    heard("可收款 / can", None)


def test_a_merchant_is_brought_to_stripe_by_a_command(
    app: Flask, stripe: StripeServer, records: Session, vault: Vault
) -> None:
    with app.app_context(), transaction() as session:
        code = merchants.apply(
            session, vault, an_application(settlement=Settlement("stripe")), clock.now()
        ).code
    assert "https://connect.stripe.test/" in typed(app, "merchants", "onboard", code)
    first = accounts.proposed(records, merchants.by_code(records, code).merchant_id)
    assert first is not None
    assert str(first.provider_ref) in typed(app, "merchants", "onboard", code)
    stripe.people.complete(str(first.provider_ref))
    assert "可收款" in typed(app, "merchants", "onboard", code)
    assert len(stripe.books.all_of("account")) == 1
    stripe.fail("refuse", "GET /v1/accounts", code="account_invalid")
    assert "account_refused" in typed(app, "merchants", "onboard", code, fails=True)
    stripe.stop()
    assert "no_answer" in typed(app, "merchants", "onboard", code, fails=True)
