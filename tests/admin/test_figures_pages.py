"""Exports, the plan's figures, evaluations, money's purpose and participation, as members of staff read and ask."""

import csv
import io
from datetime import timedelta
from hashlib import sha256
from html import unescape
from typing import Any, Final

import openpyxl
import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import text

from admin import measures
from admin.forms import Form
from carbon_credits import approving
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs import exports as job
from carbon_credits.reporting import export_work, exports, indicators_official, proceeds_readings
from carbon_credits.reporting.indicators_declared import Unit
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visitor, Visits
from tests.admin.figure_ground import FORMULA, TAG, Figures, laid

TODAY: Final = clock.today().isoformat()
# should midnight fall into the run, what is written is of this day
TOMORROW: Final = (clock.today() + timedelta(days=1)).isoformat()
AUDIT: Final = {
    "kind": "audit",
    "format": "xlsx",
    "first": TODAY,
    "last": TOMORROW,
    "methodology": "",
    "fund": "",
}
STATED: Final = {
    "value": "912,345.5",
    "as_of": TODAY,
    "street": "",
    "source_title": "禅城区统计年鉴",
    "source_page": "87",
    "source_address": "https://example.gov.cn/x",
    "reason": "年鉴公布",
}


@pytest.fixture
def figures(app: Flask, vault: Vault) -> Figures:
    """A year that was read, stated and frozen."""
    return laid(app, vault)


def read(visitor: Visitor, path: str, status: int = 200) -> str:
    told = visitor.get(path)
    assert told.status_code == status, (path, told.status_code)
    return unescape(told.get_data(as_text=True))


def newest(app: Flask, table: str, column: str) -> int:
    with app.app_context(), transaction() as session:
        return int(session.execute(text(f"select max({column}) from {table}")).scalar_one())


def test_an_export_is_asked_for_written_followed_and_handed_out(app: Flask, visit: Visits) -> None:
    auditor, other = visit(Role.AUDIT), visit(Role.AUDIT, streets={"zumiao"})
    assert 'hx-trigger="every 2s"' not in read(auditor, "/exports/")
    assert auditor.post("/exports/", AUDIT).status_code == 303
    number = newest(app, "export", "export_id")
    waiting = read(auditor, "/exports/")
    assert ("排队中" in waiting, 'hx-trigger="every 2s"' in waiting, f"/{number}/file" in waiting) == (
        True,
        True,
        False,
    )
    assert auditor.get(f"/exports/{number}/file").status_code == 409
    with app.app_context():
        with transaction() as session:
            export_work.begin(session, number, clock.now())
            export_work.progress(session, number, 1_234)
        running = read(auditor, "/exports/")
        job.write(number)
    assert ("生成中" in running, "1\u202f234" in running) == (True, True)
    done = read(auditor, "/exports/")
    assert ("已完成" in done, 'hx-trigger="every 2s"' in done) == (True, False)
    told = auditor.get(f"/exports/{number}/file")
    content = told.get_data()
    assert (
        told.headers["Content-Disposition"] == f"attachment; filename=audit-{TODAY}-{TOMORROW}-{number}.xlsx"
    )
    assert told.headers["X-Content-Type-Options"] == "nosniff"
    assert told.headers["Cache-Control"] == "no-store"
    assert int(told.headers["Content-Length"]) == len(content)
    assert sha256(content).hexdigest() in done
    # another's is not there, nor for whoever has a territory alone
    assert other.get(f"/exports/{number}/file").status_code == 404
    assert visit(Role.PROGRAMME).get(f"/exports/{number}/file").status_code == 404
    with app.app_context(), transaction() as session:
        asked = text("select count(*) from audit_entry where action = 'export.read' and subject = :subject")
        assert session.execute(asked, {"subject": f"export:{number}"}).scalar_one() == 1
    # erased by hand by whoever asked; another's is not there to be erased
    assert f"/exports/{number}/erase" in done
    assert visit(Role.PROGRAMME).post(f"/exports/{number}/erase", {}).status_code == 404
    assert auditor.post(f"/exports/{number}/erase", {}).status_code == 303
    gone = read(auditor, "/exports/")
    assert ("已删除" in gone, f"/exports/{number}/file" in gone) == (True, False)
    assert auditor.post(f"/exports/{number}/erase", {}).status_code == 409
    assert auditor.name in read(visit(Role.AUDIT), "/exports/?whose=all")
    assert auditor.name not in read(visit(Role.PROGRAMME), "/exports/?whose=all")


