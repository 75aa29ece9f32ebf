"""Groups through the doors, and what operators type about them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.groups import figures, membership
from carbon_credits.groups.service import GroupKind
from carbon_credits.staff.service import Role, add
from tests.api.conftest import Caller
from tests.api.test_case_commands import typed
from tests.factories.acts import a_partner_source
from tests.factories.groups import a_group, admitted, some_residents

AS = ("--as", "策")


@pytest.fixture
def staff(app: Flask) -> None:
    """Two of the programme, and one who may not."""
    with app.app_context(), transaction() as session:
        for name in ("策", "批"):
            add(session, name, [Role.PROGRAMME], by="tests")
        add(session, "援", [Role.SUPPORT], by="tests")


def a_code(app: Flask, vault: Vault, kind: GroupKind, most: int = 5) -> tuple[str, str]:
    """A new group's id and a code for it."""
    now = clock.now()
    with app.app_context(), transaction() as session:
        number = a_group(session, now, kind)
        made = membership.new_code(session, vault, number, "tests", now, now + timedelta(days=1), most)
    return str(number), made.code


def agree(*callers: Caller, granted: bool = True) -> None:
    """Say yes, or no, to groups."""
    for caller in callers:
        assert caller.call("PUT", "/v1/consents/groups", json={"granted": granted}).status_code == 200


def ids(told: Sequence[dict[str, object]]) -> list[object]:
    """The ids of listed groups."""
    return [item["id"] for item in told]


def test_one_joins_with_consent_shares_a_name_and_leaves(
    app: Flask, vault: Vault, resident: Caller, neighbour: Caller
) -> None:
    estate, code = a_code(app, vault, GroupKind.ESTATE)
    body = {"code": code, "share_name": "陈"}
    refused = resident.call("POST", "/v1/groups/memberships", key="a", json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "consent_missing")
    agree(resident, neighbour)
    joined = resident.call("POST", "/v1/groups/memberships", key="b", json=body)
    assert joined.status_code == 201
    assert joined.get_json()["membership"] == {"since": clock.today().isoformat(), "share_name": "陈"}
    again = resident.call("POST", "/v1/groups/memberships", key="c", json=body)
    assert (again.status_code, again.get_json()["code"]) == (409, "member_already")
    # a stranger sees the group and nobody's name; a member who shares none reads who does
    assert neighbour.get(f"/v1/groups/{estate}").get_json()["names"] == []
    neighbour.call("POST", "/v1/groups/memberships", key="a", json={"code": code})
    shown = neighbour.get(f"/v1/groups/{estate}").get_json()
    assert (shown["names"], shown["membership"]["share_name"], shown["months"]) == (["陈"], None, [])
    assert resident.get("/v1/groups").get_json()["items"][0]["member"] is True
    with app.app_context(), transaction() as session:
        kept = session.execute(
            text("delete from resident_key where resident_id = :id returning sealed_key"), {"id": resident.id}
        )
        key = kept.scalar_one()
    assert neighbour.get(f"/v1/groups/{estate}").get_json()["names"] == []
    with app.app_context(), transaction() as session:
        session.execute(text("insert into resident_key values (:id, :key)"), {"id": resident.id, "key": key})
    own = f"/v1/groups/{estate}/membership"
    assert neighbour.call("PUT", own, json={"share_name": "李"}).get_json()["names"] == ["陈", "李"]
    assert neighbour.call("PUT", own, json={"share_name": None}).get_json()["names"] == ["陈"]
    assert resident.call("DELETE", f"/v1/groups/{estate}/membership").status_code == 204
    assert resident.call("DELETE", f"/v1/groups/{estate}/membership").status_code == 404
    (stay,) = resident.get("/v1/groups/memberships").get_json()["items"]
    assert (stay["group"], stay["since"], stay["until"]) == (estate, *[clock.today().isoformat()] * 2)
    assert neighbour.get(f"/v1/groups/{estate}").get_json()["names"] == []
    agree(neighbour, granted=False)
    assert neighbour.get(f"/v1/groups/{estate}").get_json()["membership"] is None
    with app.app_context(), transaction() as session:
        assert session.execute(text("select used from join_code")).scalar_one() == 2
        assert session.execute(text("select count(sealed_name) from membership")).scalar_one() == 0


