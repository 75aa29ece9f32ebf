"""The desk of campaigns: contradictions at their fields, another's change shown, what was proposed stays."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask

from admin.guard import cookie_name
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.jobs.campaigns import simulate_all
from carbon_credits.programme import campaigns
from carbon_credits.programme.campaign_themes import CALENDAR
from carbon_credits.reporting.kept_effects import compute_next
from carbon_credits.staff.service import Role
from tests.admin.campaign_ground import FORMULA, MARKUP, a_form, money, some_life
from tests.admin.conftest import Visitor, Visits
from tests.admin.test_desks_pages import approved, proposed, said
from tests.factories.campaigns import a_document, launched, pin_lots
from tests.factories.district import a_district, plant


@pytest.fixture
def funded(app: Flask) -> tuple[int, int]:
    """A fund to pay from; two members of staff of the programme."""
    with app.app_context(), transaction() as session:
        return money(session)


def drafted(visitor: Visitor, **given: Any) -> str:
    told = visitor.post("/campaigns/draft", a_form(**given))
    assert told.status_code == 303, unescape(told.get_data(as_text=True))
    return str(told.headers["Location"]).removeprefix("/admin")


def faults_in(html: str) -> set[str]:
    return set(re.findall(r'id="fault-([\w-]+)"', html))


def test_a_themed_day_is_a_beginning_and_nothing_there_says_how_to_begin(
    visit: Visits, funded: tuple[int, int]
) -> None:
    visitor = visit(Role.PROGRAMME)
    shown = said(visitor, "/campaigns/?lang=zh")
    assert all(theme.name.zh in shown for theme in CALENDAR)
    assert "从下面的主题日选一个开始" in shown
    # the week that is announced anew each year says what is assumed
    assert "以国家发展改革委通知为准" in shown
    begun = said(visitor, f"/campaigns/new?theme=low_carbon_day&year={clock.today().year + 1}")
    assert f'value="low_carbon_day_{clock.today().year + 1}"' in begun
    assert re.search(r'value="travel.no_car_day" checked', begun)
    assert visitor.get("/campaigns/new?theme=may_day").status_code == 404
    assert "/campaigns/new" not in said(visit(Role.AUDIT), "/campaigns/")


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"starts_on": "2027-05-20", "ends_on": "2027-05-19"}, {"ends_on"}),
        ({"cap_day": "50", "cap_week": "40"}, {"cap_week"}),
        ({"budget_points": "many"}, {"budget_points"}),
        ({"budget_points": "", "name_en": ""}, {"budget_points", "name_en"}),
        ({"bonus_points": "5"}, {"bonus_points"}),
        ({"reward": "bonus", "multiplier": "", "bonus_points": "5"}, {"cap_day"}),
        ({"audience": "streets"}, {"streets"}),
        ({"audience": "new", "streets": "zumiao"}, {"streets", "audience_days"}),
        ({"methodologies": []}, {"methodologies"}),
        ({"methodologies": ["travel.rocket"]}, {"methodologies"}),
        ({"holdout_percent": "51"}, {"holdout_percent"}),
        ({"holdout_percent": "a tenth"}, {"holdout_percent"}),
        ({"source_fund": "another"}, {"source_fund"}),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_said_at_its_field_and_what_was_typed_stays(
    visit: Visits, funded: tuple[int, int], changed: dict[str, Any], fields: set[str]
) -> None:
    visitor = visit(Role.PROGRAMME)
    told = visitor.post("/campaigns/draft", a_form(text_zh="留着的文字", **changed))
    html = told.get_data(as_text=True)
    assert (told.status_code, faults_in(html)) == (422, fields)
    assert ("留着的文字" in html, re.search(r"(小于|less than) \w+_\w+", html)) == (True, None)
    assert "还没有活动" in said(visitor, "/campaigns/?lang=zh")


def test_two_who_change_one_draft_see_what_the_other_did(
    visit: Visits, funded: tuple[int, int], settings: Settings
) -> None:
    one, other = visit(Role.PROGRAMME), visit(Role.PROGRAMME)
    path = drafted(one)
    assert one.post(path + "/change", a_form(version="1", multiplier="2", cap_day="30")).status_code == 303
    told = other.post(path + "/change?lang=zh", a_form(version="1", multiplier="1.8", name_zh="我的地球日"))
    html = unescape(told.get_data(as_text=True))
    assert told.status_code == 409
    changed = html.split("其间别人的修改")[-1].split("</table>")[0]
    assert one.name in html
    # as it was opened, as it is, as it was typed
    assert [part in changed for part in ("1.5 倍", "2 倍", "1.8 倍", "30 积分", "不设")] == [True] * 5
    assert ('value="我的地球日"' in html, 'name="version" value="2"' in html) == (True, True)
    assert other.post(path + "/change", a_form(version="2", multiplier="1.8")).status_code == 303
    assert "1.8 倍" in said(one, path + "?lang=zh")
    # what was typed when a session had ended waits behind the sign-in, all of it
    one.client.delete_cookie(cookie_name(settings, "staff"))
    held = one.post("/campaigns/draft", a_form())
    assert (held.status_code, 'name="kept:campaign_code" value="earth"' in held.get_data(as_text=True)) == (
        401,
        True,
    )
    code = other.post("/campaigns/draft", a_form())
    assert (code.status_code, faults_in(code.get_data(as_text=True))) == (409, {"campaign_code"})


def test_what_cannot_be_proposed_says_why_and_names_the_other_with_a_link(
    visit: Visits, funded: tuple[int, int]
) -> None:
    one = visit(Role.PROGRAMME)
    first = drafted(one)
    proposed(one, first + "/propose", version="1", reason="年度计划")
    second = drafted(one, campaign_code="again", name_zh="另一个", budget_points="2000000")
    shown = said(one, second + "?lang=zh")
    assert f'<a href="/admin{first}">世界地球日</a>' in shown
    assert "资金池只剩" in shown
    told = one.post(second + "/propose", {"version": "1", "reason": "也要"})
    assert (told.status_code, f"/admin{first}" in told.get_data(as_text=True)) == (422, True)
    # at the field in the wizard too
    wizard = said(one, second + "/edit?lang=zh")
    assert faults_in(wizard) == {"methodologies", "budget_points"}
    assert f'<a href="/admin{first}">' in wizard
    assert one.post(second + "/propose", {"version": "9", "reason": "旧页"}).status_code == 409
    assert one.post(second + "/propose", {"version": "1", "reason": ""}).status_code == 422
    # whoever may only read is offered nothing
    reader = said(visit(Role.FINANCE), second)
    assert "/propose" not in reader


def test_a_second_person_reads_it_whole_and_what_was_changed_since_is_refused(
    visit: Visits, app: Flask, funded: tuple[int, int]
) -> None:
    one, other = visit(Role.PROGRAMME), visit(Role.PROGRAMME)
    path = drafted(one, name_zh=MARKUP, name_en=FORMULA)
    number = proposed(one, path + "/propose", version="1", reason="年度计划")
    shown = said(other, f"/approvals/{number}?lang=zh")
    assert (MARKUP in shown, MARKUP in unescape(shown)) == (False, True)
    for words in (
        "1.5 倍",
        "骑自行车出行",
        "乘坐地铁",
        "10 000 积分".replace(" ", "\u202f", 1),
        "¥0.40",
        "没有做过",
    ):
        assert words in unescape(shown), words
    digest = re.search(r'name="digest" value="(\w+)"', shown)
    assert digest is not None
    assert one.post(path + "/change", a_form(version="1")).status_code == 409
    # taken back, changed, proposed anew: what the other person still has open is no longer there
    assert one.post(path + "/reopen").status_code == 303
    assert one.post(path + "/change", a_form(version="1", name_zh=MARKUP)).status_code == 303
    again = proposed(one, path + "/propose", version="2", reason="改了名称")
    told = other.post(f"/approvals/{number}/approve", {"why": "批", "digest": digest[1]})
    assert told.status_code == 409
    assert other.post(f"/approvals/{again}/approve", {"why": "批", "digest": digest[1]}).status_code == 409
    approved(other, again)
    shown = said(one, path + "?lang=zh")
    assert (MARKUP in shown, "已批准，待开始" in shown, "¥0.40" in shown) == (False, True, True)
    assert one.post(path + "/pause", {"reason": "还没开始"}).status_code == 409
    assert one.post(path + "/withdraw", {"reason": ""}).status_code == 422
    assert one.post(path + "/withdraw", {"reason": "改期"}).status_code == 303
    assert one.post(path + "/withdraw", {"reason": "改期"}).status_code == 409
    assert "已撤回" in said(one, path + "?lang=zh")


def test_a_simulation_beside_a_variant_is_of_the_draft_it_was_asked_for(
    visit: Visits, app: Flask, funded: tuple[int, int]
) -> None:
    today = clock.today()
    some_life(app, today - timedelta(days=14), today - timedelta(days=2))
    visitor = visit(Role.PROGRAMME)
    path = drafted(visitor, budget_points="3000", holdout_percent="")
    trials = path + "/simulations"
    told = visitor.post(trials + "/ask", {"weeks": "1"})
    assert (told.status_code, faults_in(told.get_data(as_text=True))) == (422, {"weeks"})
    tried = {name: one for name, one in a_form().items() if name not in ("campaign_code", "theme")}
    tried = {name: one for name, one in tried.items() if not name.endswith(("_zh", "_en"))}
    wrong = visitor.post(trials + "/compare", {**tried, "weeks": "3", "multiplier": "0.5"})
    assert (wrong.status_code, faults_in(wrong.get_data(as_text=True))) == (422, {"multiplier"})
    asked = visitor.post(trials + "/compare", {**tried, "weeks": "3", "multiplier": "3", "cap_day": "40"})
    assert asked.status_code == 303
    one = str(asked.headers["Location"]).removeprefix("/admin")
    assert 'hx-trigger="every 2s"' in said(visitor, one)
    with app.app_context():
        assert simulate_all() == 1
    shown = unescape(said(visitor, one + "?lang=zh"))
    assert ("变体不同之处" in shown, "1.5 倍" in shown, "3 倍" in shown) == (True, True, True)
    assert ("因此少得：每人每日上限" in shown, "结果过时" in shown, "hx-trigger" in shown) == (
        True,
        False,
        False,
    )
    assert visitor.get(one.replace(path, "/campaigns/999999")).status_code == 404
    visitor.post(path + "/change", a_form(version="1"))
    assert "结果过时" in said(visitor, one + "?lang=zh")
    assert "内容已改，结果过时" in said(visitor, trials + "/?lang=zh")


def test_a_report_says_what_it_cannot_say(visit: Visits, app: Flask, funded: tuple[int, int]) -> None:
    today = clock.today()
    visitor = visit(Role.FINANCE)
    with app.app_context(), transaction() as session:
        coming = campaigns.draft(session, a_document(**_days(today, 40)), funded[0]).campaign_id
        past = {**_days(today, -5), "methodologies": ["recycling.paper"], "code": "paper"}
        running = launched(session, funded, **past).campaign_id
    assert "活动尚未开始" in said(visitor, f"/campaigns/{coming}/report?lang=zh")
    assert "还没有报告" in said(visitor, f"/campaigns/{running}/report?lang=zh")
    home = said(visitor, "/?lang=zh")
    assert ("正在进行的活动" in home, f"/admin/campaigns/{running}" in home, "全国低碳日" in home) == (
        True,
    ) * 3
    with app.app_context(), transaction() as session:
        assert compute_next(session, clock.now()) == 1
    shown = said(visitor, f"/campaigns/{running}/report?lang=zh")
    assert ("启动时还没有人在内" in shown, "没有加赠被上限" in shown) == (True, True)


def _days(today: date, after: int) -> dict[str, str]:
    first = today + timedelta(days=after)
    return {"starts_on": first.isoformat(), "ends_on": (first + timedelta(days=8)).isoformat()}


def test_a_report_tells_an_effect_from_none(
    visit: Visits, app: Flask, funded: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    since, days = date(2026, 6, 1), 10
    until = since + timedelta(days=days - 1)
    with app.app_context(), transaction() as session:
        a_district(session, people=400, since=since, days=days, seed=4)
        terms = {"methodologies": ["travel.cycling"], "holdout_ppm": 400_000}
        # chance alone shows no effect under it
        pin_lots(monkeypatch, bytes([5]) * 16)
        between = {"starts_on": since.isoformat(), "ends_on": until.isoformat()}
        ran = launched(session, funded, **between, **terms).campaign_id
        assert compute_next(session, clock.midnight(until + timedelta(days=1))) == 1
    visitor = visit(Role.PROGRAMME)
    path = f"/campaigns/{ran}/report"
    shown = said(visitor, path + "?lang=zh")
    assert ("与没有效果无法区分" in shown, "有效果：" in shown, "结束 28 天后才能看" in shown) == (
        True,
        False,
        True,
    )
    with app.app_context(), transaction() as session:
        plant(session, ran, since, until, percent=100)
        assert compute_next(session, clock.midnight(until + timedelta(days=30))) == 1
    shown = said(visitor, path + "?lang=zh")
    assert ("有效果：多减排" in shown, "其后 28 天看不出" in shown) == (True, True)
    assert (shown.count("<circle"), "与零无法区分" in shown) == (4, True)
