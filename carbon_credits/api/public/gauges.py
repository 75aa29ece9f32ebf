"""What the books say of themselves: the last full replay, what waits for people. A database that is away is silent."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.crediting.nightly import LastReplay, last_replay
from carbon_credits.reconciliation.cases import Count, counts
from carbon_credits.rewards import payments, rail_report


def figures() -> bytes:
    """The last replay that reached the end, cases that wait for people, merchants' money, as Prometheus text."""
    try:
        with reading() as session:
            found, waiting = last_replay(session), counts(session, clock.now())
            money = _Money(
                payments.stuck(session, clock.now()), rail_report.unexplained(session, clock.now())
            )
    except (DBAPIError, PoolTimeout):
        return b""
    registry = CollectorRegistry()
    if found is not None:
        registry.register(_Proof(found))
    registry.register(_Cases(waiting))
    registry.register(money)
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


class _Cases(Collector):
    def __init__(self, waiting: list[Count]) -> None:
        self.waiting = waiting

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Unfinished and overdue cases, by kind."""
        unfinished = GaugeMetricFamily(
            "carbon_cases_unfinished", "Cases that wait for somebody", labels=["kind"]
        )
        overdue = GaugeMetricFamily("carbon_cases_overdue", "Cases past their deadline", labels=["kind"])
        for count in self.waiting:
            unfinished.add_metric([count.kind], count.unfinished)
            overdue.add_metric([count.kind], count.overdue)
        yield unfinished
        yield overdue


class _Money(Collector):
    def __init__(self, stuck: Mapping[str, int], unexplained: Mapping[str, int]) -> None:
        self.stuck = stuck
        self.unexplained = unexplained

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What merchants wait for, and what a rail's account does not explain; both are to be 0."""
        stuck = GaugeMetricFamily(
            "carbon_payments_stuck", "Approved settlements without an end after two days", labels=["rail"]
        )
        for rail, count in self.stuck.items():
            stuck.add_metric([rail], count)
        yield stuck
        fen = GaugeMetricFamily(
            "carbon_rail_unexplained_fen",
            "Fen of a rail's last 35 days that no row explains",
            labels=["rail"],
        )
        for rail, amount in self.unexplained.items():
            fen.add_metric([rail], amount)
        yield fen
