"""A campaign from a themed day to its end as two people make it: simulated, approved, run, ended."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from werkzeug.serving import make_server

from admin.guard import cookie_name
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.ids import resident_id
from carbon_credits.jobs.campaigns import simulate_all
from carbon_credits.jobs.periodic import run_task
from carbon_credits.reporting.kept_effects import compute_next
from carbon_credits.staff import sessions
from carbon_credits.staff.service import Role
from tests.admin.campaign_ground import PEOPLE, a_ride_at, money, some_life
from tests.api.test_docs_in_a_browser import browser
from tests.factories.staff import SignsIn, who_signs_in

__all__ = ("browser",)

pytestmark = pytest.mark.browser

DESK: Final[ViewportSize] = {"width": 1440, "height": 900}
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
GRAVE: Final = {"serious", "critical"}
# how long ago the campaign is made: its first day is over when it is launched
AGO: Final = timedelta(days=2)


@dataclass
class Office:
    """The console behind a real socket, and what browsers complained of."""

    app: Flask
    vault: Vault
    url: str
    browser: Browser
    cookie: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def seat(self, who: SignsIn) -> BrowserContext:
        """A browser in which somebody has just signed in."""
        with self.app.app_context(), transaction() as session:
            token = sessions.begin(
                session, self.vault, who.staff_id, clock.now(), address="127.0.0.1", agent="tests"
            )
        context = self.browser.new_context(viewport=DESK, locale="zh-CN")
        safe = self.url.replace("http:", "https:")
        context.add_cookies([{"name": self.cookie, "value": token, "url": safe, "secure": True}])
        context.on("request", lambda request: self.asked.append(request.url))
        context.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        return context


@pytest.fixture
def office(app: Flask, vault: Vault, settings: Settings, browser: Browser) -> Iterator[Office]:
    """Served; afterwards nobody else was asked, and nothing was refused but what asks for the second factor."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://localhost:{server.server_port}"
    made = Office(app, vault, url, browser, cookie_name(settings, "staff"))
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    assert {address for address in made.asked if not address.startswith((url, "data:"))} == set()
    # what asks for the second factor, or explains a form, says so by its status, which browsers note
    assert [one for one in made.complaints if not re.search(r"status of (401|422) ", one)] == []


def sound(page: Page) -> None:
    """Wide in Chinese, narrow in English: nothing grave by axe, no scrolling sideways, one first heading."""
    address = page.url
    for size, lang in ((DESK, "zh"), (PHONE, "en")):
        page.set_viewport_size(size)
        page.goto(address.partition("#")[0] + ("&" if "?" in address else "?") + f"lang={lang}")
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in GRAVE] == [], (
            address
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, size)
        assert page.locator("h1").count() == 1
    page.set_viewport_size(DESK)
    page.goto(address.partition("#")[0] + ("&" if "?" in address else "?") + "lang=zh")


def once_more(page: Page, who: SignsIn) -> None:
    """What weighs more asks for the second factor, and goes on by itself."""
    expect(page.locator("h1")).to_have_text("请再次验证")
    page.get_by_label("验证码").fill(who.code(clock.now()))
    page.get_by_role("button", name="继续").click()


def with_reason(page: Page, summary: str, button: str, reason: str) -> None:
    """Open a drawer, say why, press its button."""
    drawer = page.locator("details.console-form", has=page.locator("summary", has_text=summary))
    drawer.locator("summary").click()
    drawer.get_by_label("理由").fill(reason)
    drawer.get_by_role("button", name=button).click()


