"""Partners' corrections are settled by themselves: after each file of a feed, and hourly for what came otherwise."""

import logging
from functools import partial
from typing import Final

from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import alone, in_transaction, reading
from carbon_credits.jobs.surroundings import settings
from carbon_credits.reconciliation.corrections import feeds_due, settle_records, settle_versions

log = logging.getLogger(__name__)

# whoever works on a feed's files or corrections holds it, with the feed's number
FEED_LOCK: Final = 440_610


def settle_feed(vault: Vault, source_id: int) -> int:
    """Settle what can be settled of a feed, a few thousand in each transaction; the caller holds the feed's lock.

    The work list's sweeper rings for the acts that were put back. Returns how many corrections were settled.
    """
    settled = put_back = 0
    while (step := in_transaction(partial(settle_versions, source_id=source_id))).seen:
        settled, put_back = settled + step.settled, put_back + step.put_back
    after: bytes | None = b""
    while after is not None:
        step = in_transaction(partial(settle_records, vault=vault, source_id=source_id, after=after))
        settled, put_back, after = settled + step.settled, put_back + step.put_back, step.ends_at
    if settled:
        log.info("corrections settled", extra={"source": source_id, "settled": settled, "put_back": put_back})
    return settled


def settle_all() -> int:
    """Settle every feed's corrections; a feed that another process works on is left to it. Returns how many."""
    with reading() as session:
        due = feeds_due(session)
    settled = 0
    for feed in due:
        with alone(FEED_LOCK, feed.source_id) as ours:
            if ours:
                settled += settle_feed(settings().vault, feed.source_id)
    return settled
