"""A campaign as residents and staff see it: on the list, on an act, on a receipt, in the wallet, on a terminal."""

import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.programme import campaigns
from carbon_credits.staff.models import Staff
from tests.api.conftest import Caller
from tests.api.credited import a_decided_ride, decide, policy
from tests.api.test_case_commands import typed
from tests.factories.campaigns import a_document, approved, launched, pin_lots

TODAY = clock.today()
RUNNING = {
    "starts_on": (TODAY - timedelta(days=1)).isoformat(),
    "ends_on": (TODAY + timedelta(days=3)).isoformat(),
    "methodologies": ["travel.cycling"],
}


def salt_between(inside: Caller, outside: Caller) -> bytes:
    """A salt under which half of everybody is held out: one of these two, and not the other."""

    def out(salt: bytes, who: Caller) -> bool:
        return int.from_bytes(sha256(salt + who.id.to_bytes(8, "big")).digest()[:8]) % 10**6 < 500_000

    return next(salt for n in range(256) if out(salt := bytes([n]) * 16, outside) and not out(salt, inside))


def two_of(session: Any) -> tuple[int, int]:
    one, other = session.scalars(select(Staff.staff_id).order_by(Staff.staff_id).limit(2))
    return one, other


def test_a_bonus_is_told_wherever_points_are(
    app: Flask, resident: Caller, neighbour: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(app)
    pin_lots(monkeypatch, salt_between(resident, neighbour))
    with app.app_context(), transaction() as session:
        people = two_of(session)
        launched(session, people, **RUNNING, multiplier="1.4", cap_day=11, holdout_ppm=500_000)
        later = (TODAY + timedelta(days=9)).isoformat()
        approved(
            session, people, code="later", starts_on=later, ends_on=later, reward="bonus", multiplier=None,
            bonus_points=5, cap_day=5, audience="streets", streets=["shiwan"],
        )  # fmt: skip
    # both of them yesterday, whatever the hour is
    today = int((clock.now() - clock.midnight(clock.today())).total_seconds()) // 60
    first, second = (a_decided_ride(app, resident, minutes_ago=today + ago) for ago in (60, 5))
    plain = a_decided_ride(app, neighbour)
    (listed,) = resident.get("/v1/campaigns").get_json()["items"]
    assert listed["name"] == "世界地球日"
    assert listed["reward"] == {"kind": "multiplier", "multiplier": "1.4", "points": None}
    assert listed["caps"] == {"day": 11, "week": None, "total": None}
    assert (listed["state"], listed["budget_left_ppm"]) == ("running", 998_900)
    assert "预算用完" in listed["early_end"]
    # who is held out sees what somebody sees whom it is not for
    assert neighbour.get("/v1/campaigns").get_json() == {"items": []}
    own = [
        resident.get(f"/v1/activities/{act}", headers={"Accept-Language": "en"}).get_json()
        for act in (first, second)
    ]
    # 25.6 points are 25, and 1.4 times as many 35
    assert [(act["points"], act["bonus"]) for act in own] == [(25, 10), (25, 1)]
    assert own[0]["campaign"]["name"] == "Earth Day"
    assert "1.4 times" in own[0]["campaign"]["how"]
    assert own[1]["campaign"]["entitled"] == 10
    assert [reason["code"] for reason in own[1]["campaign"]["reasons"]] == ["campaign_daily_cap"]
    assert neighbour.get(f"/v1/activities/{plain}").get_json()["campaign"] is None
    receipt = resident.get(f"/v1/activities/{second}/receipt").get_json()
    assert receipt["result"]["bonus"]["name"] == {"zh": "世界地球日", "en": "Earth Day"}
    assert (receipt["result"]["bonus_points"], receipt["result"]["bonus"]["reasons"][0]["code"]) == (
        1,
        "campaign_daily_cap",
    )
    assert {line["contra"] for line in receipt["postings"]} == {"grant", "bonus"}
    lines = resident.get("/v1/wallet/postings").get_json()["items"]
    named = [(line["kind"], line["points"], line["campaign"] and line["campaign"]["name"]) for line in lines]
    assert named == [
        ("bonus", 1, "世界地球日"),
        ("grant", 25, None),
        ("bonus", 10, "世界地球日"),
        ("grant", 25, None),
    ]
    page = resident.get(f"/v1/activities/{second}/receipt", headers={"Accept": "text/html"})
    assert "已达本活动每人每日加赠上限" in page.get_data(as_text=True)


def test_a_campaign_for_a_street_is_on_the_list_of_those_who_live_there(
    app: Flask, resident: Caller, neighbour: Caller
) -> None:
    policy(app)
    resident.call("PATCH", "/v1/me", json={"street": "shiwan"})
    with app.app_context(), transaction() as session:
        starts = (TODAY + timedelta(days=2)).isoformat()
        approved(
            session, two_of(session), starts_on=starts, ends_on=starts, audience="streets", streets=["shiwan"]
        )
    (listed,) = resident.get("/v1/campaigns").get_json()["items"]
    assert (listed["state"], listed["starts_on"], listed["evaluation"]) == ("announced", starts, None)
    assert neighbour.get("/v1/campaigns").get_json()["items"] == []


def test_a_campaign_on_the_terminal(app: Flask, resident: Caller, tmp_path: Path) -> None:
    policy(app)
    assert "低碳日" in typed(app, "campaigns", "calendar", TODAY.year + 1)
    begun = json.loads(typed(app, "campaigns", "template", "environment_day", TODAY.year + 1))
    terms = tmp_path / "campaign.json"
    terms.write_text(json.dumps(begun))
    assert "/budget_points" in typed(app, "campaigns", "draft", terms, "--as", "陈提", fails=True)
    rest = {
        name: a_document()[name]
        for name in ("reward", "multiplier", "audience", "budget_points", "source_fund")
    }
    terms.write_text(json.dumps({**begun, **rest}))
    assert "version 1" in typed(app, "campaigns", "draft", terms, "--as", "陈提")
    assert "version 2" in typed(app, "campaigns", "draft", terms, "--version", 1, "--as", "陈提")
    assert "changed_meanwhile" in typed(
        app, "campaigns", "draft", terms, "--version", 1, "--as", "李批", fails=True
    )
    code = begun["code"]
    said = typed(app, "campaigns", "propose", code, "--reason", "计划", "--as", "陈提")
    number = said.partition("#")[2].split()[0]
    assert "wrong_person" in typed(app, "approvals", "approve", number, "--as", "陈提", fails=True)
    typed(app, "approvals", "approve", number, "--as", "李批")
    shown = json.loads(typed(app, "campaigns", "show", code))
    assert (shown["state"], shown["points_left"]) == ("approved", 10_000)
    assert "wrong_state" in typed(
        app, "campaigns", "pause", code, "--reason", "…", "--as", "陈提", fails=True
    )
    typed(app, "campaigns", "withdraw", code, "--reason", "改期", "--as", "陈提")
    assert "withdrawn" in typed(app, "campaigns", "list")
    with app.app_context(), transaction() as session:
        launched(session, two_of(session), **RUNNING)
    typed(app, "campaigns", "pause", "earth", "--reason", "查问题", "--as", "陈提")
    typed(app, "campaigns", "resume", "earth", "--as", "李批")
    typed(app, "campaigns", "end", "earth", "--reason", "天气", "--as", "陈提")
    with app.app_context(), transaction() as session:
        assert campaigns.by_code(session, "earth").end_cause == "staff"
        actions = session.execute(
            text("select action from audit_entry where subject = 'campaign:earth' order by audit_id")
        )
        assert list(actions.scalars())[-3:] == ["campaign.paused", "campaign.resumed", "campaign.ended"]
    decide(app, resident)
    assert resident.get("/v1/campaigns").get_json()["items"] == []
