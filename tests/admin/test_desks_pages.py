"""The desks over the real application: every page in both languages, names as text, forms explained at the field."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import database, transaction
from carbon_credits.groups import group_list, membership
from carbon_credits.residents import consents
from carbon_credits.staff.service import Role
from tests.admin.addresses import pages_of
from tests.admin.conftest import Visitor, Visits
from tests.admin.desk_ground import FORMULA, MARKUP, Ground, laid
from tests.factories.groups import a_group, some_residents

EVERY_DESK = (Role.PROGRAMME, Role.FINANCE, Role.MERCHANT)


@pytest.fixture
def records(app: Flask) -> Iterator[Session]:
    """A session of the test's own."""
    with app.app_context():
        yield database.session()
        database.session.remove()


@pytest.fixture
def ground(app: Flask, vault: Vault) -> Ground:
    """Something on every desk."""
    return laid(app, vault)


def said(visitor: Visitor, path: str) -> str:
    told = visitor.get(path)
    assert told.status_code == 200, (path, told.status_code)
    return told.get_data(as_text=True)


def proposal_of(location: str) -> int:
    found = re.search(r"/admin/approvals/(\d+)$", location)
    assert found is not None, location
    return int(found[1])


def proposed(visitor: Visitor, path: str, **form: str) -> int:
    told = visitor.post(path, form)
    assert told.status_code == 303, unescape(told.get_data(as_text=True))
    return proposal_of(told.headers["Location"])


def approved(visitor: Visitor, number: int) -> None:
    page = said(visitor, f"/approvals/{number}")
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found is not None
    told = visitor.post(f"/approvals/{number}/approve", {"why": "核对无误", "digest": found[1]})
    assert told.status_code == 303, told.get_data(as_text=True)


def test_every_page_is_there_in_both_languages_and_names_are_text(visit: Visits, ground: Ground) -> None:
    visitor, reader = visit(*EVERY_DESK), visit(Role.AUDIT)
    for name, path in pages_of(ground).items():
        sign = "&" if "?" in path else "?"
        chinese, english = said(visitor, path + sign + "lang=zh"), said(visitor, path + sign + "lang=en")
        assert (MARKUP in chinese, MARKUP in english) == (False, False), name
        assert chinese != english
    for path in pages_of(ground).values():
        assert reader.get(path).status_code in {200, 403}, path
    shown = said(visitor, f"/merchants/{ground.applied}?lang=zh")
    assert (unescape(shown).count(MARKUP) > 0, FORMULA in shown) == (True, True)


def test_nobodys_name_number_or_account_is_shown_whole(visit: Visits, ground: Ground) -> None:
    shown = said(visit(Role.MERCHANT), f"/merchants/{ground.applied}")
    assert ("何三友" in shown, "13800000000" in shown, "何**" in shown) == (False, False, True)
    assert "****" in shown
    assert not re.search(r"4400\d{12}", shown)
    assert "陈小姐" not in said(visit(Role.MERCHANT), f"/merchants/{ground.active}")


def test_a_day_is_proposed_and_paid_when_another_approves(visit: Visits, ground: Ground) -> None:
    one, other = visit(Role.FINANCE), visit(Role.FINANCE)
    (first, last) = ground.settlements
    path = f"/settlements/days/{ground.day}"
    assert one.post(f"{path}/propose", {"reason": ""}).status_code == 422
    kept = one.post(f"/settlements/{last}/keep-out", {"reason": "金额待核"})
    assert kept.status_code == 303
    assert one.post(f"{path}/propose", {"reason": "没有待批"}).status_code == 409
    assert one.post(f"/settlements/{last}/let-in", {"reason": "已核"}).status_code == 303
    assert one.post(f"/settlements/{last}/let-in", {"reason": "已核"}).status_code == 409
    number = proposed(one, f"{path}/propose", reason="核对无误")
    assert f"/approvals/{number}" in said(other, path)
    # what was proposed is the day as it was: a settlement kept out since makes it another
    assert one.post(f"/settlements/{last}/keep-out", {"reason": "再核"}).status_code == 303
    digest = re.search(r'name="digest" value="(\w+)"', said(other, f"/approvals/{number}"))
    assert digest is not None
    told = other.post(f"/approvals/{number}/approve", {"why": "批", "digest": digest[1]})
    assert (told.status_code, "提案之后结算单有变化" in told.get_data(as_text=True)) == (409, True)
    assert one.post(f"/settlements/{last}/let-in", {"reason": "已核"}).status_code == 303
    approved(other, number)
    assert "已批准，付款中" in said(one, f"/settlements/{last}")
    assert "待批准" in said(one, f"/settlements/{first}")
    assert one.post(f"/settlements/{last}/retry").status_code == 409


