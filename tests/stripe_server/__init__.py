"""A Stripe for tests: a real HTTP server on loopback that keeps accounts, money and events, and can be made to fail.

It is their side of the line: what the programme is told it is told through the official client, and what the programme
sends is held against the client's own parameter types, so that a wrong name fails here. `StripeServer` is one of it;
`server.books` is what it knows, `server.people` what merchants, sponsors and banks do, `server.faults` what goes
wrong next, `server.webhooks` what it tells unasked. With a `path` it survives being stopped at any moment.
"""

from tests.stripe_server.faults import Fault
from tests.stripe_server.server import StripeServer, running

__all__ = ["Fault", "StripeServer", "running"]