def test_what_is_wrong_with_a_wish_stands_at_its_field_and_nothing_is_asked(
    app: Flask, visit: Visits
) -> None:
    finance, street = visit(Role.FINANCE), visit(Role.STREET, streets={"zumiao"})
    assert "审计记录" not in read(finance, "/exports/")
    assert "每日汇总" in read(street, "/exports/")
    for changes, said in (
        ({"kind": "audit"}, "请从列出的选项中选择"),
        ({"kind": "postings"}, "必填"),
        ({"kind": "settlements", "fund": "base"}, "此类导出没有这个条件"),
        ({"kind": "rollup", "methodology": "nothing"}, "没有这个方法学"),
        ({"kind": "rollup", "first": "2026-02-30"}, "应为日期"),
        ({"kind": "rollup", "first": "2020-01-01"}, "最多导出 366 天"),
        ({"kind": "rollup", "format": "pdf"}, "请从列出的选项中选择"),
    ):
        told = finance.post("/exports/", {**AUDIT, **changes})
        assert (told.status_code, said in told.get_data(as_text=True)) == (422, True), changes
    for _ in range(exports.MOST_WAITING):
        assert finance.post("/exports/", {**AUDIT, "kind": "rollup"}).status_code == 303
    told = finance.post("/exports/", {**AUDIT, "kind": "rollup"})
    assert (told.status_code, "排队中的导出过多" in told.get_data(as_text=True)) == (409, True)
    number = newest(app, "export", "export_id")
    with app.app_context(), transaction() as session:
        export_work.begin(session, number, clock.now())
        export_work.fail(session, number, "OSError", clock.now())
    failed = read(finance, "/exports/")
    assert ("生成时出错，已记录" in failed, "OSError" in failed) == (True, False)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_formula_in_a_reason_is_a_text_in_the_file(app: Flask, visit: Visits, kind: str) -> None:
    auditor, finance, second = visit(Role.AUDIT), visit(Role.FINANCE), visit(Role.FINANCE)
    value = {"in_force": "2099-01-01", "micro_fen": 9, "reason": "x"}
    with app.app_context(), transaction() as session:
        number = approving.propose(session, "point.value", value, "x", finance.name).approval_id
        approving.decide(session, number, second.name, approve=False, why=FORMULA)
    auditor.post("/exports/", {**AUDIT, "format": kind})
    export = newest(app, "export", "export_id")
    with app.app_context():
        job.write(export)
    content = auditor.get(f"/exports/{export}/file").get_data()
    if kind == "csv":
        cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
        assert ("'" + FORMULA in cells, FORMULA in cells) == (True, False)
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        assert sheet is not None
        found = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
        assert found[FORMULA] == "s"


def test_official_and_ours_stand_apart_with_source_people_and_coverage(
    figures: Figures, visit: Visits
) -> None:
    reader = visit(Role.METHODOLOGY)
    page = read(reader, f"/indicators/?year={figures.year}")
    row = page[page.index("九种主要再生资源回收量") :].partition("</tr>")[0]
    # the plan's target, the bureau's figure with source and people, ours with its share
    for part in ("900\u202f000 吨", "912\u202f345.5 吨", FORMULA, "提 → 批", "0.1375 吨"):
        assert part in row, part
    one = read(reader, f"/indicators/recycling.nine_materials?year={figures.year}")
    for part in ("不含企业与拆解来源", "居民在站点交投并称重的", "data-chart", "第 87 页", "二（八）26"):
        assert part in one, part
    # three people of Zhangcha are nobody's to see, nor those who would give them away
    streets = one[one.index("按镇街") :].partition("</table>")[0]
    hidden = streets[streets.index("张槎") :].partition("</tr>")[0]
    assert hidden.count("—") == 5
    assert "录入官方数值" not in one
    assert "不是" in read(reader, f"/indicators/travel.green_share?year={figures.year}&lang=en").replace(
        "It is not", "不是"
    )
    assert "该年尚未读数" in read(reader, f"/indicators/travel.green_share?year={figures.year - 2}&lang=zh")


