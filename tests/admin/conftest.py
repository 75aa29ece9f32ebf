"""The console's pages asked for as a browser asks, by members of staff with the roles a test names."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import admin
from admin.guard import cookie_name
from carbon_credits.app import create_app
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import database, transaction
from carbon_credits.staff import service, sessions
from carbon_credits.staff.service import Role
from integrations import PROVIDERS
from tests.api.conftest import begin
from tests.database import Cleaner, be_patient, forget_sequences

ORIGIN = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
CSRF = re.compile(r'data-csrf="([0-9a-f]*)"')


@dataclass
class Visitor:
    """A member of staff at a browser."""

    client: FlaskClient
    staff_id: int
    name: str
    csrf: str
    session_id: int

    def get(self, path: str, **options: Any) -> TestResponse:
        """A page under /admin."""
        return self.client.get("/admin" + path, **options)

    def post(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """A form of ours, sent with its token."""
        headers = {**ORIGIN, **options.pop("headers", {})}
        data = {"csrf": self.csrf, **(form or {})}
        return self.client.post("/admin" + path, data=data, headers=headers, **options)


Visits = Callable[..., Visitor]


@pytest.fixture(scope="session")
def application(settings: Settings) -> Iterator[Flask]:
    """The whole application with its console. It keeps its connections."""
    app = create_app(settings, PROVIDERS, console=admin.install)
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


@pytest.fixture
def visit(app: Flask, vault: Vault, settings: Settings) -> Visits:
    """`visit(Role.FINANCE, …)`: a new member of staff with these roles, signed in, their second factor just shown."""
    count = iter(range(1, 1_000))

    def signed_in(*roles: Role, streets: set[str] | None = None, stepped_up: bool = True) -> Visitor:
        name = f"员工{next(count)}"
        with app.app_context(), transaction() as session:
            member = service.add(session, name, roles, "operator", streets)
            now = clock.now()
            token = sessions.begin(session, vault, member.staff_id, now, address="127.0.0.1", agent="tests")
            known = sessions.current(session, vault, token, now)
            assert known is not None
            if stepped_up:
                sessions.step_up(session, known.session_id, now)
        client = app.test_client()
        client.set_cookie(cookie_name(settings, "staff"), token)
        return Visitor(client, member.staff_id, name, known.csrf, known.session_id)

    return signed_in
