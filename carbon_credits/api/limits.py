"""How often one caller may ask: a token bucket in each process, nothing shared.

This is protection against overload, not an entitlement: what must be exact (codes, guesses, budgets) is counted in
PostgreSQL. A bucket here costs no round trip, so it neither slows an accepted act nor fails when the cache is away;
a caller who reaches several processes may get their number times as much, which is known and bounded.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from carbon_credits.core.errors import TooMany
from carbon_credits.core.i18n import Text

PER_MINUTE: Final = {"resident": 600, "partner": 6_000, "merchant": 6_000, "address": 6_000, "newcomer": 20}
# the demonstration plays many residents from one address and measures as fast as it can
DEMONSTRATION: Final = 1_000
WINDOW_S: Final = 60
REMEMBERED: Final = 50_000


class Left(NamedTuple):
    """What a caller may still do, and when the bucket is full again."""

    remaining: int
    reset_s: int


class Limiter:
    """Buckets of one process, the longest unused forgotten first."""

    def __init__(self, per_minute: dict[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, policy: str, caller: str) -> Left:
        """Take one from the caller's bucket; raises TooMany with the time until there is one again."""
        most = self.per_minute[policy]
        rate = most / WINDOW_S
        with self._lock:
            now = self._clock()
            level, since = self._buckets.pop((policy, caller), (float(most), now))
            level = min(float(most), level + (now - since) * rate)
            enough = level >= 1
            self._buckets[policy, caller] = (level - 1 if enough else level, now)
            while len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        if not enough:
            text = Text("请求过于频繁，请稍后再试", "Too many requests: come back a little later")
            raise TooMany("too_many_requests", text, retry_after_s=math.ceil((1 - level) / rate))
        return Left(int(level) - 1, math.ceil((most - level + 1) / rate))


def headers(policy: str, most: int, left: Left) -> tuple[tuple[str, str], tuple[str, str]]:
    """The RateLimit fields of an answer."""
    return (
        ("RateLimit-Policy", f'"{policy}";q={most};w={WINDOW_S}'),
        ("RateLimit", f'"{policy}";r={left.remaining};t={left.reset_s}'),
    )
