"""An RQ worker of one queue, in the application's surroundings.

One queue for each worker, JSON jobs only, no scheduler of its own: RQ is the doorbell and nothing else.
"""

import logging
import os
import socket
import time
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq.serializers import JSONSerializer

from carbon_credits.jobs.doorbell import QUEUES, queue
from carbon_credits.jobs.surroundings import settings

log = logging.getLogger(__name__)

WORKER_SECONDS: Final = 60
MAINTENANCE_SECONDS: Final = 10


def work(queue_name: str) -> None:
    """Work on one queue until told to stop; a doorbell that is away is waited for."""
    if queue_name not in QUEUES:
        raise ValueError(f"there is no queue {queue_name!r}; there are {', '.join(QUEUES)}")
    redis: Redis = Redis.from_url(settings().redis_url)
    wait_for(redis)
    worker = Worker(
        [queue(redis, queue_name)],
        name=f"{queue_name}-{socket.gethostname()}-{os.getpid()}-{time.time_ns()}",
        connection=redis,
        serializer=JSONSerializer,
        worker_ttl=WORKER_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
    )
    worker.work(with_scheduler=False, logging_level="WARNING")


def wait_for(redis: Redis) -> None:
    """Wait until the doorbell answers."""
    while True:
        try:
            redis.ping()
        except RedisError:
            log.warning("worker: doorbell away, waiting")
            time.sleep(0.5)
        else:
            return
