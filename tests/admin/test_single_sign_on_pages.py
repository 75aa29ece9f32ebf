"""Single sign-on at the console: connected by its holder, it stands for the password, and the code is asked for."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import admin
from carbon_credits.app import create_app
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import database, transaction
from carbon_credits.staff import administering
from carbon_credits.staff.service import Role
from integrations import PROVIDERS
from tests.admin.conftest import ORIGIN
from tests.admin.test_signing_in_pages import first_factor, hidden, second_factor, send
from tests.factories.staff import SignsIn, who_signs_in
from tests.staff.oidc_server import CLIENT, OidcServer, a_provider


@pytest.fixture(scope="module")
def server() -> Iterator[OidcServer]:
    with a_provider(OidcServer) as running:
        yield running


@pytest.fixture(scope="module")
def application(settings: Settings, server: OidcServer) -> Iterator[Flask]:
    """The application with a provider."""
    name, secret = CLIENT
    told = replace(settings, oidc_issuer=server.issuer, oidc_client_id=name, oidc_client_secret=secret)
    app = create_app(told, PROVIDERS, console=admin.install)
    yield app
    with app.app_context():
        database.engine.dispose()


@pytest.fixture
def chen(app: Flask, vault: Vault) -> SignsIn:
    with app.app_context(), transaction() as session:
        return who_signs_in(session, vault, clock.now(), Role.SUPPORT)


def come_back(client: FlaskClient, server: OidcServer, begun: TestResponse, subject: str) -> TestResponse:
    brought = server.agree(begun.headers["Location"], subject)
    return client.get("/admin/single-sign-on/back", query_string=brought)


def connected(app: Flask, server: OidcServer, chen: SignsIn, subject: str) -> FlaskClient:
    client = app.test_client()
    second_factor(client, chen, first_factor(client, chen))
    asked = client.get("/admin/single-sign-on/connect")
    assert asked.status_code == 401
    told = send(client, "/step-up", {**hidden(asked), "one_time_code": chen.recovery[0]})
    begun = client.get(told.headers["Location"])
    assert come_back(client, server, begun, subject).status_code == 200
    return client


def test_who_connected_comes_in_by_it_and_the_code(app: Flask, server: OidcServer, chen: SignsIn) -> None:
    connected(app, server, chen, "u-1")
    client = app.test_client()
    assert "single-sign-on" in client.get("/admin/sign-in").get_data(as_text=True)
    begun = client.get("/admin/single-sign-on/?next=/admin/account/")
    cookie = begun.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax"))
    page = come_back(client, server, begun, "u-1")
    assert client.get("/admin/account/").status_code == 302
    form = {**hidden(page), "one_time_code": chen.recovery[1]}
    assert send(client, "/sign-in/code", form).headers["Location"] == "/admin/account/"
    account = client.get("/admin/account/")
    assert "single-sign-on/end" in account.get_data(as_text=True)
    # what came back is worth nothing a second time, nor to another browser
    assert client.get("/admin/single-sign-on/back?code=x&state=y").status_code == 401
    assert client.post("/admin/single-sign-on/end", data=hidden(account), headers=ORIGIN).status_code == 303
    other = app.test_client()
    assert come_back(other, server, other.get("/admin/single-sign-on/"), "u-1").status_code == 401


def test_a_stranger_and_a_closed_account_do_not_come_in(
    app: Flask, server: OidcServer, chen: SignsIn
) -> None:
    connected(app, server, chen, "u-2")
    client = app.test_client()
    assert come_back(client, server, client.get("/admin/single-sign-on/"), "u-3").status_code == 401
    begun = client.get("/admin/single-sign-on/")
    stolen = server.agree(begun.headers["Location"], "u-2")
    assert app.test_client().get("/admin/single-sign-on/back", query_string=stolen).status_code == 401
    with app.app_context(), transaction() as session:
        administering.close(session, chen.staff_id, "operator", clock.now())
    assert come_back(client, server, client.get("/admin/single-sign-on/"), "u-2").status_code == 401


def test_an_identity_is_one_persons(app: Flask, server: OidcServer, chen: SignsIn, vault: Vault) -> None:
    connected(app, server, chen, "u-4")
    with app.app_context(), transaction() as session:
        other = who_signs_in(session, vault, clock.now(), Role.SUPPORT)
    client = app.test_client()
    second_factor(client, other, first_factor(client, other))
    told = send(
        client,
        "/step-up",
        {**hidden(client.get("/admin/single-sign-on/connect")), "one_time_code": other.recovery[0]},
    )
    begun = client.get(told.headers["Location"])
    assert come_back(client, server, begun, "u-4").status_code == 409
