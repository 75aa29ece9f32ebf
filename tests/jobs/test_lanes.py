"""The doorbell rings, the lane is drained, and losing every ring loses nothing."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.ids import resident_id, shard_of
from carbon_credits.crediting.isolation import hold_first
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.crediting import credit_lane, drain_lane, shards_with_work
from carbon_credits.jobs.periodic import due, run_task, slot_of
from carbon_credits.jobs.schedule import TASKS
from carbon_credits.jobs.scheduler import sweep
from carbon_credits.jobs.surroundings import HANDLERS, SETTINGS, WAYS
from carbon_credits.rewards.payment_contract import Ways
from tests.factories.acts import a_claimed_act
from tests.factories.programme import a_fund, a_rate, two_staff
from tests.waiting import wait_until

START = clock.now() - timedelta(hours=5)


@pytest.fixture
def redis(redis_url: str, bare_app: Flask, settings: Settings) -> Redis:
    bare_app.config[SETTINGS] = settings
    bare_app.config[HANDLERS] = {}
    bare_app.config[WAYS] = Ways()
    connection = doorbell.connect(redis_url, patience_s=30)
    connection.flushdb()
    return connection


@pytest.fixture
def residents(session: Session) -> list[int]:
    people = two_staff(session)
    a_rate(session, people, a_fund(session, people, 10**9), "D")
    found = [resident_id(n) for n in range(1, 9)]
    for resident in found:
        session.execute(
            text("insert into wallet (resident_id, shard_id) values (:r, :s)"),
            {"r": resident, "s": shard_of(resident)},
        )
        a_claimed_act(
            session, resident, "travel.cycling", START, START + timedelta(minutes=16), {"distance_m": 3200}
        )
    session.commit()
    return found


def queued(redis: Redis) -> int:
    return len(doorbell.queue(redis, doorbell.CREDITING))


def test_the_residents_of_a_district_are_dealt_to_several_shards(residents: list[int]) -> None:
    assert {shard_of(resident) for resident in residents} == set(range(8))


def test_many_rings_are_one_job_for_a_lane(redis: Redis, residents: list[int]) -> None:
    for _ in range(5):
        doorbell.ring(redis, map(shard_of, residents))
    assert queued(redis) == doorbell.LANES


def test_nobody_queues_a_job_for_a_lane_that_is_being_drained(redis: Redis, residents: list[int]) -> None:
    for lane in range(doorbell.LANES):
        redis.set(doorbell.draining(lane), "1")
    doorbell.ring(redis, map(shard_of, residents))
    assert queued(redis) == 0
    assert redis.exists(doorbell.flag(0), doorbell.flag(1)) == 2


@pytest.fixture
def silent() -> Iterator[Redis]:
    """A doorbell that lets everybody in and answers nobody."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield doorbell.connect(f"redis://127.0.0.1:{listening.getsockname()[1]}/0")


def test_a_doorbell_that_is_away_or_silent_never_raises_nor_keeps_anybody_waiting(silent: Redis) -> None:
    doorbell.ring(doorbell.connect("redis://127.0.0.1:1/0"), [1])
    begun = time.monotonic()
    doorbell.ring(silent, [1])
    assert time.monotonic() - begun < 10


def test_a_ringer_says_every_shard_soon_and_keeps_nobody_waiting(
    redis: Redis, residents: list[int], silent: Redis
) -> None:
    ringer = doorbell.Ringer(redis)
    for resident in residents:
        ringer.ring([shard_of(resident)])
    wait_until(lambda: queued(redis) >= doorbell.LANES, "a job for each lane")
    assert queued(redis) == doorbell.LANES
    unheard = doorbell.Ringer(silent)
    begun = time.monotonic()
    for _ in range(1_000):
        unheard.ring([1])
    assert time.monotonic() - begun < 1_000 * doorbell.PATIENCE_S / 10


def test_draining_decides_everything_of_its_lane_and_nothing_of_the_other(
    redis: Redis, session: Session, residents: list[int]
) -> None:
    session.rollback()
    assert shards_with_work(0) == [0, 2, 4, 6]
    assert drain_lane(0).by_state == {"credited": 4}
    assert shards_with_work(0) == []
    assert shards_with_work(1) == [1, 3, 5, 7]
    assert drain_lane(0).picked == 0


def test_the_job_itself_leaves_the_lane_quiet(
    bare_app: Flask, redis: Redis, session: Session, residents: list[int]
) -> None:
    session.rollback()
    with bare_app.app_context():
        credit_lane(1)
    assert redis.exists(doorbell.draining(1)) == 0
    assert session.execute(text("select count(*) from decision where state = 'credited'")).scalar_one() == 4


def test_the_sweeper_rings_for_what_is_overdue_unless_somebody_is_at_it(
    redis: Redis, session: Session, residents: list[int]
) -> None:
    session.rollback()
    wait_until_overdue(session)
    assert sorted(sweep(redis)) == [0, 1]
    assert queued(redis) == 2
    redis.flushdb()
    redis.set(doorbell.draining(0), "1")
    session.rollback()
    assert sweep(redis) == [1]


def wait_until_overdue(session: Session) -> None:
    """Until the database's own clock says that the youngest act has waited long enough."""
    while session.execute(
        text("select max(queued_at) > clock_timestamp() - interval '900 milliseconds' from activity_queue")
    ).scalar_one():
        session.rollback()
        time.sleep(0.05)


def test_an_act_that_cannot_be_decided_is_held_and_its_neighbours_are_not(
    redis: Redis, session: Session, residents: list[int]
) -> None:
    held = hold_first(session, 0)
    session.commit()
    assert held is not None
    row = session.execute(text("select state, reasons from decision")).one()
    assert (row.state, row.reasons) == ("held", ["could_not_be_decided"])
    session.rollback()
    assert drain_lane(0).by_state == {"credited": 3}


def test_a_slot_of_a_task_is_done_once_by_however_many_schedulers(
    bare_app: Flask, redis: Redis, session: Session
) -> None:
    session.rollback()
    now = clock.now()
    for task in TASKS:
        slot = slot_of(task, now).isoformat()
        with bare_app.app_context():
            run_task(task.name, slot)
            run_task(task.name, slot)
    rows = session.execute(text("select task, outcome from task_run")).all()
    assert len(rows) == len(TASKS)
    assert all(row.outcome.startswith("done") for row in rows)
    assert due(session, now) == []