def test_a_deposit_below_the_value_is_refused_at_its_field(visit: Visits, ground: Ground) -> None:
    finance = visit(Role.FINANCE)
    path = f"/funds/{ground.fund}/deposits"
    for wrong, field in (
        ({"points": "1000000", "amount": "1", "reason": "低价"}, "amount"),
        ({"points": "1.5", "amount": "100", "reason": "小数"}, "points"),
        ({"points": "1000", "amount": "abc", "reason": "字母"}, "amount"),
        ({"points": "", "amount": "100", "reason": "空"}, "points"),
        ({"points": "9", "amount": "100", "reason": "债券", "tag-kind": "green_bond"}, "tag-instrument"),
    ):
        told = finance.post(path, wrong)
        page = told.get_data(as_text=True)
        assert told.status_code == 422, wrong
        assert f'id="fault-{field}"' in page, wrong
        assert wrong["reason"] in page
    more = finance.post(path, {"points": "1", "amount": "1", "reason": "多", "fund_id": "9"})
    assert "没有这个字段" in more.get_data(as_text=True)
    number = proposed(finance, path, points="1 000 000", amount="12,000.50", reason="二期")
    page = said(visit(Role.FINANCE), f"/approvals/{number}")
    assert ("¥12\N{NARROW NO-BREAK SPACE}000.50" in page, MARKUP in unescape(page)) == (True, True)


def test_rates_caps_and_the_value_are_proposed_and_refused_at_their_fields(
    visit: Visits, ground: Ground
) -> None:
    programme, finance = visit(Role.PROGRAMME), visit(Role.FINANCE)
    later = (clock.today() + timedelta(days=40)).isoformat()
    rate = {
        "family": "*",
        "evidence_class": "A",
        "points_per_g": "0.06",
        "mature_days": "3",
        "fund_id": str(ground.fund),
    }
    told = programme.post(
        "/rules/rates", {**rate, "points_per_g": "2000", "in_force": "soon", "reason": "错"}
    )
    assert (told.status_code, 'id="fault-in_force"' in told.get_data(as_text=True)) == (422, True)
    number = proposed(programme, "/rules/rates", **rate, in_force=later, reason="上调")
    page = said(visit(Role.PROGRAMME), f"/approvals/{number}")
    # what holds now stands beside what is proposed
    assert page.index(">0.05<") < page.index(">0.06<")
    cap = {
        "kind": "policy",
        "scope": "travel.metro",
        "unit": "points",
        "period": "day",
        "most": "50",
        "in_force": later,
    }
    told = programme.post("/rules/caps", {**cap, "reason": "错"})
    assert (told.status_code, 'id="fault-scope"' in told.get_data(as_text=True)) == (422, True)
    number = proposed(programme, "/rules/caps", **{**cap, "scope": "*"}, reason="收紧")
    assert ">200<" in said(visit(Role.PROGRAMME), f"/approvals/{number}")
    assert (
        finance.post("/rules/values", {"micro_fen": "0", "in_force": later, "reason": "错"}).status_code
        == 422
    )
    number = proposed(finance, "/rules/values", micro_fen="9000", in_force=later, reason="下调")
    approved(visit(Role.FINANCE), number)
    assert "9\N{NARROW NO-BREAK SPACE}000" in said(programme, "/rules/")
    assert finance.post("/rules/rates", rate).status_code == 403