def test_an_official_value_is_typed_as_people_say_it_and_kept_exactly(
    app: Flask, figures: Figures, visit: Visits
) -> None:
    programme, second = visit(Role.PROGRAMME), visit(Role.PROGRAMME)
    path = f"/indicators/recycling.nine_materials/official?year={figures.year}"
    wrong = {
        **STATED,
        "value": "九十万",
        "as_of": "2099-01-01",
        "source_title": "",
        "source_address": "ftp://x",
    }
    told = programme.post(path, wrong)
    page = unescape(told.get_data(as_text=True))
    assert told.status_code == 422
    for field in ("value", "as_of", "source_title", "source_address"):
        assert f'id="fault-{field}"' in page, field
    assert ('value="九十万"' in page, "年鉴公布" in page) == (True, True)
    assert programme.post(path, {**STATED, "value": "1.1234567"}).status_code == 422
    assert programme.post(path, {**STATED, "street": "zumiao"}).status_code == 422
    assert programme.post("/indicators/nothing/official", STATED).status_code == 404
    assert programme.post(path, STATED).status_code == 303
    number = newest(app, "approval", "approval_id")
    page = read(second, f"/approvals/{number}")
    digest = page.partition('name="digest" value="')[2].partition('"')[0]
    assert (
        second.post(f"/approvals/{number}/approve", {"why": "与原件相符", "digest": digest}).status_code
        == 303
    )
    with app.app_context(), transaction() as session:
        found = indicators_official.history(session, "recycling.nine_materials")[0][1]
    assert (found.value, found.entered_by, found.approved_by) == (
        912_345_500_000,
        programme.name,
        second.name,
    )


@pytest.mark.parametrize(
    ("unit", "typed", "value"),
    [
        (Unit.PPM, "75.0001 %", 750_001),
        (Unit.PPM, "-7", -70_000),
        (Unit.GRAM, "900，000.000001", 900_000_000_001),
        (Unit.METRES_PER_10000, "1.250", 1_250),
        (Unit.PEOPLE, "1 310 000", 1_310_000),
        (Unit.PEOPLE, "1.5", None),
        (Unit.PPM, "75.00001", None),
        (Unit.WATT, "1e5", None),
        (Unit.PPM, "", None),
    ],
)
def test_what_is_typed_is_taken_exactly_or_refused(
    app: Flask, unit: Unit, typed: str, value: int | None
) -> None:
    with app.test_request_context(method="POST", data={"value": typed}):
        form = Form("value")
        found = measures.read(form, "value", unit)
    assert (found, bool(form.faults)) == ((0, True) if value is None else (value, False))
    if value is not None:
        assert measures.plain(value, unit).lstrip("-").isascii()


def test_an_evaluation_is_frozen_proposed_and_written(app: Flask, figures: Figures, visit: Visits) -> None:
    programme, second = visit(Role.PROGRAMME), visit(Role.PROGRAMME)
    wish = {"year": str(figures.year), "seen": str(figures.pack)}
    assert f'name="seen" value="{figures.pack}"' in read(programme, "/evaluations/")
    for _ in range(2):
        assert programme.post("/evaluations/", wish).status_code == 303
    waiting = read(programme, "/evaluations/")
    assert ("排队中" in waiting, 'hx-trigger="every 2s"' in waiting) == (True, True)
    with app.app_context():
        job.write(newest(app, "export", "export_id"))
    # a page sent twice makes one draft, also when the first is there already
    assert programme.post("/evaluations/", wish).status_code == 303
    pack = newest(app, "evaluation_pack", "pack_id")
    assert pack == figures.pack + 1
    made = read(programme, "/evaluations/")
    assert ("排队中" in made, 'hx-trigger="every 2s"' in made, f"/evaluations/{pack}" in made) == (
        False,
        False,
        True,
    )
    page = read(programme, f"/evaluations/{pack}")
    digest = page.partition('<code class="console-code">')[2].partition("<")[0]
    assert len(digest) == 64
    assert digest in read(visit(Role.AUDIT), "/evaluations/")
    # of a year of which nothing was read there is none; an older draft cannot be proposed any more
    assert programme.post("/evaluations/", {**wish, "year": str(figures.year - 3)}).status_code == 409
    assert programme.post("/evaluations/", {**wish, "year": "1999"}).status_code == 422
    assert programme.post(f"/evaluations/{figures.pack}/propose", {"reason": "审定"}).status_code == 409
    assert programme.post(f"/evaluations/{pack}/propose", {"reason": ""}).status_code == 422
    assert programme.post(f"/evaluations/{pack}/propose", {"reason": "审定"}).status_code == 303
    number = newest(app, "approval", "approval_id")
    shown = read(second, f"/approvals/{number}").partition('name="digest" value="')[2].partition('"')[0]
    assert second.post(f"/approvals/{number}/approve", {"why": "无误", "digest": shown}).status_code == 303
    assert programme.post(f"/evaluations/{pack}/papers", {"format": "csv"}).status_code == 422
    for ending, kind in (("pdf", "application/pdf"), ("xlsx", "application/vnd.openxmlformats")):
        assert programme.post(f"/evaluations/{pack}/papers", {"format": ending}).status_code == 303
        export = newest(app, "export", "export_id")
        with app.app_context():
            with transaction() as session:
                export_work.begin(session, export, clock.now())
                export_work.progress(session, export, 7, 40)
            writing = read(second, f"/evaluations/{pack}")
            assert ("7 / 40" in writing, 'hx-trigger="every 2s"' in writing) == (True, True)
            job.write(export)
        assert f"/exports/{export}/file" in read(second, f"/evaluations/{pack}")
        file = second.get(f"/exports/{export}/file")
        name = f"attachment; filename=evaluation-{figures.year}-v2-final.{ending}"
        assert (file.headers["Content-Disposition"], file.headers["Content-Type"][: len(kind)]) == (
            name,
            kind,
        )
        content = file.get_data()
        if ending == "pdf":
            assert digest in PdfReader(io.BytesIO(content)).pages[0].extract_text()
        else:
            book = openpyxl.load_workbook(io.BytesIO(content))
            types = {
                c.data_type for sheet in book for row in sheet.iter_rows() for c in row if c.value == FORMULA
            }
            assert types == {"s"}


