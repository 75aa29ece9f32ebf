"""Sponsors' money by Stripe – its page or a payment for theirs, refunds – and the accounts that merchants are paid to."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from carbon_credits.rewards.payment_contract import Collection, Means, Onboarding, Outcome, Payout, Told
from integrations.stripe_calls import CURRENCY, PAGE, Answer, Calls, NoSense, instant

# Stripe opens accounts of merchants in the countries it serves, and the mainland is not one of them
COUNTRY: Final = "HK"
REFUNDS: Final = {
    "succeeded": Outcome.PAID,
    "pending": Outcome.PENDING,
    "requires_action": Outcome.PENDING,
    "failed": Outcome.FAILED,
    "canceled": Outcome.FAILED,
}
State = Literal["open", "paid", "failed", "expired"]


class StripeCollector:
    """Sponsors' payments by Stripe's page or their own, refunds, and merchants' accounts."""

    name: Literal["stripe"] = "stripe"

    def __init__(self, calls: Calls, home: str) -> None:
        self._calls, self._stripe, self._home = calls, calls.client.v1, home

    def onboard(self, merchant_code: str, reference: str | None, key: str) -> Onboarding:
        """An account of which the programme bears fees and losses and Stripe asks for papers, and a link to complete it.

        Raises Refused, Unknown.
        """
        account = reference or self._calls.ask(lambda: self._account(merchant_code, key))

        def call() -> Onboarding:
            # a link is good once and for minutes: no key, each is a new one
            made = self._stripe.account_links.create(
                {
                    "account": account,
                    "type": "account_onboarding",
                    "return_url": self._home,
                    "refresh_url": self._home,
                }
            )
            link = Answer(made, "account_link")
            return Onboarding(account, link.text("url"), instant(link.whole("expires_at")))

        return self._calls.ask(call)

    def can_be_paid(self, reference: str) -> bool:
        """Whether an account may receive transfers now. Raises Refused, Unknown."""

        def call() -> bool:
            account = Answer(self._stripe.accounts.retrieve(reference), "account")
            return account.part("capabilities").get("transfers") == "active"

        return self._calls.ask(call)

    def last_payout(self, reference: str) -> Payout | None:
        """The newest payout that arrived or failed, of the newest page. Raises Refused, Unknown."""

        def call() -> Payout | None:
            found = self._stripe.payouts.list({"limit": PAGE}, {"stripe_account": reference})
            told = (Answer(one, "payout") for one in found.data)
            return next((_payout(one) for one in told if one.text("status") in ("paid", "failed")), None)

        return self._calls.ask(call)

    def ask(self, means: Means, amount_fen: int, memo: str, key: str) -> Collection:
        """Open a page to pay on, or a payment for a page of the sponsor's. Raises Refused, Unknown."""
        made = self._checkout if means == "checkout" else self._intent
        return self._calls.ask(lambda: made(amount_fen, memo, key))

    def state_of(self, means: Means, reference: str) -> Collection:
        """What became of it. Raises Refused, Unknown."""
        return self._calls.ask(lambda: self._state_of(means, reference))

    def end(self, means: Means, reference: str) -> Collection:
        """Close the page, or the payment. Raises Refused (it is paid, or ended) and Unknown."""

        def call() -> Collection:
            if means == "checkout":
                self._stripe.checkout.sessions.expire(reference)
            else:
                self._stripe.payment_intents.cancel(reference)
            return self._state_of(means, reference)

        return self._calls.ask(call)

    def give_back(self, intent_ref: str, amount_fen: int, key: str) -> Told:
        """Refund, once under its key. Raises Refused, Unknown."""

        def call() -> Told:
            made = self._stripe.refunds.create(
                {"payment_intent": intent_ref, "amount": amount_fen, "metadata": {"key": key}},
                {"idempotency_key": key},
            )
            return _refund(Answer(made, "refund"))

        return self._calls.ask(call)

    def find_refund(self, intent_ref: str, key: str) -> Told | None:
        """Look among the refunds of the payment. Raises Refused, Unknown."""

        def call() -> Told | None:
            for one in self._stripe.refunds.list(
                {"payment_intent": intent_ref, "limit": PAGE}
            ).auto_paging_iter():
                answer = Answer(one, "refund")
                if answer.part("metadata").get("key") == key:
                    return _refund(answer)
            return None

        return self._calls.ask(call)

    def refund_of(self, reference: str) -> Told:
        """Ask for one refund. Raises Refused, Unknown."""
        return self._calls.ask(lambda: _refund(Answer(self._stripe.refunds.retrieve(reference), "refund")))

    def _account(self, merchant_code: str, key: str) -> str:
        made = self._stripe.accounts.create(
            {
                "country": COUNTRY,
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "requirement_collection": "stripe",
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {"merchant": merchant_code},
            },
            {"idempotency_key": key},
        )
        return Answer(made, "account").text("id")

    def _checkout(self, amount_fen: int, memo: str, key: str) -> Collection:
        # no expires_at: it would be another number at each attempt, and Stripe's own is a day
        made = self._stripe.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [
                    {
                        "price_data": {
                            "currency": CURRENCY,
                            "unit_amount": amount_fen,
                            "product_data": {"name": memo},
                        },
                        "quantity": 1,
                    }
                ],
                "client_reference_id": key,
                "metadata": {"key": key},
                "payment_intent_data": {"description": memo, "metadata": {"key": key}},
                "success_url": self._home,
                "cancel_url": self._home,
                "expand": ["payment_intent.latest_charge"],
            },
            {"idempotency_key": key},
        )
        return _session(Answer(made, "checkout.session"))

    def _intent(self, amount_fen: int, memo: str, key: str) -> Collection:
        made = self._stripe.payment_intents.create(
            {
                "amount": amount_fen,
                "currency": CURRENCY,
                "description": memo,
                "automatic_payment_methods": {"enabled": True},
                "metadata": {"key": key},
                "expand": ["latest_charge"],
            },
            {"idempotency_key": key},
        )
        return _payment(Answer(made, "payment_intent"))

    def _state_of(self, means: Means, reference: str) -> Collection:
        if means == "intent":
            found = self._stripe.payment_intents.retrieve(reference, {"expand": ["latest_charge"]})
            return _payment(Answer(found, "payment_intent"))
        page = self._stripe.checkout.sessions.retrieve(
            reference, {"expand": ["payment_intent.latest_charge"]}
        )
        return _session(Answer(page, "checkout.session"))


