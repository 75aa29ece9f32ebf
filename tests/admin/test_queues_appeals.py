"""Appeals and cases at the console: by their day, both sides beside one another, answered once, read by the resident."""

import re
from datetime import timedelta
from typing import Final

from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.reconciliation import disputes
from carbon_credits.reconciliation.cases import AMBIGUOUS, CLAWBACK, DISPUTED
from carbon_credits.reconciliation.watching import watch
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visits
from tests.admin.queue_ground import balanced, deeds, held_for
from tests.admin.test_queues_reviews import text_of
from tests.api.conftest import FEED, Caller, partner_in, sign_in
from tests.api.credited import a_decided_ride, decide, policy
from tests.api.test_objections import announce, case_of, object_to, show

ANSWER: Final = {"zh": "已核对您的说明", "en": "We looked at what you wrote"}
PHONES: Final = ("+8613800000001", "+8613800000002")


def an_appeal(app: Flask, resident: Caller, days_ago: int = 0) -> tuple[str, int]:
    """An objection to a decided ride, made so many days ago: the act, and the number of the appeal."""
    act = a_decided_ride(app, resident)
    with app.app_context(), transaction() as session:
        made = disputes.object_to(
            session, resident.id, act, "我确实骑了<b>", clock.now() - timedelta(days=days_ago)
        )
    return act, made.id


