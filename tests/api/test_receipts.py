"""The receipt as a page for its owner, and lent for a day to whoever has the link."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from carbon_credits.api.pages import own_receipt
from carbon_credits.api.pages.receipt_page import receipt_view
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.errors import NotFound
from carbon_credits.crediting import receipt_links
from carbon_credits.crediting.receipt_links import LINK, borrowed, lend
from carbon_credits.reporting.numbers import NARROW
from carbon_credits.residents.links import LinkExpired
from tests.api.conftest import Caller, a_ride
from tests.api.credited import a_decided_ride, policy

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TRIAL = {"zh": "试行方法学的估算值，不可交易", "en": "An estimate under a trial methodology, not tradable"}


def _words(told: TestResponse) -> str:
    html = re.sub(r"<wbr>|</?(?:var|span|b|strong)[^>]*>", "", told.get_data(as_text=True))
    return " ".join(unescape(html).replace(NARROW, " ").split())


def _link(resident: Caller, activity: str, key: str | None = None) -> TestResponse:
    return resident.call("POST", f"/v1/activities/{activity}/receipt/links", key=key or str(uuid4()))


def _path(told: TestResponse) -> str:
    return (
        str(told.get_json()["url"]).partition("/receipts/")[1]
        + str(told.get_json()["url"]).rpartition("/")[2]
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html, application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        (PAGE["Accept"], "text/html"),
        ("text/html", "text/html"),
        ("image/png", "application/json"),
        ("text/html;q=0", "application/json"),
        (";;;", "application/json"),
    ],
)
def test_json_unless_a_page_is_preferred(app: Flask, resident: Caller, accept: str | None, kind: str) -> None:
    activity = a_decided_ride(app, resident)
    told = resident.get(
        f"/v1/activities/{activity}/receipt", headers={} if accept is None else {"Accept": accept}
    )
    assert (told.status_code, told.mimetype) == (200, kind)
    assert "Accept" in told.headers["Vary"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_shows_the_whole_calculation_with_the_acts_own_numbers(
    app: Flask, resident: Caller, lang: str
) -> None:
    policy(app, most_m=2000)
    activity = a_decided_ride(app, resident)
    told = resident.get(f"/v1/activities/{activity}/receipt", headers={**PAGE, "Accept-Language": lang})
    receipt = resident.get(f"/v1/activities/{activity}/receipt").get_json()
    words = _words(told)
    assert TRIAL[lang] in words
    for shown in ("distance_m × cycling_g_per_km", "3 200 × 40", "= 128 000", "80 000 mg", "2 000 / 3 200"):
        assert shown in words, shown
    calculation = receipt["calculation"]
    for digest in (
        calculation["release_digest"],
        calculation["formula_digest"],
        calculation["parameters_digest"],
        receipt["postings"][0]["journal_hash"],
        receipt["postings"][0]["seal_hash"],
    ):
        assert digest in words
    for parameter in calculation["parameters"]:
        assert parameter["source"]["title"] in words
    assert receipt["reasons"][0]["text"][lang] in words
    assert {"zh": "✓ 与独立重算一致", "en": "✓ Agrees with an independent recomputation"}[lang] in words


def test_the_page_is_in_the_residents_own_language_where_the_client_names_none(
    app: Flask, resident: Caller
) -> None:
    activity = a_decided_ride(app, resident)
    assert resident.call("PATCH", "/v1/me", json={"language": "en"}).status_code == 200
    told = resident.get(f"/v1/activities/{activity}/receipt", headers=PAGE)
    assert told.headers["Content-Language"] == "en"


def test_a_condition_that_fails_is_shown_and_no_grams(app: Flask, resident: Caller) -> None:
    activity = a_decided_ride(app, resident, monitored={"distance_m": 100})
    words = _words(
        resident.get(f"/v1/activities/{activity}/receipt", headers={**PAGE, "Accept-Language": "en"})
    )
    assert "Not counted" in words
    assert "This does not hold: A ride is at least 500 m" in words
    assert "✗ does not hold: A ride is at least 500 m" in words
    assert "100 ≥ 500" in words


def test_an_undecided_act_has_a_page_that_says_so(resident: Caller) -> None:
    activity = resident.claim(a_ride()).get_json()["id"]
    told = resident.get(f"/v1/activities/{activity}/receipt", headers={**PAGE, "Accept-Language": "en"})
    assert told.status_code == 200
    assert "This is not decided yet" in _words(told)


def test_a_link_shows_the_receipt_and_nobody(
    app: Flask, resident: Caller, neighbour: Caller, client: FlaskClient, records: Session
) -> None:
    policy(app)
    # of two who sign in one after the other, the one whose number is not of few digits, which may stand anywhere
    one = max(resident, neighbour, key=lambda caller: caller.id)
    activity = a_decided_ride(app, one)
    a_decided_ride(app, one, minutes_ago=60)
    made = _link(one, activity)
    assert made.status_code == 201
    assert set(made.get_json()) == {"url", "expires_at"}
    shown = client.get(_path(made))
    html = shown.get_data(as_text=True)
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert 'name="robots" content="noindex, nofollow"' in html
    assert 'rel="canonical"' not in html
    balance = records.execute(text("select max(balance_after) from posting")).scalar_one()
    assert balance == 50
    for told in (html, made.get_json()["url"]):
        # among the digits of a digest it may stand by chance
        assert re.search(rf"(?<![0-9a-f]){one.id}(?![0-9a-f])", told) is None
        assert "1380000000" not in told
        assert "138****" not in told
    assert "balance" not in html
    assert f">{balance}<" not in html


def test_a_link_asks_for_a_key_and_the_same_key_brings_the_same_link(app: Flask, resident: Caller) -> None:
    activity = a_decided_ride(app, resident)
    path = f"/v1/activities/{activity}/receipt/links"
    assert resident.call("POST", path).get_json()["code"] == "idempotency_key_missing"
    first, again = (_link(resident, activity, "one-key") for _ in range(2))
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    other = a_decided_ride(app, resident, minutes_ago=60)
    assert _link(resident, other, "one-key").get_json()["code"] == "idempotency_key_reused"
    assert resident.call("POST", path, key="two", json={"for": "me"}).status_code == 422


def test_nobody_lends_anothers_receipt(app: Flask, resident: Caller, neighbour: Caller) -> None:
    activity = a_decided_ride(app, resident)
    for name in (activity, "20261122-1", "nonsense"):
        told = _link(neighbour, name)
        assert (told.status_code, told.get_json()["code"]) == (404, "activity_not_found")


def test_a_link_ends_after_a_day(app: Flask, resident: Caller, vault: Vault, client: FlaskClient) -> None:
    activity = a_decided_ride(app, resident)
    now = clock.now()
    with app.app_context(), transaction() as session:
        token, expires_at = lend(session, vault, resident.id, activity, now)
        stale, _ = lend(session, vault, resident.id, activity, now - LINK.life - timedelta(minutes=1))
        assert timedelta(hours=23, minutes=59) < expires_at - now <= LINK.life
        lent = borrowed(session, vault, token, expires_at - timedelta(seconds=1))
        assert (lent.resident_id, lent.activity) == (resident.id, activity)
        with pytest.raises(LinkExpired):
            borrowed(session, vault, token, expires_at)
    told = client.get(f"/receipts/{stale}?lang=en")
    assert (told.status_code, told.mimetype) == (410, "text/html")
    assert "good for 24 hours" in _words(told)
    assert told.headers["Cache-Control"] == "no-store"


def test_forged_and_garbled_links_are_a_friendly_404(
    app: Flask, resident: Caller, client: FlaskClient
) -> None:
    token = _path(_link(resident, a_decided_ride(app, resident))).rpartition("/")[2]
    wrong = [
        token[:-1],
        token + "A",
        token[:20] + ("A" if token[20] != "A" else "B") + token[21:],
        token + "=",
    ]
    # the same bytes in another spelling: the last character holds bits that nobody reads
    wrong += [token[:-1] + chr(ord(token[-1]) + 1)]
    wrong += ["A", "....", "%00", "%E7%A6%85", "A" * 5_000, resident.token, resident.refresh_token]
    for path in wrong:
        told = client.get(f"/receipts/{path}")
        assert told.status_code == 404, path
        if path != "%00":
            assert "没有这个凭据链接" in told.get_data(as_text=True), path


def test_a_link_is_good_for_nothing_else(app: Flask, resident: Caller, client: FlaskClient) -> None:
    token = _path(_link(resident, a_decided_ride(app, resident))).rpartition("/")[2]
    for path in ("/v1/me", "/v1/wallet", "/v1/activities"):
        told = client.get(path, headers={"Authorization": f"Bearer {token}"})
        assert (told.status_code, told.get_json()["code"]) == (401, "token_refused")
    assert client.post("/v1/auth/refresh", json={"refresh_token": token}).status_code in {401, 422}
    assert resident.get(f"/v1/activities?cursor={token}").status_code == 400


def test_a_seal_for_another_purpose_or_place_opens_no_receipt(
    app: Flask, resident: Caller, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = a_decided_ride(app, resident)
    with app.app_context(), transaction() as session:
        for other in (replace(LINK, purpose="outbox"), replace(LINK, place="outbox|sealed|1")):
            with monkeypatch.context() as elsewhere:
                elsewhere.setattr(receipt_links, "LINK", other)
                token, _ = lend(session, vault, resident.id, activity, clock.now())
            with pytest.raises(NotFound):
                borrowed(session, vault, token, clock.now())


def test_who_has_left_lends_nothing_any_more(
    app: Flask, resident: Caller, client: FlaskClient, records: Session
) -> None:
    path = _path(_link(resident, a_decided_ride(app, resident)))
    assert client.get(path).status_code == 200
    with app.app_context(), transaction() as session:
        session.execute(text("update resident set status = 'frozen'"))
    assert client.get(path).status_code == 404


def test_restatements_say_old_new_and_why(app: Flask, resident: Caller) -> None:
    activity = a_decided_ride(app, resident)
    receipt: dict[str, Any] = resident.get(f"/v1/activities/{activity}/receipt").get_json()
    assert receipt_view(receipt, "en")["restatements"] == []
    receipt["restatements"] = [
        {
            "at": "2026-11-20T02:00:00Z",
            "from_release": "sha256:aa",
            "to_release": "sha256:bb",
            "old_mg": 128_000,
            "new_mg": 120_000,
            "reason": "a factor was corrected",
            "journal": 7,
        }
    ]
    (one,) = receipt_view(receipt, "en")["restatements"]
    assert (one["at"], one["from"], one["to"], one["reason"]) == (
        "2026-11-20 10:00",
        "sha256:aa",
        "sha256:bb",
        "a factor was corrected",
    )
    assert (one["old"].exact, one["new"].exact) == (f"128{NARROW}000", f"120{NARROW}000")
    with app.test_request_context("/"):
        html = own_receipt(receipt).get_data(as_text=True)
    assert "a factor was corrected" in html


def test_whatever_a_text_holds_is_shown_as_text(app: Flask, resident: Caller) -> None:
    activity = a_decided_ride(app, resident)
    receipt: dict[str, Any] = resident.get(f"/v1/activities/{activity}/receipt").get_json()
    bad = "<script>alert(1)</script>"
    receipt["reasons"] = [{"code": "x", "text": {"zh": bad, "en": bad}}]
    receipt["calculation"]["parameters"][0]["source"] |= {
        "title": bad,
        "address": "javascript:alert(1)",
        "note": bad,
    }
    with app.test_request_context("/"):
        html = own_receipt(receipt).get_data(as_text=True)
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "&lt;script&gt;" in html
