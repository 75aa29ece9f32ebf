"""The doors from end to end: sign-in, profile, consents, acts, wallet, partners, methodologies."""

import base64
import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.residents import bindings, consents
from tests.api.conftest import FEED, Caller, a_ride, code_of


def test_the_first_sign_in_enrols_and_opens_a_wallet(resident: Caller, records: Session) -> None:
    me = resident.get("/v1/me").get_json()
    assert (me["phone"], me["street"], me["language"]) == ("138****0001", None, "zh")
    wallet = resident.get("/v1/wallet").get_json()
    assert wallet["points"] == {"available": 0, "held": 0, "pending": 0, "debt": 0, "expiring": []}
    assert wallet["carbon"] == {"verified_mg": 0, "claimed_mg": 0, "removal_mg": 0, "status": "trial"}
    assert records.execute(text("select count(*) from wallet")).scalar_one() == 1


def test_five_wrong_guesses_close_a_challenge_and_stay_counted(
    app: Flask, client: FlaskClient, vault: Vault
) -> None:
    challenge = client.post("/v1/auth/otp", json={"phone": "13800000001"}).get_json()["challenge_id"]
    code = code_of(app, vault, challenge)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    codes = [
        client.post("/v1/auth/token", json={"challenge_id": challenge, "code": wrong}).get_json()["code"]
        for _ in range(6)
    ]
    assert codes == ["wrong_code"] * 5 + ["challenge_closed"]
    late = client.post("/v1/auth/token", json={"challenge_id": challenge, "code": code})
    assert (late.status_code, late.get_json()["code"]) == (401, "challenge_closed")


def test_known_and_unknown_numbers_get_the_same_answer(client: FlaskClient, resident: Caller) -> None:
    known, unknown = (
        client.post("/v1/auth/otp", json={"phone": phone}) for phone in ("13800000001", "13800000099")
    )
    assert known.status_code == unknown.status_code == 202
    assert known.get_json().keys() == unknown.get_json().keys()
    assert len(known.data) == len(unknown.data)


def test_a_refresh_token_works_once(resident: Caller) -> None:
    given = {"refresh_token": resident.refresh_token}
    first = resident.client.post("/v1/auth/refresh", json=given)
    assert first.status_code == 200
    again = resident.client.post("/v1/auth/refresh", json=given)
    assert (again.status_code, again.get_json()["code"]) == (401, "refresh_refused")


def test_a_profile_changes_where_it_is_told_to(resident: Caller) -> None:
    told = resident.call("PATCH", "/v1/me", json={"street": "zhangcha", "language": "en"}).get_json()
    assert (told["street"], told["street_name"], told["language"]) == (
        "zhangcha",
        "Zhangcha Subdistrict",
        "en",
    )
    assert resident.get("/v1/me").get_json() == told
    assert resident.call("PATCH", "/v1/me", json={}).get_json() == told
    assert resident.call("PATCH", "/v1/me", json={"phone": "1"}).status_code == 422
    # with no Accept-Language, a resident is answered in their own language
    assert resident.get("/v1/activities/20260101-1").get_json()["title"] == "Not found"


def test_consents_keep_the_latest_word(resident: Caller) -> None:
    def standing() -> dict[tuple[str, str | None], bool]:
        items = resident.get("/v1/consents").get_json()["items"]
        return {(item["purpose"], item["partner"]): item["granted"] for item in items}

    assert standing() == {("programme", None): True}
    path = "/v1/consents/partner_records"
    assert resident.call("PUT", path, json={"granted": True, "partner": FEED.partner}).status_code == 200
    assert resident.call("PUT", "/v1/consents/statistics", json={"granted": True}).status_code == 200
    assert resident.call("PUT", "/v1/consents/statistics", json={"granted": False}).status_code == 200
    assert standing() == {
        ("programme", None): True,
        ("partner_records", FEED.partner): True,
        ("statistics", None): False,
    }