def test_merchants_are_let_in_suspended_and_resumed(visit: Visits, ground: Ground) -> None:
    one, other = visit(Role.MERCHANT), visit(Role.MERCHANT)
    path = f"/merchants/{ground.applied}"
    assert one.post(f"{path}/admission", {"reason": " "}).status_code == 422
    number = proposed(one, f"{path}/admission", reason="资料齐全")
    assert f"/approvals/{number}" in said(other, path)
    approved(other, number)
    assert one.post(f"{path}/stop", {"step": "refuse", "reason": "晚了"}).status_code == 409
    assert one.post(f"{path}/stop", {"step": "nothing", "reason": "错"}).status_code == 422
    assert one.post(f"{path}/stop", {"step": "suspend", "reason": "投诉"}).status_code == 303
    assert "投诉" in said(one, path)
    approved(other, proposed(one, f"{path}/resumption", reason="已整改"))
    assert "营业" in said(one, path)
    assert visit(Role.FINANCE).post(f"{path}/account", {"reason": "换户"}).status_code == 409


def test_who_is_there_for_a_street_sees_and_touches_its_merchants_alone(
    visit: Visits, ground: Ground
) -> None:
    elsewhere, here = visit(Role.MERCHANT, streets={"nanzhuang"}), visit(Role.MERCHANT, streets={"zumiao"})
    for path in (f"/merchants/{ground.active}", f"/offers/{ground.live}"):
        assert (elsewhere.get(path).status_code, here.get(path).status_code) == (404, 200), path
    assert ground.active not in said(elsewhere, "/merchants/")
    assert f"#{ground.live}<" not in said(elsewhere, "/offers/")
    stop = {"step": "suspend", "reason": "越界"}
    assert elsewhere.post(f"/merchants/{ground.active}/stop", stop).status_code == 404
    assert elsewhere.post(f"/merchants/{ground.applied}/admission", {"reason": "越界"}).status_code == 404
    assert elsewhere.post(f"/offers/{ground.live}/stop", {"step": "end", "reason": "越界"}).status_code == 404
    assert elsewhere.post(f"/offers/{ground.put_forward}/propose", {"reason": "越界"}).status_code == 404


def test_an_offer_is_put_up_by_two_or_refused_and_ended_by_one(visit: Visits, ground: Ground) -> None:
    one, other = visit(Role.MERCHANT), visit(Role.MERCHANT)
    path = f"/offers/{ground.put_forward}"
    for wrong in ({"subsidy": "1", "purse": ""}, {"subsidy": "1000", "purse": ground.purse}):
        told = one.post(f"{path}/propose", {**wrong, "reason": "错"})
        assert (told.status_code, 'id="fault-subsidy"' in told.get_data(as_text=True)) == (422, True), wrong
    number = proposed(one, f"{path}/propose", subsidy="1", purse=ground.purse, reason="试点")
    assert "¥100.00" in said(other, f"/approvals/{number}")
    approved(other, number)
    assert one.post(f"{path}/stop", {"step": "refuse", "reason": "晚了"}).status_code == 409
    assert one.post(f"{path}/stop", {"step": "end", "reason": "缺货"}).status_code == 303
    assert "缺货" in said(one, path)


def test_a_programme_of_a_bank_is_written_proposed_and_turned(
    visit: Visits, ground: Ground, records: Session
) -> None:
    one, other = visit(Role.PROGRAMME), visit(Role.PROGRAMME)
    page = said(one, f"/incentives/edit?incentive={ground.draft}")
    typed = {
        name: unescape(value) for name, value in re.findall(r'name="([\w-]+)"[^>]*? value="([^"]*)"', page)
    }
    typed |= {
        name: unescape(value)
        for name, value in re.findall(r'<textarea[^>]*name="([\w-]+)"[^>]*>([^<]*)<', page)
    }
    typed |= {"bank": "chan_bank", "benefit": "rate_discount", "grade": "verified", "families": "travel"}
    typed.pop("csrf")
    wrong = one.post("/incentives/draft", {**typed, "tier-1-from_kg": "many", "window_months": "99"})
    told = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert ('id="fault-tier-1-from_kg"' in told, 'id="fault-window_months"' in told) == (True, True)
    assert 'value="many"' in told
    falling = one.post("/incentives/draft", {**typed, "tier-1-amount": "10"})
    assert "更高档不得更少" in falling.get_data(as_text=True)
    assert one.post("/incentives/draft", {**typed, "tier-1-from_kg": "120.5"}).status_code == 303
    assert "120.5" in said(one, f"/incentives/edit?incentive={ground.draft}")
    # what was opened before is another draft by now: what changed is said, and what was typed is kept
    stale = other.post("/incentives/draft", {**typed, "tier-1-from_kg": "130"})
    told = stale.get_data(as_text=True)
    assert stale.status_code == 409
    assert ("草案已被他人修改" in told, ">120.5<" in told, 'value="130"' in told) == (True, True, True)
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', told)
    assert seen is not None
    assert (
        other.post("/incentives/draft", {**typed, "tier-1-from_kg": "130", "seen": seen[1]}).status_code
        == 303
    )
    number = proposed(one, f"/incentives/{ground.draft}/propose", reason="与银行商定")
    assert one.post("/incentives/draft", typed).status_code == 409
    approved(other, number)
    assert "生效" in said(one, f"/incentives/{ground.draft}")
    for to, state in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
        assert one.post(f"/incentives/{ground.draft}/turn", {"to": to, "reason": "按协议"}).status_code == 303
        found = text("select state from incentive where incentive_id = :number")
        assert records.execute(found, {"number": ground.draft}).scalar_one() == state
        records.rollback()
    assert one.post(f"/incentives/{ground.draft}/turn", {"to": "pause", "reason": "晚了"}).status_code == 404