def test_guessing_stops_after_ten(app: Flask, vault: Vault, resident: Caller) -> None:
    _, code = a_code(app, vault, GroupKind.ESTATE)
    agree(resident)
    for n in range(10):
        told = resident.call("POST", "/v1/groups/memberships", key=str(n), json={"code": f"WRONGCODE{n:03}"})
        assert (told.status_code, told.get_json()["code"]) == (404, "join_code_refused")
    told = resident.call("POST", "/v1/groups/memberships", key="right", json={"code": code})
    assert told.status_code == 429
    assert int(told.headers["Retry-After"]) > 0


def test_in_a_school_nobody_is_named(app: Flask, vault: Vault, resident: Caller) -> None:
    school, code = a_code(app, vault, GroupKind.SCHOOL)
    agree(resident)
    told = resident.call("POST", "/v1/groups/memberships", key="a", json={"code": code, "share_name": "小明"})
    assert (told.status_code, told.get_json()["errors"][0]["pointer"]) == (422, "/share_name")
    assert resident.get(f"/v1/groups/{school}").get_json()["membership"] is None


@pytest.mark.usefixtures("staff")
def test_a_household_is_founded_approved_joined_and_seen_by_nobody_else(
    app: Flask, resident: Caller, neighbour: Caller
) -> None:
    agree(resident, neighbour)
    made = resident.call("POST", "/v1/groups", key="h", json={"kind": "household"}).get_json()
    assert (made["state"], made["name"]["zh"]) == ("applied", "家庭")
    home = made["id"]
    assert resident.call("POST", f"/v1/groups/{home}/codes").status_code == 404
    assert neighbour.get(f"/v1/groups/{home}").status_code == 404
    assert f"#{home} household" in typed(app, "groups", "list", "--state", "applied")
    assert "role_missing" in typed(app, "groups", "approve", home, "--as", "援", fails=True)
    typed(app, "groups", "approve", home, *AS)
    assert neighbour.get(f"/v1/groups/{home}").status_code == 404
    assert neighbour.call("POST", f"/v1/groups/{home}/codes").status_code == 404
    invitation = resident.call("POST", f"/v1/groups/{home}/codes").get_json()["code"]
    assert (
        neighbour.call("POST", "/v1/groups/memberships", key="j", json={"code": invitation}).status_code
        == 201
    )
    assert home not in ids(neighbour.get("/v1/groups?limit=100").get_json()["items"][1:])
    assert resident.get("/v1/groups/boards?kind=household").status_code == 422


def test_boards_list_months_that_are_over(app: Flask, vault: Vault, resident: Caller) -> None:
    now, month = clock.now(), figures.last_month(clock.today())
    with app.app_context(), transaction() as session:
        firm = a_group(session, now, GroupKind.FIRM)
        admitted(session, firm, some_residents(session, vault, 1, now), now)
        session.execute(
            text(
                """insert into group_month values (:group, :month, 12, 6, 20, 6000000, 400, 0, 0, 0, :today)"""
            ),
            {"group": firm, "month": month, "today": clock.today()},
        )
    told = resident.get("/v1/groups/boards?kind=firm").get_json()
    (place,) = told["items"]
    assert (place["id"], place["rank"], place["tied"]) == (str(firm), 1, False)
    assert place["figures"]["verified_mg_per_head"] == 300_000
    assert resident.get(f"/v1/groups/{firm}").get_json()["months"] == [place["figures"]]
    ahead = resident.get(f"/v1/groups/boards?kind=firm&month={clock.today():%Y-%m}")
    assert (ahead.status_code, ahead.get_json()["code"]) == (404, "month_not_over")
    page = resident.get("/v1/groups?kind=firm&limit=1").get_json()
    assert (ids(page["items"]), page["next"]) == ([str(firm)], None)


