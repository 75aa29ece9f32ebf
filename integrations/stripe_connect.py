"""Stripe Connect: merchants are paid by transfers to accounts of their own, sponsors pay by Checkout or PaymentIntent.

Amounts are fen, Stripe's smallest unit of CNY. Every call that moves money has our row's key as its Idempotency-Key and
in the object's metadata: so it is the same call today, by Stripe's memory of keys, which it keeps for a day, and is found
again next month by its group or its payment.
"""

from carbon_credits.rewards.payment_contract import Ways
from integrations.stripe_calls import Calls
from integrations.stripe_collecting import StripeCollector
from integrations.stripe_notices import StripeNotices
from integrations.stripe_transfers import StripeRail


def ways_of(key: str, secrets: tuple[str, ...], url: str | None, home: str) -> Ways:
    """Stripe as a rail, a collector and a source of notices; `home` is where people come back to from its pages.

    `url` is another address than Stripe's own, for a server that stands in for it.
    """
    calls = Calls(key, url)
    notices = {"stripe": StripeNotices(secrets)} if secrets else {}
    return Ways(rails={"stripe": StripeRail(calls)}, collector=StripeCollector(calls, home), notices=notices)
