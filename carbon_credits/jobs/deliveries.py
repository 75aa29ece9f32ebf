"""What is due in the outbox leaves the house."""

import logging
from collections.abc import Mapping

from carbon_credits.core import clock
from carbon_credits.core.outbox import Handler, Message, deliver_due
from carbon_credits.jobs.doorbell import DELIVERIES, hear
from carbon_credits.jobs.surroundings import begin, handlers, redis_of

log = logging.getLogger(__name__)


def deliver() -> None:
    """RQ's entry: deliver everything that is due. What becomes due meanwhile may ring for the next job."""
    begin()
    hear(redis_of(), DELIVERIES)
    deliver_due(handlers(), clock.now)


def announce_journal(message: Message) -> None:
    """Say in the log that a journal was written: its number, shard and acts, nothing of anybody."""
    log.info("journal credited", extra=dict(message.payload))


OWN_HANDLERS: Mapping[str, Handler] = {"journal.credited": announce_journal}
