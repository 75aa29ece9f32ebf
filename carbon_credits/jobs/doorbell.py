"""The doorbell: a ring says that there is work, never what it is. Losing every ring loses nothing but a second.

Shards are dealt to LANES lanes, one job at a time for each. A ring sets the lane's flag; who sets it first puts
the lane's job on the queue, unless one is already draining that lane and will see the flag itself. A job that has
drained its lane lingers a moment for the next ring, so that a busy programme forks one work-horse in a while and
not one for each act.
"""

import logging
import threading
import time
from collections.abc import Iterable
from typing import Final, NamedTuple

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

log = logging.getLogger(__name__)

LANES: Final = 2
CREDITING: Final = "crediting"
BACKGROUND: Final = "background"
TRIPS: Final = "trips"
FILES: Final = "files"
# apart from everything else: whom merchants have us call may be as slow as they like
CALLS: Final = "calls"
QUEUES: Final = (CREDITING, BACKGROUND, TRIPS, FILES, CALLS)
PATIENCE_S: Final = 0.2
FLAG_MS: Final = 1_000
DRAINING_MS: Final = 3_000
JOB_SECONDS: Final = 120
# a large file takes its time; killed at any moment it goes on where it stopped
LONGER: Final = {FILES: 7_200}
GATHER_S: Final = 0.01


class Bell(NamedTuple):
    """A bell for work that is not dealt to lanes: one job, which looks for all there is."""

    name: str
    queue: str
    job: str

    @property
    def flag(self) -> str:
        """The key that says: rung, and not yet heard."""
        return f"bell:{self.name}"


DELIVERIES: Final = Bell("deliveries", BACKGROUND, "carbon_credits.jobs.deliveries.deliver")
PARTNER_FILES: Final = Bell("files", FILES, "carbon_credits.jobs.partner_files.work_on_files")
SIMULATIONS: Final = Bell("simulations", FILES, "carbon_credits.jobs.campaigns.work_on_simulations")
REPORTS: Final = Bell("reports", FILES, "carbon_credits.jobs.campaigns.report_on_all")
INBOX: Final = Bell("inbox", BACKGROUND, "carbon_credits.jobs.inbox.work")
HOOKS: Final = Bell("hooks", CALLS, "carbon_credits.jobs.hooks.tell")
VERIFICATION: Final = Bell("verification", TRIPS, "carbon_credits.jobs.verification.verify")
# beside partners' files: either may take minutes, and nobody waits for it with a page open
EXPORTS: Final = Bell("exports", FILES, "carbon_credits.jobs.exports.write_all")

# Set the flag; 1 when it was not set before and nobody is draining: then the ringer queues the job.
RING: Final = """
if not redis.call('set', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return 0 end
return 1 - redis.call('exists', KEYS[2])
"""


def connect(url: str, patience_s: float = PATIENCE_S) -> Redis:
    """A connection that gives up quickly: a caller is never kept waiting by the doorbell."""
    return Redis.from_url(
        url, socket_timeout=patience_s, socket_connect_timeout=patience_s, retry=Retry(NoBackoff(), 0)
    )


def queue(redis: Redis, name: str) -> Queue:
    """A queue whose jobs are JSON: whoever can write to Valkey cannot make a worker run code of theirs."""
    return Queue(
        name, connection=redis, serializer=JSONSerializer, default_timeout=LONGER.get(name, JOB_SECONDS)
    )


def lane_of(shard_id: int) -> int:
    """The lane a shard belongs to."""
    return shard_id % LANES


def flag(lane: int) -> str:
    """The key that says: there is work in this lane."""
    return f"bell:{lane}"


def draining(lane: int) -> str:
    """The key that says: somebody is at it and will look at the flag."""
    return f"draining:{lane}"


def ring(redis: Redis, shards: Iterable[int]) -> None:
    """Ring for shards. Never raises: what is not heard, the sweeper finds within a second."""
    try:
        for lane in sorted({lane_of(shard) for shard in shards}):
            if redis.eval(RING, 2, flag(lane), draining(lane), FLAG_MS):
                enqueue_lane(redis, lane)
    except RedisError as error:
        log.warning("doorbell away: %s", type(error).__name__)


class Ringer:
    """Rings from a thread of its own, so that no answer waits for the doorbell; rings close together become one.

    A process that dies with a ring unsaid leaves it to the sweeper.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._shards: set[int] = set()
        self._bells: set[Bell] = set()
        self._wanted = threading.Condition()
        self._thread: threading.Thread | None = None

    def ring(self, shards: Iterable[int] = (), *, bells: Iterable[Bell] = ()) -> None:
        """Ring for shards, or other bells, soon. Never waits and never raises."""
        with self._wanted:
            self._shards.update(shards)
            self._bells.update(bells)
            # the first time, and in a fork, which has its parent's memory and none of its threads
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._listen, name="ringer", daemon=True)
                self._thread.start()
            self._wanted.notify()

    def _listen(self) -> None:
        while True:
            with self._wanted:
                self._wanted.wait_for(lambda: bool(self._shards or self._bells))
                shards, self._shards = self._shards, set()
                bells, self._bells = self._bells, set()
            ring(self._redis, shards)
            for bell in bells:
                ring_bell(self._redis, bell)
            time.sleep(GATHER_S)


def enqueue_lane(redis: Redis, lane: int) -> None:
    """Put a lane's job on the queue."""
    queue(redis, CREDITING).enqueue(
        "carbon_credits.jobs.crediting.credit_lane", lane, result_ttl=0, failure_ttl=3_600
    )


def enqueue_task(redis: Redis, task: str, slot: str) -> None:
    """Put one slot of a periodic task on the background queue."""
    queue(redis, BACKGROUND).enqueue(
        "carbon_credits.jobs.periodic.run_task", task, slot, result_ttl=0, failure_ttl=3_600
    )


def ring_bell(redis: Redis, bell: Bell) -> None:
    """Queue the bell's job, unless it was rung just now. Never raises."""
    try:
        if redis.set(bell.flag, "1", nx=True, px=FLAG_MS):
            queue(redis, bell.queue).enqueue(bell.job, result_ttl=0, failure_ttl=3_600)
    except RedisError as error:
        log.warning("doorbell away: %s", type(error).__name__)


def hear(redis: Redis, bell: Bell) -> None:
    """Take the bell's flag down, before looking: what comes from now on rings again. Never raises."""
    try:
        redis.delete(bell.flag)
    except RedisError as error:
        log.warning("doorbell away: %s", type(error).__name__)
