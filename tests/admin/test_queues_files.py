"""Partners' files and feeds at the console: why one lies aside, what is missing, who let it go on and why."""

import re
from typing import Final

import pytest
from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs.partner_files import work_on_files
from carbon_credits.partners import clients, keys, service
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visits
from tests.admin.queue_ground import deeds
from tests.admin.test_queues_reviews import text_of
from tests.api.conftest import Caller, caller_of
from tests.api.test_partner_files import TODAY, put, taps
from tests.factories.partner_files import Sender

# the fourth file, of a day that is a week past
SENT_LATE: Final = text("""
insert into partner_file (source_id, sha256, name, bytes, received_at, seq, version, service_date, rows, complete_through,
  manifest, signature, key_id, arrived)
select source_id, sha256('late'), name, bytes, received_at, 9, 1, service_date - 7, rows,
  complete_through - interval '7 d', manifest, signature, key_id, arrived from partner_file where seq = 1
""")
WHY: Final = {"reason": "运营方来函说明金额口径"}


@pytest.fixture
def sender(app: Flask) -> Sender:
    """The metro, whose key is registered."""
    made = Sender("metro", "metro_taps", TODAY)
    with app.app_context(), transaction() as session:
        found = service.partner_by_code(session, "metro")
        keys.add_key(session, found.partner_id, made.public_key, clock.now())
    return made


@pytest.fixture
def metro(app: Flask, vault: Vault, sender: Sender) -> Caller:
    """The metro's system, signed in; it has sent one file that fits, two whose totals differ, and a forged one."""
    with app.app_context(), transaction() as session:
        partner = service.partner_by_code(session, "metro")
        made = clients.add_client(session, vault, partner.partner_id, clock.now())
        number = partner.partner_id
    caller = caller_of(app, made, number)
    put(caller, sender, sender.send(taps("a"), totals={"amount": "3.00"}))
    for seq in (2, 5):
        put(caller, sender, sender.send(taps(f"b{seq}"), seq=seq, totals={"amount": "4.00"}))
    stranger = Sender("metro", "metro_taps", TODAY)
    put(caller, stranger, stranger.send(taps("c"), seq=6))
    with app.app_context():
        work_on_files()
    return caller


def ids(page: str) -> list[int]:
    """The files that a page lists."""
    return [int(one) for one in re.findall(r'href="/admin/files/(\d+)"', page)]


def state_of(app: Flask, number: int) -> str:
    """A file's state."""
    with app.app_context(), transaction() as session:
        asked = text("select state from partner_file where file_id = :n")
        return str(session.execute(asked, {"n": number}).scalar_one())


@pytest.mark.usefixtures("metro")
def test_a_file_that_lies_aside_says_why_and_is_let_go_on_by_one_person_with_a_reason(
    app: Flask, visit: Visits
) -> None:
    programme = visit(Role.PROGRAMME)
    second, first = ids(text_of(programme.get("/files/")))
    page = text_of(programme.get(f"/files/{first}"))
    assert "为何停下" in page
    assert "amount" in page
    assert programme.post(f"/files/{first}/waive", {"reason": ""}).status_code == 422
    assert programme.post(f"/files/{first}/waive", WHY).status_code == 303
    with app.app_context():
        work_on_files()
    assert state_of(app, first) == "applied"
    (deed,) = deeds(app, "file.released")
    assert (deed.actor, deed.reason, deed.after) == (
        f"staff:{programme.staff_id}",
        WHY["reason"],
        {"waive": True},
    )

    other = visit(Role.PROGRAMME)
    assert other.post(f"/files/{second}/refuse", {"reason": "重送"}).status_code == 303
    late = programme.post(f"/files/{second}/release", WHY)
    assert late.status_code == 409
    for said in (other.name, "重送", WHY["reason"]):
        assert said in text_of(late)
    assert state_of(app, second) == "refused"


@pytest.mark.usefixtures("metro")
def test_overlooking_and_refusing_ask_for_the_second_factor_and_the_role(app: Flask, visit: Visits) -> None:
    partner, stale = visit(Role.PARTNER), visit(Role.PROGRAMME, stepped_up=False)
    (_, first) = ids(text_of(partner.get("/files/")))
    for what in ("release", "waive", "refuse"):
        assert partner.post(f"/files/{first}/{what}", WHY).status_code == 403
    assert 'name="reason"' not in text_of(partner.get(f"/files/{first}"))
    for what in ("waive", "refuse"):
        assert stale.post(f"/files/{first}/{what}", WHY).status_code == 401
    assert state_of(app, first) == "quarantined"


@pytest.mark.usefixtures("metro")
def test_the_board_names_what_is_missing_and_alarming(visit: Visits) -> None:
    partner = visit(Role.PARTNER)
    board = text_of(partner.get("/feeds/"))
    row = re.search(r"<tr data-row>(?:(?!</tr>).)*metro_taps.*?</tr>", board, re.DOTALL)
    assert row is not None
    # two files aside, numbers 3 and 4 missing, one forged
    assert re.findall(r">(\d)(?:</a>)?</td>", row[0]) == ["2", "2", "1"]
    page = text_of(partner.get("/feeds/metro_taps"))
    assert ">3, 4<" in page
    assert "按时率" not in page
    assert "按时率" in text_of(partner.get("/feeds/metro_taps?scorecard=yes"))
    assert "签名不符" in text_of(partner.get("/files/alarms"))
    assert partner.get("/feeds/nowhere").status_code == 404
    assert len(ids(text_of(partner.get("/files/?which=all&feed=metro_taps")))) == 3
    assert ids(text_of(partner.get("/files/?which=late"))) == []


@pytest.mark.usefixtures("metro")
def test_a_file_that_came_after_its_grace_is_late(app: Flask, visit: Visits) -> None:
    with app.app_context(), transaction() as session:
        session.execute(SENT_LATE)
    programme = visit(Role.PROGRAMME)
    page = text_of(programme.get("/files/?which=late"))
    assert len(ids(page)) == 1
    assert "迟到" in page
    assert "1 / 4" in text_of(programme.get("/feeds/metro_taps"))


@pytest.mark.usefixtures("metro")
def test_the_page_of_queues_counts_what_waits(visit: Visits) -> None:
    page = text_of(visit(Role.SUPPORT).get("/queues/"))
    assert 'href="/admin/files/" aria-label="被隔离的文件: 2"' in page
    assert 'href="/admin/reviews/" aria-label="暂缓的行为: 0"' in page
