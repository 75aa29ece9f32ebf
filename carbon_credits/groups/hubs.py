"""What makes up a hub: stations and stops of partners' feeds, from a month on; and what was counted there.

A month that was counted stays as it is, with the stations it was counted of: of two counts with different stations one
less the other would be what happened at a single one. So a set of stations is left alone for a while before its months
are counted, and a station joins or leaves at a month that has not been.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.core.db import constraint_name
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups import service
from carbon_credits.groups.figures import back
from carbon_credits.groups.hub_models import HubMonth, HubStation
from carbon_credits.groups.service import GroupKind
from carbon_credits.methodologies.catalogue import BY_CODE

KINDS: Final = (GroupKind.HUB, GroupKind.PILOT)
UNIT: Final = "trips"
# figures of a dossier that are counted here, by the methodologies whose trips they are of; none named means all
COUNTED: Final[Mapping[str, tuple[str, ...]]] = {
    "hub_trips": (),
    "hub_metro_trips": ("travel.metro",),
    "hub_bus_trips": ("travel.bus",),
    "hub_bicycle_trips": ("travel.shared_bicycle", "travel.e_bike"),
}
# how far back a station may be said to have belonged, and ahead
MONTHS_BACK: Final = 36
MONTHS_AHEAD: Final = 12
LONGEST: Final = 100
_FEEDS: Final = text("""
select s.source_id, s.feed, p.name_zh, p.name_en from source s join partner p using (partner_id)
where exists (select from unnest(s.methodologies) as m (code) where m.code like 'travel.%') order by s.feed
""")
_STATIONS: Final = text("""
select h.hub_station_id, s.feed, p.name_zh, p.name_en, h.station, h.from_month, h.to_month, n.name as named_by,
       e.name as ended_by, f.last_month
from hub_station h
join source s using (source_id) join partner p using (partner_id)
join staff n on n.staff_id = h.named_by left join staff e on e.staff_id = h.ended_by
left join feed_station f using (source_id, station)
where h.group_id = :group order by h.to_month is not null, s.feed, h.station collate "C", h.hub_station_id
""")
_KNOWN: Final = text("""
select s.feed, f.station, f.last_month from feed_station f join source s using (source_id)
order by s.feed, f.station collate "C" limit :most
""")
_ELSEWHERE: Final = text("""
select g.name_zh, g.name_en from hub_station h join resident_group g using (group_id)
where h.source_id = :source and h.station = :station and daterange(h.from_month, h.to_month) && daterange(:first, null)
limit 1
""")
_END: Final = text("""
update hub_station set to_month = :month, ended_by = :by, changed_at = :now
where hub_station_id = :number and group_id = :group and to_month is null
returning station
""")
_MONTHS: Final = text("""
select m.month, m.people, m.trips, m.bound, p.methodology, p.people as part_people, p.trips as part_trips
from hub_month m left join hub_month_part p using (group_id, month)
where m.group_id = :group and m.month >= :first and m.month < :after
order by m.month desc, p.methodology
""")


@dataclass(frozen=True)
class Place:
    """A station or stop as its feed tells it, to be part of a hub from a month on."""

    feed: str
    station: str
    from_month: date


@dataclass(frozen=True)
class Counted:
    """People and their trips; both None where they may not be shown."""

    people: int | None
    trips: int | None


NOBODY: Final = Counted(0, 0)


@dataclass(frozen=True)
class CountedMonth:
    """What was counted at a hub in a month; `parts` by number of methodology, those by which nobody travelled absent."""

    month: date
    whole: Counted
    parts: Mapping[int, Counted]
    bound: int | None

    def part(self, number: int) -> Counted:
        """What was done by a methodology: nothing where it is absent, unless nothing of the month may be shown."""
        return self.parts.get(number, NOBODY if self.whole.trips is not None else self.whole)

    def trips_of(self, code: str) -> int | None:
        """Trips of one of COUNTED; None where they may not be shown."""
        if not COUNTED[code]:
            return self.whole.trips
        trips = [self.part(BY_CODE[each][-1].number).trips for each in COUNTED[code]]
        return None if None in trips else sum(n for n in trips if n is not None)


def name(session: Session, group_id: int, told: Place, by: int, now: datetime) -> int:
    """Make a station part of a hub. Raises NotFound, Invalid at its field, Conflict: month_counted, station_elsewhere."""
    known = service.held(session, group_id)
    if known.kind not in KINDS:
        raise Invalid("no_stations", Text("仅枢纽与试点由站点组成", "Hubs and pilots alone have stations"))
    source_id = _checked(session, told, day_of(now).replace(day=1))
    _require_uncounted(session, group_id, told.from_month)
    row = {
        "group_id": group_id,
        "kind": known.kind,
        "source_id": source_id,
        "station": told.station,
        "from_month": told.from_month,
        "named_by": by,
        "changed_at": now,
    }
    try:
        with session.begin_nested():
            written = insert(HubStation).values(row).returning(HubStation.hub_station_id)
            number: int = session.execute(written).scalar_one()
    except IntegrityError as error:
        if constraint_name(error) != "hub_station_of_one_hub":
            raise
        raise _elsewhere(session, source_id, told) from error
    return number


def end(session: Session, group_id: int, number: int, month: date, by: int, now: datetime) -> str:
    """Take a station off a hub, from a month on; returns its name. Raises NotFound, Invalid, Conflict: month_counted."""
    service.held(session, group_id)
    known = session.get(HubStation, number, populate_existing=True)
    if known is None or known.group_id != group_id or known.to_month is not None:
        raise NotFound("station_unknown", Text("该枢纽没有此站点", "This hub has no such station at present"))
    this = day_of(now).replace(day=1)
    if month.day != 1 or not known.from_month <= month <= back(this, -MONTHS_AHEAD):
        raise _wrong([FieldFault("/to_month", "out_of_range", Text("月份超出范围", "Not a month for it"))])
    _require_uncounted(session, group_id, month)
    given = {"number": number, "group": group_id, "month": month, "by": by, "now": now}
    return str(session.execute(_END, given).scalar_one())


def feeds(session: Session) -> Sequence[Row[Any]]:
    """The feeds that tell of trips, with their partner's name."""
    return session.execute(_FEEDS).all()


