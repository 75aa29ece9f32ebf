"""Who may call what: every route, with no token and with each wrong one."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from carbon_credits.api import access
from carbon_credits.api.access import ACCESS, NEEDS, Need, RouteWithoutRule, Who
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.rewards import clients
from carbon_credits.rewards.clients import Scope
from tests.api.conftest import Caller, a_ride, caller_of, merchant_in
from tests.factories.rewards import a_till

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
    "month": "2026-11",
    "feed": "ev_charging",
    "operation": "cdrs",
    "date": "2026-11-20",
    "incentive": "1",
    "statement": "A" * 22,
    "status_list": "1",
    "redemption": "0193a1b2-0000-7000-8000-000000000001",
    "capture": "0193a1b2-0000-7000-8000-000000000002",
    "join": "7K3M9QX2TA",
    "settlement": "17",
    "offer": "12",
    "group": "12",
    "drive": "family",
    "request": "5",
    "client": "nobody-0000",
    "number": "7",
    "provider": "stripe",
    "hook": "1",
}


def _needing(application: Flask) -> list[tuple[str, str, Need]]:
    """Every call of a merchant's, and what it needs."""
    return [
        (method, path, NEEDS[endpoint])
        for method, path, endpoint in _paths(application)
        if ACCESS[endpoint] is Who.MERCHANT
    ]


def _paths(application: Flask) -> list[tuple[str, str, str]]:
    return [
        (method, re.sub(r"<(?:int\(.*?\):)?(\w+)>", lambda found: NAMES[found[1]], rule.rule), rule.endpoint)
        for rule in application.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD"})
    ]


def _calls(application: Flask, *audiences: Who) -> list[tuple[str, str, Who]]:
    return [
        (method, path, ACCESS[endpoint])
        for method, path, endpoint in _paths(application)
        if ACCESS[endpoint] in audiences
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
    calls = _calls(application, Who.RESIDENT, Who.PARTNER, Who.MERCHANT)
    assert len(calls) >= 12
    for method, path, _ in calls:
        told = client.open(path, method=method, json={})
        assert (told.status_code, told.get_json()["code"]) == (401, "not_authenticated"), (method, path)
        assert told.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_for_one_audience_is_worth_nothing_to_another(
    application: Flask, resident: Caller, partner: Caller, merchant: Caller
) -> None:
    callers = {Who.RESIDENT: resident, Who.PARTNER: partner, Who.MERCHANT: merchant}
    for own, caller in callers.items():
        for method, path, _ in _calls(application, *(set(callers) - {own})):
            told = caller.call(method, path, key="k", json={})
            assert (told.status_code, told.get_json()["code"]) == (401, "token_refused"), (method, path)


def test_a_merchants_client_does_what_its_scopes_allow_and_nothing_else(
    application: Flask, app: Flask, vault: Vault, merchant: Caller
) -> None:
    for scope in Scope:
        with app.app_context(), transaction() as session:
            for known in clients.clients_of(session, merchant.id)[1:]:
                clients.end(session, merchant.id, known.client_id, clock.now())
            made = clients.add_system(session, vault, merchant.id, scope, clock.now(), [scope])
        caller = caller_of(app, made, merchant.id)
        for method, path, need in _needing(application):
            told = caller.call(method, path, key="k", json={})
            refused = told.status_code == 403 and told.get_json()["code"] == "scope_missing"
            assert refused is (need.scope not in {None, scope}), (scope, method, path)


def test_a_till_has_the_least_that_a_till_needs(
    application: Flask, app: Flask, vault: Vault, merchant: Caller
) -> None:
    with app.app_context(), transaction() as session:
        till = a_till(session, vault, merchant.id)
    caller = caller_of(app, till, merchant.id)
    for method, path, need in _needing(application):
        told = caller.call(method, path, key="k", json={})
        refused = told.status_code == 403 and told.get_json()["code"] == "scope_missing"
        assert refused is (need.scope not in {None, Scope.CAPTURES, Scope.REVERSALS}), (method, path)


@pytest.mark.parametrize("state", ["suspended", "closing"])
def test_a_merchant_that_is_not_active_does_what_its_state_allows(
    application: Flask, app: Flask, merchant: Caller, state: str
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("update merchant set state = :state, state_reason = '…'"), {"state": state})
    for method, path, need in _needing(application):
        told = merchant.call(method, path, key="k", json={})
        refused = told.status_code == 403 and told.get_json()["code"] == f"merchant_{state}"
        assert refused is (state not in need.states), (method, path)


def test_a_merchant_that_is_gone_has_no_token(app: Flask, merchant: Caller) -> None:
    assert merchant.get("/merchant/v1/me").get_json()["state"] == "active"
    with app.app_context(), transaction() as session:
        for step in ("closing", "closed"):
            session.execute(text("update merchant set state = :step, state_reason = '…'"), {"step": step})
    assert merchant.get("/merchant/v1/me").status_code == 401
    assert merchant.client.post("/oauth/token", data=merchant.headers).status_code == 401


def test_another_merchants_client_says_nothing_of_this_one(
    app: Flask, vault: Vault, merchant: Caller
) -> None:
    other = merchant_in(app, vault)
    (told, mine) = (caller.get("/merchant/v1/me").get_json() for caller in (other, merchant))
    assert told["code"] != mine["code"]
    assert told["client"]["client_id"] == other.headers["client_id"]


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
