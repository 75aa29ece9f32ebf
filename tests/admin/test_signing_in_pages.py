"""Signing in at the console: both factors, what was typed before, the first visit, one's own account."""

import html
import re

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from admin.guard import cookie_name
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.staff import credentials, invitations, service, signing_in
from carbon_credits.staff.service import Role
from carbon_credits.staff.signing_in import Place
from tests.admin.conftest import CSRF, ORIGIN, Visits
from tests.factories.staff import PASSWORD, SignsIn, who_signs_in

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def chen(app: Flask, vault: Vault) -> SignsIn:
    with app.app_context(), transaction() as session:
        return who_signs_in(session, vault, clock.now(), Role.PROGRAMME)


def hidden(page: TestResponse) -> dict[str, str]:
    found = HIDDEN.findall(page.get_data(as_text=True))
    return {html.unescape(name): html.unescape(value) for name, value in found}


def send(client: FlaskClient, path: str, form: dict[str, str]) -> TestResponse:
    return client.post("/admin" + path, data=form, headers=ORIGIN)


def first_factor(client: FlaskClient, who: SignsIn, form: dict[str, str] | None = None) -> TestResponse:
    return send(client, "/sign-in", {**(form or {}), "name": who.name, "password": PASSWORD})


def second_factor(client: FlaskClient, who: SignsIn, page: TestResponse, **more: str) -> TestResponse:
    return send(client, "/sign-in/code", {**hidden(page), "one_time_code": who.code(clock.now()), **more})


def test_one_comes_in_with_both_factors_and_goes_where_one_wanted_to(app: Flask, chen: SignsIn) -> None:
    client = app.test_client()
    sent = client.get("/admin/staff/?lang=zh")
    form = client.get(sent.headers["Location"])
    page = first_factor(client, chen, hidden(form))
    assert page.status_code == 200
    told = second_factor(client, chen, page)
    assert (told.status_code, told.headers["Location"]) == (303, "/admin/staff/?lang=zh")
    cookie = told.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    home = client.get("/admin/")
    assert chen.name in home.get_data(as_text=True)
    csrf = CSRF.search(home.get_data(as_text=True))
    assert csrf is not None
    assert send(client, "/sign-out", {"csrf": csrf[1]}).status_code == 303
    assert client.get("/admin/").status_code == 302


def test_whatever_is_wrong_has_one_answer(app: Flask, chen: SignsIn) -> None:
    client = app.test_client()
    wrong = send(client, "/sign-in", {"name": chen.name, "password": PASSWORD + "!"})
    nobody = send(client, "/sign-in", {"name": "nobody", "password": PASSWORD})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.get_data(as_text=True).replace(chen.name, "nobody") == nobody.get_data(as_text=True)
    page = first_factor(client, chen)
    told = send(client, "/sign-in/code", {**hidden(page), "one_time_code": "000000"})
    assert told.status_code == 401
    assert "Set-Cookie" not in told.headers
    used = chen.code(clock.now())
    assert second_factor(client, chen, told, one_time_code=used).status_code == 303
    # for whoever has seen it typed
    assert second_factor(app.test_client(), chen, told, one_time_code=used).status_code == 401
    forged = {"ticket": "00", "one_time_code": chen.code(clock.now())}
    assert send(app.test_client(), "/sign-in/code", forged).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.test/",
        "//evil.test/",
        "/admin//evil.test",
        "/v1/me",
        "/admin/\\evil",
        "/admin/../v1/me",
        "/admin/.%2E/v1/me",
    ],
)
def test_nobody_is_sent_elsewhere_by_a_link_to_the_sign_in(app: Flask, chen: SignsIn, path: str) -> None:
    client = app.test_client()
    form = client.get("/admin/sign-in", query_string={"next": path})
    assert "kept_path" not in hidden(form)
    page = first_factor(client, chen, {"kept_path": path, "kept_method": "POST"})
    told = second_factor(client, chen, page, kept_path=path, kept_method="POST")
    assert told.headers["Location"] == "/admin/"


