"""Who kills, restarts and empties things while the clients are at work; the same seed, the same order and pauses."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from signal import SIGKILL

from redis.exceptions import RedisError

from carbon_credits.local import LocalError, kill, restart_postgres
from carbon_credits.local.processes import send
from tests.faults.stack import WORKERS, Stack

PATIENCE_S = 120.0
SHORTEST_S, LONGEST_S = 0.3, 2.5


@dataclass
class Nemesis:
    """Six ways to hurt the programme, dealt in shuffled rounds so that each comes as often as the others."""

    stack: Stack
    seed: int
    inflicted: Counter[str] = field(default_factory=Counter)
    last: float = 0.0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._ways: dict[str, Callable[[], bool]] = {
            "API worker killed": self._api_worker,
            "RQ worker killed": self._rq_worker,
            "work-horse killed": self._work_horse,
            "PostgreSQL restarted at once": self._postgres,
            "Valkey flushed": self._flush,
            "Valkey killed": self._valkey,
        }

    def torment(self, rounds: int, enough: Callable[[], bool]) -> None:
        """Deal `rounds` rounds of faults, and more until there has been enough."""
        while rounds > 0 or not enough():
            rounds -= 1
            names = list(self._ways)
            self._random.shuffle(names)
            for name in names:
                time.sleep(self._random.uniform(SHORTEST_S, LONGEST_S))
                self._inflict(name)

    def _inflict(self, name: str) -> None:
        """Once, however long it takes until there is somebody to hit: an earlier fault may still be felt."""
        ends = time.monotonic() + PATIENCE_S
        while not self._ways[name]():
            assert time.monotonic() < ends, f"{name}: nobody to hit for {PATIENCE_S:.0f} s"
            time.sleep(0.005)
        self.inflicted[name] += 1
        self.last = time.monotonic()

    def _api_worker(self) -> bool:
        return self._kill_one(self.stack.api_workers())

    def _work_horse(self) -> bool:
        return self._kill_one(list(self.stack.horses()))

    def _kill_one(self, pids: list[int]) -> bool:
        if not pids:
            return False
        send(self._random.choice(pids), SIGKILL)
        return True

    def _rq_worker(self) -> bool:
        return self._kill_child(self._random.choice(WORKERS))

    def _valkey(self) -> bool:
        return self._kill_child("valkey")

    def _kill_child(self, name: str) -> bool:
        try:
            kill(self.stack.home, name)
        except LocalError:
            return False
        return True

    def _postgres(self) -> bool:
        try:
            restart_postgres(self.stack.home, "immediate")
        except LocalError:
            return False
        return True

    def _flush(self) -> bool:
        try:
            with self.stack.redis() as redis:
                return bool(redis.flushall())
        except RedisError:
            return False