def test_a_file_of_codes_with_errors_writes_nothing_and_names_each_line(
    visit: Visits, ground: Ground, records: Session
) -> None:
    programme, until = visit(Role.PROGRAMME), (clock.today() + timedelta(days=30)).isoformat()

    def sent(*lines: str) -> tuple[int, str]:
        content = "\n".join(("group,code,expires_on,most", *lines)).encode()
        told = programme.post("/groups/codes", {"file": (BytesIO(content), "codes.csv")})
        return told.status_code, told.get_data(as_text=True)

    good = f"{ground.estate},LVJING2026A7KD,{until},5"
    status, page = sent(good, f"999999,LVJING2026B8KD,{until},1", f"{ground.estate},=cmd(),{until},1", "x")
    assert status == 422
    for line, why in (("4", "单元格不得以"), ("5", "应有 4 列")):
        assert re.search(rf'<th scope="row">{line}</th><td class="console-words">[^<]*{why}', page), line
    assert records.execute(text("select count(*) from join_code")).scalar_one() == 0
    many = [f"{ground.estate},LVJING{n:08}ABCDE,{until},1" for n in range(3_000)]
    assert sent(*many)[0] == 303
    assert sent(good)[0] == 303
    status, page = sent(good)
    assert (status, "该邀请码已登记" in page) == (422, True)
    assert programme.post("/groups/codes").status_code == 422


def test_groups_are_made_sized_listed_let_in_and_closed(
    app: Flask, vault: Vault, visit: Visits, ground: Ground
) -> None:
    programme = visit(Role.PROGRAMME)
    told = programme.post("/groups/new", {"kind": "estate", "name_zh": "", "name_en": "x"})
    assert (told.status_code, 'id="fault-name_zh"' in told.get_data(as_text=True)) == (422, True)
    made = programme.post(
        "/groups/new", {"kind": "estate", "name_zh": MARKUP, "name_en": FORMULA, "street": "shiwan"}
    )
    number = int(made.headers["Location"].rsplit("/", 1)[1])
    assert (
        programme.post(f"/groups/{number}/size", {"people": "0", "as_of": "", "source": ""}).status_code
        == 422
    )
    size = {"people": "320", "as_of": clock.today().isoformat(), "source": "物业名册"}
    assert programme.post(f"/groups/{number}/size", size).status_code == 303
    assert programme.post(f"/groups/{number}/listed", {"listed": "yes"}).status_code == 303
    with app.app_context(), transaction() as session:
        agreed, silent = some_residents(session, vault, 2, clock.now())
        consents.give(session, agreed, consents.Purpose.GROUPS, None, clock.now())
        asked = [membership.ask(session, number, person, clock.now()) for person in (agreed, silent)]
    assert programme.post(f"/groups/requests/{asked[1]}", {"answer": "take_in"}).status_code == 403
    assert programme.post(f"/groups/requests/{asked[0]}", {"answer": "take_in"}).status_code == 303
    assert programme.post(f"/groups/requests/{asked[0]}", {"answer": "refuse"}).status_code == 409
    with app.app_context(), transaction() as session:
        assert group_list.member_count(session, number) == 1
    # who is there for a street sees its groups and no others
    street = visit(Role.STREET, streets={"zumiao"})
    assert (
        street.get(f"/groups/{number}").status_code,
        street.get(f"/groups/{ground.estate}").status_code,
    ) == (404, 200)
    assert f"/groups/{number}" not in said(street, "/groups/")
    assert programme.post(f"/groups/{number}/close", {"reason": "合并"}).status_code == 303
    assert programme.post(f"/groups/{number}/close", {"reason": "合并"}).status_code == 409
    figure = {
        "role": "target",
        "code": "verified_mg",
        "unit": "kg",
        "year": "2027",
        "value": "5",
        "source": "方案",
    }
    assert programme.post(f"/groups/{ground.hub}/figures", figure).status_code == 422
    assert programme.post(f"/groups/{ground.hub}/figures", {**figure, "unit": "mg"}).status_code == 303
    assert "方案" in said(programme, f"/groups/{ground.hub}")


