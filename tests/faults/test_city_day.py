"""A day of the metro while its workers die: whatever is killed, restarted or emptied, the same ledger hash in the end."""

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from signal import SIGKILL

import psycopg
import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import make_url

from carbon_credits.activities import told
from carbon_credits.cli.bench import cityday, cityday_ground, district, reconciling
from carbon_credits.cli.bench.cityday_files import Operator, by_hours
from carbon_credits.cli.bench.ground import Ground, plain
from carbon_credits.config import Settings, read_settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import connect, database, in_transaction
from carbon_credits.crediting.ledger_hash import ledger_hash
from carbon_credits.jobs import partner_files, surroundings
from carbon_credits.jobs.crediting import drain_lane
from carbon_credits.jobs.doorbell import LANES
from carbon_credits.ledger.check import check
from carbon_credits.local import restart_postgres
from carbon_credits.local import servers as local_servers
from carbon_credits.partners import keys, progress, service
from carbon_credits.partners.service import Register
from integrations.metro_taps import FEED
from tests.database import create_database, migrate

pytestmark = pytest.mark.fault

KILLS, RESTART_AT, FLUSH_AT = 20, 7, 13
# one is enough, unless the machine does it much faster than the calm one that the intervals are taken from
DAYS = 4
SHORTEST_S, LEAST_S = 0.02, 0.1
PATIENCE_S = 300.0
DAY = clock.today() - timedelta(days=1)
SIZE = cityday.FULL.of(100)


@dataclass(frozen=True)
class Place:
    """One database of the day, with the programme's settings for it."""

    ground: Ground
    redis_url: str

    @contextmanager
    def surrounded(self) -> Iterator[None]:
        """What a worker finds around it."""
        app = Flask("worker")
        connect(app, self.ground.settings.database_url)
        app.config[surroundings.SETTINGS] = self.ground.settings
        app.config[surroundings.FEEDS] = Register([FEED])
        with app.app_context():
            try:
                yield
            finally:
                database.session.remove()
                database.engine.dispose()


def a_place(owner_url: str, settings: Settings, name: str) -> Place:
    """A migrated database in which the day's files lie at the door and its claims on the work list."""
    create_database(owner_url, name)
    url = make_url(owner_url).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    app_url = make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)
    own = replace(settings, database_url=app_url, home=settings.home / name)
    ground = Ground(name, url, own)
    place = Place(ground, settings.redis_url)
    city = cityday.make(DAY, SIZE, 3)
    operator = Operator(FEED.partner, FEED.code)
    with place.surrounded():
        in_transaction(lambda session: district.rule(session, DAY - timedelta(days=60)))
        in_transaction(lambda session: service.install(session, [FEED]))
        partner = in_transaction(lambda session: service.partner_by_code(session, FEED.partner).partner_id)
        in_transaction(lambda session: keys.add_key(session, partner, operator.public_key, clock.now()))
        cityday_ground.write_distances(partner_files.distances_of(FEED.code))
        with ground.owner() as owner:
            cityday_ground.bind(owner, own.vault, (partner, FEED.partner), SIZE.residents)
            cityday_ground.tell(owner, own.vault, city)
        day = reconciling.Day(city, operator.day(DAY, by_hours(city, 5, 3)), FEED, ground, own.home)
        reconciling.bring(day, partner_files.inbox())
    return place


def work(place: Place, pipe: Connection) -> None:
    """A worker's life: files and lanes in turn until nothing is left; says when it begins."""
    told.CHUNK = 200  # type: ignore[misc]  # many commits to be killed between
    with place.surrounded():
        pipe.send("working")
        while not is_done():
            for waiting in in_transaction(progress.feeds_waiting):
                partner_files.work_on_feed(waiting)
            for lane in range(LANES):
                drain_lane(lane)
    os._exit(0)


def is_done() -> bool:
    """Whether no file and no act waits."""
    waits = "select exists (select from activity_queue)"
    return not in_transaction(progress.feeds_waiting) and not in_transaction(
        lambda session: session.connection().exec_driver_sql(waits).scalar_one()
    )


def start(place: Place) -> tuple[ForkProcess, Connection]:
    """A worker that has begun."""
    context = get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(place, theirs))
    process.start()
    theirs.close()
    return process, ours


@dataclass
class Torment:
    """Kills workers at random moments, restarts PostgreSQL and empties Valkey in between; over several days where one
    was done too soon, for a machine is not equally fast all the time.
    """

    home: Path
    chance: random.Random
    longest_s: float
    kills: int = 0

    def __post_init__(self) -> None:
        self._others: dict[int, Callable[[Place], object]] = {
            RESTART_AT: lambda _: restart_postgres(self.home, "immediate"),
            FLUSH_AT: lambda place: Redis.from_url(place.redis_url).flushall(),
        }

    def day(self, place: Place) -> None:
        """One day to its end: workers take each other's place until one of them is done."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            process, pipe = start(place)
            with suppress(EOFError):  # there was nothing left to begin with
                pipe.recv()
                self._hurt(place, process)
            process.join()
            if process.exitcode == 0:
                return
        raise AssertionError(f"not done within {PATIENCE_S:.0f} s, after {self.kills} kills")

    def _hurt(self, place: Place, process: ForkProcess) -> None:
        """Kill a worker at work, while any is still to be killed."""
        if self.kills == KILLS:
            return
        time.sleep(self.chance.uniform(SHORTEST_S, self.longest_s))
        self._others.pop(self.kills, lambda _: None)(place)
        if process.is_alive():
            os.kill(process.pid or 0, SIGKILL)
            self.kills += 1


def matches(place: Place) -> int:
    """How many claims stand with the record that proves them."""
    with psycopg.connect(plain(place.ground.owner_url)) as owner:
        found = owner.execute("select count(*) from record_match where ended_at is null").fetchone()
    assert found is not None
    return int(found[0])


def hash_of(place: Place) -> str:
    """The ledger hash, of books that are sound."""
    with place.surrounded():
        found = in_transaction(ledger_hash)
        assert [f for f in in_transaction(lambda s: check(s, 3_600)) if f.violations] == []
    return found


def test_a_day_whose_workers_are_killed_twenty_times_ends_with_the_same_hash(vault: Vault) -> None:
    with tempfile.TemporaryDirectory(prefix="carbon-day-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        with local_servers(home) as running:
            environ = {
                "DATABASE_URL": running.app_url,
                "REDIS_URL": running.redis_url,
                "CARBON_MODE": "demo",
                "CARBON_HOME": str(running.home),
            }
            settings = replace(read_settings(environ), vault=vault)
            calm = a_place(running.owner_url, settings, "calm")
            process, pipe = start(calm)
            pipe.recv()
            began = time.monotonic()
            process.join()
            calm_s = time.monotonic() - began
            untouched = hash_of(calm)
            torment = Torment(home, random.Random(11), max(LEAST_S, calm_s / KILLS))
            for number in range(DAYS):
                wild = a_place(running.owner_url, settings, f"wild{number}")
                torment.day(wild)
                assert matches(wild) > 2_500
                assert hash_of(wild) == untouched
                if torment.kills == KILLS:
                    break
            assert torment.kills == KILLS
