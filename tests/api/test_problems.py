"""Every no is a problem document: in the reader's language, with its headers, and with nothing of our insides."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.test import TestResponse

from carbon_credits.api import errors, house
from carbon_credits.api.house import EXTENSION, House
from carbon_credits.api.limits import Limiter
from carbon_credits.api.problems import PROBLEMS, TYPE_PREFIX
from carbon_credits.app import create_app
from carbon_credits.config import Settings
from carbon_credits.core import db
from carbon_credits.core.errors import InvariantBroken
from carbon_credits.jobs.doorbell import Ringer
from carbon_credits.ledger import service as ledger
from integrations import PROVIDERS
from tests.api.conftest import Caller, a_ride
from tests.waiting import wait_until

INSIDES = (
    "Traceback",
    "select ",
    "insert ",
    ".py",
    "psycopg",
    "sqlalchemy",
    "/carbon_credits",
    "werkzeug",
    "Exception",
)


def _is_problem(told: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert told.status_code == status, told.data
    assert told.mimetype == "application/problem+json"
    body: dict[str, Any] = told.get_json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == TYPE_PREFIX + code
    assert body["request_id"] == told.headers["X-Request-Id"]
    assert body["title"]
    assert body["detail"]
    assert not any(word in told.get_data(as_text=True) for word in INSIDES)
    return body


@pytest.mark.parametrize(
    "path", ["/nope", "/v1", "/v1/activities/", "/v1/me/../me", "/static/x", "/%00", "/%ff"]
)
def test_an_unknown_address_is_404(client: FlaskClient, path: str) -> None:
    _is_problem(client.get(path), 404, "not_found")


def test_an_address_has_one_spelling_and_no_redirect(client: FlaskClient) -> None:
    _is_problem(client.get("/", environ_overrides={"PATH_INFO": "//v1//me"}), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/me", "GET, HEAD, PATCH"),
        ("GET", "/v1/auth/otp", "POST"),
        ("OPTIONS", "/v1/wallet", "GET, HEAD"),
        ("TRACE", "/healthz", "GET, HEAD"),
        ("BREW", "/healthz", "GET, HEAD"),
        ("GET", "/oauth/token", "POST"),
    ],
)
def test_a_method_that_is_not_taken_is_405_with_those_that_are(
    client: FlaskClient, method: str, path: str, allow: str
) -> None:
    told = client.open(path, method=method)
    _is_problem(told, 405, "method_not_allowed")
    assert told.headers["Allow"] == allow


def test_an_unknown_host_is_refused(settings: Settings) -> None:
    app = create_app(replace(settings, trusted_hosts=("carbon.test",)), PROVIDERS)
    _is_problem(app.test_client().get("/healthz", headers={"Host": "evil.test"}), 400, "bad_host")
    assert app.test_client().get("/healthz", headers={"Host": "carbon.test"}).status_code == 200


def test_the_reader_chooses_the_language(client: FlaskClient) -> None:
    zh, en = PROBLEMS["not_found"].title
    wanted = [
        (None, zh),
        ("en", en),
        ("en-GB,zh;q=0.5", en),
        ("zh-CN,en;q=0.9", zh),
        ("fr", zh),
        ("en;q=0", zh),
        ("\xff", zh),
    ]
    for header, title in wanted:
        told = client.get("/nope", headers={"Accept-Language": header} if header else {})
        assert told.get_json()["title"] == title, header
        assert told.headers["Content-Language"] == ("en" if title == en else "zh")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcdefgh-1234", True),
        ("short", False),
        ("x" * 65, False),
        ("has space here", False),
        ("tel-13800138000", False),
        ('"><script>', False),
    ],
)
def test_a_sane_request_id_is_kept_and_any_other_replaced(
    client: FlaskClient, given: str, kept: bool
) -> None:
    told = client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert (told == given) is kept
    assert len(told) >= 8


def test_answers_carry_headers_that_keep_browsers_and_caches_out(resident: Caller) -> None:
    headers = resident.get("/v1/me").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Referrer-Policy"] == "no-referrer"


def test_anything_unforeseen_is_a_constant_500(resident: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise InvariantBroken("select secret from resident_key; /srv/carbon_credits/x.py")

    monkeypatch.setattr(ledger, "wallet_of", broken)
    body = _is_problem(resident.get("/v1/wallet"), 500, "internal_error")
    assert body["detail"] == errors.DETAILS[500].zh


def test_a_database_error_does_not_show_the_row_it_is_about(
    resident: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(session: Any, *_: Any) -> None:
        session.execute(
            text("insert into resident (resident_id, shard_id, street) values (-1, 0, '13800138000')")
        )

    monkeypatch.setattr(ledger, "wallet_of", broken)
    told = resident.get("/v1/wallet")
    _is_problem(told, 500, "internal_error")
    assert "13800138000" not in told.get_data(as_text=True)


def test_a_full_pool_is_503(resident: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise PoolTimeout

    monkeypatch.setattr(ledger, "wallet_of", full)
    told = resident.get("/v1/wallet")
    _is_problem(told, 503, "unavailable")
    assert int(told.headers["Retry-After"]) >= 1


def test_a_statement_that_takes_too_long_is_503(resident: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(session: Any, *_: Any) -> None:
        session.execute(text("set local statement_timeout = '20ms'"))
        session.execute(text("select pg_sleep(5)"))

    monkeypatch.setattr(ledger, "wallet_of", slow)
    _is_problem(resident.get("/v1/wallet"), 503, "unavailable")


@pytest.fixture
def away(settings: Settings) -> Iterator[Flask]:
    """An application whose database and cache are not there."""
    nowhere = replace(
        settings,
        database_url="postgresql+psycopg://carbon_app@127.0.0.1:9/none",
        redis_url="redis://127.0.0.1:9/0",
    )
    app = create_app(nowhere, PROVIDERS)
    yield app
    with app.app_context():
        db.database.engine.dispose()


def test_with_the_database_away_everything_that_needs_it_is_503(away: Flask, resident: Caller) -> None:
    client = away.test_client()
    token = {"Authorization": f"Bearer {resident.token}", "Idempotency-Key": "k"}
    for told in (
        client.get("/v1/wallet", headers=token),
        client.post("/v1/activities", headers=token, json=a_ride()),
        client.post("/v1/auth/otp", json={"phone": "+8613800000001"}),
        client.get("/.well-known/jwks.json"),
    ):
        _is_problem(told, 503, "unavailable")
        assert int(told.headers["Retry-After"]) >= 1


def test_with_the_database_away_we_are_alive_and_not_ready(away: Flask) -> None:
    client = away.test_client()
    assert client.get("/healthz").get_json() == {"status": "alive"}
    assert client.get("/v1/methodologies").status_code == 200
    told = client.get("/readyz")
    _is_problem(told, 503, "not_ready")
    assert int(told.headers["Retry-After"]) >= 1


def test_with_the_cache_away_acts_are_accepted_and_we_are_degraded(app: Flask, resident: Caller) -> None:
    whole: House = app.extensions[EXTENSION]
    away = type(whole.redis).from_url("redis://127.0.0.1:9/0", socket_timeout=0.2)
    house.install(app, replace(whole, redis=away, ringer=Ringer(away)))
    try:
        assert resident.claim(a_ride()).status_code == 202
        assert resident.client.get("/readyz").get_json() == {"status": "degraded"}
    finally:
        house.install(app, whole)


def test_ready_when_database_schema_and_cache_are(client: FlaskClient) -> None:
    # the cache has a fifth of a second to answer in, which a machine that stalls may miss once
    wait_until(lambda: client.get("/readyz").get_json() == {"status": "ready"}, "being ready")


def test_a_caller_who_asks_too_often_is_429_and_told_when_to_come_back(app: Flask, resident: Caller) -> None:
    whole: House = app.extensions[EXTENSION]
    clock = [0.0]
    tight = Limiter(
        {"resident": 3, "partner": 3, "merchant": 3, "address": 3, "newcomer": 3}, clock=lambda: clock[0]
    )
    house.install(app, replace(whole, limiter=tight))
    try:
        left = [resident.get("/v1/wallet").headers["RateLimit"] for _ in range(3)]
        assert [header.split(";")[1] for header in left] == ["r=2", "r=1", "r=0"]
        told = resident.get("/v1/wallet")
        _is_problem(told, 429, "too_many_requests")
        clock[0] = float(told.headers["Retry-After"])
        assert resident.get("/v1/wallet").status_code == 200
    finally:
        house.install(app, whole)


def test_proxies_are_believed_only_as_many_as_there_are(settings: Settings) -> None:
    chain = {"X-Forwarded-For": "127.0.0.1, 198.51.100.7"}
    outside = {"REMOTE_ADDR": "203.0.113.9"}
    for proxies, seen in ((0, 404), (1, 404)):
        app = create_app(replace(settings, proxies=proxies), PROVIDERS)
        told = app.test_client().get("/metrics", headers=chain, environ_overrides=outside)
        assert told.status_code == seen