def test_a_hub_is_made_of_stations_and_what_was_counted_there_is_said_to_be_the_least(
    app: Flask, visit: Visits, ground: Ground
) -> None:
    programme, reader = visit(Role.PROGRAMME), visit(Role.AUDIT)
    with app.app_context(), transaction() as session:
        session.execute(
            text("""insert into feed_station select source_id, '岭南大道', :month from source
                    where feed = 'metro_taps'"""),
            {"month": clock.today().replace(day=1)},
        )
    hub = f"/groups/{ground.hub}"
    shown = said(reader, hub)
    assert ("下限" in shown, ">61<" in shown, "加入站点" in shown) == (True, True, False)
    month = f"{clock.today():%Y-%m}"
    form = {"feed": "metro_taps", "station": MARKUP, "from_month": month}
    assert programme.post(hub + "/stations", {**form, "from_month": "2026"}).status_code == 422
    assert programme.post(hub + "/stations", form).status_code == 303
    assert programme.post(hub + "/stations", form).status_code == 409
    assert programme.post(hub + "/stations", {**form, "station": "岭南大道"}).status_code == 303
    counted = {**form, "station": "x", "from_month": f"{clock.today() - timedelta(days=60):%Y-%m}"}
    assert "已计数的月份不变" in programme.post(hub + "/stations", counted).get_data(as_text=True)
    page = said(programme, hub)
    assert (MARKUP in page, '<option value="岭南大道">' in page) == (False, True)
    ends = re.findall(r"/groups/\d+/stations/\d+/end", page)
    assert len(ends) == 2
    assert programme.post(ends[0], {"to_month": "2001-01"}).status_code == 422
    assert programme.post(ends[0], {"to_month": month}).status_code == 303
    assert len(re.findall(r"/groups/\d+/stations/\d+/end", said(programme, hub))) == 1
    with app.app_context(), transaction() as session:
        told = session.execute(
            text("select action from audit_entry where subject = :hub order by 1"),
            {"hub": f"group:{ground.hub}"},
        )
        assert set(told.scalars()) == {"group.station", "group.station_ended"}


