"""A household asks to be put forward for a drive, operators answer by command, and it reads what they said."""

import re

import pytest
from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.groups.service import GroupKind
from carbon_credits.staff.service import Role, add
from tests.api.conftest import Caller
from tests.api.test_case_commands import typed
from tests.api.test_groups import agree
from tests.factories.groups import a_group, admitted, founded

PATH = "/v1/groups/{}/drives"
ASK = "/v1/groups/{}/drives/{}/requests"


@pytest.fixture
def home(app: Flask, resident: Caller) -> int:
    """A household that the resident founded."""
    with app.app_context(), transaction() as session:
        add(session, "策", [Role.PROGRAMME], by="tests")
        add(session, "援", [Role.SUPPORT], by="tests")
        return founded(session, resident.id, clock.now())


def test_a_household_asks_is_declined_asks_again_and_is_put_forward(
    app: Flask, resident: Caller, neighbour: Caller, home: int
) -> None:
    path, ask = PATH.format(home), ASK.format(home, "family")
    refused = resident.call("POST", ask, key="a")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "consent_missing")
    agree(resident, neighbour)
    (family,) = resident.get(path).get_json()["items"]
    assert (family["drive"], family["may_ask"], family["request"], family["awards"]) == (
        "family",
        True,
        None,
        [],
    )
    assert {line["code"]: line["met"] for line in family["checklist"]} == {"saves": None, "sorts_waste": None}
    first = resident.call("POST", ask, key="b")
    assert (first.status_code, first.get_json()["state"]) == (201, "asked")
    again, other = resident.call("POST", ask, key="b"), resident.call("POST", ask, key="c")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert other.get_json() == first.get_json()
    number = first.get_json()["id"]
    # nobody else sees that there is such a household
    for told in (
        neighbour.get(path),
        neighbour.call("POST", ask, key="n"),
        neighbour.call("DELETE", f"{ask}/{number}"),
    ):
        assert told.status_code == 404

    assert f"#{number} family {clock.today().year} group #{home} household" in typed(
        app, "groups", "drive-requests"
    )
    decline = ("groups", "decline-request", number, "--reason", "请先补登人数")
    assert "role_missing" in typed(app, *decline, "--as", "援", fails=True)
    typed(app, *decline, "--as", "策")
    assert "answered_already" in typed(app, "groups", "take-up", number, "--as", "策", fails=True)
    (family,) = resident.get(path).get_json()["items"]
    assert (family["request"]["state"], family["request"]["reason"]) == ("declined", "请先补登人数")
    late = resident.call("DELETE", f"{ask}/{number}")
    assert (late.status_code, late.get_json()["code"]) == (409, "answered_already")

    number = resident.call("POST", ask, key="d").get_json()["id"]
    assert resident.call("DELETE", f"{ask}/{number}").status_code == 204
    assert resident.call("DELETE", f"{ask}/{number}").status_code == 204
    number = resident.call("POST", ask, key="e").get_json()["id"]
    said = typed(app, "groups", "take-up", number, "--as", "策")
    assert re.search(r"#\d+ family", said)
    (family,) = resident.get(path).get_json()["items"]
    assert (family["request"]["state"], family["application"]["state"]) == ("taken_up", "applied")
    over = resident.call("POST", ask, key="f")
    assert (over.status_code, over.get_json()["code"]) == (409, "applied_already")
    with app.app_context(), transaction() as session:
        rows = session.execute(
            text("select action, count(*) from audit_entry where action like 'drive.%' group by action")
        )
        deeds = {row[0]: row[1] for row in rows}
    assert deeds == {
        "drive.asked": 3,
        "drive.request_withdrawn": 1,
        "drive.request_declined": 1,
        "drive.applied": 1,
    }


def test_members_look_and_the_founder_alone_asks(
    app: Flask, resident: Caller, neighbour: Caller, home: int
) -> None:
    del home
    agree(resident, neighbour)
    with app.app_context(), transaction() as session:
        firm = founded(session, resident.id, clock.now(), GroupKind.FIRM)
        school = founded(session, resident.id, clock.now(), GroupKind.SCHOOL)
    told = neighbour.get(PATH.format(firm))
    assert (told.status_code, told.get_json()["code"]) == (403, "not_a_member")
    with app.app_context(), transaction() as session:
        admitted(session, firm, [neighbour.id], clock.now())
    (travel,) = neighbour.get(PATH.format(firm)).get_json()["items"]
    assert (travel["drive"], travel["may_ask"]) == ("travel", False)
    for caller, group, drive, answered in (
        (neighbour, firm, "travel", (403, "not_the_organiser")),
        (resident, school, "school", (403, "school_by_staff")),
        (resident, firm, "mall", (404, "drive_not_for_group")),
        (resident, firm, "Mall", (404, "drive_unknown")),
    ):
        refused = caller.call("POST", ASK.format(group, drive), key=f"{group}{drive}")
        assert (refused.status_code, refused.get_json()["code"]) == answered
        assert refused.mimetype == "application/problem+json"
    # whoever agrees no more leaves, and with them what they asked
    assert resident.call("POST", ASK.format(firm, "travel"), key="t").status_code == 201
    agree(resident, granted=False)
    (travel,) = neighbour.get(PATH.format(firm)).get_json()["items"]
    assert travel["request"]["state"] == "withdrawn"


def test_ten_requests_an_hour_are_enough(app: Flask, vault: Vault, resident: Caller, home: int) -> None:
    del vault
    agree(resident)
    for n in range(10):
        assert resident.call("POST", ASK.format(home, "family"), key=str(n)).status_code == 201
    told = resident.call("POST", ASK.format(home, "family"), key="more")
    assert (told.status_code, int(told.headers["Retry-After"]) > 0) == (429, True)
    with app.app_context(), transaction() as session:
        a_group(session, clock.now())
        assert session.execute(text("select count(*) from drive_request")).scalar_one() == 1
