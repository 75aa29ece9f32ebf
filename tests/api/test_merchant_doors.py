"""A merchant's doors: from the application to an offer that residents see, and what is refused on the way."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from carbon_credits.api.merchant.applications import EXAMPLE, MOST_AN_HOUR
from carbon_credits.core import clock
from carbon_credits.core.clients import NewClient
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.rewards import merchants, offer_approval
from carbon_credits.rewards.clients import Scope
from tests.api.conftest import Caller, caller_of, merchant_in
from tests.factories.rewards import (
    a_licence,
    a_member_of,
    a_point_value,
    a_system,
    a_till,
    an_offer,
    approved,
)

PIN = "480213"


def an_offer_body(**changes: Any) -> dict[str, Any]:
    """Ten yuan off a lunch for 2,000 points, from now for a month."""
    now = clock.now().replace(microsecond=0)
    body = {
        "kind": "voucher",
        "title": {"zh": "午餐抵 10 元", "en": "10 yuan off lunch"},
        "text": {"zh": "每桌限用一张。", "en": "One a table."},
        "category": "food",
        "points": 2_000,
        "face_fen": 1_000,
        "stock": 3,
        "from": now.isoformat(),
        "to": (now + timedelta(days=30)).isoformat(),
    }
    return {**body, **changes}


@pytest.fixture
def till(app: Flask, vault: Vault, merchant: Caller) -> Caller:
    """A till of the merchant's, with an owner (1) and a cashier (7) who may stand there."""
    made = merchant.call("POST", "/merchant/v1/tills/pairings", json={"label": "收银台 1"}).get_json()
    told = merchant.client.post("/merchant/v1/tills", json={"code": made["code"]})
    assert told.status_code == 201, told.get_json()
    for number, role in ((1, "owner"), (7, "cashier")):
        body = {"number": number, "name": "陈小姐", "role": role, "pin": PIN}
        assert merchant.call("POST", "/merchant/v1/members", key=f"m{number}", json=body).status_code == 201
    shown = told.get_json()
    return caller_of(app, NewClient(shown["client_id"], shown["client_secret"]), merchant.id)


def test_an_application_becomes_a_merchant_whose_offer_residents_see(
    app: Flask, vault: Vault, client: FlaskClient, resident: Caller
) -> None:
    told = client.post("/merchant/v1/applications", json=EXAMPLE)
    assert (told.status_code, told.get_json()["state"]) == (201, "applied")
    again = client.post("/merchant/v1/applications", json=EXAMPLE)
    assert (again.status_code, again.get_json()["code"]) == (409, "licence_known")
    with app.app_context(), transaction() as session:
        a_point_value(session)
        payload = merchants.admission(session, "three_friends")
        merchants.admit(session, approved(session, merchants.ADMIT, payload), payload)
        system = a_system(session, vault, payload["merchant_id"])
    merchant = caller_of(app, system, payload["merchant_id"])
    assert merchant.get("/merchant/v1/account").get_json()["in_force"]["number_end"] == "9012"

    made = merchant.call("POST", "/merchant/v1/offers", key="o1", json=an_offer_body()).get_json()
    path = f"/merchant/v1/offers/{made['id']}"
    assert merchant.call("PUT", path, json=an_offer_body(per_person=2)).get_json()["per_person"] == 2
    assert merchant.call("POST", f"{path}/proposal", key="p1").get_json()["state"] == "proposed"
    twice = merchant.call("POST", f"{path}/proposal", key="p2")
    assert (twice.status_code, twice.get_json()["code"]) == (409, "offer_state")
    assert resident.get("/v1/offers").get_json()["items"] == []
    with app.app_context(), transaction() as session:
        payload = offer_approval.proposal(session, int(made["id"]), 0, None)
        offer_approval.enact(session, approved(session, offer_approval.APPROVE, payload), payload)

    (shown,) = resident.get("/v1/offers?category=food&street=zumiao").get_json()["items"]
    assert shown["merchant"]["code"] == "three_friends"
    assert shown["title"] == {"zh": "午餐抵 10 元", "en": "10 yuan off lunch"}
    assert sum(shown["value"].values()) == shown["face_fen"] == 1_000
    assert (shown["left"], shown["affordable"]) == (3, False)
    assert resident.get(f"/v1/offers/{made['id']}").get_json() == shown
    assert merchant.call("POST", f"{path}/pause", key="s1", json={"reason": "检修"}).status_code == 200
    assert resident.get(f"/v1/offers/{made['id']}").status_code == 404
    assert merchant.call("POST", f"{path}/resumption", key="r1").get_json()["state"] == "live"
    assert (
        merchant.call("POST", f"{path}/end", key="e1", json={"reason": "售罄"}).get_json()["state"] == "ended"
    )
    deeds = "select action from audit_entry where action like 'offer.%' order by audit_id"
    with app.app_context(), transaction() as session:
        assert list(session.scalars(text(deeds))) == [
            *(
                "offer.drafted",
                "offer.changed",
                "offer.proposed",
                "offer.paused",
                "offer.resumed",
                "offer.ended",
            )
        ]


