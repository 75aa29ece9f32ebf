"""A hub's trips: those that begin or end at its stations, counted once for a month, and nothing of a few."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.groups import dossiers, hubs, service
from carbon_credits.groups.dossiers import Stated
from carbon_credits.groups.hubs import Counted, Place
from carbon_credits.groups.service import GroupKind
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting import hub_counts, hub_figures
from carbon_credits.reporting.indicators_own import POPULATION
from carbon_credits.staff.service import Role, add, by_name
from tests.factories.groups import a_group
from tests.reporting.test_indicators import stated
from tests.reporting.years import Told, acts, people
from tests.statements import asked_of

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
NAMED = datetime(2026, 5, 20, 2, tzinfo=UTC)
# the 36th day after the month
DUE = datetime(2026, 7, 6, 2, tzinfo=UTC)
METRO, BUS, BIKES = 901, 902, 903
CODES = {METRO: "travel.metro", BUS: "travel.bus", BIKES: "travel.shared_bicycle"}
NUMBERS = {source: BY_CODE[code][-1].number for source, code in CODES.items()}
WHO = "提"
HERE, THERE, STOP, DOCK = "岭南大道", "祖庙", "岭南大道站①", "1207"


@pytest.fixture
def hub(session: Session) -> int:
    """A hub in a district whose metro, buses and bicycles tell of trips."""
    for name in (WHO, "批"):
        add(session, name, [Role.PROGRAMME], by="tests")
    session.execute(
        text("insert into partner (partner_id, code, name_zh, name_en) values (9, 'all', '三家', 'All')")
    )
    for source, code in {**CODES, 904: "recycling.paper"}.items():
        session.execute(
            text("""insert into source (source_id, partner_id, feed, evidence_class, methodologies, late_days)
                    values (:source, 9, :feed, 'A', array[:code], 35)"""),
            {"source": source, "feed": f"feed_{source}", "code": code},
        )
    return a_group(session, NAMED, GroupKind.HUB)


def staff(session: Session) -> int:
    """One of them."""
    return by_name(session, WHO).staff_id


def named(session: Session, hub: int, *stations: tuple[int, str], first: date = MAY) -> list[int]:
    """Its stations, by one of the staff."""
    return [
        hubs.name(session, hub, Place(f"feed_{source}", station, first), staff(session), NAMED)
        for source, station in stations
    ]


def trips(
    session: Session,
    riders: Sequence[int],
    source: int,
    ends: tuple[str, str],
    on: date = date(2026, 5, 12),
    code: str | None = None,
) -> list[int]:
    """Each goes once, as their operator tells."""
    evidence = json.dumps({"distance": "station_table", "from": ends[0], "to": ends[1]})
    told = [Told(one, code or CODES[source], on, source=source, evidence=evidence) for one in riders]
    return acts(session, told)


def count(session: Session, now: datetime = DUE) -> int:
    """All that is due."""
    done = 0
    while found := hub_counts.count_due(session, now):
        session.commit()
        done += found
    return done


def test_trips_are_those_that_begin_or_end_there_and_are_credited(
    hub: int, session: Session, vault: Vault
) -> None:
    named(session, hub, (METRO, HERE), (METRO, "季华园"), (BUS, STOP), (BIKES, DOCK))
    riders = people(session, vault, 40, None)
    trips(session, riders[:20], METRO, (HERE, THERE))
    trips(session, riders[:5], METRO, (THERE, HERE), date(2026, 5, 31))
    # between two of its stations is one trip
    trips(session, riders[20:32], METRO, (HERE, "季华园"))
    trips(session, riders[:11], BUS, ("某站", STOP))
    trips(session, riders[38:], BIKES, (DOCK, "9"))
    # elsewhere; the same name at another feed; said by somebody's own phone; of other months; taken back
    trips(session, riders, METRO, (THERE, "普君北路"))
    trips(session, riders, BUS, (HERE, THERE))
    trips(session, riders, 0, (HERE, THERE), code="travel.metro")
    trips(session, riders, METRO, (HERE, THERE), date(2026, 4, 30))
    trips(session, riders, METRO, (HERE, THERE), JUNE)
    for one in trips(session, riders, METRO, (HERE, THERE)):
        asked = text("update decision set state = 'reversed', reasons = '{test}' where activity_id = :one")
        session.execute(asked, {"one": one})
    session.commit()
    assert count(session, DUE - timedelta(days=1)) == 0
    assert count(session) == 1
    (month,) = hubs.months_of(session, hub, MAY, JUNE)
    # two bicycles are hidden, and so is the next smallest, from which they could be subtracted
    assert month.whole == Counted(34, 20 + 5 + 12 + 11 + 2)
    assert month.parts == {
        NUMBERS[METRO]: Counted(32, 37),
        NUMBERS[BUS]: Counted(None, None),
        NUMBERS[BIKES]: Counted(None, None),
    }
    stored = session.execute(text("select methodology, people, trips from hub_month_part order by 1")).all()
    assert sum(row.people is None and row.trips is None for row in stored) == 2
    # whoever comes late changes nothing: nobody counts again and subtracts
    trips(session, riders[:1], METRO, (HERE, THERE))
    assert count(session) == 0
    for statement in ("update hub_month set trips = 0", "delete from hub_month_part"):
        with pytest.raises(DBAPIError):
            session.execute(text(statement))
        session.rollback()


def test_a_month_of_few_is_nobodys_to_see_and_one_of_none_is_none(
    hub: int, session: Session, vault: Vault
) -> None:
    named(session, hub, (METRO, HERE))
    trips(session, people(session, vault, 9, None), METRO, (HERE, THERE))
    later = datetime(2026, 8, 10, 2, tzinfo=UTC)
    assert count(session, later) == 2
    june, may = hubs.months_of(session, hub, MAY, date(2026, 8, 1))
    assert (may.whole, may.part(NUMBERS[METRO]), may.part(NUMBERS[BUS])) == (Counted(None, None),) * 3
    assert (june.whole, june.part(NUMBERS[METRO])) == (Counted(0, 0),) * 2
    assert hubs.of_year(session, hub, 2026) == dict.fromkeys(hubs.COUNTED, (0, 1))
    with pytest.raises(DBAPIError):
        session.execute(
            text(
                "insert into hub_month (group_id, month, people, trips, query_sha256) values (:hub, :on, 9, 9, :x)"
            ),
            {"hub": hub, "on": date(2026, 7, 1), "x": b"\1" * 32},
        )
    session.rollback()


def test_stations_stand_for_a_week_and_counted_months_keep_theirs(hub: int, session: Session) -> None:
    (metro,) = named(session, hub, (METRO, HERE))
    session.commit()
    hubs.name(session, hub, Place("feed_902", STOP, MAY), staff(session), DUE - timedelta(days=6))
    session.commit()
    assert count(session) == 0
    later = DUE + timedelta(days=1)
    assert count(session, later) == 1
    for attempt in (
        lambda: hubs.name(session, hub, Place("feed_901", THERE, MAY), staff(session), later),
        lambda: hubs.end(session, hub, metro, MAY, staff(session), later),
    ):
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "month_counted"
    # nor by any other way
    for statement in (
        "insert into hub_station (group_id, kind, source_id, station, from_month, named_by, changed_at)"
        " values (:hub, 'hub', 903, '9', '2026-05-01', :by, now())",
        "update hub_station set to_month = '2026-05-01', ended_by = :by where group_id = :hub",
    ):
        with pytest.raises(DBAPIError, match="counted"):
            session.execute(text(statement), {"hub": hub, "by": staff(session)})
        session.rollback()
    assert hubs.end(session, hub, metro, JUNE, staff(session), later) == HERE
    with pytest.raises(NotFound):
        hubs.end(session, hub, metro, JUNE, staff(session), later)
    # what has left may join another, at once
    other = a_group(session, NAMED, GroupKind.PILOT)
    with pytest.raises(Conflict) as refused:
        hubs.name(session, other, Place("feed_901", HERE, MAY), staff(session), later)
    assert refused.value.code == "station_elsewhere"
    hubs.name(session, other, Place("feed_901", HERE, JUNE), staff(session), later)
    service.close(session, hub, staff(session), "撤销", later)
    assert {(row.station, row.to_month) for row in hubs.stations_of(session, hub)} == {
        (HERE, JUNE),
        (STOP, date(2026, 7, 1)),
    }


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (Place("feed_904", HERE, MAY), "/feed"),
        (Place("feed_901", " 岭南大道", MAY), "/station"),
        (Place("feed_901", HERE, date(2026, 5, 2)), "/from_month"),
        (Place("feed_901", HERE, date(2021, 5, 1)), "/from_month"),
    ],
)
def test_a_station_that_cannot_be_is_refused_at_its_field(
    hub: int, session: Session, place: Place, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        hubs.name(session, hub, place, staff(session), NAMED)
    assert [fault.pointer for fault in refused.value.faults] == [field]
    with pytest.raises(Invalid):
        hubs.name(session, a_group(session, NAMED), Place("feed_901", HERE, MAY), staff(session), NAMED)


def test_the_count_stands_beside_what_is_stated_with_what_part_it_can_be(
    hub: int, session: Session, vault: Vault
) -> None:
    named(session, hub, (METRO, HERE))
    riders = people(session, vault, 15, None)
    trips(session, riders, METRO, (HERE, THERE))
    for number, person in enumerate(riders[:12]):
        row = {"index": number.to_bytes(16), "resident": person, "at": NAMED, "ended": DUE if number else MAY}
        session.execute(
            text("""insert into binding (partner_id, subject_index, resident_id, bound_at, ended_at)
                    values (9, :index, :resident, :at, :ended)"""),
            {**row, "at": datetime(2026, 4, 1, tzinfo=UTC)},
        )
    for role, code, year, value in (
        ("baseline", "hub_trips", 2026, 4_000),
        ("target", "hub_trips", 2030, 9_000),
        ("target", "hub_bus_trips", 2030, 9_000),
        ("baseline", "energy_kwh", 2024, 310_000),
    ):
        unit = "kWh" if code == "energy_kwh" else "trips"
        dossiers.state(session, hub, Stated(role, code, unit, year, value, "客流统计"), staff(session))  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        dossiers.state(session, hub, Stated("target", "hub_trips", "人", 2030, 1, "客流统计"), staff(session))
    stated(session, indicator=POPULATION, value=1_330_000, as_of="2025-12-31")
    assert count(session) == 1
    today = DUE.date()
    with asked_of(session.get_bind()) as asked:
        lines = dossiers.dossier(session, hub, today.year)
        found = hub_figures.of_hub(session, hub, lines, today)
    assert not [one for one in asked if " activity " in one or " decision " in one]
    told = {line.code: (line.measured, line.measured_year, line.months) for line in lines}
    assert told == {
        "hub_trips": (15, 2026, 1),
        "hub_bus_trips": (0, 2026, 1),
        "energy_kwh": (None, today.year, None),
    }
    assert [(part.seen, part.whole, part.ppm, part.as_of) for part in found.coverage] == [
        (11, 1_330_000, 8, "2025-12-31"),
        (15, 4_000, 3_750, "2026"),
    ]
    assert [month.month for month in found.months] == [MAY]


def test_names_of_stations_are_those_that_feeds_told_of_lately(
    hub: int, session: Session, vault: Vault
) -> None:
    riders = people(session, vault, 2, None)
    trips(session, riders, METRO, (HERE, THERE))
    trips(session, riders, METRO, ("旧站", HERE), date(2026, 4, 2))
    trips(session, riders, 0, ("家", "公司"), code="travel.metro")
    named(session, hub, (METRO, HERE), (BUS, "写错的站"))
    assert hub_counts.see_stations(session, datetime(2026, 5, 20, tzinfo=UTC)) == 0
    hub_counts.see_stations(session, DUE)
    known = {(row.feed, row.station, row.last_month) for row in hubs.known_stations(session)}
    april = date(2026, 4, 1)
    assert known == {("feed_901", HERE, MAY), ("feed_901", THERE, MAY), ("feed_901", "旧站", april)}
    told = {row.station: row.last_month for row in hubs.stations_of(session, hub)}
    assert told == {HERE: MAY, "写错的站": None}
