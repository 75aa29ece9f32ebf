"""The one scheduler: every second it rings for what is overdue, and puts periodic tasks on the queue.

It keeps no state. Killed and started again, or started twice, it does no harm.
"""

import logging
import threading
from datetime import datetime, timedelta

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from carbon_credits.core import clock
from carbon_credits.core.db import is_away, reading
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.doorbell import (
    DELIVERIES,
    EXPORTS,
    HOOKS,
    INBOX,
    LANES,
    PARTNER_FILES,
    SIMULATIONS,
    VERIFICATION,
    draining,
    enqueue_lane,
    enqueue_task,
)
from carbon_credits.jobs.drop_folder import anything_dropped
from carbon_credits.jobs.periodic import due_now
from carbon_credits.jobs.surroundings import handlers, redis_of, settings
from carbon_credits.partners.progress import ANY_WAITING
from carbon_credits.reconciliation.cases import counts
from carbon_credits.rewards.inbox import DUE as INBOX_DUE

log = logging.getLogger(__name__)

EVERY_S = 1.0
REMIND_EVERY = timedelta(hours=1)
# An act this old has missed its ring, or whoever heard it has died.
OVERDUE = text("""
select distinct shard_id % :lanes from activity_queue where queued_at < clock_timestamp() - interval '800 milliseconds'
""")
# A topic that nobody here takes waits for its provider, and is no reason to call a worker every second.
DELIVERIES_DUE = text("""
select exists (select from outbox where state = 'waiting' and next_at <= clock_timestamp() and topic = any(:topics))
""")

TRACES_WAITING = text("""
select exists (select from trip_trace
               where judged_at is null and received_at < clock_timestamp() - interval '800 milliseconds')
""")
CALLS_DUE = text("""
select exists (select from hook_delivery where state = 'waiting' and next_at <= clock_timestamp())
""")
# one that is running is looked at too: its lock says whether somebody is still at it
EXPORTS_WAITING = text("select exists (select from export where state in ('asked', 'running'))")
# one that nobody touches any more waits again
SIMULATIONS_WAITING = text("""
select exists (select from simulation
               where finished_at is null and (begun_at is null or touched_at < clock_timestamp() - interval '5 minutes'))
""")
# what is rung for, and by what it is known that something waits
DUE = (
    (DELIVERIES, DELIVERIES_DUE),
    (INBOX, INBOX_DUE),
    (HOOKS, CALLS_DUE),
    (VERIFICATION, TRACES_WAITING),
)
SLOW = (
    (PARTNER_FILES, ANY_WAITING),
    (EXPORTS, EXPORTS_WAITING),
    (SIMULATIONS, SIMULATIONS_WAITING),
)


def run(stop: threading.Event) -> None:
    """Sweep once a second until told to stop."""
    redis = redis_of()
    announced: dict[str, datetime] = {}
    while not stop.wait(EVERY_S):
        try:
            sweep(redis)
            _announce(redis, announced)
            announced["cases overdue"] = remind(announced.get("cases overdue"), clock.now())
        except RedisError as error:
            log.warning("scheduler: doorbell away: %s", type(error).__name__)
        except DBAPIError as error:
            if not is_away(error):
                raise
            log.warning("scheduler: database away")


def sweep(redis: Redis) -> list[int]:
    """Ring again for lanes with overdue acts that nobody is draining; returns the lanes rung."""
    with reading() as session:
        lanes = list(session.execute(OVERDUE, {"lanes": LANES}).scalars())
        given = {"topics": list(handlers())}
        due = [bell for bell, asked in DUE if session.execute(asked, given).scalar_one()]
        slow = [bell for bell, asked in SLOW if session.execute(asked).scalar_one()]
    rung = [lane for lane in lanes if not redis.exists(draining(lane))]
    for lane in rung:
        if redis.set(f"swept:{lane}", "1", nx=True, px=900):
            enqueue_lane(redis, lane)
    if anything_dropped(settings().drop):
        slow = [PARTNER_FILES, *(bell for bell in slow if bell != PARTNER_FILES)]
    # one that waits behind one at work is enough: a file may take minutes
    idle = {bell.queue: not len(doorbell.queue(redis, bell.queue)) for bell in slow}
    for bell in (*due, *(bell for bell in slow if idle[bell.queue])):
        doorbell.ring_bell(redis, bell)
    return rung


def remind(last: datetime | None, now: datetime) -> datetime:
    """Say in the log, once an hour, which kinds of case are past their deadline; returns when that was last looked at."""
    if last is not None and now - last < REMIND_EVERY:
        return last
    with reading() as session:
        late = {count.kind: count.overdue for count in counts(session, now) if count.overdue}
    if late:
        log.warning("cases overdue", extra={"cases": late})
    return now


def _announce(redis: Redis, announced: dict[str, datetime]) -> None:
    """Queue the present slot of each periodic task that has not started; not again within the same slot."""
    for name, slot in due_now():
        if announced.get(name) != slot:
            enqueue_task(redis, name, slot.isoformat())
            announced[name] = slot
