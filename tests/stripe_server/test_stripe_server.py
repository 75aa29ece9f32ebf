"""The Stripe of these tests is as strict as the real one where it matters: parameters, keys, memory."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe as sdk

from tests.stripe_server import StripeServer, running
from tests.stripe_server.ground import an_account
from tests.stripe_server.server import KEY

TRANSFER = {"amount": 100, "currency": "cny"}


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with running() as made:
        made.people.top_up(10_000)
        yield made


def client(server: StripeServer) -> Any:
    return sdk.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0).v1


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"ammount": 100}, "ammount"),
        ({"amount": "a"}, "amount"),
        ({"metadata": {"key": {"deeper": "1"}}}, "metadata"),
        ({"source_type": "gold"}, "source_type"),
        ({"currency": None}, "currency"),
        ({"description": ""}, "description"),
        ({"expand": {"a": "b"}}, "expand"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    server: StripeServer, change: dict[str, Any], param: str
) -> None:
    told = {**TRANSFER, "destination": an_account(server), **change}
    with pytest.raises(sdk.InvalidRequestError) as no:
        client(server).transfers.create({name: value for name, value in told.items() if value is not None})
    assert no.value.param == param
    assert server.books.all_of("transfer") == []


def test_a_wrong_name_inside_is_refused_too(server: StripeServer) -> None:
    with pytest.raises(sdk.InvalidRequestError) as no:
        client(server).accounts.create({"country": "HK", "controller": {"fees": {"payor": "application"}}})
    assert no.value.param == "controller[fees][payor]"
    with pytest.raises(sdk.InvalidRequestError, match="not currently supported"):
        client(server).accounts.create({"country": "CN"})


def test_a_key_is_for_one_request(server: StripeServer) -> None:
    told = {**TRANSFER, "destination": an_account(server)}
    made = client(server).transfers.create(told, {"idempotency_key": "k"})
    assert client(server).transfers.create(told, {"idempotency_key": "k"}).id == made.id
    with pytest.raises(sdk.IdempotencyError):
        client(server).transfers.create({**told, "amount": 101}, {"idempotency_key": "k"})
    # a refusal is remembered as well
    for _ in range(2):
        with pytest.raises(sdk.InvalidRequestError):
            client(server).transfers.create({**told, "amount": 99_999}, {"idempotency_key": "much"})
        server.people.top_up(200_000)
    assert len(server.books.all_of("transfer")) == 1


def test_of_many_with_one_key_at_once_one_has_an_effect(server: StripeServer) -> None:
    told = {**TRANSFER, "destination": an_account(server)}
    heard: list[str] = []

    def ask() -> None:
        try:
            heard.append(client(server).transfers.create(told, {"idempotency_key": "k"}).id)
        except sdk.APIError as error:
            heard.append(f"status {error.http_status}")

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 16
    assert {answer for answer in heard if answer.startswith("status")} <= {"status 409"}
    assert len({answer for answer in heard if not answer.startswith("status")}) == 1
    assert len(server.books.all_of("transfer")) == 1


def test_it_remembers_across_its_own_death(tmp_path: Path) -> None:
    path = tmp_path / "stripe.json"
    with running(path) as first:
        first.people.top_up(1_000)
        told = {**TRANSFER, "destination": an_account(first)}
        made = client(first).transfers.create(told, {"idempotency_key": "k"})
    with running(path) as second:
        assert client(second).transfers.create(told, {"idempotency_key": "k"}).id == made.id
        assert second.books.balance() == 900
        assert [event["type"] for event in second.books.events][-1] == "transfer.created"


def test_another_key_or_version_is_not_answered(server: StripeServer) -> None:
    wrong = sdk.StripeClient("sk_test_wrong", base_addresses={"api": server.url}, max_network_retries=0)
    with pytest.raises(sdk.AuthenticationError):
        wrong.v1.balance.retrieve()
    old = sdk.StripeClient(
        KEY, base_addresses={"api": server.url}, max_network_retries=0, stripe_version="2020-08-27"
    )
    with pytest.raises(sdk.InvalidRequestError, match="Another version"):
        old.v1.balance.retrieve()
    assert client(server).balance.retrieve().available[0].amount == 10_000


def test_a_payout_is_seen_in_its_own_account_alone(server: StripeServer) -> None:
    account = an_account(server)
    client(server).transfers.create({**TRANSFER, "destination": account})
    payout = server.people.pay_out(account)
    server.people.payout_arrives(payout)
    with pytest.raises(sdk.InvalidRequestError):
        client(server).payouts.retrieve(payout)
    assert client(server).payouts.retrieve(payout, None, {"stripe_account": account}).status == "paid"
    (told,) = server.books.told_of("payout.paid")
    assert told["account"] == account
