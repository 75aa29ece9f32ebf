"""Objecting through the door: a case with a day, an answer in the reader's language, taken back while it is open."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import audit, clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.check import check
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.reconciliation import clawbacks, service
from carbon_credits.reconciliation.cases import CLAWBACK, DISPUTED
from carbon_credits.reconciliation.service import Word
from carbon_credits.staff.service import Role, add
from tests.api.conftest import Caller, a_ride
from tests.api.credited import a_decided_ride, decide, policy

ANSWER = Text("已看过您的轨迹", "We looked at your trace")
WHY = Text("合作方更正：未发生", "the partner corrected it: it did not happen")


def object_to(resident: Caller, act: str, key: str = "k") -> Any:
    return resident.call("POST", f"/v1/activities/{act}/appeal", key=key, json={"words": "我确实骑了"})


def show(resident: Caller, act: str, language: str = "zh") -> dict[str, Any]:
    told = resident.get(f"/v1/activities/{act}", headers={"Accept-Language": language})
    assert told.status_code == 200
    body: dict[str, Any] = told.get_json()
    return body


def staff(app: Flask) -> dict[str, int]:
    with app.app_context(), transaction() as session:
        return {
            name: add(session, name, [role], by="tests").staff_id
            for name, role in (("援", Role.SUPPORT), ("策", Role.PROGRAMME))
        }


def case_of(app: Flask, kind: str) -> int:
    with app.app_context(), transaction() as session:
        asked = text("select case_id from recon_case where kind = :kind order by 1 desc limit 1")
        return int(session.execute(asked, {"kind": kind}).scalar_one())


def say(app: Flask, vault: Vault, case: int, who: int, outcome: str, letter: str | None = None) -> None:
    with app.app_context(), transaction() as session:
        service.decide(session, vault, case, who, Word(outcome, ANSWER, letter), clock.now())


def balanced(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        assert [found.name for found in check(session) if found.violations] == []


def announce(app: Flask, vault: Vault, resident: Caller, *acts: str) -> clawbacks.Proposed:
    with app.app_context(), transaction() as session:
        asked = [(resident.id, act) for act in acts]
        return clawbacks.propose(session, vault, asked, WHY, "staff:1", clock.now())


def carry_out(app: Flask, resident: Caller, now: datetime) -> int:
    with app.app_context(), transaction() as session:
        lock_shard(session, shard_of(resident.id))
        return clawbacks.carry_out_due(session, shard_of(resident.id), now, 100)


def test_an_objection_is_shown_with_its_day_and_may_be_taken_back(app: Flask, resident: Caller) -> None:
    policy(app)
    act = a_decided_ride(app, resident)
    assert show(resident, act)["appeal"] is None
    made = object_to(resident, act)
    assert made.status_code == 201
    body = made.get_json()
    until = datetime.fromisoformat(body["answer_by"]) - datetime.fromisoformat(body["at"])
    assert (body["state"], body["against"], until) == ("open", "decision", timedelta(days=15))
    assert show(resident, act)["appeal"] == body
    assert object_to(resident, act, key="again").status_code == 409
    back = resident.call("DELETE", f"/v1/activities/{act}/appeal")
    assert (back.status_code, back.get_json()["state"]) == (200, "withdrawn")
    assert resident.call("DELETE", f"/v1/activities/{act}/appeal").status_code == 404
    assert object_to(resident, act, key="later").status_code == 201
    with app.app_context(), transaction() as session:
        rows = session.execute(text("select state, outcome from recon_case order by case_id")).all()
    assert [tuple(row) for row in rows] == [("closed", "withdrawn"), ("open", None)]


def test_another_resident_neither_sees_nor_withdraws_it(
    app: Flask, resident: Caller, neighbour: Caller
) -> None:
    policy(app)
    act = a_decided_ride(app, resident)
    object_to(resident, act)
    assert neighbour.call("DELETE", f"/v1/activities/{act}/appeal").status_code == 404
    assert object_to(neighbour, act).status_code == 404
    assert show(resident, act)["appeal"]["state"] == "open"


def test_an_upheld_appeal_is_decided_again_in_the_class_that_was_found(
    app: Flask, resident: Caller, vault: Vault
) -> None:
    policy(app)
    people = staff(app)
    act = a_decided_ride(app, resident)
    before = show(resident, act)
    object_to(resident, act)
    case = case_of(app, DISPUTED)
    with pytest.raises(NotAllowed):
        say(app, vault, case, people["策"], "upheld", "C")
    say(app, vault, case, people["援"], "upheld", "C")
    decide(app, resident)
    after = show(resident, act)
    assert (before["evidence_class"], after["evidence_class"], after["status"]) == ("D", "C", "credited")
    # 0.0005 points a milligram instead of 0.0002
    assert after["points"] == after["reduction_mg"] * 5 // 10_000 > before["points"]
    assert after["reduction_mg"] == before["reduction_mg"]
    assert (after["appeal"]["state"], after["appeal"]["answer"]) == ("won", ANSWER.zh)
    assert show(resident, act, "en")["appeal"]["answer"] == ANSWER.en
    wallet = resident.get("/v1/wallet").get_json()
    assert wallet["carbon"]["claimed_mg"] == after["reduction_mg"]
    balanced(app)


def test_a_lost_appeal_leaves_the_act_and_says_why(app: Flask, resident: Caller, vault: Vault) -> None:
    policy(app)
    people = staff(app)
    act = a_decided_ride(app, resident)
    before = show(resident, act)
    object_to(resident, act)
    case = case_of(app, DISPUTED)
    with pytest.raises(Invalid):
        say(app, vault, case, people["援"], "rejected", "C")
    say(app, vault, case, people["援"], "rejected")
    after = show(resident, act)
    assert (after["appeal"]["state"], after["appeal"]["answer"]) == ("lost", ANSWER.zh)
    assert after["points"] == before["points"]
    with pytest.raises(Conflict):
        say(app, vault, case, people["援"], "upheld")
    assert resident.call("DELETE", f"/v1/activities/{act}/appeal").status_code == 404


def test_each_step_of_a_case_is_in_the_audit_without_the_residents_words(
    app: Flask, resident: Caller, vault: Vault
) -> None:
    policy(app)
    people = staff(app)
    act = a_decided_ride(app, resident)
    object_to(resident, act)
    case = case_of(app, DISPUTED)
    say(app, vault, case, people["援"], "rejected")
    with app.app_context(), transaction() as session:
        rows = (
            session.query(audit.AuditEntry)
            .where(audit.AuditEntry.subject == f"case:{case}")
            .order_by(audit.AuditEntry.audit_id)
            .all()
        )
        steps = [(row.actor, row.action) for row in rows]
        assert "骑" not in json.dumps([row.after for row in rows], ensure_ascii=False)
    by = f"staff:{people['援']}"
    assert steps == [(f"resident:{resident.id}", "case.opened"), (by, "case.decided"), (by, "case.closed")]


def test_a_clawback_is_announced_by_message_and_carried_out_when_nobody_objects(
    app: Flask, resident: Caller, vault: Vault
) -> None:
    policy(app)
    act = a_decided_ride(app, resident)
    assert len(announce(app, vault, resident, act).opened) == 1
    assert announce(app, vault, resident, act) == clawbacks.Proposed((), 1, ())
    told = show(resident, act)["clawback"]
    assert told["state"] == "announced"
    assert WHY.zh in told["reason"]
    message = notice_of(app, vault, case_of(app, CLAWBACK))
    assert message["to"] == "+8613800000001"
    assert all(said in message["text"] for said in (act, WHY.zh, "申诉"))
    until = datetime.fromisoformat(told["object_until"])
    assert carry_out(app, resident, until - timedelta(seconds=1)) == 0
    assert carry_out(app, resident, until) == 1
    assert carry_out(app, resident, until) == 0
    decide(app, resident)
    after = show(resident, act)
    assert (after["status"], after["reduction_mg"], after["clawback"]["state"]) == (
        "rejected",
        0,
        "taken_back",
    )
    assert [reason["code"] for reason in after["reasons"]] == ["clawback_unopposed"]
    wallet = resident.get("/v1/wallet").get_json()
    assert (wallet["carbon"]["claimed_mg"], wallet["points"]["pending"]) == (0, 0)
    balanced(app)


def test_whoever_objects_in_time_is_heard_by_a_person(app: Flask, resident: Caller, vault: Vault) -> None:
    policy(app)
    people = staff(app)
    act = a_decided_ride(app, resident)
    points = show(resident, act)["points"]
    announce(app, vault, resident, act)
    until = datetime.fromisoformat(show(resident, act)["clawback"]["object_until"])
    with pytest.raises(Conflict):
        say(app, vault, case_of(app, CLAWBACK), people["策"], "upheld")
    made = object_to(resident, act).get_json()
    assert (made["against"], made["state"]) == ("clawback", "open")
    assert show(resident, act)["clawback"]["state"] == "objected"
    assert carry_out(app, resident, until + timedelta(days=30)) == 0
    say(app, vault, case_of(app, CLAWBACK), people["策"], "rejected")
    after = show(resident, act)
    assert (after["status"], after["points"]) == ("credited", points)
    assert (after["clawback"]["state"], after["appeal"]["state"]) == ("dropped", "won")
    # it was looked at: the same credit is not announced again
    assert announce(app, vault, resident, act).opened == ()


def test_an_objection_that_fails_lets_the_credit_be_taken_back(
    app: Flask, resident: Caller, vault: Vault
) -> None:
    policy(app)
    people = staff(app)
    act = a_decided_ride(app, resident)
    announce(app, vault, resident, act)
    object_to(resident, act)
    say(app, vault, case_of(app, CLAWBACK), people["策"], "upheld")
    decide(app, resident)
    after = show(resident, act)
    assert (after["status"], after["clawback"]["state"]) == ("rejected", "taken_back")
    assert after["appeal"]["state"] == "lost"
    balanced(app)


def test_an_objection_taken_back_lets_the_window_go_on(app: Flask, resident: Caller, vault: Vault) -> None:
    policy(app)
    act = a_decided_ride(app, resident)
    announce(app, vault, resident, act)
    until = show(resident, act)["clawback"]["object_until"]
    object_to(resident, act)
    assert resident.call("DELETE", f"/v1/activities/{act}/appeal").status_code == 200
    assert show(resident, act)["clawback"] == {**show(resident, act)["clawback"], "state": "announced"}
    assert show(resident, act)["clawback"]["object_until"] == until
    assert carry_out(app, resident, datetime.fromisoformat(until)) == 1


def test_a_claim_that_waits_says_until_when(app: Flask, resident: Caller) -> None:
    act = a_decided_ride(app, resident, methodology="travel.metro", monitored={"distance_m": 9_000})
    told = show(resident, act)
    assert told["status"] == "awaiting"
    ended = datetime.fromisoformat(told["occurred_to"])
    assert datetime.fromisoformat(told["waits_until"]) == ended + timedelta(days=35)
    ride = resident.claim(a_ride(minutes_ago=200)).get_json()["id"]
    assert show(resident, ride)["waits_until"] is None


def notice_of(app: Flask, vault: Vault, case: int) -> dict[str, str]:
    """The message about a case, as it waits to be sent."""
    with app.app_context(), transaction() as session:
        sealed = _sealed(session, case)
    content: dict[str, str] = json.loads(vault.unseal("outbox", sealed, f"outbox|sealed|case:{case}"))
    return content


def _sealed(session: Session, case: int) -> bytes:
    asked = text("select sealed from outbox where topic = 'sms.notice' and payload ->> 'subject' = :subject")
    return bytes(session.execute(asked, {"subject": f"case:{case}"}).scalar_one())
