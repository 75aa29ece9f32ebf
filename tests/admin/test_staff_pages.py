"""Staff at the console: proposals, links, ends; the audit read; residents' phones masked, and shown for a reason."""

import re

import pytest
from flask import Flask
from sqlalchemy import text

from carbon_credits.cli.people import settle_in
from carbon_credits.core import audit, clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.residents.service import Street
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visitor, Visits


@pytest.fixture
def two(visit: Visits) -> tuple[Visitor, Visitor]:
    return visit(Role.PROGRAMME), visit(Role.PROGRAMME)


def approve(app: Flask, by: Visitor, kind: str) -> int:
    with app.app_context(), transaction() as session:
        asked = text(
            "select approval_id, encode(digest, 'hex') from approval where kind = :kind and state = 'proposed'"
        )
        number, digest = session.execute(asked, {"kind": kind}).one()
    told = by.get(f"/approvals/{number}").get_data(as_text=True)
    assert 'class="alert alert-danger"' not in told
    assert by.post(f"/approvals/{number}/approve", {"why": "agreed", "digest": digest}).status_code == 303
    return int(number)


def test_somebody_is_let_in_by_two_and_gets_one_link(app: Flask, two: tuple[Visitor, Visitor]) -> None:
    one, other = two
    form = {"name": "何街", "roles": ["street", "support"], "reason": "new"}
    refused = one.post("/staff/new", form)
    assert refused.status_code == 422
    words = refused.get_data(as_text=True)
    assert 'value="何街"' in words
    assert 'id="fault-streets"' in words
    assert one.post("/staff/new", {**form, "streets": ["zumiao"]}).status_code == 303
    assert "何街" in other.get("/staff/").get_data(as_text=True)
    number = approve(app, other, "staff.admit")
    page = one.post(f"/staff/invitations/{number}")
    link = re.search(r'value="(\S+/admin/welcome/\S+)"', page.get_data(as_text=True))
    assert link is not None
    assert one.post(f"/staff/invitations/{number}").status_code == 409
    taken = app.test_client().get(link[1][link[1].index("/admin") :], follow_redirects=True)
    assert "何街" in taken.get_data(as_text=True)


def test_rights_are_changed_on_what_the_page_has_shown(
    app: Flask, two: tuple[Visitor, Visitor], visit: Visits
) -> None:
    one, other = two
    third = visit(Role.SUPPORT)
    page = one.get(f"/staff/{third.staff_id}").get_data(as_text=True)
    assert 'name="before_roles" value="support"' in page
    form = {"before_roles": "support", "roles": ["support", "audit"], "reason": "more"}
    assert one.post(f"/staff/{third.staff_id}/rights", {**form, "roles": []}).status_code == 422
    assert one.post(f"/staff/{third.staff_id}/rights", form).status_code == 303
    approve(app, other, "staff.change")
    assert third.get("/").status_code == 302
    assert "audit, support" in str(one.get(f"/staff/{third.staff_id}?lang=en").get_data(as_text=True)).lower()
    assert one.post(f"/staff/{third.staff_id}/reset", {"reason": "lost phone"}).status_code == 303
    approve(app, other, "staff.reset")
    assert one.post(f"/staff/{third.staff_id}/close", {"reason": ""}).status_code == 422
    assert one.post(f"/staff/{third.staff_id}/close", {"reason": "left"}).status_code == 303
    assert one.post(f"/staff/{one.staff_id}/close", {"reason": "left"}).status_code == 403
    deeds = one.get("/audit/", query_string={"about": f"staff:{third.staff_id}"}).get_data(as_text=True)
    assert all(word in deeds for word in ("staff.changed", "staff.closed", "left", one.name))


def test_another_administrator_ends_sessions_and_asks_for_another_password(
    two: tuple[Visitor, Visitor],
) -> None:
    one, other = two
    assert one.post(f"/staff/{other.staff_id}/sessions/end").status_code == 303
    assert other.get("/").status_code == 302
    # one who has set nothing up has no password to change
    assert one.post(f"/staff/{other.staff_id}/password", {"reason": "seen"}).status_code == 404


def test_the_audit_is_searched_page_by_page_and_offers_nothing_to_change(app: Flask, visit: Visits) -> None:
    visitor = visit(Role.AUDIT)
    with app.app_context(), transaction() as session:
        for number in range(70):
            audit.record(
                session, "operator", "test.done", f"thing:{number}", {"n": number}, {"<b>": "&"}, reason="由"
            )
    page = visitor.get("/audit/?what=test.done")
    words = page.get_data(as_text=True)
    assert (words.count("test.done</code>"), "&lt;b&gt;" in words, "<b>" in words) == (50, True, False)
    more = re.search(r'href="(/admin/audit/\?[^"]+)" rel="next"', words)
    assert more is not None
    rest = visitor.client.get(more[1].replace("&amp;", "&")).get_data(as_text=True)
    assert rest.count("test.done</code>") == 20
    assert 'method="post"' not in re.sub(r"<header.*?</header>", "", rest, flags=re.S)
    today = clock.today().isoformat()
    for query, found in (
        ({"about": "thing:7"}, 1),
        ({"who": "operator", "what": "test.done", "from": today, "to": today}, 50),
        ({"to": "2020-01-01"}, 0),
        ({"who": visitor.name, "what": "test.done"}, 0),
    ):
        words = visitor.get("/audit/", query_string=query).get_data(as_text=True)
        assert words.count("test.done</code>") == found, query
    assert visitor.get("/audit/?from=yesterday").status_code == 422


def test_a_phone_is_masked_until_a_reason_is_given_and_each_time_is_listed(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    with app.app_context(), transaction() as session:
        number = settle_in(session, vault, "+8613800000001", Street.ZUMIAO, clock.now())
    support, audit_ = visit(Role.SUPPORT), visit(Role.AUDIT)
    found = support.post("/residents/", {"words": "138 0000 0001"})
    assert found.headers["Location"] == f"/admin/residents/{number}"
    page = support.get(f"/residents/{number}").get_data(as_text=True)
    assert "138****0001" in page
    assert "13800000001" not in page
    assert support.post(f"/residents/{number}/phone", {"reason": " x "}).status_code == 422
    shown = support.post(f"/residents/{number}/phone", {"reason": "居民来电未接，回电"})
    assert "+8613800000001" in shown.get_data(as_text=True)
    assert shown.headers["Cache-Control"] == "no-store"
    listed = audit_.get("/audit/phones").get_data(as_text=True)
    assert all(word in listed for word in (support.name, f"resident:{number}", "居民来电未接，回电"))
    assert "13800000001" not in listed


def test_a_street_sees_its_own_residents_and_nobody_elses(app: Flask, vault: Vault, visit: Visits) -> None:
    with app.app_context(), transaction() as session:
        number = settle_in(session, vault, "+8613800000001", Street.ZUMIAO, clock.now())
    here, there = visit(Role.STREET, streets={"zumiao"}), visit(Role.STREET, streets={"shiwan", "zhangcha"})
    assert here.get(f"/residents/{number}").status_code == 200
    assert there.get(f"/residents/{number}").status_code == 404
    assert there.post(f"/residents/{number}/phone", {"reason": "just curious"}).status_code == 404
    for words in ("13800000001", str(number), "13800000002", "12345", "x"):
        assert there.post("/residents/", {"words": words}).status_code == 422
    with app.app_context(), transaction() as session:
        counted = "select count(*) from audit_entry where action = 'resident.phone_shown'"
        assert session.execute(text(counted)).scalar_one() == 0