def test_offers_come_in_pages_and_by_what_one_can_afford(
    app: Flask, vault: Vault, resident: Caller, merchant: Caller
) -> None:
    with app.app_context(), transaction() as session:
        a_point_value(session)
        numbers = [an_offer(session, merchant.id, points=points) for points in (500, 400, 300, 200, 100)]
        session.execute(text("update wallet set available = 300"))
    seen, path = [], "/v1/offers?limit=2"
    while path:
        page = resident.get(path).get_json()
        seen += [int(item["id"]) for item in page["items"]]
        path = page["next"] and f"/v1/offers?limit=2&cursor={page['next']}"
    assert seen == numbers[::-1]
    affordable = resident.get("/v1/offers?affordable=true").get_json()["items"]
    assert [item["points"] for item in affordable] == [100, 200, 300]
    assert all(item["affordable"] for item in affordable)
    own = resident.get("/merchant/v1/offers")
    assert own.status_code == 401
    listed = merchant.get("/merchant/v1/offers?limit=3").get_json()
    rest = merchant.get(f"/merchant/v1/offers?limit=3&cursor={listed['next']}").get_json()
    assert [int(item["id"]) for item in listed["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"licence_no": "91350100M000100Y44"}, "/licence_no", "not_a_licence"),
        ({"licence_no": "91350100M000100I43"}, "/licence_no", "wrong_format"),
        ({"settlement": {"rail": "bank"}}, "/settlement/bank", "required"),
        (
            {
                "settlement": {
                    "rail": "bank",
                    "bank": {"holder": "何", "number": "6222021234567890123", "bank_code": "105588000011"},
                }
            },
            "/settlement/bank/number",
            "wrong_check_digit",
        ),
    ],
)
def test_a_wrong_application_says_where(
    client: FlaskClient, change: dict[str, Any], pointer: str, code: str
) -> None:
    told = client.post("/merchant/v1/applications", json={**EXAMPLE, **change})
    assert told.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in told.get_json()["errors"]] == [(pointer, code)]


def test_so_many_applications_an_hour_from_one_address(client: FlaskClient) -> None:
    def apply(number: int) -> int:
        body = {**EXAMPLE, "code": f"shop_{number}", "licence_no": a_licence()}
        return client.post("/merchant/v1/applications", json=body).status_code

    statuses = [apply(number) for number in range(MOST_AN_HOUR + 1)]
    assert statuses == [201] * MOST_AN_HOUR + [429]


def test_a_till_is_paired_by_somebody_in_charge_and_begins_its_shift(merchant: Caller, till: Caller) -> None:
    me = till.get("/merchant/v1/me").get_json()
    assert (me["client"]["kind"], sorted(me["client"]["scopes"])) == ("till", ["captures", "reversals"])
    assert till.get("/merchant/v1/shift").get_json() == {"number": None, "role": None, "began_at": None}
    begun = till.call("PUT", "/merchant/v1/shift", json={"number": 7, "pin": PIN}).get_json()
    assert (begun["number"], begun["role"]) == (7, "cashier")
    (listed,) = merchant.get("/merchant/v1/tills").get_json()["items"]
    assert listed["number"] == 7

    def ask(by: dict[str, Any] | None) -> tuple[int, str | None]:
        body = {"label": "收银台 2", **({} if by is None else {"by": by})}
        told = till.call("POST", "/merchant/v1/tills/pairings", json=body)
        return told.status_code, told.get_json().get("code")

    assert ask(None) == (403, "not_in_charge")
    assert ask({"number": 7, "pin": PIN}) == (403, "not_in_charge")
    assert ask({"number": 1, "pin": PIN})[0] == 201
    assert till.call("DELETE", "/merchant/v1/shift").get_json()["number"] is None
    ended = merchant.call("DELETE", f"/merchant/v1/clients/{listed['client_id']}")
    assert ended.status_code == 200
    assert till.get("/merchant/v1/shift").status_code == 401