def test_from_an_application_to_the_list_that_two_people_put_up(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    one, other = visit(Role.PROGRAMME), visit(Role.PROGRAMME)
    ground = laid(app, vault, one.staff_id)
    path, year = f"/drives/applications/{ground.application}", clock.today().year
    assert (
        one.post("/drives/community/apply", {"group": str(ground.estate), "year": str(year)}).status_code
        == 409
    )
    assert one.post("/drives/mall/apply", {"group": str(ground.estate), "year": str(year)}).status_code == 422
    assert one.post(f"{path}/recommend", {"reason": "自评"}).status_code == 403
    assert other.post(f"{path}/recommend", {"reason": "缺文件"}).status_code == 409
    declared = {"criterion": "sorting", "met": "yes", "document": "案卷 7"}
    assert one.post(f"{path}/declare", {**declared, "sha256": "12"}).status_code == 422
    paper = {**declared, "sha256": "", "file": (BytesIO(b"x" * 200_000), "案卷.pdf")}
    assert one.post(f"{path}/declare", paper).status_code == 303
    assert one.post(f"{path}/fill").status_code == 303
    awards = f"/drives/community/awards/{year}"
    assert one.post(f"{awards}/propose", {"reason": "还没有"}).status_code == 409
    assert other.post(f"{path}/recommend", {"reason": "资料齐全"}).status_code == 303
    number = proposed(one, f"{awards}/propose", reason="年度名单")
    assert "等待另一人审批" in said(one, awards)
    approved(other, number)
    listed = said(one, awards)
    assert (MARKUP in unescape(listed), MARKUP in listed) == (True, False)
    assert "已授牌" in said(one, path)
    asked = {
        "code": "sorting",
        "in_force": clock.today().isoformat(),
        "text_zh": "新",
        "text_en": "New",
        "filled": "data",
    }
    told = one.post(
        "/drives/community/criteria",
        {**asked, "figure": "", "threshold": "", "source": "文件", "reason": "改"},
    )
    assert (told.status_code, 'id="fault-figure"' in told.get_data(as_text=True)) == (422, True)
    right = {**asked, "filled": "declared", "figure": "", "threshold": "", "source": "文件 9", "reason": "改"}
    number = proposed(one, "/drives/community/criteria", **right)
    assert "文件 9" in said(other, f"/approvals/{number}")
    assert other.get("/drives/nothing").status_code == 404


def test_a_group_that_asks_is_put_forward_by_one_and_reviewed_by_another(
    app: Flask, visit: Visits, ground: Ground
) -> None:
    one, other, reader = visit(Role.PROGRAMME), visit(Role.PROGRAMME), visit(Role.AUDIT)
    queue, deeds = "/drives/requests/", f"/drives/requests/{ground.asked}"
    counted = '创建行动申请: 1"'
    assert counted in said(one, "/queues/?lang=zh")
    assert counted not in said(visit(Role.SUPPORT), "/queues/?lang=zh")
    assert f"#{ground.asked}<" in said(one, queue)
    assert "take-up" not in said(reader, queue)
    assert "没有待受理的请求" in said(visit(Role.PROGRAMME, streets={"zumiao"}), queue)
    unsaid = one.post(f"{deeds}/decline", {"reason": " "})
    assert (unsaid.status_code, 'id="fault-reason"' in unsaid.get_data(as_text=True)) == (422, True)
    taken = one.post(f"{deeds}/take-up")
    assert taken.status_code == 303
    application = taken.headers["Location"].removeprefix("/admin")
    shown = said(one, application)
    assert f"#{ground.asked} ·" in shown
    assert "申请人不得自行评审" in shown
    assert 'name="reason"' in said(other, application)
    late = other.post(f"{deeds}/take-up"), other.post(f"{deeds}/decline", {"reason": "名额已满"})
    assert [told.status_code for told in late] == [409, 409]
    assert "名额已满" not in said(one, queue)
    with app.app_context(), transaction() as session:
        row = session.execute(text("select state, decided_by, reason from drive_request")).one()
    assert tuple(row) == ("taken_up", one.staff_id, None)


def test_a_group_is_told_why_not(app: Flask, visit: Visits, ground: Ground) -> None:
    programme = visit(Role.PROGRAMME)
    assert (
        programme.post(f"/drives/requests/{ground.asked}/decline", {"reason": "请先登记人数"}).status_code
        == 303
    )
    with app.app_context(), transaction() as session:
        told = session.execute(text("select state, reason from drive_request")).one()
        deed = session.execute(
            text("select subject, reason from audit_entry where action = 'drive.request_declined'")
        ).one()
    assert (*told, *deed) == ("declined", "请先登记人数", f"drive_request:{ground.asked}", "请先登记人数")


def test_a_list_pages_by_what_was_seen_last(app: Flask, visit: Visits) -> None:
    programme = visit(Role.PROGRAMME)
    with app.app_context(), transaction() as session:
        made = [a_group(session, clock.now()) for _ in range(53)]
    first = said(programme, "/groups/")
    more = re.search(r'href="/admin(/groups/\?[^"]*)" rel="next"', first)
    assert more is not None
    second = said(programme, unescape(more[1]))
    assert (f"#{made[0]}<" in first, f"#{made[-1]}<" in first) == (True, False)
    assert (f"#{made[0]}<" in second, f"#{made[-1]}<" in second) == (False, True)