@pytest.mark.parametrize(
    ("purpose", "body", "status", "code"),
    [
        ("programme", {"granted": False}, 409, "close_the_account"),
        ("partner_records", {"granted": True}, 422, "partner_not_fitting"),
        ("statistics", {"granted": True, "partner": FEED.partner}, 422, "partner_not_fitting"),
        ("partner_records", {"granted": True, "partner": "nobody"}, 404, "partner_unknown"),
        ("marketing", {"granted": True}, 404, "purpose_unknown"),
        ("statistics", {"granted": 1}, 422, "wrong_fields"),
        ("statistics", {}, 422, "wrong_fields"),
    ],
)
def test_a_consent_that_cannot_be_is_refused(
    resident: Caller, purpose: str, body: dict[str, Any], status: int, code: str
) -> None:
    told = resident.call("PUT", f"/v1/consents/{purpose}", json=body)
    assert (told.status_code, told.get_json()["code"]) == (status, code)


def test_a_claim_is_answered_with_the_exact_estimate(resident: Caller) -> None:
    told = resident.claim(a_ride())
    body = told.get_json()
    assert told.status_code == 202
    today = date.fromisoformat(body["id"][:4] + "-" + body["id"][4:6] + "-" + body["id"][6:8])
    exact = quantify(BY_CODE["travel.cycling"][-1], {"distance_m": 3200, "duration_s": 960}, today)
    assert body["estimate"]["reduction_mg"] == exact.reduction_mg > 0
    assert (body["status"], body["evidence_class"]) == ("claimed", "D")
    assert told.headers["Location"] == f"/v1/activities/{body['id']}"
    shown = resident.get(told.headers["Location"]).get_json()
    assert (shown["id"], shown["status"], shown["monitored"]) == (body["id"], "claimed", {"distance_m": 3200})
    assert shown["occurred_to"].endswith("Z")
    receipt = resident.get(f"/v1/activities/{body['id']}/receipt").get_json()
    assert (receipt["status"], receipt["calculation"]) == ("claimed", None)


def test_a_ride_that_earns_nothing_says_why_in_both_languages(resident: Caller) -> None:
    short = a_ride(monitored={"distance_m": 100})
    zh, en = (
        resident.call(
            "POST", "/v1/activities", key=reader, json=short, headers={"Accept-Language": reader}
        ).get_json()
        for reader in ("zh", "en")
    )
    assert zh["estimate"] == {"reduction_mg": 0, "points": 0, "methodology_status": "trial"}
    assert [reason["code"] for reason in zh["reasons"]] == [reason["code"] for reason in en["reasons"]]
    assert zh["reasons"][0]["text"] != en["reasons"][0]["text"]
    assert "{" not in zh["reasons"][0]["text"] + en["reasons"][0]["text"]


def test_an_undecided_act_cannot_be_appealed(resident: Caller) -> None:
    act = resident.claim(a_ride()).get_json()["id"]
    told = resident.call("POST", f"/v1/activities/{act}/appeal", key="k", json={"words": "why"})
    assert (told.status_code, told.get_json()["code"]) == (409, "not_decided")


def _record(number: int, **changes: Any) -> dict[str, Any]:
    ride = a_ride(minutes_ago=5 + 30 * number)
    return {
        **ride,
        "methodology": FEED.methodologies[0],
        "record_id": f"r{number}",
        "subject": "rider-1",
        **changes,
    }


def test_records_have_each_their_own_result(
    app: Flask, resident: Caller, partner: Caller, vault: Vault, records: Session
) -> None:
    with app.app_context(), transaction() as session:
        consents.give(session, resident.id, consents.Purpose.PARTNER_RECORDS, partner.id, clock.now())
        subject = bindings.subject_index(vault, FEED.partner, "rider-1")
        bindings.bind(session, partner.id, subject, resident.id, clock.now())
    sent = [
        _record(0),
        _record(1, subject="nobody"),
        _record(2, methodology="planting.tree"),
        _record(3, occurred_to="2001-01-01T00:16:00Z", occurred_from="2001-01-01T00:00:00Z"),
        _record(0),
        _record(0, monitored={"distance_m": 9000}),
    ]
    told = partner.call("POST", "/partner/v1/records", key="k", json={"feed": FEED.code, "records": sent})
    assert told.status_code == 200, told.data
    body = told.get_json()
    statuses = [(row["status"], *(reason["code"] for reason in row["reasons"])) for row in body["results"]]
    assert statuses == [
        ("accepted",),
        ("waiting", "unknown_subject"),
        ("refused", "methodology_not_of_feed"),
        ("refused", "too_old"),
        ("duplicate", "duplicate"),
        ("refused", "content_differs"),
    ]
    assert body["counts"] == {"accepted": 1, "duplicate": 1, "waiting": 1, "refused": 3}
    again = partner.call("POST", "/partner/v1/records", key="k", json={"feed": FEED.code, "records": sent})
    assert again.data == told.data
    assert records.execute(text("select count(*) from activity")).scalar_one() == 1


