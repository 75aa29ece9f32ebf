"""The mass balance of recycling: one step of work, and the report that a person reads.

The step judges the bags of the last months, holds and lets go the acts they concern, and names stations that drift. It
may run at any time, twice, or not for a week: what it comes to depends on what was told alone.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.partners.models import Source
from carbon_credits.reconciliation import bags, purchases, station_alarms, station_flags
from carbon_credits.reconciliation.bags import Bag, per_mille
from carbon_credits.reconciliation.holding import hold_and_release
from carbon_credits.reconciliation.purchases import Month
from carbon_credits.reconciliation.station_alarms import Alarm

# older bags stay as they were decided: longer than any feed may be late, and four months of a station's bags
WINDOW: Final = timedelta(days=120)
# one at a time, whoever asks; the second key is 0 for the balance, 1 for the flags
LOCK: Final = 440615
BALANCE, FLAGS = 0, 1


@dataclass(frozen=True)
class StationBalance:
    """A station's bags of one material in a month. Masses are grams of judged bags; `bags` counts them by state."""

    feed: str
    material: str
    station: str
    bags: dict[str, int]
    deposits: int
    deposited_g: int
    weighed_g: int
    residual_g: int
    residual_pm: int | None
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A month: each station's balance, what was bought, and every alarm that is open."""

    month: date
    stations: list[StationBalance]
    purchases: list[Month]
    alarms: list[Alarm]


def balance_step(session: Session, now: datetime) -> int:
    """Judge, hold, let go and name, in the caller's transaction; returns how many acts were put back on the work list.

    Another that is at it leaves nothing to do. Raises nothing of its own.
    """
    if not _alone(session, BALANCE):
        return 0
    first = now - WINDOW
    bags.fill(session, now, first, now)
    moved = hold_and_release(session, first)
    station_alarms.raise_alarms(session, station_alarms.drifting(session, bags.bags(session)), now)
    return moved


def flags_step(session: Session, now: datetime) -> int:
    """Open cases for stations whose deposits stand out; always 0, for once in a while is enough."""
    if _alone(session, FLAGS):
        station_alarms.raise_alarms(session, station_flags.flagged(session, now), now)
    return 0


def report(session: Session, now: datetime, month: date, feed: str | None = None) -> Report:
    """The balance of a month, by the day its bags were emptied; writes nothing. Raises NotFound for an unknown feed."""
    source_id = None if feed is None else _source_of(session, feed)
    bags.fill(session, now, _begins(month), _begins(_next(month)), source_id)
    open_alarms = station_alarms.alarms(session, ("open",), source_id)
    stations = _by_station(bags.bags(session), open_alarms)
    return Report(month, stations, purchases.months(session, month, source_id), open_alarms)


def _by_station(found: Iterable[Bag], alarms: Iterable[Alarm]) -> list[StationBalance]:
    known = list(alarms)
    balances = []
    for (feed, material, station), of_one in groupby(
        found, lambda bag: (bag.feed, bag.material, bag.station)
    ):
        its = list(of_one)
        judged = [bag for bag in its if bag.is_judged]
        weighed = sum(bag.net_g or 0 for bag in judged)
        residual = sum(bag.residual_g or 0 for bag in judged)
        kinds = tuple(
            alarm.kind
            for alarm in known
            if (alarm.feed, alarm.station) == (feed, station) and alarm.material in (material, None)
        )
        balances.append(
            StationBalance(
                feed,
                material,
                station,
                dict(sorted(Counter(bag.state for bag in its).items())),
                sum(bag.deposits for bag in judged),
                sum(bag.deposited_g for bag in judged),
                weighed,
                residual,
                per_mille(residual, weighed) if weighed else None,
                kinds,
            )
        )
    return balances


def _alone(session: Session, work: int) -> bool:
    """Take the work's lock until the transaction ends, and the time that a whole feed takes."""
    session.execute(text("set local statement_timeout = '10min'"))
    asked = text("select pg_try_advisory_xact_lock(:lock, :work)")
    return bool(session.execute(asked, {"lock": LOCK, "work": work}).scalar_one())


def _source_of(session: Session, feed: str) -> int:
    asked = select(Source.source_id).where(Source.feed == feed, Source.source_id > 0)
    source_id = session.execute(asked).scalar_one_or_none()
    if source_id is None:
        raise NotFound("feed_not_found", Text("没有这个数据源", "No such feed"))
    return source_id


def _begins(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.PROGRAMME_ZONE)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