def test_money_is_told_by_instrument_and_tagged_anew_by_two(
    app: Flask, figures: Figures, visit: Visits
) -> None:
    finance, second = visit(Role.FINANCE), visit(Role.FINANCE)
    assert "绿色债 01" in read(finance, "/proceeds/")
    assert "还没有报告" in read(finance, "/proceeds/report")
    with app.app_context(), transaction() as session:
        assert proceeds_readings.read_due(session, clock.today() + timedelta(days=1)) == 1
    report = read(finance, f"/proceeds/report?until={TODAY}")
    for part in ("绿色债券 · 绿色债 01", "¥5\u202f000.00", "未发放", "募集说明书 p. 12"):
        assert part in report, part
    assert "还没有报告" in read(finance, "/proceeds/report?until=2020-01-01")
    assert read(finance, "/proceeds/report?until=x", 422)
    assert read(finance, "/proceeds/999999999", 404)
    tag: dict[str, Any] = {f"tag-{name}": value for name, value in TAG.items()}
    path = f"/proceeds/{figures.money}"
    for changes, field in (
        ({"tag-kind": ""}, "tag-kind"),
        ({"tag-matures_on": ""}, "tag-matures_on"),
        ({"tag-document": ""}, "tag-document"),
        ({"reason": ""}, "reason"),
    ):
        told = finance.post(path, {**tag, "reason": "更正", **changes})
        assert (told.status_code, f'id="fault-{field}"' in told.get_data(as_text=True)) == (422, True), field
    assert finance.post(path, {**tag, "tag-document": FORMULA, "reason": "更正"}).status_code == 303
    number = newest(app, "approval", "approval_id")
    shown = read(second, f"/approvals/{number}").partition('name="digest" value="')[2].partition('"')[0]
    assert second.post(f"/approvals/{number}/approve", {"why": "无误", "digest": shown}).status_code == 303
    assert FORMULA in read(finance, path)


def test_a_month_of_few_is_not_shown_nor_worked_out(app: Flask, visit: Visits) -> None:
    month = clock.today().replace(day=1)
    with app.app_context(), transaction() as session:
        for street, many in (("zumiao", 4_321), ("shiwan", 57), ("zhangcha", 7)):
            session.execute(
                text("insert into rollup_people values ('month', :month, :street, :many)"),
                {"month": month, "street": street, "many": many},
            )
    page = read(visit(Role.PROGRAMME), "/participation/")
    assert "4\u202f385 /" in page
    # which population it is held against, and that nobody has approved it yet
    assert ("1\u202f330\u202f300" in page, "初始假设" in page) == (True, True)
    # seven are hidden, and so is the next smallest: the total less the others would tell seven
    assert ("7 / 0" in page, "57 / 0" in page, "4\u202f321 / 0" in page) == (False, False, True)
    street = read(visit(Role.STREET, streets={"zumiao"}), "/participation/")
    assert ("4\u202f321 / 0" in street, "石湾" in street, "常住人口" in street) == (True, False, False)
