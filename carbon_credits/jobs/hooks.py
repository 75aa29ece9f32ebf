"""Merchants are told what they asked to be told: a few at a time, one at a time for each address."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from carbon_credits.core import clock
from carbon_credits.core.addresses import NotCalled
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.jobs.doorbell import HOOKS, hear
from carbon_credits.jobs.outgoing import Caller, NoAnswer
from carbon_credits.jobs.surroundings import begin, redis_of, settings
from carbon_credits.rewards.hook_deliveries import Notice, State, claim, conclude

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
# a new job takes over after a while, long before this one would be ended by the queue
LONGEST_S: Final = 60.0


@dataclass(frozen=True)
class Answer:
    """How an attempt ended: a status, or why there is none."""

    status: int | None
    error: str | None = None


def tell() -> None:
    """RQ's entry: tell everything that is due."""
    begin()
    hear(redis_of(), HOOKS)
    told = tell_due(settings().vault, clock.now, Caller())
    log.info(
        "merchants told", extra={"taken": told["taken"], "failed": told["waiting"], "dead": told["dead"]}
    )


def tell_due(vault: Vault, now: Callable[[], datetime], caller: Caller) -> dict[State, int]:
    """Tell what is due until nothing is, or LONGEST_S have passed; how many were taken, put off and given up.

    No transaction is open while an address is called. An address that is slow keeps one of AT_ONCE places busy.
    """
    counts: dict[State, int] = {"taken": 0, "waiting": 0, "dead": 0}
    ends = time.monotonic() + LONGEST_S
    under_way: dict[Future[Answer], Notice] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hook") as pool:
        while True:
            while len(under_way) < AT_ONCE and time.monotonic() < ends:
                notice = _claim(vault, now(), {one.hook_id for one in under_way.values()})
                if notice is None:
                    break
                under_way[pool.submit(call, caller, notice, now())] = notice
            if not under_way:
                return counts
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                counts[_conclude(under_way.pop(future), future.result(), now())] += 1


def call(caller: Caller, notice: Notice, now: datetime) -> Answer:
    """Call a notice's address, once."""
    try:
        return Answer(caller.post(notice.url, notice.body, notice.headers(now)))
    except NotCalled as refusal:
        # a name that is private today may be public when its owner has mended it
        return Answer(None, refusal.reason)
    except NoAnswer as silence:
        return Answer(None, silence.reason)


def _claim(vault: Vault, now: datetime, busy: set[int]) -> Notice | None:
    return in_transaction(lambda session: claim(session, vault, now, busy))


def _conclude(notice: Notice, answer: Answer, now: datetime) -> State:
    return in_transaction(lambda session: conclude(session, notice, answer.status, answer.error, now))