@pytest.mark.usefixtures("staff")
def test_what_operators_type(app: Flask, resident: Caller, tmp_path: Path) -> None:
    make = (
        "groups",
        "make",
        "--kind",
        "estate",
        "--zh",
        "绿景",
        "--en",
        "Green View",
        "--street",
        "zumiao",
        "--listed",
    )
    (estate,) = re.findall(r"#(\d+)", typed(app, *make, *AS))
    typed(
        app,
        "groups",
        "size",
        estate,
        "--people",
        900,
        "--as-of",
        clock.today().isoformat(),
        "--source",
        "居委会",
        *AS,
    )
    assert "900 people" in typed(app, "groups", "show", estate)
    (code,) = re.findall(r"^(\w{12})  ", typed(app, "groups", "code", estate, "--days", 3, *AS))
    agree(resident)
    assert resident.call("POST", f"/v1/groups/{estate}/requests", key="r").status_code == 201
    (request,) = re.findall(r"#(\d+) group", typed(app, "groups", "requests"))
    typed(app, "groups", "answer", request, "--take-in", *AS)
    assert resident.get(f"/v1/groups/{estate}").get_json()["size"]["people"] == 900
    told = resident.call("POST", "/v1/groups/memberships", key="j", json={"code": code})
    assert told.get_json()["code"] == "member_already"

    codes = tmp_path / "codes.csv"
    codes.write_text(f"group,code,expires_on\n{estate},=CMD(),{clock.today()}\n", encoding="gb18030")
    assert "/lines/2: 单元格" in typed(app, "groups", "codes-file", codes, *AS, fails=True)
    codes.write_text(f"group,code,expires_on\n{estate},LVJING2026X,{clock.today()}\n")
    assert "1 codes" in typed(app, "groups", "codes-file", codes, *AS)
    assert "3 codes ended" not in typed(app, "groups", "end-codes", estate, *AS)
    assert "computed" in typed(app, "groups", "recompute", "--month", f"{clock.today():%Y-%m}")
    typed(app, "groups", "board", "--kind", "estate")

    assert "假定/assumed" in typed(app, "groups", "drives", "--drive", "community")
    new = (
        "groups",
        "propose-criterion",
        "community",
        "enrolled",
        "--from",
        clock.today().isoformat(),
        "--zh",
        "不再要求",
    )
    rest = ("--en", "asked no more", "--filled", "dropped", "--source", "区文件", "--reason", "更正", *AS)
    approve(app, typed(app, *new, *rest))
    drop = ("groups", "propose-criterion", "community", "recycles", *new[4:])
    approve(app, typed(app, *drop, *rest))
    said = typed(app, "groups", "apply", "community", estate, "--year", 2026, *AS)
    (number,) = re.findall(r"#(\d+) community", said)
    assert "? sorting" in said
    paper = ("--met", "--document", "案卷 7", "--sha256", "ab" * 32)
    assert "✓ sorting" in typed(app, "groups", "declare", number, "sorting", *paper, *AS)
    reviewed = typed(app, "groups", "review", number, "--recommend", "--reason", "齐全", "--as", "批")
    assert "recommended" in reviewed
    approve(app, typed(app, "groups", "award", "community", "--year", 2026, "--reason", "公示", *AS))
    assert resident.get(f"/v1/groups/{estate}").get_json()["awards"][0]["drive"] == "community"
    assert "closed" in typed(app, "groups", "close", estate, "--reason", "合并", *AS)
    assert resident.get(f"/v1/groups/{estate}").status_code == 404


@pytest.mark.usefixtures("staff")
def test_the_hubs_dossier_is_typed_and_shown(app: Flask, resident: Caller) -> None:
    make = ("groups", "make", "--kind", "hub", "--zh", "岭南大道公交枢纽站", "--en", "Lingnan Avenue bus hub")
    (hub,) = re.findall(r"#(\d+)", typed(app, *make, *AS))
    stated = ("--value", 310_000, "--unit", "kWh", "--year", 2024, "--source", "电表")
    typed(app, "groups", "state-figure", hub, "baseline", "energy_kwh", *stated, *AS)
    assert "310,000 in 2024: 电表" in typed(app, "groups", "dossier", hub)
    with app.app_context(), transaction() as session:
        a_partner_source(session)
        session.execute(text("update source set methodologies = '{travel.metro}' where source_id = 900"))
    typed(app, "groups", "name-station", hub, "tests", "岭南大道", "--from", f"{clock.today():%Y-%m}", *AS)
    assert "counted: 0" in typed(app, "groups", "count-hubs")
    (number,) = re.findall(r"(\d+) tests 岭南大道", typed(app, "groups", "stations", hub))
    typed(app, "groups", "end-station", hub, number, "--from", f"{clock.today():%Y-%m}", *AS)
    (line,) = resident.get(f"/v1/groups/{hub}").get_json()["dossier"]
    assert (line["baseline"]["value"], line["target"], line["measured"]) == (310_000, None, None)


def approve(app: Flask, told: str) -> None:
    """Let the second person approve what was just proposed."""
    (number,) = re.findall(r"#(\d+) waits", told)
    typed(app, "approvals", "approve", number, "--as", "批")
