"""The desks as two people use them: by keys alone, the second approves a settlement and grants an award."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
from carbon_credits.staff.service import Role
from tests.admin.addresses import pages_of
from tests.admin.conftest import Visitor, Visits
from tests.admin.desk_ground import Ground, laid, reviewed
from tests.api.test_docs_in_a_browser import browser

__all__ = ("browser",)

pytestmark = pytest.mark.browser

DESK: Final[ViewportSize] = {"width": 1440, "height": 900}
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
GRAVE: Final = {"serious", "critical"}
EVERY_DESK: Final = (Role.PROGRAMME, Role.FINANCE, Role.MERCHANT)


@dataclass
class Office:
    """The console behind a real socket, two members of staff who may do everything, and what browsers complained of."""

    url: str
    ground: Ground
    one: Visitor
    other: Visitor
    browser: Browser
    cookie: str
    complaints: list[str]
    asked: list[str]

    def seat(self, who: Visitor, size: ViewportSize) -> BrowserContext:
        """A browser in which somebody is signed in."""
        context = self.browser.new_context(viewport=size, locale="zh-CN")
        held = who.client.get_cookie(self.cookie)
        assert held is not None
        # a browser keeps what is only for TLS, and sends it to its own machine without
        safe = self.url.replace("http:", "https:")
        context.add_cookies([{"name": self.cookie, "value": held.value, "url": safe, "secure": True}])
        context.on("request", lambda request: self.asked.append(request.url))
        context.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        return context


@pytest.fixture
def office(app: Flask, vault: Vault, visit: Visits, settings: Settings, browser: Browser) -> Iterator[Office]:
    """Everything laid out; afterwards nobody else was asked, and nothing was refused by the policy."""
    one, other = visit(*EVERY_DESK), visit(*EVERY_DESK)
    ground = laid(app, vault, one.staff_id)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://localhost:{server.server_port}"
    made = Office(url, ground, one, other, browser, cookie_name(settings, "staff"), [], [])
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    assert {address for address in made.asked if not address.startswith((url, "data:"))} == set()
    assert made.complaints == []


def sound(page: Page) -> None:
    """Nothing grave for who sees, hears or types differently; no scrolling sideways."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE] == []
    fits(page)


def look_at(page: Page, url: str, paths: Iterable[str]) -> None:
    """Each page once by axe, in one language and at one width in turn; at both widths by its own."""
    for number, path in enumerate(paths):
        first, second = (DESK, PHONE) if number % 2 else (PHONE, DESK)
        language = "zh" if number // 2 % 2 else "en"
        page.set_viewport_size(first)
        page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={language}")
        sound(page)
        page.set_viewport_size(second)
        fits(page)


def fits(page: Page) -> None:
    """No scrolling sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def press(page: Page, name: str) -> None:
    """Reach a button by its name and press it by a key, without a mouse."""
    button = page.get_by_role("button", name=name)
    button.focus()
    page.keyboard.press("Enter")


def decide(page: Page, why: str) -> None:
    """Say why and approve, by keys."""
    page.get_by_label("决定的理由").focus()
    page.keyboard.type(why)
    press(page, "批准")
    expect(page.locator("main")).to_contain_text("已批准")


def test_a_settlement_is_approved_and_an_award_granted_by_a_second_person(app: Flask, office: Office) -> None:
    with app.app_context(), transaction() as session:
        reviewed(session, office.ground.application)
    year = clock.today().year
    with office.seat(office.one, DESK) as mine, office.seat(office.other, PHONE) as theirs:
        page, second = mine.new_page(), theirs.new_page()
        page.goto(f"{office.url}/admin/settlements/days/{office.ground.day}")
        page.get_by_label("理由").fill("逐户核对无误")
        press(page, "提交 1 张")
        expect(page.get_by_role("heading", level=1)).to_contain_text("的商户结算单")
        # whoever proposed is not offered to approve
        expect(page.get_by_role("button", name="批准")).to_have_count(0)
        expect(page.get_by_role("button", name="撤回")).to_be_visible()
        sound(page)
        second.goto(f"{office.url}/admin/approvals/")
        sound(second)
        second.get_by_role("link", name="#").first.click()
        second.wait_for_url("**/admin/approvals/*")
        sound(second)
        decide(second, "与核销记录相符")
        page.goto(f"{office.url}/admin/settlements/days/{office.ground.day}")
        expect(page.locator("tbody")).to_contain_text("已批准，付款中")

        page.goto(f"{office.url}/admin/drives/community/awards/{year}")
        page.get_by_label("理由").fill("年度评审结果")
        press(page, "提交 1 个授牌")
        page.wait_for_url("**/admin/approvals/*")
        second.goto(page.url)
        decide(second, "同意授牌")
        page.goto(f"{office.url}/admin/drives/community/awards/{year}")
        # the name is markup, and is read as its letters
        expect(page.locator("tbody").first).to_contain_text("<b onclick=alert(1)>三友</b>")
        page.emulate_media(media="print")
        expect(page.get_by_role("navigation", name="主菜单")).to_be_hidden()
        page.emulate_media(media="screen")


def test_every_page_of_the_desks_is_sound_on_a_desk_and_on_a_phone(office: Office) -> None:
    with office.seat(office.one, DESK) as context:
        look_at(context.new_page(), f"{office.url}/admin", pages_of(office.ground).values())