@pytest.fixture
def two(app: Flask, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> tuple[SignsIn, SignsIn]:
    """Two who sign in with an authenticator; the clock is two days behind."""
    monkeypatch.setattr("carbon_credits.core.clock.now", lambda: datetime.now(UTC) - AGO)
    with app.app_context(), transaction() as session:
        money(session)
        one, other = (who_signs_in(session, vault, clock.now(), Role.PROGRAMME) for _ in range(2))
    return one, other


def test_a_campaign_is_made_simulated_approved_run_and_ended(
    app: Flask, office: Office, two: tuple[SignsIn, SignsIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    first = clock.today() + timedelta(days=1)
    last = first + timedelta(days=6)
    some_life(app, first - timedelta(weeks=2), last - timedelta(weeks=2))
    with office.seat(one) as mine, office.seat(other) as theirs:
        page, second = mine.new_page(), theirs.new_page()
        address = _drafted(office, page, first.isoformat(), last.isoformat())
        _simulated(app, page, address)
        _proposed_and_approved(page, second, address, two)
    monkeypatch.undo()
    with office.seat(one) as mine:
        page = mine.new_page()
        _run(app, page, address, one)
        _reported(app, page, address, office.url)


def _drafted(office: Office, page: Page, first: str, last: str) -> str:
    """From the template of a themed day; a contradiction is explained where it is."""
    page.goto(f"{office.url}/admin/campaigns/")
    sound(page)
    page.goto(f"{office.url}/admin/campaigns/?year={clock.today().year + 1}")
    page.get_by_role("link", name="以此为模板 世界地球日").click()
    expect(page.get_by_label("名称（中文）")).to_have_value(f"{clock.today().year + 1} 年世界地球日")
    sound(page)
    page.get_by_label("开始日").fill(last)
    page.get_by_label("结束日").fill(first)
    page.get_by_label("倍数", exact=True).fill("1.5")
    page.get_by_label("每日", exact=True).fill("60")
    page.get_by_label("资金来源").select_option("base")
    page.get_by_label("预算（积分）").fill("50000")
    # what it costs is said at once
    page.get_by_label("预算（积分）").press("Tab")
    expect(page.locator("#price")).to_contain_text("¥2.00")
    page.get_by_role("button", name="保存草案").click()
    expect(page.locator("#fault-ends_on")).to_contain_text("早于开始日")
    page.get_by_label("开始日").fill(first)
    page.get_by_label("结束日").fill(last)
    page.get_by_label("对照组比例").fill("")
    page.get_by_role("button", name="保存草案").click()
    expect(page.get_by_role("status").first).to_contain_text("草案已保存")
    sound(page)
    return page.url.partition("?")[0]


def _simulated(app: Flask, page: Page, address: str) -> None:
    """Beside a variant that gives three times as much; the page follows by itself."""
    page.goto(address + "/simulations/")
    sound(page)
    page.get_by_role("link", name="与一个变体比较").click()
    sound(page)
    page.get_by_label("倍数", exact=True).fill("3")
    page.get_by_label("预算（积分）").fill("800")
    page.get_by_role("button", name="开始比较").click()
    expect(page.locator("#standing")).to_contain_text("等待开始")
    with app.app_context():
        assert simulate_all() == 1
    expect(page.locator("#standing")).to_contain_text("变体不同之处")
    # drawn although it came in by a script
    expect(page.locator(".console-drawing canvas")).to_have_count(1)
    expect(page.locator("#standing")).to_contain_text("因此少得：活动预算用完")
    expect(page.get_by_role("table", name="各镇街谁得到")).to_contain_text("祖庙街道")
    sound(page)


def _proposed_and_approved(page: Page, second: Page, address: str, two: tuple[SignsIn, SignsIn]) -> None:
    page.goto(address)
    page.get_by_label("理由").first.fill("年度计划内")
    page.get_by_role("button", name="提交审批").click()
    once_more(page, two[0])
    expect(page.locator("h1")).to_contain_text("举办活动")
    proposal = page.url
    page.goto(address)
    sound(page)
    second.goto(proposal)
    expect(second.locator("main")).to_contain_text("1.5 倍")
    expect(second.locator("main")).to_contain_text("限制最多的上限")
    sound(second)
    second.get_by_label("决定的理由").fill("预算与效果评估都合适")
    second.get_by_role("button", name="批准").click()
    once_more(second, two[1])
    expect(second.locator("main")).to_contain_text("已批准，即时生效")


def _run(app: Flask, page: Page, address: str, who: SignsIn) -> None:
    """Launched by the clock; a ride gets its bonus; paused, resumed, ended for good."""
    page.goto(address)
    expect(page.locator("main")).to_contain_text("已批准，待开始")
    with app.app_context():
        run_task("run_campaigns", clock.now().isoformat())
    page.goto(address)
    expect(page.locator(".console-figures")).to_contain_text("进行中")
    expect(page.locator(".console-figures")).to_contain_text("100.00")
    a_ride_at(app, resident_id(PEOPLE), clock.midnight(clock.today()) - timedelta(hours=6))
    page.reload()
    given = page.locator(".console-figure", has_text="已加赠积分").locator(".h1")
    assert int(given.inner_text()) > 0
    sound(page)
    with_reason(page, "暂停", "暂停", "核对异常数据")
    once_more(page, who)
    expect(page.locator(".console-figures")).to_contain_text("核对异常数据")
    page.get_by_role("button", name="恢复").click()
    expect(page.locator(".console-figures")).to_contain_text("进行中")
    page.once("dialog", lambda asked: asked.accept())
    with_reason(page, "提前结束", "结束", "已达到目标")
    expect(page.locator(".console-figures")).to_contain_text("已结束")
    expect(page.get_by_role("button", name="恢复")).to_have_count(0)
    expect(page.get_by_role("table", name="经过")).to_contain_text("自动")
    sound(page)


def _reported(app: Flask, page: Page, address: str, url: str) -> None:
    with app.app_context(), transaction() as session:
        assert compute_next(session, clock.now()) == 1
    page.goto(address + "/report")
    expect(page.locator("main")).to_contain_text("没有对照组，无法知道多带来了多少")
    # one person gained: neither their street nor how many there are gives them away
    expect(page.locator(".console-figure", has_text="受益人数")).to_contain_text("不足 10 人")
    sound(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="主菜单")).to_be_hidden()
    page.emulate_media(media="screen")
    page.goto(f"{url}/admin/")
    sound(page)
