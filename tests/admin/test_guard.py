"""The console lets in who its table allows, takes writes from its own pages alone, and sends nothing else."""

import re
from typing import Final

import pytest
from flask import Flask
from werkzeug.routing import Rule

from admin.access import ACCESS, AddressWithoutRule, check
from admin.console import NAME
from admin.keeping import READS
from carbon_credits.staff.service import Role
from tests.admin.conftest import CSRF, ORIGIN, Visits

# a value for each kind of name that stands in an address
VALUES: Final = {"int": "999999999", "uuid": "0193a1b2-0000-7000-8000-000000000001", "path": "nowhere"}


def addresses(application: Flask) -> list[tuple[str, str, str]]:
    """Every (endpoint, method, path) of the console."""
    return [
        (rule.endpoint.removeprefix(NAME + "."), method, _path(rule))
        for rule in application.url_map.iter_rules()
        if rule.endpoint.startswith(NAME + ".")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        # whoever asks it has left, and the rest would be asked by nobody
        if rule.endpoint != NAME + ".signing_in.leave"
    ]


def _path(rule: Rule) -> str:
    def value(found: re.Match[str]) -> str:
        return VALUES.get((found[1] or "").partition("(")[0].rstrip(":"), "nothing")

    return re.sub(r"<(?:([a-z]+(?:\(.*?\))?):)?\w+>", value, rule.rule)


def test_the_table_names_every_address_and_nothing_else(application: Flask) -> None:
    assert {endpoint for endpoint, _, _ in addresses(application)} | {"signing_in.leave"} == set(ACCESS)
    with pytest.raises(AddressWithoutRule, match=r"without a rule: \['new.page'\]"):
        check([*ACCESS, "new.page"])
    with pytest.raises(AddressWithoutRule, match=r"without an address: \['home.show'\]"):
        check(set(ACCESS) - {"home.show"})


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_the_table_says_and_nothing_else(
    application: Flask, visit: Visits, role: Role
) -> None:
    visitor = visit(role, streets={"zumiao"} if role is Role.STREET else None)
    for endpoint, method, path in addresses(application):
        rule = ACCESS[endpoint]
        told = visitor.client.open(path, method=method, data={"csrf": visitor.csrf}, headers=ORIGIN)
        if rule.anyone or role in rule.roles:
            refused = told.headers.get("X-Refusal") == "role_missing"
            assert not refused, (role, method, path)
            assert told.status_code < 500, (role, method, path, told.status_code)
        else:
            assert told.status_code == 403, (role, method, path)


def test_who_has_not_signed_in_is_sent_to_do_so_and_reads_nothing(application: Flask, app: Flask) -> None:
    client = app.test_client()
    for endpoint, method, path in addresses(application):
        if ACCESS[endpoint].anyone:
            continue
        told = client.open(path, method=method, headers=ORIGIN)
        if method in READS:
            assert (told.status_code, told.headers["Location"][:15]) == (302, "/admin/sign-in?"), path
        else:
            assert told.status_code == 401, path


def test_a_write_without_its_token_or_from_elsewhere_does_nothing(application: Flask, visit: Visits) -> None:
    visitor = visit(*(set(Role) - {Role.STREET}))
    writes = [(m, p) for e, m, p in addresses(application) if m not in READS and not ACCESS[e].anyone]
    elsewhere = {"Origin": "https://elsewhere.test"}
    for method, path in writes:
        for headers, data in (
            (ORIGIN, {}),
            (ORIGIN, {"csrf": visitor.csrf[::-1]}),
            (elsewhere, {"csrf": visitor.csrf}),
            ({}, {"csrf": visitor.csrf}),
            ({**ORIGIN, "Sec-Fetch-Site": "cross-site"}, {"csrf": visitor.csrf}),
        ):
            told = visitor.client.open(path, method=method, data=data, headers=headers)
            assert told.status_code == 403, (method, path, headers)


def test_every_page_forbids_what_it_does_not_need(application: Flask, visit: Visits) -> None:
    visitor = visit(*(set(Role) - {Role.STREET}))
    for _, method, path in addresses(application):
        if method != "GET":
            continue
        told = visitor.client.get(path)
        policy = told.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert told.headers["X-Content-Type-Options"] == "nosniff"
        if told.mimetype == "text/html":
            html = told.get_data(as_text=True)
            assert not re.search(
                r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|(?:src|href)=\"(?:https?:)?//", html
            ), path


def test_a_page_is_in_chinese_until_english_is_chosen_and_then_stays_so(visit: Visits) -> None:
    visitor = visit(Role.AUDIT)
    assert '<html lang="zh-CN">' in visitor.get("/").get_data(as_text=True)
    assert '<html lang="en">' in visitor.get("/?lang=en").get_data(as_text=True)
    told = visitor.get("/")
    assert (told.headers["Content-Language"], "Dashboard" in told.get_data(as_text=True)) == ("en", True)


def test_the_token_in_a_page_is_the_sessions(visit: Visits) -> None:
    one, other = visit(Role.AUDIT), visit(Role.AUDIT)
    found = CSRF.search(one.get("/").get_data(as_text=True))
    assert found is not None
    assert found[1] == one.csrf != other.csrf


def test_an_address_that_is_not_there_is_said_on_a_page(visit: Visits) -> None:
    told = visit(Role.AUDIT).get("/nothing/here")
    assert told.status_code == 404
    assert "没有这个页面" in told.get_data(as_text=True)
