"""What tests of several rooms need to have a Stripe beside them."""

from carbon_credits.rewards.payment_contract import Collector, Instruction, Rail, Ways
from integrations import stripe_connect
from tests.stripe_server.server import KEY, StripeServer

HOME = "https://carbon.test/methodologies"


def ways_to(server: StripeServer) -> Ways:
    """The programme's side, with the client it has in production."""
    return stripe_connect.ways_of(KEY, tuple(server.webhooks.secrets), server.url, HOME)


def rail_to(server: StripeServer) -> Rail:
    """The rail alone."""
    return ways_to(server).rails["stripe"]


def collector_to(server: StripeServer) -> Collector:
    """The collector alone."""
    found = ways_to(server).collector
    assert found is not None
    return found


def an_account(server: StripeServer, code: str = "shop") -> str:
    """A merchant's account that is ready to be paid to."""
    reference = collector_to(server).onboard(code, None, f"account:{code}:0").reference
    server.people.complete(reference)
    return reference


def an_instruction(
    destination: str, number: int = 1, attempt: int = 1, amount_fen: int = 1_234
) -> Instruction:
    """One payment, as settlement asks for it."""
    return Instruction(
        f"settlement:{number}:{attempt}",
        f"settlement:{number}",
        destination,
        amount_fen,
        "CC shop 2026-11-02",
    )