def test_what_was_typed_before_the_session_ended_is_sent_afterwards(app: Flask, chen: SignsIn) -> None:
    client = app.test_client()
    typed = {"name": "<何> & 'co'", "roles": "support", "reason": "new", "csrf": "of a session that is over"}
    asked = send(client, "/staff/new", typed)
    assert asked.status_code == 401
    page = first_factor(client, chen, hidden(asked))
    used = chen.code(clock.now())
    told = second_factor(client, chen, page, one_time_code=used)
    held = hidden(told)
    assert (held["name"], held["roles"], held["reason"]) == ("<何> & 'co'", "support", "new")
    # it is dangerous, so the second factor is asked for again, and still nothing is lost
    asked = send(client, "/staff/new", held)
    assert asked.status_code == 401
    assert hidden(asked)["kept:name"] == "<何> & 'co'"
    refused = send(client, "/step-up", {**hidden(asked), "one_time_code": used})
    assert (refused.status_code, hidden(refused)["kept:name"]) == (401, "<何> & 'co'")
    told = send(client, "/step-up", {**hidden(refused), "one_time_code": chen.recovery[0]})
    assert told.status_code == 200
    assert send(client, "/staff/new", hidden(told)).headers["Location"].startswith("/admin/approvals/")
    assert "&lt;何&gt; &amp; &#39;co&#39;" in client.get("/admin/staff/").get_data(as_text=True)


def test_a_session_that_ends_while_the_code_is_asked_for_loses_nothing(app: Flask, visit: Visits) -> None:
    asked = visit(Role.PROGRAMME, stepped_up=False).post("/staff/new", {"name": "何", "reason": "new"})
    told = send(app.test_client(), "/step-up", {**hidden(asked), "one_time_code": "123456"})
    assert (told.status_code, hidden(told)["kept:name"]) == (401, "何")


def test_who_must_change_the_password_does_so_on_the_way_in(app: Flask, chen: SignsIn) -> None:
    with app.app_context(), transaction() as session:
        credentials.require_change(session, chen.staff_id, "operator", "seen")
    client = app.test_client()
    page = first_factor(client, chen)
    assert "new_password" in page.get_data(as_text=True)
    told = second_factor(client, chen, page, new_password="short")
    assert told.status_code == 401
    assert second_factor(client, chen, told, new_password="another horse battery").status_code == 303


def test_a_password_never_waits_in_a_page(app: Flask) -> None:
    typed = {
        "password": "one",
        "new_password": "two",
        "password_again": "three",
        "one_time_code": "123456",
        "words": "kept",
    }
    asked = send(app.test_client(), "/account/password", typed)
    assert [name for name in hidden(asked) if name.startswith("kept:")] == ["kept:words"]


def invited(app: Flask, vault: Vault) -> str:
    with app.app_context(), transaction() as session:
        number = service.add(session, "何街", [Role.STREET], "operator", ["zumiao"]).staff_id
        return invitations.issue(session, vault, number, "operator", clock.now())


def test_a_first_visit_sets_both_factors_and_shows_the_codes_once(
    app: Flask, vault: Vault, settings: Settings
) -> None:
    client, code = app.test_client(), invited(app, vault)
    sent = client.get("/admin/welcome/" + code)
    assert code not in sent.headers["Location"]
    page = client.get(sent.headers["Location"])
    words = page.get_data(as_text=True)
    assert "何街" in words
    assert "<svg" in words
    assert code not in words
    found = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', words)
    assert found is not None
    shown = pyotp.TOTP(found[1].replace(" ", "")).at(clock.now())
    form = {"password": PASSWORD, "password_again": PASSWORD, "code": shown}
    for wrong in (
        {"password_again": "x"},
        {"password": "short", "password_again": "short"},
        {"code": "12345"},
    ):
        told = send(client, "/welcome/", {**form, **wrong})
        assert (told.status_code, "is-invalid" in told.get_data(as_text=True)) == (422, True)
    told = send(client, "/welcome/", form)
    assert len(re.findall(r"<li><code>[a-z2-7]{5}-[a-z2-7]{5}</code>", told.get_data(as_text=True))) == 10
    assert client.get_cookie(cookie_name(settings, "welcome")) is None
    assert "何街" in client.get("/admin/").get_data(as_text=True)
    again = app.test_client()
    assert again.get("/admin/welcome/" + code, follow_redirects=True).status_code == 404


