"""Merchants paid by Stripe, through its own client: one transfer, whatever happens on the way."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from carbon_credits.rewards.payment_contract import Instruction, Outcome, Refused, Unknown
from integrations import stripe_calls
from integrations.stripe_calls import Breaker, Calls
from integrations.stripe_transfers import StripeRail
from tests.stripe_server import StripeServer, running
from tests.stripe_server.ground import an_account, an_instruction, rail_to
from tests.stripe_server.server import KEY
from tests.waiting import wait_until

TRANSFERS = "POST /v1/transfers"
IN_PRODUCTION_S = stripe_calls.DEADLINE_S
LOST = ("silent", "reset", "garbage", "error_in_200", "other_answer", "redirect", "error_500", "error_429")


@pytest.fixture
def stripe() -> Iterator[StripeServer]:
    """A Stripe where the programme has 1,000 yuan."""
    with running() as server:
        server.people.top_up(100_000)
        yield server


def now() -> datetime:
    return datetime.now(UTC)


def transfers(stripe: StripeServer) -> list[int]:
    return [one["amount"] for one in stripe.books.all_of("transfer")]


def test_a_transfer_arrives_once_for_its_key(stripe: StripeServer) -> None:
    rail, instruction = rail_to(stripe), an_instruction(an_account(stripe))
    assert rail.find(instruction) is None
    told = rail.pay(instruction)
    assert (told.outcome, told.reversed_fen) == (Outcome.PAID, 0)
    assert rail.pay(instruction) == told == rail.find(instruction) == rail.look_up(told.reference)
    assert transfers(stripe) == [1_234]
    assert stripe.books.balance(instruction.destination) == 1_234
    assert stripe.books.balance() == 100_000 - 1_234


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", LOST)
def test_whatever_the_answer_it_is_asked_again_under_the_key(
    stripe: StripeServer, kind: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rail, instruction = rail_to(stripe), an_instruction(an_account(stripe))
    if kind == "silent":
        monkeypatch.setattr(stripe_calls, "DEADLINE_S", 0.4)
    stripe.fail(kind, TRANSFERS, after=after)
    with pytest.raises(Unknown):
        rail.pay(instruction)
    monkeypatch.undo()
    if after:
        # on a machine that stalls it is given up before Stripe has done it
        wait_until(lambda: transfers(stripe), "the transfer")
    assert transfers(stripe) == ([1_234] if after else [])
    assert (rail.find(instruction) is not None) == after
    assert rail.pay(instruction).outcome is Outcome.PAID
    assert transfers(stripe) == [1_234]


def test_an_answer_that_never_ends_is_given_up_in_time(
    stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert IN_PRODUCTION_S <= 3
    rail, instruction = rail_to(stripe), an_instruction(an_account(stripe))
    # each byte comes well within the patience of a socket; all of them would take minutes
    stripe.fail("drip", TRANSFERS, after=True)
    began = time.monotonic()
    with monkeypatch.context() as shorter:
        shorter.setattr(stripe_calls, "DEADLINE_S", 0.5)
        with pytest.raises(Unknown):
            rail.pay(instruction)
    assert time.monotonic() - began < 20
    assert rail.pay(instruction).outcome is Outcome.PAID
    assert transfers(stripe) == [1_234]


def test_a_500_that_is_remembered_under_the_key_is_got_round_by_looking(stripe: StripeServer) -> None:
    rail, instruction = rail_to(stripe), an_instruction(an_account(stripe))
    stripe.fail("error_500", TRANSFERS, after=True, kept=True)
    for _ in range(2):
        with pytest.raises(Unknown):
            rail.pay(instruction)
    found = rail.find(instruction)
    assert found is not None
    assert found.outcome is Outcome.PAID
    assert transfers(stripe) == [1_234]


def test_after_a_day_the_key_is_forgotten_and_the_transfer_is_not(stripe: StripeServer) -> None:
    rail, instruction = rail_to(stripe), an_instruction(an_account(stripe))
    told = rail.pay(instruction)
    stripe.books.forget_keys()
    assert rail.find(instruction) == told
    # another attempt of the same group is another payment
    assert rail.find(replace(instruction, key="settlement:1:2")) is None


def test_a_transfer_is_found_among_hundreds_of_its_group(stripe: StripeServer) -> None:
    rail, account = rail_to(stripe), an_account(stripe)
    told = [rail.pay(an_instruction(account, attempt=attempt, amount_fen=1)) for attempt in range(1, 122)]
    assert rail.find(an_instruction(account, attempt=1, amount_fen=1)) == told[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_fen": 100_001}, "balance_insufficient"),
        ({"destination": "acct_nobody"}, "resource_missing"),
        ({"amount_fen": 0}, "parameter_invalid_integer"),
    ],
)
def test_a_definite_no_moves_nothing(stripe: StripeServer, change: dict[str, object], code: str) -> None:
    instruction = replace(an_instruction(an_account(stripe)), **change)  # type: ignore[arg-type]
    with pytest.raises(Refused) as no:
        rail_to(stripe).pay(instruction)
    assert no.value.code == code
    assert transfers(stripe) == []


def test_an_account_that_is_not_complete_is_not_paid_to(stripe: StripeServer) -> None:
    rail, account = rail_to(stripe), an_account(stripe)
    stripe.books.objects[account]["capabilities"]["transfers"] = "inactive"
    with pytest.raises(Refused) as no:
        rail.pay(an_instruction(account))
    assert no.value.code == "insufficient_capabilities_for_transfer"


def test_a_key_used_with_other_numbers_is_no_refusal(stripe: StripeServer) -> None:
    rail, instruction = rail_to(stripe), an_instruction(an_account(stripe))
    rail.pay(instruction)
    with pytest.raises(Unknown):
        rail.pay(replace(instruction, amount_fen=999))
    assert transfers(stripe) == [1_234]


def test_a_wrong_key_of_ours_says_nothing_of_the_payment(stripe: StripeServer) -> None:
    account = an_account(stripe)
    with pytest.raises(Unknown):
        StripeRail(Calls("sk_test_another", stripe.url)).pay(an_instruction(account))


def test_a_transfer_is_taken_back_in_parts_and_once_for_each_key(stripe: StripeServer) -> None:
    rail, account = rail_to(stripe), an_account(stripe)
    paid = rail.pay(an_instruction(account))
    stripe.fail("reset", f"POST /v1/transfers/{paid.reference}", after=True)
    with pytest.raises(Unknown):
        rail.take_back(paid.reference, 234, "take_back:1")
    assert rail.take_back(paid.reference, 234, "take_back:1").reversed_fen == 234
    whole = rail.take_back(paid.reference, 1_000, "take_back:2")
    assert (whole.outcome, whole.reversed_fen) == (Outcome.REVERSED, 1_234)
    assert stripe.books.balance() == 100_000
    with pytest.raises(Refused):
        rail.take_back(paid.reference, 1, "take_back:3")


def test_what_is_not_there_any_more_cannot_be_taken_back(stripe: StripeServer) -> None:
    rail, account = rail_to(stripe), an_account(stripe)
    paid = rail.pay(an_instruction(account))
    payout = stripe.people.pay_out(account)
    stripe.people.payout_arrives(payout)
    with pytest.raises(Refused) as no:
        rail.take_back(paid.reference, 1_234, "take_back:1")
    assert no.value.code == "balance_insufficient"
    stripe.people.payout_arrives(payout, fails="account_closed")
    assert rail.take_back(paid.reference, 1_234, "take_back:2").outcome is Outcome.REVERSED


def test_the_statement_adds_up_and_names_what_each_line_is_about(stripe: StripeServer) -> None:
    rail, account = rail_to(stripe), an_account(stripe)
    paid = [rail.pay(an_instruction(account, number, amount_fen=number)) for number in range(1, 131)]
    rail.take_back(paid[6].reference, 3, "take_back:1")
    with stripe.books.lock:
        made = stripe.books.add("fee", "fee")
        stripe.books.book("stripe_fee", -25, made["id"])
    lines = list(rail.statement(now() - timedelta(hours=1), now() + timedelta(hours=1)))
    assert sum(line.amount_fen - line.fee_fen for line in lines) == stripe.books.balance()
    assert [line.kind for line in lines] == ["topup", *["transfer"] * 130, "transfer_refund", "stripe_fee"]
    assert [line.source_ref for line in lines[1:131]] == [told.reference for told in paid]
    assert (lines[131].source_ref, lines[131].amount_fen) == (paid[6].reference, 3)
    assert (lines[132].amount_fen, lines[132].fee_fen) == (0, 25)
    assert list(rail.statement(now() - timedelta(hours=2), now() - timedelta(hours=1))) == []


def test_a_statement_is_whole_or_not_there(stripe: StripeServer) -> None:
    rail, account = rail_to(stripe), an_account(stripe)
    for number in range(1, 111):
        rail.pay(an_instruction(account, number, amount_fen=1))
    stripe.fail("error_500", "GET /v1/balance_transactions", after=True)
    with pytest.raises(Unknown):
        rail.statement(now() - timedelta(hours=1), now() + timedelta(hours=1))


def test_a_redirect_is_not_followed(stripe: StripeServer) -> None:
    rail, account = rail_to(stripe), an_account(stripe)
    stripe.fail("redirect", TRANSFERS)
    with pytest.raises(Unknown):
        rail.pay(an_instruction(account))
    assert not [call for call, _ in stripe.asked if "stolen" in call]


def test_a_stripe_that_is_down_is_left_alone_for_a_while(stripe: StripeServer) -> None:
    clock = [0.0]
    rail = StripeRail(Calls(KEY, stripe.url, Breaker(lambda: clock[0])))
    instruction = an_instruction(an_account(stripe))
    stripe.fail("error_500", TRANSFERS, times=6)
    for _ in range(8):
        with pytest.raises(Unknown):
            rail.pay(instruction)
    assert len([fault for fault in stripe.faults.waiting if fault.times == 1]) == 1
    clock[0] = stripe_calls.REST_S + 1
    # one call tries, fails, and the rest begins anew
    for _ in range(2):
        with pytest.raises(Unknown):
            rail.pay(instruction)
    clock[0] += stripe_calls.REST_S + 1
    assert rail.pay(instruction).outcome is Outcome.PAID
    assert transfers(stripe) == [1_234]


def test_nothing_secret_is_said(stripe: StripeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    account = an_account(stripe)
    said = []
    for kind in ("refuse", "garbage", "error_500"):
        stripe.fail(kind, TRANSFERS)
        with pytest.raises((Refused, Unknown)) as no:
            rail_to(stripe).pay(an_instruction(account))
        said.append(f"{no.value!r} {no.value.__cause__!r}")
    assert KEY not in "".join(said) + caplog.text
    assert "No." not in "".join(said)


def test_nobody_at_the_address(stripe: StripeServer) -> None:
    instruction: Instruction = an_instruction(an_account(stripe))
    rail = rail_to(stripe)
    stripe.stop()
    with pytest.raises(Unknown):
        rail.pay(instruction)
