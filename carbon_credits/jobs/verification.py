"""Traces that wait are looked at, a few in each transaction, and their acts go on to the batch."""

from typing import Final

from carbon_credits.activities.verification import judge_waiting
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.jobs.doorbell import VERIFICATION, hear, ring
from carbon_credits.jobs.surroundings import begin, redis_of, settings

AT_A_TIME: Final = 20


def verify() -> None:
    """RQ's entry: judge everything that waits. A job that meets another one leaves the work to it."""
    begin()
    redis, vault = redis_of(), settings().vault
    hear(redis, VERIFICATION)
    while True:
        judged, shards = in_transaction(lambda session: judge_waiting(session, vault, clock.now(), AT_A_TIME))
        if not judged:
            return
        ring(redis, shards)
