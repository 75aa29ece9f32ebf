"""Faults inside the work itself: a batch cut off half-way, an act that cannot be decided, two schedulers."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from redis import Redis
from rq import Queue
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.ids import resident_id, shard_of
from carbon_credits.jobs import doorbell, periodic, scheduler
from carbon_credits.jobs.crediting import drain_lane
from carbon_credits.jobs.schedule import TASKS
from carbon_credits.ledger.check import check
from carbon_credits.ledger.locks import SHARD_LOCK
from carbon_credits.ledger.service import open_wallet
from tests.factories.acts import a_claimed_act
from tests.factories.programme import a_fund, a_rate, two_staff
from tests.faults.worker import surrounded
from tests.waiting import wait_until

pytestmark = pytest.mark.fault

LANE = 0
RESIDENTS = [resident_id(n) for n in (1, 3, 9, 11, 17, 19)]  # two shards of the same lane
SHARDS = {shard_of(resident) for resident in RESIDENTS}
STRIKES = 6
UNSEALED = 3_600
# a number that is none: no door lets it in, and no statement of the batch can read it
UNREADABLE: dict[str, Any] = {"distance_m": "far"}


@pytest.fixture
def district(session: Session) -> Session:
    """Wallets, a fund and a rate for the phone's word."""
    people = two_staff(session)
    a_rate(session, people, a_fund(session, people, 1_000_000_000), "D", "0.0002", 7)
    for resident in RESIDENTS:
        open_wallet(session, resident)
    session.commit()
    return session


def claim(session: Session, numbers: "count[int]", each: int) -> int:
    """So many rides of every resident, none touching another; how many there are then."""
    began = datetime.combine(clock.today() - timedelta(days=3), datetime.min.time(), UTC)
    for _ in range(each):
        begins = began + timedelta(minutes=5 * next(numbers))
        for resident in RESIDENTS:
            ends = begins + timedelta(minutes=3)
            a_claimed_act(session, resident, "travel.cycling", begins, ends, {"distance_m": 600})
    session.commit()
    return each * len(RESIDENTS)


def decided(session: Session) -> Counter[tuple[str, int]]:
    """Decisions by state and generation."""
    rows = session.execute(text("select state, generation, count(*) from decision group by 1, 2"))
    return Counter({(state, generation): n for state, generation, n in rows})


def one(session: Session, question: str) -> Any:
    return session.execute(text(question)).scalar_one()


def assert_sound(session: Session) -> None:
    session.rollback()
    broken = [finding for finding in check(session, UNSEALED) if finding.violations]
    session.rollback()
    assert broken == []


def strike(owner_url: str, doing: "Future[Any]", chance: random.Random) -> bool:
    """End the batch's connection some moment after it has taken its shard; False when all was done before."""
    holder = """
    select pid from pg_locks where locktype = 'advisory' and classid = %s and granted
      and database = (select oid from pg_database where datname = current_database())
    """
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        while not doing.done():
            row = connection.execute(holder, [SHARD_LOCK]).fetchone()
            if row is not None:
                time.sleep(chance.uniform(0, 0.08))
                connection.execute("select pg_terminate_backend(%s)", row)
                break
        (left,) = connection.execute("select count(*) from activity_queue").fetchone() or (0,)
    # one that is struck when it looks whether anything is left has nothing to undo
    return doing.exception() is not None and left > 0


def test_a_batch_cut_off_between_statements_leaves_nothing_and_is_done_once_by_the_next(
    district: Session, settings: Settings, owner_url: str
) -> None:
    chance, numbers, claimed, strikes = random.Random(8), count(), 0, 0

    def drain() -> None:
        with surrounded(settings):
            drain_lane(LANE)

    with ThreadPoolExecutor(1) as worker:
        while strikes < STRIKES:
            assert next(numbers) < 600, f"only {strikes} batches could be struck"
            claimed += claim(district, numbers, 4)
            doing = worker.submit(drain)
            if strike(owner_url, doing, chance):
                strikes += 1
                assert isinstance(doing.exception(), DBAPIError)
                left = one(district, "select count(*) from activity_queue")
                assert left > 0
                assert decided(district) == Counter({("credited", 1): claimed - left})
                assert_sound(district)
            worker.submit(drain).result()
            assert one(district, "select count(*) from activity_queue") == 0
            assert decided(district) == Counter({("credited", 1): claimed})
            assert one(district, "select count(*) from posting") == claimed
            district.rollback()
    assert_sound(district)