def test_a_feed_of_another_partner_looks_like_none(partner: Caller) -> None:
    for feed in ("metro_taps", "no_such_feed", "app"):
        told = partner.call(
            "POST", "/partner/v1/records", key=feed, json={"feed": feed, "records": [_record(0)]}
        )
        assert (told.status_code, told.get_json()["code"]) == (404, "feed_not_found")


def test_a_client_may_show_its_secret_in_basic_or_in_the_form(partner: Caller) -> None:
    form = partner.headers
    pair = base64.b64encode(f"{form['client_id']}:{form['client_secret']}".encode()).decode()
    grant = {"grant_type": "client_credentials"}
    basic = partner.client.post("/oauth/token", data=grant, headers={"Authorization": f"Basic {pair}"})
    assert basic.status_code == 200
    assert basic.headers["Cache-Control"] == "no-store"
    assert basic.get_json().keys() == {"access_token", "token_type", "expires_in"}


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "admin"}, 400, "invalid_scope"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}, 401, "invalid_client"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "audience": "resident"}, 400, "invalid_request"),
        (
            {"grant_type": "client_credentials", "client_id": "x\0", "client_secret": "é"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "client_credentials", "client_id": "x" * 70_000}, 413, "invalid_request"),
    ],
)
def test_oauth_refuses_in_its_own_words(
    client: FlaskClient, form: dict[str, Any], status: int, error: str
) -> None:
    told = client.post("/oauth/token", data=form)
    assert told.status_code == status
    assert told.mimetype == "application/json"
    assert told.get_json()["error"] == error
    if status == 401:
        assert told.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"{}", "application/json"),
        (b"\xff=\xfe", "application/x-www-form-urlencoded"),
        (b"&&=", "application/x-www-form-urlencoded"),
    ],
)
def test_oauth_reads_forms_alone(client: FlaskClient, raw: bytes, kind: str) -> None:
    told = client.post("/oauth/token", data=raw, content_type=kind)
    assert (told.status_code, told.get_json()["error"]) == (400, "invalid_request")


def test_the_catalogue_shows_formula_sources_and_digests(client: FlaskClient) -> None:
    listed = client.get("/v1/methodologies").get_json()["items"]
    assert {item["code"] for item in listed} == set(BY_CODE)
    for item in listed:
        # a formula nests deeper than we allow others to
        (*_, version) = json.loads(client.get(f"/v1/methodologies/{item['code']}").data)["versions"]
        assert version["formula"]["text"]
        assert isinstance(version["formula"]["json"], list)
        assert all(value["source"]["address"] for told in version["parameters"] for value in told["values"])
        assert version["examples"]
        assert all(release["digest"].startswith("sha256:") for release in version["releases"])


def test_the_catalogue_says_what_earns_no_grams_and_why(client: FlaskClient) -> None:
    listed = {item["code"]: item["no_grams"] for item in client.get("/v1/methodologies").get_json()["items"]}
    assert listed["travel.metro"] is None
    lead = listed["recycling.lead"]
    assert (lead["reason"], lead["always"]) == ("hazardous_waste", True)
    assert listed["household.demand_response"]["always"] is False
    # for information alone: by the factor of the grid, a certificate stands for 441.9 kg
    certificate = client.get("/v1/methodologies/purchases.green_certificate")
    (version,) = json.loads(certificate.data)["versions"]
    assert version["formula"] == {"text": "0", "json": ["const", "0"]}
    assert "0.4419 t" in version["no_grams"]["description"]["en"]
    assert "0.4419 吨" in version["no_grams"]["description"]["zh"]


@pytest.mark.parametrize("code", ["travel.broomstick", "x", "%00", "a" * 61])
def test_an_unknown_methodology_is_404(client: FlaskClient, code: str) -> None:
    assert client.get(f"/v1/methodologies/{code}").status_code == 404


def test_the_key_set_holds_public_halves_alone(client: FlaskClient) -> None:
    keys = client.get("/.well-known/jwks.json").get_json()["keys"]
    assert len(keys) == 4
    assert all(key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in keys)
