"""Redeeming through the doors: the whole way once, what a repeat answers, and what nobody is told."""

from datetime import timedelta

import jwt
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs.schedule import TASKS
from carbon_credits.ledger.check import check
from carbon_credits.rewards import codes
from tests.api.conftest import Caller, merchant_in
from tests.api.redeemed import give_points, offered


@pytest.fixture
def points(app: Flask, resident: Caller) -> None:
    """A hundred points for the resident."""
    give_points(app, resident, 100)


def sound(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        assert [found for found in check(session, seal_delay_s=3600) if found.violations] == []


def do_task(app: Flask, name: str) -> None:
    step = next(task.step for task in TASKS if task.name == name)
    assert step is not None
    done = True
    while done:
        with app.app_context(), transaction() as session:
            done = bool(step(session))


@pytest.mark.usefixtures("points")
def test_a_cup_of_tea_from_the_offer_to_the_reversal(
    app: Flask, resident: Caller, neighbour: Caller, merchant: Caller, records: Session
) -> None:
    wish = {"offer_id": offered(app, merchant, per_person=3), "points": 10}
    told = resident.call("POST", "/v1/redemptions", key="tea", json=wish)
    made = told.get_json()
    assert (told.status_code, told.headers["Location"]) == (201, f"/v1/redemptions/{made['id']}")
    assert (made["status"], made["points"], made["kind"]) == ("reserved", 10, "voucher")
    again = resident.call("POST", "/v1/redemptions", key="tea", json=wish)
    assert (again.get_json(), again.headers["Idempotency-Replayed"]) == (made, "true")
    assert resident.get(f"/v1/redemptions/{made['id']}").get_json() == made
    assert neighbour.get(f"/v1/redemptions/{made['id']}").get_json()["code"] == "redemption_unknown"
    kept = records.execute(
        text("select string_agg(encode(body, 'escape'), '') from idempotency_key")
    ).scalar_one()
    assert made["code"] not in kept
    assert made["short_code"] not in kept

    seen = merchant.call(
        "POST", "/merchant/v1/captures/preview", json={"code": made["short_code"]}
    ).get_json()
    assert (seen["points"], seen["paid_micro_fen"]) == (10, 200_000_000)
    sent = {"code": made["code"], "reference": "bill 7"}
    taken = merchant.call("POST", "/merchant/v1/captures", key="k", json=sent)
    assert taken.status_code == 201
    assert merchant.call("POST", "/merchant/v1/captures", key="k", json=sent).get_json() == taken.get_json()
    used = merchant.call("POST", "/merchant/v1/captures", key="k2", json=sent)
    assert (used.status_code, used.get_json()["code"]) == (409, "code_used")
    assert resident.get("/v1/wallet").get_json()["points"]["available"] == 90
    shown = resident.get(f"/v1/redemptions/{made['id']}").get_json()
    assert (shown["status"], shown["code"], shown["short_code"]) == ("captured", None, None)

    number = taken.get_json()["id"]
    undone = merchant.call(
        "POST", f"/merchant/v1/captures/{number}/reversal", key="r", json={"reason": "wrong cup"}
    )
    assert (undone.status_code, undone.get_json()["status"]) == (201, "reversed")
    (listed,) = merchant.get("/merchant/v1/captures").get_json()["items"]
    assert listed == undone.get_json()
    assert resident.get("/v1/wallet").get_json()["points"]["available"] == 100
    kinds = [line["kind"] for line in resident.get("/v1/wallet/postings").get_json()["items"]]
    assert kinds == ["merchant", "merchant", "grant"]
    sound(app)


@pytest.mark.usefixtures("points")
def test_what_was_taken_is_listed_a_page_at_a_time_and_given_up(
    app: Flask, resident: Caller, merchant: Caller
) -> None:
    wish = {"offer_id": offered(app, merchant)}
    made = [
        resident.call("POST", "/v1/redemptions", key=f"k{n}", json=wish).get_json()["id"] for n in range(3)
    ]
    first = resident.get("/v1/redemptions?limit=2").get_json()
    rest = resident.get(f"/v1/redemptions?limit=2&cursor={first['next']}").get_json()
    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    gone = resident.call("POST", f"/v1/redemptions/{made[0]}/cancel", key="c")
    assert gone.get_json()["status"] == "cancelled"
    assert resident.call("POST", f"/v1/redemptions/{made[0]}/cancel", key="c").get_json() == gone.get_json()
    late = resident.call("POST", f"/v1/redemptions/{made[0]}/cancel", key="d")
    assert late.get_json()["code"] == "redemption_over"
    for code in made[1:]:
        resident.call("POST", f"/v1/redemptions/{code}/cancel", key=code)
    assert resident.get("/v1/wallet").get_json()["points"]["available"] == 100
    sound(app)


@pytest.mark.usefixtures("points")
def test_another_merchant_learns_nothing_and_pages_are_its_own(
    app: Flask, vault: Vault, resident: Caller, merchant: Caller
) -> None:
    other = merchant_in(app, vault)
    wish = {"offer_id": offered(app, merchant)}
    made = [resident.call("POST", "/v1/redemptions", key=f"k{n}", json=wish).get_json() for n in range(3)]
    told = other.call("POST", "/merchant/v1/captures", key="k", json={"code": made[0]["code"]}).get_json()
    assert told["code"] == "code_of_another_merchant"
    short = other.call("POST", "/merchant/v1/captures", key="s", json={"code": made[0]["short_code"]})
    assert (short.status_code, short.get_json()["code"]) == (404, "code_unknown")
    taken = [
        merchant.call("POST", "/merchant/v1/captures", key=one["id"], json={"code": one["code"]}).get_json()
        for one in made
    ]
    first = merchant.get("/merchant/v1/captures?limit=2").get_json()
    rest = merchant.get(f"/merchant/v1/captures?limit=2&cursor={first['next']}").get_json()
    assert [one["id"] for one in first["items"] + rest["items"]] == [one["id"] for one in taken[::-1]]
    assert merchant.get("/merchant/v1/captures?day=2026-02-30").status_code == 422
    assert other.get("/merchant/v1/captures").get_json()["items"] == []
    theirs, nobodys = (
        other.call(
            "POST", f"/merchant/v1/captures/{number}/reversal", key="r", json={"reason": "x"}
        ).get_json()
        for number in (taken[0]["id"], "0193a1b2-0000-7000-8000-000000000002")
    )
    assert {**theirs, "request_id": ""} == {**nobodys, "request_id": ""}
    sound(app)


def test_guesses_are_counted_although_each_is_refused(
    app: Flask, vault: Vault, merchant: Caller, records: Session
) -> None:
    for n in range(codes.MOST_WRONG):
        guess = {"code": codes.short_code(vault, str(n).encode())}
        path = "/merchant/v1/captures" if n % 2 else "/merchant/v1/captures/preview"
        assert merchant.call("POST", path, key=f"g{n}", json=guess).status_code == 404
    counted = records.execute(text("select sum(n) from wrong_code")).scalar_one()
    full = merchant.call("POST", "/merchant/v1/captures", key="last", json={"code": guess["code"]})
    assert (counted, full.status_code) == (codes.MOST_WRONG, 429)
    assert full.get_json()["code"] == "too_many_wrong_codes"
    assert int(full.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("points")
def test_a_signed_code_is_checked_by_a_till_with_what_is_published(
    app: Flask, resident: Caller, merchant: Caller
) -> None:
    wish = {"offer_id": offered(app, merchant, offline=True), "offline": True}
    made = resident.call("POST", "/v1/redemptions", key="o", json=wish).get_json()
    published = jwt.PyJWKSet.from_dict(resident.client.get("/.well-known/jwks.json").get_json())
    key = published[jwt.get_unverified_header(made["code"])["kid"]]
    read = jwt.decode(made["code"], key, algorithms=["ES256"], options={"verify_aud": False})
    assert read["pts"] == 10
    # nothing of the resident
    assert set(read) == {"iss", "iat", "exp", "code", "mer", "off", "pts"}
    again = resident.get(f"/v1/redemptions/{made['id']}").get_json()
    assert jwt.decode(again["code"], key, algorithms=["ES256"])["code"] == read["code"]
    refused = resident.call("POST", f"/v1/redemptions/{made['id']}/cancel", key="c").get_json()
    assert refused["code"] == "offline_not_cancelled"
    sent = {"code": again["code"], "occurred_at": clock.now().isoformat()}
    taken = merchant.call("POST", "/merchant/v1/captures", key="k", json=sent).get_json()
    assert taken["offline"] is True
    twice = merchant.call("POST", "/merchant/v1/captures", key="k2", json={**sent, "code": made["code"]})
    assert twice.get_json()["code"] == "code_used"
    sound(app)


@pytest.mark.usefixtures("points")
def test_a_gift_of_many_is_taken_when_its_last_piece_is_pledged(
    app: Flask, resident: Caller, neighbour: Caller, merchant: Caller
) -> None:
    wish = {"offer_id": offered(app, merchant, kind="group_gift"), "title": "树林", "pieces": 2}
    deadline = clock.now() + timedelta(days=365)
    early = resident.call("POST", "/v1/gifts", key="e", json={**wish, "deadline": deadline.isoformat()})
    assert (early.status_code, early.get_json()["code"]) == (422, "deadline_not_fitting")
    begun = resident.call(
        "POST", "/v1/gifts", key="g", json={**wish, "deadline": (clock.now() + timedelta(days=7)).isoformat()}
    ).get_json()
    place = begun["links"]["self"]
    poor = neighbour.call("POST", f"{place}/pledges", key="p").get_json()
    assert poor["code"] == "insufficient_points"
    for n in range(2):
        told = resident.call("POST", f"{place}/pledges", key=f"p{n}")
        assert (told.status_code, told.get_json()["kind"]) == (201, "group_gift")
    assert resident.call("POST", f"{place}/pledges", key="p9").get_json()["code"] == "gift_over"
    shown = neighbour.get(place).get_json()
    assert (shown["status"], shown["pledged"], shown["pledges"]) == ("complete", 20, 2)
    do_task(app, "finish_gifts")
    states = {one["status"] for one in resident.get("/v1/redemptions").get_json()["items"]}
    assert states == {"captured"}
    assert neighbour.get("/v1/gifts/0000000000").get_json()["code"] == "gift_unknown"
    deadline = clock.now() + timedelta(days=7)
    second = resident.call(
        "POST", "/v1/gifts", key="g2", json={**wish, "deadline": deadline.isoformat()}
    ).get_json()
    first_page = resident.get("/v1/gifts?limit=1").get_json()
    assert first_page["items"] == [second]
    rest = resident.get(f"/v1/gifts?limit=1&cursor={first_page['next']}").get_json()
    assert ([one["join_code"] for one in rest["items"]], rest["next"]) == ([begun["join_code"]], None)
    assert neighbour.get("/v1/gifts").get_json() == {"items": [], "next": None}
    sound(app)
