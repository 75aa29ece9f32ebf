"""The whole application, its doors called as a client calls them, and people who have signed in through those doors."""

import json
import os
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from socket import socket
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from carbon_credits.api import house as houses
from carbon_credits.api.house import EXTENSION, House
from carbon_credits.api.limits import PER_MINUTE, Limiter
from carbon_credits.app import create_app
from carbon_credits.config import Settings
from carbon_credits.core import clock, signing
from carbon_credits.core.clients import NewClient
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import database, transaction
from carbon_credits.core.signing import Keyring
from carbon_credits.crediting.releases import publish
from carbon_credits.partners import clients
from carbon_credits.partners import service as partners
from carbon_credits.rewards.clients import Scope
from integrations import PROVIDERS
from tests.database import Cleaner, be_patient, forget_sequences
from tests.factories.rewards import a_merchant, a_system

ROOT = Path(__file__).parents[2]
FEED = PROVIDERS[0]
PLENTY = dict.fromkeys(PER_MINUTE, 1_000_000)


@dataclass
class Caller:
    """Somebody with a token, and the client they call with."""

    client: FlaskClient
    token: str
    id: int
    refresh_token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, *, key: str | None = None, **options: Any) -> TestResponse:
        """Call with the token, and with an idempotency key where one is given."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **options)

    def claim(self, body: dict[str, Any], key: str | None = None) -> TestResponse:
        """POST /v1/activities with a key, a new one unless it is given."""
        return self.call("POST", "/v1/activities", key=key or str(uuid4()), json=body)


@pytest.fixture(scope="session")
def application(settings: Settings) -> Iterator[Flask]:
    """One application for the run; putting it together is the slow part. It keeps its connections."""
    app = create_app(settings, PROVIDERS)
    with app.app_context():
        be_patient(database.engine)
    yield app
    with app.app_context():
        database.engine.dispose()


@pytest.fixture
def app(application: Flask, cleaner: Cleaner, empty: None) -> Iterator[Flask]:
    """The application on empty tables, with the keys, feeds and releases it needs to answer."""
    begin(application, cleaner)
    yield application
    with application.app_context():
        forget_sequences(database.engine)


def begin(application: Flask, cleaner: Cleaner) -> None:
    """What an operator does once, into empty tables, and a keyring that has seen nothing yet."""
    house: House = application.extensions[EXTENSION]
    fresh = replace(
        house, keyring=Keyring(house.vault, house.settings.public_url), limiter=Limiter(dict(PLENTY))
    )
    houses.install(application, fresh)
    if cleaner.put_back():
        return
    with application.app_context(), transaction() as session:
        signing.ensure_keys(session, fresh.vault)
        partners.install(session, PROVIDERS)
        publish(session)
    cleaner.keep()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client without a token."""
    return app.test_client()


@pytest.fixture
def resident(app: Flask, vault: Vault) -> Caller:
    """A resident who has just signed in with a code."""
    return sign_in(app, vault, "+8613800000001")


@pytest.fixture
def neighbour(app: Flask, vault: Vault) -> Caller:
    """Another resident."""
    return sign_in(app, vault, "+8613800000002")


@pytest.fixture
def partner(app: Flask, vault: Vault) -> Caller:
    """A partner's system with a token for its secret."""
    return partner_in(app, vault)


@pytest.fixture
def merchant(app: Flask, vault: Vault) -> Caller:
    """A merchant's system with a token for its secret."""
    return merchant_in(app, vault)


def sign_in(app: Flask, vault: Vault, phone: str) -> Caller:
    """Sign a resident in through the doors; the code is read where the text message would be."""
    client = app.test_client()
    challenge = client.post("/v1/auth/otp", json={"phone": phone}).get_json()["challenge_id"]
    told = client.post(
        "/v1/auth/token", json={"challenge_id": challenge, "code": code_of(app, vault, challenge)}
    )
    tokens = told.get_json()
    me = client.get("/v1/me", headers={"Authorization": "Bearer " + tokens["access_token"]}).get_json()
    return Caller(client, tokens["access_token"], int(me["id"]), tokens["refresh_token"])


