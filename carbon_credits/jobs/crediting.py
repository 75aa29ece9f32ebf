"""The crediting job: drain a lane's work list batch by batch, then listen a moment before leaving."""

import logging
import time
from collections import defaultdict
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, is_away, reading, wrapped
from carbon_credits.core.errors import InvariantBroken, Unavailable
from carbon_credits.crediting.batch import BATCH_SIZE, Outcome, credit_batch
from carbon_credits.crediting.isolation import hold_first
from carbon_credits.jobs.doorbell import DRAINING_MS, LANES, draining, enqueue_lane, flag
from carbon_credits.jobs.surroundings import begin, redis_of

log = logging.getLogger(__name__)

LINGER_S: Final = 0.4
STEP_S: Final = 0.02
LONGEST_S: Final = 20.0
SHARDS_WITH_WORK = text("""
with recursive shard as (
  (select shard_id from activity_queue order by shard_id limit 1)
  union all
  select (select q.shard_id from activity_queue q where q.shard_id > s.shard_id order by q.shard_id limit 1)
  from shard s where s.shard_id is not null
)
select shard_id from shard where shard_id is not null and shard_id % :lanes = :lane
""")


def credit_lane(lane: int) -> None:
    """RQ's entry: drain the lane until it stays quiet; a new job takes over after a while, so none grows old."""
    begin()
    redis = redis_of()
    ends = time.monotonic() + LONGEST_S
    while True:
        _say(redis, lane)
        drain_lane(lane, lambda: _say(redis, lane), ends)
        if time.monotonic() > ends:
            redis.delete(draining(lane))
            enqueue_lane(redis, lane)
            return
        if not _rung_again(redis, lane):
            return


def drain_lane(lane: int, still_here: Any = None, ends: float | None = None) -> Outcome:
    """Decide everything that is queued in a lane, one batch of each shard in turn; returns the totals."""
    total = _Total()
    sizes: dict[int, int] = defaultdict(lambda: BATCH_SIZE)
    while shards := shards_with_work(lane):
        progress = False
        for shard in shards:
            if still_here is not None:
                still_here()
            outcome = credit_shard(shard, sizes)
            progress |= not outcome.busy
            total.add(outcome)
        if not progress or (ends is not None and time.monotonic() > ends):
            break
    return total.outcome()


def credit_shard(shard: int, sizes: dict[int, int]) -> Outcome:
    """One batch of a shard. A batch that fails is tried again at half the size, down to the one act that
    makes it fail; that act is held for a person and the rest goes on.
    """
    most = sizes[shard]
    try:
        outcome = in_transaction(lambda session: _batch(session, shard, most))
    except (InvariantBroken, DBAPIError) as error:
        if is_away(error):
            raise
        log.error("batch failed", extra={"shard": shard, "size": most, "error": type(error).__name__})
        if most > 1:
            sizes[shard] = most // 2
        else:
            in_transaction(lambda session: hold_first(session, shard))
        return Outcome()
    except Unavailable:
        return Outcome(busy=True)
    sizes[shard] = min(BATCH_SIZE, most * 2)
    return outcome


def _batch(session: Session, shard: int, most: int) -> Outcome:
    """A batch speaks to the driver itself: a deadlock is tried again, an absent database is waited for, and only an
    act's own fault is isolated.
    """
    with wrapped():
        return credit_batch(session, shard, clock.today(), most)


def shards_with_work(lane: int) -> list[int]:
    """The lane's shards that have something queued; reads one index entry a shard."""
    with reading() as session:
        return _shards(session, lane)


def _shards(session: Session, lane: int) -> list[int]:
    return list(session.execute(SHARDS_WITH_WORK, {"lanes": LANES, "lane": lane}).scalars())


def _say(redis: Redis, lane: int) -> None:
    """Say that this lane is being drained, and take the flag down: what is queued now will be seen."""
    try:
        pipe = redis.pipeline(transaction=False)
        pipe.set(draining(lane), "1", px=DRAINING_MS)
        pipe.delete(flag(lane))
        pipe.execute()
    except RedisError:
        log.warning("doorbell away while draining")


def _rung_again(redis: Redis, lane: int) -> bool:
    """Listen for the next ring; on leaving, look once more after saying so, lest a ring fall in between."""
    try:
        until = time.monotonic() + LINGER_S
        while time.monotonic() < until:
            if redis.exists(flag(lane)):
                return True
            time.sleep(STEP_S)
        redis.delete(draining(lane))
        return bool(redis.exists(flag(lane)))
    except RedisError:
        return False


class _Total:
    def __init__(self) -> None:
        self.picked = 0
        self.points = self.bonus = 0
        self.by_state: dict[str, int] = {}

    def add(self, outcome: Outcome) -> None:
        self.picked += outcome.picked
        self.points += outcome.points
        self.bonus += outcome.bonus
        for state, n in outcome.by_state.items():
            self.by_state[state] = self.by_state.get(state, 0) + n

    def outcome(self) -> Outcome:
        return Outcome(self.picked, self.by_state, self.points, self.bonus)
