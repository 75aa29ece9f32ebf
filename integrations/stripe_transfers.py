"""Paying by Stripe: transfers to merchants' accounts, their reversals, and what Stripe's balance says of all of it."""

from collections.abc import Iterator
from datetime import datetime
from math import ceil
from typing import Any, Final, Literal

from carbon_credits.rewards.payment_contract import Instruction, Outcome, StatementLine, Told
from integrations.stripe_calls import CURRENCY, PAGE, Answer, Calls, NoSense, instant

# whose reference a line is about, by what stands behind it: a reversal is about its transfer, a charge about its payment
ABOUT: Final = {"transfer_reversal": "transfer", "charge": "payment_intent"}


class StripeRail:
    """Transfers from the programme's balance to merchants' accounts. A transfer that exists has arrived there."""

    name: Literal["stripe"] = "stripe"

    def __init__(self, calls: Calls) -> None:
        self._calls, self._stripe = calls, calls.client.v1

    def pay(self, instruction: Instruction) -> Told:
        """Transfer, once under its key. Raises Refused, Unknown."""

        def call() -> Told:
            made = self._stripe.transfers.create(
                {
                    "amount": instruction.amount_fen,
                    "currency": CURRENCY,
                    "destination": instruction.destination,
                    "transfer_group": instruction.group,
                    "description": instruction.memo,
                    "metadata": {"key": instruction.key},
                },
                {"idempotency_key": instruction.key},
            )
            return _transfer(_same(Answer(made, "transfer"), instruction))

        return self._calls.ask(call)

    def find(self, instruction: Instruction) -> Told | None:
        """Look among the transfers of the group. Raises Refused, Unknown."""

        def call() -> Told | None:
            found = self._stripe.transfers.list({"transfer_group": instruction.group, "limit": PAGE})
            for transfer in found.auto_paging_iter():
                answer = Answer(transfer, "transfer")
                if answer.part("metadata").get("key") == instruction.key:
                    return _transfer(_same(answer, instruction))
            return None

        return self._calls.ask(call)

    def look_up(self, reference: str) -> Told:
        """Ask for one transfer. Raises Refused, Unknown."""
        return self._calls.ask(
            lambda: _transfer(Answer(self._stripe.transfers.retrieve(reference), "transfer"))
        )

    def take_back(self, reference: str, amount_fen: int, key: str) -> Told:
        """Reverse a transfer, in part or whole, once under its key; tells what of it is back in all.

        Raises Refused (the merchant's balance is short, or more than is left) and Unknown.
        """

        def call() -> Told:
            self._stripe.transfers.reversals.create(
                reference, {"amount": amount_fen, "metadata": {"key": key}}, {"idempotency_key": key}
            )
            return _transfer(Answer(self._stripe.transfers.retrieve(reference), "transfer"))

        return self._calls.ask(call)

    def statement(self, since: datetime, until: datetime) -> Iterator[StatementLine]:
        """The lines of the programme's balance in CNY, once all of them were read. Raises Refused, Unknown."""

        def call() -> list[StatementLine]:
            # Stripe counts whole seconds: those that lie in the period, and none that lies outside
            found = self._stripe.balance_transactions.list(
                {
                    "created": {"gte": ceil(since.timestamp()), "lt": ceil(until.timestamp())},
                    "currency": CURRENCY,
                    "expand": ["data.source"],
                    "limit": PAGE,
                }
            )
            return [_line(Answer(one, "balance_transaction")) for one in found.auto_paging_iter()]

        # Stripe lists the newest first
        return reversed(self._calls.ask(call))


def _same(answer: Answer, instruction: Instruction) -> Answer:
    """A transfer of another amount, or to somebody else, is no answer to this instruction."""
    if (answer.whole("amount"), answer.reference("destination")) != (
        instruction.amount_fen,
        instruction.destination,
    ):
        raise NoSense("another_transfer")
    return answer


def _transfer(answer: Answer) -> Told:
    back = answer.whole("amount_reversed")
    outcome = Outcome.REVERSED if answer.is_true("reversed") else Outcome.PAID
    return Told(answer.text("id"), outcome, back)


def _line(answer: Answer) -> StatementLine:
    kind, amount, fee = answer.text("type"), answer.whole("amount"), answer.whole("fee")
    if kind == "stripe_fee":
        # a fee of its own, not of a payment
        amount, fee = 0, fee - amount
    source = answer.part("source")
    about = source.get(ABOUT.get(str(source.get("object")), "id")) or answer.reference("source")
    told: dict[str, Any] = {
        "net": answer.whole("net"),
        "status": answer.text_or_none("status"),
        "source": answer.reference("source"),
        "transfer_group": source.get("transfer_group"),
    }
    return StatementLine(
        answer.text("id"),
        kind,
        amount,
        fee,
        about if isinstance(about, str) else None,
        instant(answer.whole("created")),
        told,
    )
