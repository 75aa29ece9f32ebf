"""Stations that a test names: each is a case for a person, and by itself rejects nothing and holds nobody.

`over` and `under` are drifts of the mass balance (of one material); `digits`, `hours` and `one_station` are flags of how
deposits were told (of the station). An open alarm is refreshed, not repeated; once a person has explained or confirmed a
drift, its sums begin anew with the bags after that.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.partners.models import Source
from carbon_credits.reconciliation.bags import Bag
from carbon_credits.reconciliation.balance_models import StationAlarm
from carbon_credits.reconciliation.station_statistics import drifts

KINDS: Final[Mapping[str, Text]] = {
    "over": Text("投放重量系统性偏高", "it tells more than is weighed"),
    "under": Text("投放重量系统性偏低", "it tells less than is weighed"),
    "digits": Text("重量末位数字分布异常", "last digits of its weights are not even"),
    "hours": Text("非开放时段投放偏多", "many deposits outside opening hours"),
    "one_station": Text("只在该机出现的用户偏多", "many customers who are seen here alone"),
}
STATES: Final[Mapping[str, Text]] = {
    "open": Text("待处理", "open"),
    "explained": Text("已解释", "explained"),
    "confirmed": Text("已确认", "confirmed"),
}


@dataclass(frozen=True)
class Finding:
    """What a test found of a station, and since when."""

    source_id: int
    station: str
    methodology: int | None
    kind: str
    since: datetime
    figures: Mapping[str, int]


@dataclass(frozen=True)
class Alarm:
    """An alarm as a person reads it."""

    alarm_id: int
    feed: str
    station: str
    material: str | None
    kind: str
    since: datetime
    figures: Mapping[str, int]
    state: str
    why: str | None


def drifting(session: Session, bags: Sequence[Bag]) -> list[Finding]:
    """Stations whose judged bags drift from those of their feed and material, after what persons have dealt with."""
    of_material: dict[tuple[int, int], dict[str, list[Bag]]] = defaultdict(lambda: defaultdict(list))
    for bag in bags:
        # a bag that weighed nothing has no residual per mille; alone it is out
        if bag.residual_pm is not None and bag.since is not None:
            of_material[bag.source_id, bag.methodology][bag.station].append(bag)
    dealt = _dealt_with(session)
    found = []
    for (source_id, methodology), stations in sorted(of_material.items()):
        residuals = {name: [bag.residual_pm or 0 for bag in its] for name, its in stations.items()}
        starts = {
            name: bisect_right([bag.emptied_at for bag in its], dealt[source_id, methodology, name])
            for name, its in stations.items()
            if (source_id, methodology, name) in dealt
        }
        for drift in drifts(residuals, starts):
            run = stations[drift.station][drift.begins_at : drift.begins_at + drift.bags]
            figures = {name: value for name, value in asdict(drift).items() if isinstance(value, int)}
            figures["residual_g"] = sum(bag.residual_g or 0 for bag in run)
            since = run[0].since or run[0].emptied_at
            found.append(Finding(source_id, drift.station, methodology, drift.side, since, figures))
    return found


def raise_alarms(session: Session, findings: Iterable[Finding], now: datetime) -> int:
    """Open an alarm for each finding, or refresh the one that is open; returns how many are new."""
    new = 0
    for each in findings:
        added = upsert(StationAlarm).values(
            source_id=each.source_id,
            station=each.station,
            methodology=each.methodology,
            kind=each.kind,
            since=each.since,
            figures=dict(each.figures),
            raised_at=now,
            seen_at=now,
            state="open",
        )
        refreshed = added.on_conflict_do_update(
            index_elements=["source_id", "station", "methodology", "kind"],
            index_where=StationAlarm.state == "open",
            set_={"figures": added.excluded.figures, "seen_at": added.excluded.seen_at},
        )
        new += session.execute(refreshed.returning(literal_column("xmax = 0"))).scalar_one()
    return new


def alarms(session: Session, states: Sequence[str] = ("open",), source_id: int | None = None) -> list[Alarm]:
    """Alarms in these states, by feed, station and kind."""
    asked = select(StationAlarm, Source.feed).join(Source, Source.source_id == StationAlarm.source_id)
    asked = asked.where(StationAlarm.state.in_(states))
    if source_id is not None:
        asked = asked.where(StationAlarm.source_id == source_id)
    ordered = asked.order_by(Source.feed, StationAlarm.station, StationAlarm.kind, StationAlarm.alarm_id)
    found = session.execute(ordered.execution_options(populate_existing=True))
    return [_alarm(row.StationAlarm, row.feed) for row in found]


def decide(session: Session, alarm_id: int, staff_id: int, why: str, *, confirmed: bool) -> Alarm:
    """A person's word on an alarm: explained (a scale was off and is repaired) or confirmed, and why, once.

    Raises NotFound, Conflict when it is decided, Invalid without words.
    """
    if not 0 < len(why.strip()) <= 1_000:
        raise Invalid("reason_missing", Text("请说明理由", "Say why, in at most 1,000 characters"))
    moved = (
        update(StationAlarm)
        .where(StationAlarm.alarm_id == alarm_id, StationAlarm.state == "open")
        .values(
            state="confirmed" if confirmed else "explained",
            why=why.strip(),
            decided_by=staff_id,
            decided_at=func.clock_timestamp(),
        )
        .returning(StationAlarm)
        .execution_options(populate_existing=True)
    )
    row = session.execute(moved).scalar_one_or_none()
    if row is None:
        known = session.get(StationAlarm, alarm_id)
        if known is None:
            raise NotFound("alarm_unknown", Text("没有此告警", "There is no such alarm"))
        raise Conflict("decided_already", Text("此告警已有决定", "This has been decided already"))
    feed = session.execute(select(Source.feed).where(Source.source_id == row.source_id)).scalar_one()
    return _alarm(row, feed)


def _dealt_with(session: Session) -> dict[tuple[int, int, str], datetime]:
    """Up to when drifts of a station and material have been decided on."""
    rows = session.execute(
        text("""
            select source_id, methodology, station, max(decided_at) as until from station_alarm
            where state <> 'open' and methodology is not null group by 1, 2, 3
        """)
    )
    return {(row.source_id, row.methodology, row.station): row.until for row in rows}


def _alarm(row: Any, feed: str) -> Alarm:
    material = None if row.methodology is None else BY_NUMBER[row.methodology][-1].code
    return Alarm(
        row.alarm_id, feed, row.station, material, row.kind, row.since, row.figures, row.state, row.why
    )