def _session(page: Answer) -> Collection:
    payment = page.part("payment_intent")
    state: State = "open"
    if page.text("payment_status") == "paid":
        state = "paid"
    elif page.text("status") == "expired":
        state = "expired"
    elif page.text("status") == "complete" and payment.get("status") in (
        "requires_payment_method",
        "canceled",
    ):
        # a means of paying that takes days has said no
        state = "failed"
    return Collection(
        page.text("id"),
        page.reference("payment_intent"),
        page.text_or_none("url"),
        state,
        page.whole("amount_total"),
        _refunded(payment),
        declined=_declined(payment),
    )


def _payment(payment: Answer) -> Collection:
    status = payment.text("status")
    state: State = {"succeeded": "paid", "canceled": "failed"}.get(status, "open")  # type: ignore[assignment]
    whole = {
        "latest_charge": payment.part("latest_charge"),
        "last_payment_error": payment.part("last_payment_error"),
    }
    return Collection(
        payment.text("id"),
        payment.text("id"),
        None,
        state,
        payment.whole("amount_received" if state == "paid" else "amount"),
        _refunded(whole),
        payment.text_or_none("client_secret") if state == "open" else None,
        _declined(whole),
    )


def _refunded(payment: Mapping[str, Any]) -> int:
    """What was given back of the charge behind a payment, in fen; nothing where there is no charge yet."""
    charge = payment.get("latest_charge")
    if not isinstance(charge, Mapping) or not charge:
        return 0
    return Answer(charge, "charge").whole("amount_refunded")


def _declined(payment: Mapping[str, Any]) -> str | None:
    """Why the last attempt to pay failed, by Stripe's short code."""
    error = payment.get("last_payment_error")
    if not isinstance(error, Mapping):
        return None
    code = error.get("decline_code") or error.get("code")
    return code[:60] if isinstance(code, str) else None


def _payout(answer: Answer) -> Payout:
    # a bank may return a payout that was paid already: the status alone says so
    failed = answer.text("status") == "failed"
    return Payout(
        answer.text("id"),
        answer.whole("amount"),
        answer.text("currency"),
        instant(answer.whole("created")),
        (answer.text_or_none("failure_code") or "failed")[:60] if failed else None,
    )


def _refund(answer: Answer) -> Told:
    status = answer.text("status")
    if status not in REFUNDS:
        raise NoSense("no_such_status")
    why = answer.text_or_none("failure_reason") if REFUNDS[status] is Outcome.FAILED else None
    return Told(answer.text("id"), REFUNDS[status], failure=why)