def test_wrong_pins_are_counted_although_they_are_refused(merchant: Caller, till: Caller) -> None:
    def guess(pin: str) -> Any:
        return till.call("PUT", "/merchant/v1/shift", json={"number": 7, "pin": pin})

    assert [guess("111112").get_json()["code"] for _ in range(4)] == ["wrong_pin"] * 4
    locked = guess("111112")
    assert (locked.status_code, locked.get_json()["code"]) == (429, "pin_locked")
    assert 890 < int(locked.headers["Retry-After"]) <= 901
    assert guess(PIN).status_code == 429
    assert merchant.get("/merchant/v1/members").get_json()["items"][1]["locked_until"] is not None
    assert merchant.call("PUT", "/merchant/v1/members/7/pin", json={"pin": "640128"}).status_code == 200
    assert guess("640128").status_code == 200


def test_no_pin_is_kept_with_an_answer(app: Flask, merchant: Caller, till: Caller) -> None:
    def post(pin: str) -> Any:
        body = {"number": 8, "name": "李", "role": "cashier", "pin": pin}
        return merchant.call("POST", "/merchant/v1/members", key="k8", json=body)

    assert post("731904").status_code == 201
    # the key is bound to who it is, not to the PIN, whose digest would give it away
    assert post("731905").headers["Idempotency-Replayed"] == "true"
    assert till.call("PUT", "/merchant/v1/shift", json={"number": 8, "pin": "731904"}).status_code == 200


def test_a_client_gives_no_more_than_it_may_itself(app: Flask, vault: Vault) -> None:
    limited = merchant_in(app, vault, Scope.STAFF)
    told = limited.call("POST", "/merchant/v1/clients", json={"label": "x", "scopes": ["settlements"]})
    assert (told.status_code, told.get_json()["code"]) == (403, "more_than_you_may")
    made = limited.call("POST", "/merchant/v1/clients", json={"label": "x"}).get_json()
    second = caller_of(app, NewClient(made["client_id"], made["client_secret"]), limited.id)
    assert second.get("/merchant/v1/me").get_json()["client"]["scopes"] == ["staff"]
    third = limited.call("POST", "/merchant/v1/clients", json={"label": "y"})
    assert (third.status_code, third.get_json()["code"]) == (409, "two_clients_live")


def test_what_is_anothers_is_not_there(app: Flask, vault: Vault, merchant: Caller) -> None:
    other = merchant_in(app, vault)
    with app.app_context(), transaction() as session:
        a_point_value(session)
        offer = an_offer(session, other.id)
        till = a_till(session, vault, other.id).client_id
        a_member_of(session, vault, other.id, 7)
    calls: list[tuple[str, str, str, dict[str, Any]]] = [
        ("GET", "/merchant/v1/offers/{}", str(offer), {}),
        ("PUT", "/merchant/v1/offers/{}", str(offer), {"json": an_offer_body()}),
        ("POST", "/merchant/v1/offers/{}/proposal", str(offer), {}),
        ("POST", "/merchant/v1/offers/{}/withdrawal", str(offer), {}),
        ("POST", "/merchant/v1/offers/{}/pause", str(offer), {"json": {"reason": "x"}}),
        ("POST", "/merchant/v1/offers/{}/resumption", str(offer), {}),
        ("POST", "/merchant/v1/offers/{}/end", str(offer), {"json": {"reason": "x"}}),
        ("DELETE", "/merchant/v1/clients/{}", till, {}),
        ("PUT", "/merchant/v1/members/{}/pin", "7", {"json": {"pin": "640128"}}),
        ("DELETE", "/merchant/v1/members/{}", "7", {}),
    ]
    for method, path, theirs, options in calls:
        heard = []
        for name in (theirs, "999"):
            told = merchant.call(method, path.format(name), key=f"{path}{name}", **options)
            heard.append((told.status_code, told.get_json()["code"], told.get_json()["detail"]))
        assert heard[0][0] == 404, (method, path, heard)
        assert heard[0] == heard[1], (method, path)
    replaced = merchant.call("POST", "/merchant/v1/offers", key="r", json=an_offer_body(replaces=str(offer)))
    assert (replaced.status_code, replaced.get_json()["code"]) == (404, "offer_unknown")


def test_an_account_that_is_given_waits_for_two_people(merchant: Caller) -> None:
    before = merchant.get("/merchant/v1/account").get_json()
    assert before["proposed"] is None
    body = {"rail": "bank", "bank": {"holder": "何", "number": "12345678", "bank_code": "105588000011"}}
    after = merchant.call("PUT", "/merchant/v1/account", json=body).get_json()
    assert after["in_force"] == before["in_force"]
    assert after["proposed"]["number_end"] == "5678"
    wrong = merchant.call("PUT", "/merchant/v1/account", json={"rail": "bank"})
    assert [fault["pointer"] for fault in wrong.get_json()["errors"]] == ["/bank"]