def test_one_sees_ones_sessions_and_ends_them(visit: Visits, app: Flask) -> None:
    visitor = visit(Role.AUDIT)
    other = visit(Role.AUDIT)
    words = visitor.get("/account/").get_data(as_text=True)
    assert words.count("127.0.0.1") == 1
    assert visitor.post(f"/account/sessions/{other.session_id}/end").status_code == 404
    assert other.get("/").status_code == 200
    assert visitor.post(f"/account/sessions/{visitor.session_id}/end").status_code == 303
    assert visitor.get("/").status_code == 302


def test_ones_password_and_authenticator_change_after_the_second_factor(app: Flask, chen: SignsIn) -> None:
    client = app.test_client()
    second_factor(client, chen, first_factor(client, chen))
    asked = client.get("/admin/account/password")
    assert asked.status_code == 401
    assert send(client, "/step-up", {**hidden(asked), "one_time_code": chen.recovery[0]}).headers[
        "Location"
    ] == ("/admin/account/password")
    form = {**hidden(client.get("/admin/account/password")), "password": PASSWORD}
    new = "another horse battery"
    for wrong in (
        {"new_password": new, "password_again": "x"},
        {"new_password": "short", "password_again": "short"},
        {"password": "x", "new_password": new, "password_again": new},
    ):
        assert send(client, "/account/password", {**form, **wrong}).status_code == 422
    told = send(client, "/account/password", {**form, "new_password": new, "password_again": new})
    assert told.headers["Location"] == "/admin/account/"
    page = client.get("/admin/account/authenticator")
    found = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page.get_data(as_text=True))
    assert found is not None
    shown = pyotp.TOTP(found[1].replace(" ", "")).at(clock.now())
    assert send(client, "/account/authenticator", {**hidden(page), "code": "1"}).status_code == 422
    told = send(client, "/account/authenticator", {**hidden(page), "code": shown})
    assert told.get_data(as_text=True).count("<li><code>") == 10
    told = send(client, "/account/recovery-codes", hidden(page))
    assert told.get_data(as_text=True).count("<li><code>") == 10


def test_a_lock_is_told_where_it_is_the_addresses(app: Flask, vault: Vault) -> None:
    client = app.test_client()
    with app.app_context(), transaction() as session:
        for _ in range(29):
            signing_in.count(session, vault, "nobody", Place("127.0.0.1", "tests"), clock.now())
    told = [send(client, "/sign-in", {"name": "nobody", "password": "x"}) for _ in range(2)]
    assert [one.status_code for one in told] == [401, 429]
    assert 800 < int(told[-1].headers["Retry-After"]) <= 901


def test_a_strangers_guesses_do_not_keep_out_who_was_here_before(
    app: Flask, settings: Settings, chen: SignsIn
) -> None:
    client, stranger = app.test_client(), app.test_client()
    told = second_factor(client, chen, first_factor(client, chen))
    cookies = {one.partition("=")[0]: one for one in told.headers.getlist("Set-Cookie")}
    known = cookies[cookie_name(settings, "known")]
    assert all(part in known for part in ("HttpOnly", "SameSite=Strict", "Max-Age=7776000"))
    csrf = CSRF.search(client.get("/admin/").get_data(as_text=True))
    assert csrf is not None
    assert send(client, "/sign-out", {"csrf": csrf[1]}).status_code == 303
    for _ in range(10):
        send(stranger, "/sign-in", {"name": chen.name, "password": "x"})
    assert first_factor(stranger, chen).status_code == 401
    assert first_factor(client, chen).status_code == 200


def test_a_character_that_cannot_be_kept_is_refused(app: Flask) -> None:
    told = send(app.test_client(), "/sign-in", {"name": "a\0b", "password": "x"})
    assert told.status_code == 422