def stations_of(session: Session, group_id: int) -> Sequence[Row[Any]]:
    """The stations of a hub, those that count now first; `last_month` is the newest its feed told of, if any."""
    return session.execute(_STATIONS, {"group": group_id}).all()


def known_stations(session: Session, most: int = 500) -> Sequence[Row[Any]]:
    """Names of stations that feeds have told of, by feed."""
    return session.execute(_KNOWN, {"most": most}).all()


def months_of(session: Session, group_id: int, first: date, after: date) -> list[CountedMonth]:
    """The months of a hub that were counted, the newest first."""
    asked = {"group": group_id, "first": first, "after": after}
    rows: dict[date, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(_MONTHS, asked):
        rows[row.month].append(row)
    return [_month(month, found) for month, found in rows.items()]


def of_year(session: Session, group_id: int, year: int) -> dict[str, tuple[int, int]]:
    """Of each of COUNTED the trips of a year's months that may be shown, and how many months those are; none, none."""
    months = months_of(session, group_id, date(year, 1, 1), date(year + 1, 1, 1))
    told = {code: [n for month in months if (n := month.trips_of(code)) is not None] for code in COUNTED}
    return {code: (sum(trips), len(trips)) for code, trips in told.items() if trips}


def _month(month: date, rows: Sequence[Row[Any]]) -> CountedMonth:
    parts = {
        row.methodology: Counted(row.part_people, row.part_trips)
        for row in rows
        if row.methodology is not None
    }
    return CountedMonth(month, Counted(rows[0].people, rows[0].trips), parts, rows[0].bound)


def _checked(session: Session, told: Place, this: date) -> int:
    faults = []
    source_id: int | None = next((row.source_id for row in feeds(session) if row.feed == told.feed), None)
    if source_id is None:
        faults.append(
            FieldFault("/feed", "not_offered", Text("没有此出行数据源", "No feed of trips is called so"))
        )
    told_well = told.station == told.station.strip() and told.station.isprintable()
    if not told_well or not 0 < len(told.station) <= LONGEST:
        faults.append(
            FieldFault("/station", "wrong_length", Text("站名应为 1–100 字", "1 to 100 characters"))
        )
    month = told.from_month
    if month.day != 1 or not back(this, MONTHS_BACK) <= month <= back(this, -MONTHS_AHEAD):
        said = Text("应在近三年至一年后之间", "Between three years ago and a year ahead")
        faults.append(FieldFault("/from_month", "out_of_range", said))
    if source_id is None or faults:
        raise _wrong(faults)
    return source_id


def _require_uncounted(session: Session, group_id: int, month: date) -> None:
    """The group's row is held: nobody counts meanwhile."""
    asked = select(HubMonth.month).where(HubMonth.group_id == group_id).order_by(HubMonth.month.desc())
    newest = session.scalars(asked.limit(1)).one_or_none()
    if newest is not None and month <= newest:
        first = f"{back(newest, -1):%Y-%m}"
        said = Text(f"已计数的月份不变，最早自 {first} 起", f"Months that were counted stay: from {first} on")
        raise Conflict("month_counted", said)


def _elsewhere(session: Session, source_id: int, told: Place) -> Conflict:
    asked = {"source": source_id, "station": told.station, "first": told.from_month}
    row = session.execute(_ELSEWHERE, asked).first()
    zh, en = ("", "") if row is None else (row.name_zh, row.name_en)
    return Conflict("station_elsewhere", Text(f"该站点已属于 {zh}", f"The station is part of {en} already"))


def _wrong(faults: Sequence[FieldFault]) -> Invalid:
    return Invalid("wrong_station", Text("站点信息有误", "What is said is wrong"), faults=tuple(faults))
