"""Hooks at the merchant's door: kept once for a key, owned, paged, tried out."""

import json

import jsonschema
from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.rewards import hooks
from carbon_credits.rewards.clients import Scope
from carbon_credits.rewards.hook_deliveries import claim
from tests.api.conftest import Caller, merchant_in
from tests.api.redeemed import give_points, offered

URL = "https://shop.example.com/hooks"
BODY = {"url": URL, "events": ["settlement.paid", "redemption.captured"]}


def made(merchant: Caller, key: str = "k1") -> str:
    answer = merchant.call("POST", "/merchant/v1/hooks", key=key, json=BODY)
    assert answer.status_code == 201, answer.get_json()
    return str(answer.get_json()["id"])


def test_a_hook_is_made_once_and_its_secret_is_in_no_answer_but_its_own(app: Flask, merchant: Caller) -> None:
    number = made(merchant)
    assert made(merchant) == number
    (hook,) = merchant.get("/merchant/v1/hooks").get_json()["items"]
    assert (hook["url"], hook["events"]) == (URL, ["redemption.captured", "settlement.paid"])
    secret = merchant.get(f"/merchant/v1/hooks/{number}/secret").get_json()["secret"]
    assert secret.startswith("whsec_")
    with app.app_context(), transaction() as session:
        kept = session.execute(text("select body from idempotency_key")).scalars().all()
        assert not any(secret.encode() in bytes(body) for body in kept)
        actions = session.execute(text("select action, actor from audit_entry where action like 'hook.%'"))
        assert [tuple(row) for row in actions] == [("hook.added", f"client:{merchant.headers['client_id']}")]


def test_a_secret_is_rotated_and_the_old_one_says_until_when(merchant: Caller) -> None:
    number = made(merchant)
    before = merchant.get(f"/merchant/v1/hooks/{number}/secret").get_json()
    assert before["rotating_until"] is None
    rotated = merchant.call("POST", f"/merchant/v1/hooks/{number}/rotation", key="r1")
    assert rotated.status_code == 201
    after = merchant.get(f"/merchant/v1/hooks/{number}/secret").get_json()
    assert after["secret"] != before["secret"]
    assert after["rotating_until"] == rotated.get_json()["rotating_until"] is not None
    again = merchant.call("POST", f"/merchant/v1/hooks/{number}/rotation", key="r2")
    assert (again.status_code, again.get_json()["code"]) == (409, "rotation_running")


def test_what_was_told_is_listed_page_by_page(app: Flask, merchant: Caller) -> None:
    number = made(merchant)
    with app.app_context(), transaction() as session:
        for n in range(3):
            hooks.announce(session, merchant.id, "redemption.captured", f"c{n}", {})
    tried = merchant.call("POST", f"/merchant/v1/hooks/{number}/test", key="t1")
    assert (tried.status_code, tried.get_json()["event"]) == (202, "hook.test")
    twice = merchant.call("POST", f"/merchant/v1/hooks/{number}/test", key="t2")
    assert (twice.status_code, twice.get_json()["code"]) == (409, "test_waiting")
    path = f"/merchant/v1/hooks/{number}/deliveries?limit=3"
    first = merchant.get(path).get_json()
    rest = merchant.get(f"{path}&cursor={first['next']}").get_json()
    events = [item["event"] for item in first["items"] + rest["items"]]
    assert events == ["hook.test", *["redemption.captured"] * 3]
    assert rest["next"] is None


def test_an_ended_hook_is_gone_with_what_waited(app: Flask, merchant: Caller) -> None:
    number = made(merchant)
    with app.app_context(), transaction() as session:
        hooks.announce(session, merchant.id, "redemption.captured", "c1", {})
    assert merchant.call("DELETE", f"/merchant/v1/hooks/{number}").status_code == 204
    assert merchant.get("/merchant/v1/hooks").get_json()["items"] == []
    assert merchant.get(f"/merchant/v1/hooks/{number}/deliveries").status_code == 404
    with app.app_context(), transaction() as session:
        assert hooks.announce(session, merchant.id, "redemption.captured", "c2", {}) == 0
        states = session.execute(text("select state, last_error from hook_delivery")).all()
        assert [tuple(row) for row in states] == [("dead", "hook_ended")]


def test_a_bad_address_is_named_with_its_field(merchant: Caller) -> None:
    body = {**BODY, "url": "https://127.0.0.1/hooks"}
    answer = merchant.call("POST", "/merchant/v1/hooks", key="k1", json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "address_refused")
    (fault,) = answer.get_json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/url", "address_not_public")


def test_a_client_without_the_scope_is_refused(app: Flask, vault: Vault) -> None:
    till = merchant_in(app, vault, Scope.CAPTURES)
    answer = till.get("/merchant/v1/hooks")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "scope_missing")


def test_what_is_told_is_what_the_document_says(
    app: Flask, vault: Vault, merchant: Caller, resident: Caller
) -> None:
    """A real capture, its reversal and a test, as they arrive, against the schemas of their webhooks."""
    body = {**BODY, "events": list(hooks.EVENTS)}
    number = merchant.call("POST", "/merchant/v1/hooks", key="k1", json=body).get_json()["id"]
    give_points(app, resident, 100)
    wish = {"offer_id": offered(app, merchant)}
    code = resident.call("POST", "/v1/redemptions", key="r1", json=wish).get_json()["code"]
    taken = merchant.call("POST", "/merchant/v1/captures", key="c1", json={"code": code, "reference": "7"})
    undone = f"/merchant/v1/captures/{taken.get_json()['id']}/reversal"
    assert merchant.call("POST", undone, key="v1", json={"reason": "wrong cup"}).status_code == 201
    assert merchant.call("POST", f"/merchant/v1/hooks/{number}/test", key="t1").status_code == 202

    told = merchant.client.get("/openapi/merchant.json").get_json()["webhooks"]
    heard = []
    with app.app_context(), transaction() as session:
        while (notice := claim(session, vault, clock.now())) is not None:
            said = json.loads(notice.body)
            operation = told[said["type"]]["post"]
            jsonschema.validate(said, operation["requestBody"]["content"]["application/json"]["schema"])
            headers = notice.headers(clock.now())
            for header in operation["parameters"]:
                jsonschema.validate(headers[header["name"]], header["schema"])
            heard.append(said["type"])
    assert heard == ["redemption.captured", "redemption.reversed", "hook.test"]
    assert set(told) == {*hooks.EVENTS, hooks.TEST}