def test_an_act_that_cannot_be_decided_is_held_alone_and_the_others_are_credited(
    district: Session, settings: Settings
) -> None:
    numbers = count()
    claimed = claim(district, numbers, 5)
    begins = datetime.combine(clock.today() - timedelta(days=2), datetime.min.time(), UTC)
    poison = [
        a_claimed_act(district, resident, "travel.cycling", begins, begins + timedelta(minutes=3), UNREADABLE)
        for resident in (RESIDENTS[1], RESIDENTS[4])
    ]
    claimed += claim(district, numbers, 5)
    with surrounded(settings):
        drain_lane(LANE)
    held = district.execute(
        text("select activity_id, state, reasons from decision where state <> 'credited'")
    )
    expected = [(act, "held", ["could_not_be_decided"]) for act in poison]
    assert sorted(held.all()) == sorted(expected)
    assert decided(district) == Counter({("credited", 1): claimed, ("held", 1): len(poison)})
    assert one(district, "select count(*) from activity_queue") == 0
    assert_sound(district)


def test_two_schedulers_announce_twice_and_each_slot_is_done_once(
    district: Session, settings: Settings, redis_url: str
) -> None:
    claim(district, count(), 1)
    with surrounded(settings):
        drain_lane(LANE)
    redis = Redis.from_url(redis_url)
    redis.flushdb()
    announced = announcements(redis, settings)

    def run(slot: tuple[str, str]) -> None:
        with surrounded(settings):
            periodic.run_task(*slot)

    # both announcements of a slot at once, and one that comes when all is over
    with ThreadPoolExecutor(2) as workers:
        for slot, times in announced.items():
            assert times >= 2, slot
            for done in [workers.submit(run, slot) for _ in range(2)]:
                done.result()
        for done in [workers.submit(run, slot) for slot in announced]:
            done.result()
    rows = district.execute(
        text("select task, slot, outcome from task_run where finished_at is not null")
    ).all()
    assert {(task, slot) for task, slot, _ in rows} == {
        (task, datetime.fromisoformat(slot)) for task, slot in announced
    }
    # a second run of the first slot would have found nothing left and said so
    assert "done 1" in {outcome for task, _, outcome in rows if task == "seal"}
    assert one(district, "select count(*) from seal") == 1
    assert one(district, "select count(*) from seal_member") == one(district, "select count(*) from journal")
    redis.flushdb()


def announcements(redis: "Redis", settings: Settings) -> Counter[tuple[str, str]]:
    """What two schedulers at once put on the queue until each task stands there twice."""
    stop = threading.Event()

    def schedule() -> None:
        with surrounded(settings):
            scheduler.run(stop)

    background = doorbell.queue(redis, doorbell.BACKGROUND)
    with ThreadPoolExecutor(2) as schedulers:
        running = [schedulers.submit(schedule) for _ in range(2)]
        try:
            return wait_until(partial(_twice, background), "a slot of each task, announced twice", 60)
        finally:
            stop.set()
            for each in running:
                each.result()


def _twice(background: Queue) -> Counter[tuple[str, str]]:
    """What was announced twice, once that is a slot of each task; until then nothing."""
    announced = Counter(
        (job.args[0], job.args[1]) for job in background.get_jobs() if str(job.func_name).endswith("run_task")
    )
    # a slot that one of them met just before it ended has been announced once
    twice = Counter({slot: times for slot, times in announced.items() if times > 1})
    return twice if {task for task, _ in twice} == {task.name for task in TASKS} else Counter()
