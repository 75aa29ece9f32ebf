"""What the books say of themselves to whoever watches: the last full replay. A database that is away says nothing."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.crediting.nightly import LastReplay, last_replay


def proof() -> bytes:
    """The figures of the last replay that reached the end, as Prometheus text; empty before the first."""
    try:
        with reading() as session:
            found = last_replay(session)
    except (DBAPIError, PoolTimeout):
        return b""
    if found is None:
        return b""
    registry = CollectorRegistry()
    registry.register(_Proof(found))
    return generate_latest(registry)


class _Proof(Collector):
    def __init__(self, found: LastReplay) -> None:
        self.found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Credits, mismatches, age."""
        age = (clock.now() - self.found.finished_at).total_seconds()
        for name, words, value in (
            ("credits", "Credits recomputed by the last full replay", self.found.credits),
            ("mismatches", "Credits that did not agree in the last full replay", self.found.mismatches),
            ("age_seconds", "Time since the last full replay ended", age),
        ):
            yield GaugeMetricFamily(f"carbon_replay_{name}", words, value=value)
