"""Figures as people work with them: an official value stated by two, and a table that is asked for and opened."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from sqlalchemy import text
from werkzeug.serving import make_server

from admin.guard import cookie_name
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs import exports as job
from carbon_credits.reporting import export_work
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visitor, Visits
from tests.admin.figure_ground import FORMULA, Figures, laid
from tests.admin.test_desks_in_a_browser import DESK, PHONE, decide, look_at, press, sound
from tests.api.test_docs_in_a_browser import browser

__all__ = ("browser",)

pytestmark = pytest.mark.browser

EVERYTHING = (Role.PROGRAMME, Role.FINANCE, Role.AUDIT)


@dataclass
class House:
    """The console behind a real socket, and what browsers complained of."""

    app: Flask
    url: str
    figures: Figures
    browser: Browser
    cookie: str
    complaints: list[str]
    asked: list[str]

    def seat(self, who: Visitor, size: ViewportSize) -> BrowserContext:
        """A browser in which somebody is signed in."""
        context = self.browser.new_context(viewport=size, locale="zh-CN", accept_downloads=True)
        held = who.client.get_cookie(self.cookie)
        assert held is not None
        safe = self.url.replace("http:", "https:")
        context.add_cookies([{"name": self.cookie, "value": held.value, "url": safe, "secure": True}])
        context.on("request", lambda request: self.asked.append(request.url))
        context.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        return context


@pytest.fixture
def house(app: Flask, vault: Vault, settings: Settings, browser: Browser) -> Iterator[House]:
    """Everything laid out; afterwards nobody else was asked."""
    figures = laid(app, vault)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://localhost:{server.server_port}"
    made = House(app, url, figures, browser, cookie_name(settings, "staff"), [], [])
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    assert {address for address in made.asked if not address.startswith((url, "data:"))} == set()


def test_a_value_is_stated_by_two_and_a_table_asked_for_and_opened(
    house: House, visit: Visits, tmp_path: Path
) -> None:
    one, other = visit(*EVERYTHING), visit(*EVERYTHING)
    with house.seat(one, DESK) as mine, house.seat(other, PHONE) as theirs:
        page, second = mine.new_page(), theirs.new_page()
        state_wrongly(house, page)
        page.get_by_label("数值（吨）").fill("912345.5")
        page.get_by_label("网址").fill("https://example.gov.cn/yearbook")
        press(page, "提交审批")
        expect(page.get_by_role("heading", level=1)).to_contain_text("九种主要再生资源回收量")
        second.goto(page.url)
        decide(second, FORMULA)
        second.get_by_role("link", name="查看").or_(second.locator("main a[href*=indicators]")).first.click()
        expect(second.locator("main")).to_contain_text("912\u202f345.5 吨")
        sound(second)
        # one refused form, which the browser calls an error; nothing was refused by the policy
        assert [said for said in house.complaints if "422" not in said] == []
        ask_and_open(house, page, tmp_path)
        have_a_paper_written(house, page, tmp_path)


def state_wrongly(house: House, page: Page) -> None:
    """What is wrong is said at its field, and what was typed stays."""
    page.goto(f"{house.url}/admin/indicators/?year={house.figures.year}")
    sound(page)
    page.get_by_role("link", name="九种主要再生资源回收量").click()
    page.get_by_text("录入官方数值", exact=True).click()
    page.get_by_label("数值（吨）").fill("约 91 万")
    page.get_by_label("截至日期").fill(f"{house.figures.year}-12-31")
    page.get_by_label("来源文件").fill("统计年鉴")
    page.get_by_label("网址").fill("yearbook")
    page.get_by_label("理由").fill("年鉴公布")
    press(page, "提交审批")
    expect(page.locator("#fault-value")).to_contain_text("应为数字，至多 6 位小数")
    expect(page.locator("#fault-source_address")).to_contain_text("应为网址")
    expect(page.get_by_label("来源文件")).to_have_value("统计年鉴")
    sound(page)


def ask_and_open(house: House, page: Page, folder: Path) -> None:
    """The list follows by itself while a job writes; the formula that was a reason is a text in the file."""
    page.goto(f"{house.url}/admin/exports/")
    page.get_by_label("内容").select_option("audit")
    press(page, "申请")
    expect(page.locator("#exports")).to_contain_text("排队中")
    sound(page)
    with house.app.app_context():
        with transaction() as session:
            number = int(session.execute(text("select max(export_id) from export")).scalar_one())
            export_work.begin(session, number, clock.now())
            export_work.progress(session, number, 12_000)
        expect(page.locator("#exports")).to_contain_text("12\u202f000")
        expect(page.locator("#exports")).to_contain_text("生成中")
        job.write(number)
    expect(page.locator("#exports")).to_contain_text("已完成")
    expect(page.locator("#exports[hx-trigger]")).to_have_count(0)
    sound(page)
    with page.expect_download() as told:
        page.get_by_role("link", name="下载 XLSX").click()
    path = folder / told.value.suggested_filename
    told.value.save_as(path)
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    found = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
    assert found[FORMULA] == "s"


def have_a_paper_written(house: House, page: Page, folder: Path) -> None:
    """An evaluation's page says that its PDF is being written, how far it is, and then where it is."""
    page.goto(f"{house.url}/admin/evaluations/{house.figures.pack}")
    press(page, "生成 PDF")
    papers = page.locator("#papers")
    expect(papers).to_contain_text("排队中")
    sound(page)
    with house.app.app_context():
        with transaction() as session:
            number = int(session.execute(text("select max(export_id) from export")).scalar_one())
            export_work.begin(session, number, clock.now())
            export_work.progress(session, number, 3, 12)
        expect(papers).to_contain_text("3 / 12")
        job.write(number)
    with page.expect_download() as told:
        papers.get_by_role("link", name="下载 PDF").click()
    path = folder / told.value.suggested_filename
    told.value.save_as(path)
    assert (path.suffix, path.read_bytes()[:5]) == (".pdf", b"%PDF-")
    expect(page.locator("#papers[hx-trigger]")).to_have_count(0)
    sound(page)


def test_every_page_of_figures_is_sound_on_a_desk_and_on_a_phone(house: House, visit: Visits) -> None:
    reader, figures = visit(*EVERYTHING), house.figures
    paths = (
        "/participation/",
        f"/indicators/?year={figures.year}",
        f"/indicators/recycling.nine_materials?year={figures.year}",
        f"/indicators/basis.population?year={figures.year}",
        "/evaluations/",
        f"/evaluations/{figures.pack}",
        "/proceeds/",
        "/proceeds/report",
        f"/proceeds/{figures.money}",
        "/exports/",
    )
    with house.seat(reader, DESK) as context:
        look_at(context.new_page(), f"{house.url}/admin", paths)
    assert house.complaints == []