def test_appeals_come_by_their_day_and_the_resident_reads_the_answer_in_both_languages(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    late, later = (sign_in(app, vault, phone) for phone in PHONES)
    act, second = an_appeal(app, later)
    _, first = an_appeal(app, late, days_ago=16)
    helper = visit(Role.SUPPORT)
    listed = text_of(helper.get("/appeals/"))
    assert re.findall(r'href="/admin/appeals/(\d+)"', listed) == [str(first), str(second)]
    assert listed.count("逾期</div>") == 1
    assert str(second) not in re.findall(r"/appeals/(\d+)", text_of(helper.get("/appeals/?due=overdue")))
    page = text_of(helper.get(f"/appeals/{second}"))
    assert "我确实骑了&lt;b&gt;" in page
    assert "+86138" not in page

    wrong = helper.post(
        f"/appeals/{second}", {"verdict": "grant", "class": "C", "zh": ANSWER["zh"], "en": ""}
    )
    assert wrong.status_code == 422
    assert ANSWER["zh"] in text_of(wrong)
    assert 'id="fault-en"' in text_of(wrong)
    told = helper.post(f"/appeals/{second}", {"verdict": "grant", "class": "C", **ANSWER})
    assert told.status_code == 303
    decide(app, later)
    after = show(later, act)
    assert (after["evidence_class"], after["appeal"]["state"]) == ("C", "won")
    assert after["appeal"]["answer"] == ANSWER["zh"]
    assert show(later, act, "en")["appeal"]["answer"] == ANSWER["en"]
    again = visit(Role.SUPPORT).post(f"/appeals/{second}", {"verdict": "refuse", "class": "", **ANSWER})
    assert again.status_code == 409
    assert helper.name in text_of(again)
    balanced(app)


def test_granting_an_objection_to_a_clawback_leaves_the_credit(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    resident = sign_in(app, vault, PHONES[0])
    act = a_decided_ride(app, resident)
    announce(app, vault, resident, act)
    assert object_to(resident, act).status_code == 201
    number = int(re.findall(r"/appeals/(\d+)", text_of(visit(Role.AUDIT).get("/appeals/")))[0])
    form = {"verdict": "grant", "class": "", **ANSWER}
    # whose case it is answers it: the programme's, not support's
    assert visit(Role.SUPPORT).post(f"/appeals/{number}", form).status_code == 403
    part = visit(Role.PROGRAMME).post(f"/appeals/{number}", {**form, "verdict": "partly"})
    assert part.status_code == 422
    assert visit(Role.PROGRAMME).post(f"/appeals/{number}", form).status_code == 303
    after = show(resident, act)
    assert (after["status"], after["clawback"]["state"]) == ("credited", "dropped")
    assert (after["appeal"]["state"], after["appeal"]["answer"]) == ("won", ANSWER["zh"])


def test_staff_of_another_street_neither_see_nor_answer_an_appeal(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    resident = sign_in(app, vault, PHONES[0])
    resident.call("PATCH", "/v1/me", json={"street": "shiwan"})
    _, number = an_appeal(app, resident)
    here, there = (visit(Role.STREET, Role.SUPPORT, streets={street}) for street in ("shiwan", "zumiao"))
    assert f"/appeals/{number}" in text_of(here.get("/appeals/"))
    assert f"/appeals/{number}" not in text_of(there.get("/appeals/"))
    assert there.get(f"/appeals/{number}").status_code == 404
    assert there.post(f"/appeals/{number}", {"verdict": "refuse", "class": "", **ANSWER}).status_code == 404
    assert here.post(f"/appeals/{number}", {"verdict": "refuse", "class": "", **ANSWER}).status_code == 303


def test_a_case_is_taken_once_given_away_asked_about_and_decided(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    ((_, name),) = held_for(app, vault, ["ambiguous_match"])
    with app.app_context(), transaction() as session:
        watch(session, clock.now())
    number = case_of(app, AMBIGUOUS)
    one, other = visit(Role.SUPPORT), visit(Role.SUPPORT)
    page = text_of(one.get(f"/cases/{number}"))
    assert name in page
    assert "合作方没有该居民同时的记录" in page
    assert one.post(f"/cases/{number}/take", {"seen": ""}).status_code == 303
    late = other.post(f"/cases/{number}/take", {"seen": ""})
    assert late.status_code == 409
    assert f"该事项已由 {one.name} 负责" in text_of(late)
    given = {"owner": str(other.staff_id), "seen": str(one.staff_id)}
    assert one.post(f"/cases/{number}/owner", given).status_code == 303
    finance = visit(Role.FINANCE)
    mine = {"seen": str(other.staff_id)}
    assert finance.post(f"/cases/{number}/take", mine).status_code == 403  # it is support's
    partner = partner_in(app, vault)
    assert (
        other.post(
            f"/cases/{number}/question", {"feed": FEED.code, "question": "当日是否有此投放？"}
        ).status_code
        == 303
    )
    answered = partner.call(
        "POST", f"/partner/v1/questions/{number}/answer", key="a", json={"confirms": True, "words": "有"}
    )
    assert answered.status_code in (200, 201, 204), answered.get_json()
    assert "有此" not in page
    assert "属实" in text_of(other.get(f"/cases/{number}"))
    decision = {"outcome": "upheld", "class": "", **ANSWER}
    wrong = other.post(f"/cases/{number}/decision", decision)
    assert wrong.status_code == 422
    assert "成立须指定证据等级" in text_of(wrong)
    assert other.post(f"/cases/{number}/decision", {**decision, "class": "D"}).status_code == 303
    again = one.post(f"/cases/{number}/decision", {**decision, "outcome": "rejected"})
    assert again.status_code == 409
    assert other.name in text_of(again)
    assert [deed.actor for deed in deeds(app, "case.decided")] == [f"staff:{other.staff_id}"]


def test_many_cases_are_taken_at_once_but_none_from_anybody(app: Flask, vault: Vault, visit: Visits) -> None:
    resident = sign_in(app, vault, PHONES[0])
    numbers: list[int] = []
    for _ in range(3):
        an_appeal(app, resident) if not numbers else held_for(app, vault, ["ambiguous_match"])
        with app.app_context(), transaction() as session:
            watch(session, clock.now())
        numbers.append(case_of(app, DISPUTED if not numbers else AMBIGUOUS))
    one, other = visit(Role.SUPPORT), visit(Role.SUPPORT)
    assert other.post(f"/cases/{numbers[0]}/take", {"seen": ""}).status_code == 303
    assert one.post("/cases/take", {"case": numbers}).status_code == 303
    mine = text_of(one.get("/cases/?owner=mine"))
    assert f"未领取：#{numbers[0]}" in mine
    assert set(re.findall(r'href="/admin/cases/(\d+)"', mine)) == {str(one) for one in numbers[1:]}
    assert "/appeals/" in text_of(one.get(f"/cases/{numbers[0]}"))
    assert one.post("/cases/take", {}).status_code == 422


def test_a_clawback_nobody_has_objected_to_can_only_be_dropped(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    resident = sign_in(app, vault, PHONES[0])
    announce(app, vault, resident, a_decided_ride(app, resident))
    number, programme = case_of(app, CLAWBACK), visit(Role.PROGRAMME)
    page = text_of(programme.get(f"/cases/{number}"))
    assert 'value="rejected"' in page
    assert 'value="upheld"' not in page
    told = programme.post(f"/cases/{number}/decision", {"outcome": "upheld", "class": "", **ANSWER})
    assert (told.status_code, "异议期未满" in text_of(told)) == (409, True)
    assert (
        programme.post(
            f"/cases/{number}/decision", {"outcome": "rejected", "class": "", **ANSWER}
        ).status_code
        == 303
    )
    with app.app_context(), transaction() as session:
        state = session.execute(
            text("select state, outcome from recon_case where case_id = :n"), {"n": number}
        ).one()
    assert tuple(state) == ("closed", "rejected")
