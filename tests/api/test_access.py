"""Who may call what: every route, with no token and with each wrong one."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from carbon_credits.api import access
from carbon_credits.api.access import ACCESS, RouteWithoutRule, Who
from tests.api.conftest import Caller, a_ride

# a value for each name that stands in a path
NAMES = {
    "case": "17",
    "activity": "20261122-1",
    "purpose": "statistics",
    "code": "travel.cycling",
    "name": "resident",
    "digest": "0" * 64,
    "token": "AbCd",
    "file": "1",
    "feed": "ev_charging",
    "operation": "cdrs",
    "date": "2026-11-20",
}


def _calls(application: Flask, *audiences: Who) -> list[tuple[str, str, Who]]:
    return [
        (method, re.sub(r"<(\w+)>", lambda found: NAMES[found[1]], rule.rule), ACCESS[rule.endpoint])
        for rule in application.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD"})
        if ACCESS[rule.endpoint] in audiences
    ]


def test_the_table_names_every_route_and_nothing_else(application: Flask) -> None:
    assert {rule.endpoint for rule in application.url_map.iter_rules()} == set(ACCESS)


def test_a_route_without_a_row_stops_the_start() -> None:
    app = Flask("other", static_folder=None)
    app.add_url_rule("/new", "new", lambda: "new")
    with pytest.raises(RouteWithoutRule, match=r"routes without a rule: \['new'\]"):
        access.check(app)


def test_a_row_without_a_route_stops_the_start() -> None:
    with pytest.raises(RouteWithoutRule, match=r"rules without a route: .*activities\.submit"):
        access.check(Flask("other", static_folder=None))


def test_without_a_token_nothing_that_needs_one_answers(application: Flask, client: FlaskClient) -> None:
    calls = _calls(application, Who.RESIDENT, Who.PARTNER)
    assert len(calls) >= 12
    for method, path, _ in calls:
        told = client.open(path, method=method, json={})
        assert (told.status_code, told.get_json()["code"]) == (401, "not_authenticated"), (method, path)
        assert told.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_for_one_audience_is_worth_nothing_to_another(
    application: Flask, resident: Caller, partner: Caller
) -> None:
    for caller, wrong in ((resident, Who.PARTNER), (partner, Who.RESIDENT)):
        for method, path, _ in _calls(application, wrong):
            told = caller.call(method, path, key="k", json={})
            assert (told.status_code, told.get_json()["code"]) == (401, "token_refused"), (method, path)


def test_what_needs_no_token_asks_for_none(application: Flask, client: FlaskClient) -> None:
    for method, path, _ in _calls(application, Who.ANYONE):
        told = client.open(path, method=method)
        if told.status_code == 401:
            assert "token" not in told.get_json().get("code", "")


def test_a_token_is_asked_for_before_the_body_is_looked_at(client: FlaskClient) -> None:
    told = client.post("/v1/activities", data=b"{" * 100, content_type="application/json")
    assert told.status_code == 401


def test_metrics_are_for_this_machine_alone(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 200
    outside: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/metrics", environ_overrides=outside).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


def test_a_signed_out_token_is_refused_at_once(resident: Caller) -> None:
    assert resident.get("/v1/me").status_code == 200
    assert resident.call("POST", "/v1/auth/logout").status_code == 204
    assert resident.claim(a_ride()).status_code == 401
    again = resident.client.post("/v1/auth/refresh", json={"refresh_token": resident.refresh_token})
    assert (again.status_code, again.get_json()["code"]) == (401, "refresh_refused")
