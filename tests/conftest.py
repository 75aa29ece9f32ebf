"""One real PostgreSQL and one real Valkey for each process of a run; every test starts from empty tables.

Outside servers may stand in: TEST_DATABASE_OWNER_URL (a superuser's) and TEST_REDIS_URL. Then PROCESSES=1, for there
is one doorbell only.
"""

import os
import secrets
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as searching
from sqlalchemy import URL, make_url
from sqlalchemy.orm import Session

from carbon_credits.activities import verification
from carbon_credits.config import Settings, read_settings
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import connect, database
from carbon_credits.core.lasting import lasting
from tests import spreading
from tests.database import PATIENCE, Cleaner, create_database, forget_sequences, migrate

# a machine that stalls is no fault of what is tested
searching.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
searching.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end of the run."""
    with lasting():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    items.sort(key=lambda item: spreading.turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files to each process."""
    return spreading.scheduler(config, log)


@dataclass(frozen=True)
class Servers:
    """Where this run's servers are."""

    owner_url: str
    app_url: str
    redis_url: str
    home: Path


@contextmanager
def _servers(home: Path) -> Iterator[Servers]:
    given = os.environ.get("TEST_DATABASE_OWNER_URL")
    if given:
        owner = make_url(given).set(drivername="postgresql+psycopg")
        redis_url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
        yield Servers(_text(owner), _text(owner.set(username="carbon_app")), redis_url, home)
        return
    from carbon_credits.local import servers  # noqa: PLC0415 - only where no servers are given

    with servers(home) as running:
        yield Servers(running.owner_url, running.app_url, running.redis_url, running.home)
        # all was durable as long as anything tested it; what is erased now need not reach the disk first
        with psycopg.connect(running.owner_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
            while connection.execute("show fsync").fetchone() != ("off",):
                pass


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The run's servers, with a migrated database of the run's own."""
    with tempfile.TemporaryDirectory(prefix="carbon-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with _servers(Path(folder)) as running:
            name = f"test_{os.getpid()}_{secrets.token_hex(3)}"
            create_database(running.owner_url, name)
            owner = _text(make_url(running.owner_url).set(database=name))
            app = _text(make_url(running.app_url).set(database=name))
            migrate(owner)
            yield replace(running, owner_url=owner, app_url=app)


@pytest.fixture(scope="session")
def owner_url(servers: Servers) -> str:
    """The database as its owner, for looking behind the programme's back."""
    return servers.owner_url


@pytest.fixture(scope="session")
def database_url(servers: Servers) -> str:
    """The database as the application sees it."""
    return servers.app_url


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    """The doorbell."""
    return servers.redis_url


@pytest.fixture(scope="session")
def vault() -> Vault:
    """Keys of this run."""
    return Vault({1: secrets.token_bytes(32)})


@pytest.fixture(scope="session")
def settings(servers: Servers, vault: Vault) -> Settings:
    """Settings as the demonstration has them, pointing at this run's servers."""
    environ = {
        "DATABASE_URL": servers.app_url,
        "REDIS_URL": servers.redis_url,
        "CARBON_MODE": "demo",
        "CARBON_HOME": str(servers.home),
    }
    if "host=/" not in servers.app_url:
        environ |= {
            "CARBON_MODE": "production",
            "CARBON_MASTER_KEYS": "1:" + "A" * 43 + "=",
            "CARBON_PUBLIC_URL": "https://carbon.test",
            "CARBON_TRUSTED_HOSTS": "127.0.0.1,localhost",
            "CARBON_SMS_URL": "https://sms.test",
            "CARBON_OTP_PER_PHONE": "1000",
            "CARBON_OTP_PER_ADDRESS": "100000",
        }
    return replace(read_settings(environ), vault=vault)


@pytest.fixture(scope="session", autouse=True)
def nothing_drawn() -> Iterator[None]:
    """Whether a trip is drawn for a second look is decided by this run's keys: who tests it has every one drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "SAMPLED_PER_MILLE", 0)
        yield


@pytest.fixture(scope="session")
def bare_app(settings: Settings) -> Iterator[Flask]:
    """An application with nothing but its database: what a service needs around it. It keeps its connections."""
    app = Flask("tests")
    connect(app, settings.database_url, **PATIENCE)
    yield app
    with app.app_context():
        database.engine.dispose()


@pytest.fixture(scope="session")
def cleaner(owner_url: str) -> Iterator[Cleaner]:
    """Empties what a test has written."""
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield Cleaner(connection)


@pytest.fixture
def empty(cleaner: Cleaner) -> Iterator[None]:
    """Empty tables before and after."""
    cleaner.clean()
    yield
    cleaner.clean()


@pytest.fixture
def session(bare_app: Flask, empty: None) -> Iterator[Session]:
    """A session whose commits are real."""
    with bare_app.app_context():
        current = database.session()
        yield current
        current.rollback()
        database.session.remove()
        forget_sequences(database.engine)