def code_of(app: Flask, vault: Vault, challenge: str) -> str:
    """The code of a challenge, from the sealed message that waits to be sent."""
    with app.app_context(), transaction() as session:
        sealed = session.execute(
            text("select sealed from outbox where payload->>'challenge_id' = :challenge"),
            {"challenge": challenge},
        ).scalar_one()
    content = json.loads(vault.unseal("outbox", bytes(sealed), f"outbox|sealed|{challenge}"))
    return str(content["code"])


def partner_in(app: Flask, vault: Vault, code: str = FEED.partner) -> Caller:
    """A new client of a partner, the first feed's unless another is named, signed in through /oauth/token."""
    with app.app_context(), transaction() as session:
        row = partners.partner_by_code(session, code)
        made = clients.add_client(session, vault, row.partner_id, clock.now())
        number = row.partner_id
    return caller_of(app, made, number)


def merchant_in(app: Flask, vault: Vault, *scopes: Scope, **changes: Any) -> Caller:
    """The system of a merchant that was just let in, signed in through /oauth/token."""
    with app.app_context(), transaction() as session:
        number = a_merchant(session, vault, **changes)
        made = a_system(session, vault, number, *scopes)
    return caller_of(app, made, number)


def caller_of(app: Flask, made: NewClient, number: int) -> Caller:
    """A client that buys a token for its secret; `headers` holds the form it sent."""
    client = app.test_client()
    form = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
    }
    token = client.post("/oauth/token", data=form).get_json()["access_token"]
    return Caller(client, token, number, headers=form)


def a_ride(*, minutes_ago: int = 5, **changes: Any) -> dict[str, Any]:
    """A claim that any resident could make just now: 3.2 km by bicycle in 16 minutes."""
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes_ago)
    body = {
        "methodology": "travel.cycling",
        "occurred_from": (end - timedelta(minutes=16)).isoformat(),
        "occurred_to": end.isoformat(),
        "monitored": {"distance_m": 3200},
    }
    return {**body, **changes}


def stored(session: Session) -> int:
    """How many rows there are of anything that a claim writes."""
    return int(
        session.execute(
            text("""select (select count(*) from activity) + (select count(*) from act_key)
                         + (select count(*) from activity_queue)""")
        ).scalar_one()
    )


@pytest.fixture
def records(app: Flask) -> Iterator[Session]:
    """A session of the test's own, for looking at what was stored."""
    with app.app_context():
        yield database.session()
        database.session.remove()


@pytest.fixture
def threaded_url(app: Flask) -> Iterator[str]:
    """The application behind a real socket, a thread for each connection."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def served(
    settings: Settings, application: Flask, cleaner: Cleaner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The application as it is run: gunicorn with its processes and threads, for one module, on one set of rows."""
    cleaner.clean()
    begin(application, cleaner)
    with socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    folder = tmp_path_factory.mktemp("served")
    environment = {**os.environ, **_environment(settings, port), "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:create_app()"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_ready(port, process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)
            cleaner.clean()
            with application.app_context():
                database.engine.dispose()


def _environment(settings: Settings, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "CARBON_MODE": settings.mode,
        "CARBON_HOME": str(settings.home),
        "CARBON_PORT": str(port),
        "CARBON_PUBLIC_URL": settings.public_url,
        "CARBON_TRUSTED_HOSTS": ",".join(settings.trusted_hosts),
        "CARBON_MASTER_KEYS": ",".join(
            f"{number}:{b64encode(key).decode()}" for number, key in settings.vault.masters.items()
        ),
        "CARBON_SMS_URL": settings.sms_url,
        "CARBON_OTP_PER_PHONE": str(settings.otp_per_phone),
        "CARBON_OTP_PER_ADDRESS": str(settings.otp_per_address),
    }


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-2_000:])
