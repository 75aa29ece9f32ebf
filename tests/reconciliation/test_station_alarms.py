"""Cases that tests open: refreshed, decided once by a person with a reason, and never rejecting anything."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import database
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.jobs.schedule import TASKS
from carbon_credits.reconciliation import mass_balance, station_alarms
from carbon_credits.reconciliation.station_alarms import KINDS, STATES, Finding
from tests.factories.recycling import Recycler, Row, a_bag, a_recycler, an_emptying, as_csv
from tests.factories.residents import NOW
from tests.factories.staff import a_member

SINCE = datetime(2026, 11, 1, 1, 0, tzinfo=NOW.tzinfo)


@pytest.fixture
def recycler(session: Session, vault: Vault) -> Recycler:
    """A dozen customers who are residents."""
    return a_recycler(session, vault, *(f"u{number}" for number in range(120)))


@pytest.fixture
def alarm(session: Session, recycler: Recycler) -> int:
    """An open alarm."""
    source_id = session.execute(text("select source_id from source where feed = 'recycling'")).scalar_one()
    found = Finding(source_id, "B1", 15, "over", SINCE, {"residual_pm": 50})
    station_alarms.raise_alarms(session, [found], NOW)
    session.commit()
    return station_alarms.alarms(session)[0].alarm_id


def flags(session: Session) -> list[tuple[str, str]]:
    """Stations and why, after one look."""
    assert mass_balance.flags_step(session, NOW) == 0
    session.commit()
    return [(alarm.station, alarm.kind) for alarm in station_alarms.alarms(session)]


def deposits(count: int, told: Callable[[int], Row]) -> bytes:
    """A file of so many deposits."""
    return as_csv(told(number) for number in range(count))


def test_an_alarm_is_decided_once_by_a_person_with_a_reason(session: Session, alarm: int) -> None:
    person = a_member(session)
    with pytest.raises(Invalid):
        station_alarms.decide(session, alarm, person, "  ", confirmed=True)
    decided = station_alarms.decide(session, alarm, person, "秤已校准", confirmed=False)
    assert (decided.state, decided.why) == ("explained", "秤已校准")
    with pytest.raises(Conflict):
        station_alarms.decide(session, alarm, person, "again", confirmed=True)
    with pytest.raises(NotFound):
        station_alarms.decide(session, 10**9, person, "who", confirmed=True)
    assert station_alarms.alarms(session) == []
    assert station_alarms.alarms(session, ("explained",)) == [decided]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'open', why = null, decided_by = null, decided_at = null",
        "state = 'confirmed'",
        "why = 'otherwise'",
    ],
)
def test_a_decided_alarm_cannot_be_decided_otherwise_behind_the_programme(
    session: Session, alarm: int, change: str
) -> None:
    station_alarms.decide(session, alarm, a_member(session), "秤已校准", confirmed=False)
    session.commit()
    with pytest.raises(DBAPIError, match="cannot become"):
        session.execute(text(f"update station_alarm set {change} where alarm_id = :n"), {"n": alarm})
    session.rollback()


def test_bags_before_a_decision_do_not_raise_it_again(session: Session, recycler: Recycler) -> None:
    chance = random.Random(4)
    rows: list[Row] = []
    for box in range(6):
        rows.append(an_emptying(f"B{box}", SINCE))
        for day in range(16):
            kilograms = "5.3" if box == 2 else "5"
            net = f"{5 + chance.gauss(0, 0.05):.3f}"
            rows += a_bag(f"B{box}", day, SINCE + timedelta(days=day), [kilograms], net)
    recycler.tell(as_csv(rows))
    mass_balance.balance_step(session, NOW)
    [found] = station_alarms.alarms(session)
    assert (found.station, found.kind) == ("B2", "over")
    station_alarms.decide(session, found.alarm_id, a_member(session), "秤已校准", confirmed=False)
    mass_balance.balance_step(session, NOW)
    assert station_alarms.alarms(session) == []


def test_deposits_at_night_at_one_station_are_flagged_and_nobody_is_rejected(
    session: Session, recycler: Recycler
) -> None:
    def told(number: int) -> Row:
        box = f"B{number % 6}"
        is_night = box == "B4" and number % 4 == 0
        hour = 18 if is_night else 2 + number % 10  # 02:00 and 10:00 to 20:00 in Shanghai
        at = SINCE + timedelta(days=number % 14, hours=hour - 1, seconds=number)
        return Row(f"S{number}", box, at, f"{1 + number % 7 / 10:.1f}", who=f"u{number % 120}")

    recycler.tell(deposits(900, told))
    recycler.credit()
    before = recycler.states()
    assert ("B4", "hours") in flags(session)
    assert {station for station, kind in flags(session) if kind == "hours"} == {"B4"}
    [night] = [each for each in station_alarms.alarms(session) if each.kind == "hours"]
    assert night.figures["part"] == 75
    assert night.figures["whole"] == 150
    recycler.credit()
    assert recycler.queued() == []
    assert recycler.states() == before


def test_customers_who_are_seen_at_one_station_alone_are_flagged(
    session: Session, recycler: Recycler
) -> None:
    def told(number: int) -> Row:
        customer = number % 120
        # thirty customers of B5 come nowhere else; everybody else goes about
        box = "B5" if customer >= 90 else f"B{(customer + number // 120) % 6}"
        at = SINCE + timedelta(days=number // 120, hours=customer % 10, minutes=customer)
        return Row(f"S{number}", box, at, "1.23", who=f"u{customer}")

    recycler.tell(deposits(1_200, told))
    found = [station for station, kind in flags(session) if kind == "one_station"]
    assert found == ["B5"]


def test_made_up_weights_are_flagged(session: Session, recycler: Recycler) -> None:
    chance = random.Random(8)

    def told(number: int) -> Row:
        box = f"B{number % 6}"
        hundredths = int(chance.lognormvariate(5.5, 0.5))
        if box == "B3":
            hundredths = hundredths // 10 * 10 + chance.choice([0, 5, 0, 5, 3])
        at = SINCE + timedelta(minutes=number)
        return Row(f"S{number}", box, at, f"{hundredths / 100:.2f}")

    recycler.tell(deposits(2_400, told))
    assert [station for station, kind in flags(session) if kind == "digits"] == ["B3"]


def test_the_work_is_done_by_one_at_a_time_and_by_the_scheduler(session: Session, alarm: int) -> None:
    with database.engine.connect() as other:
        given = {"lock": mass_balance.LOCK, "work": mass_balance.BALANCE}
        other.execute(text("select pg_advisory_xact_lock(:lock, :work)"), given)
        # the table in which the work would be done is a connection's own, and that is kept between tests
        session.execute(text("discard temp"))
        assert mass_balance.balance_step(session, NOW) == 0
        assert session.execute(text("select to_regclass('pg_temp.bag')")).scalar_one() is None
        session.rollback()
    assert {"mass_balance", "station_flags"} <= {task.name for task in TASKS}


def test_every_kind_and_state_that_the_table_knows_has_words(session: Session) -> None:
    checks = session.execute(
        text("""select string_agg(pg_get_constraintdef(oid), ' ') from pg_constraint
                where conrelid = 'station_alarm'::regclass and contype = 'c'""")
    ).scalar_one()
    assert [name for name in (*KINDS, *STATES) if f"'{name}'" not in checks] == []
