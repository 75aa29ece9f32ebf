"""The first administrator's first visit, in a real Chromium: from the link to the first proposal, phone and desk."""

from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.staff import administering
from tests.api.conftest import threaded_url
from tests.api.test_docs_in_a_browser import browser
from tests.factories.staff import PASSWORD

__all__ = ["browser", "threaded_url"]
pytestmark = pytest.mark.browser
PAGES = ("/account/", "/staff/", "/staff/new", "/audit/", "/audit/phones")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page that reads Chinese."""
    with browser.new_context(viewport={"width": 360, "height": 780}) as context:
        yield context.new_page()


@pytest.fixture
def link(app: Flask, vault: Vault) -> str:
    """Where the first administrator is led."""
    with app.app_context(), transaction() as session:
        return "/admin/welcome/" + administering.first(session, vault, "陈晓", clock.now())


def read(page: Page, width: int = 360) -> None:
    """Look at the page as it is: nothing serious by axe, no scrolling sideways, one heading of the first order."""
    page.wait_for_load_state()
    page.set_viewport_size({"width": width, "height": 800})
    wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1], (page.url, wide)
    found: dict[str, Any] = Axe().run(page).response
    serious = [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], page.url
    assert page.locator("h1").count() == 1


def test_the_first_administrator_comes_in_and_proposes_a_second(
    page: Page, threaded_url: str, link: str
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(threaded_url + link)
    expect(page.locator("h1")).to_contain_text("陈晓")
    page.locator("summary", has_text="手动输入").click()
    secret = page.locator("#secret").inner_text().replace(" ", "")
    read(page)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("再输入一次").fill(PASSWORD)
    page.get_by_label("验证器显示的 6 位数字").fill(pyotp.TOTP(secret).at(clock.now()))
    page.get_by_role("button", name="完成").click()
    codes = page.locator(".console-codes code")
    expect(codes).to_have_count(10)
    recovery = codes.all_inner_texts()
    read(page)
    page.get_by_role("link", name="已妥善保管").click()
    expect(page.locator(".console-who")).to_have_text("陈晓")

    # out, and in again with both factors
    page.get_by_role("button", name="退出").click()
    read(page)
    page.get_by_label("姓名").fill("陈晓")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="下一步").click()
    read(page)
    page.get_by_label("验证码").fill(recovery[0])
    page.get_by_role("button", name="登录").click()

    for path in PAGES:
        for lang, width in (("en", 1440), ("zh", 360)):
            page.goto(f"{threaded_url}/admin{path}?lang={lang}")
            read(page, width)

    # what is dangerous asks for the second factor, and what was typed goes on by itself
    page.goto(f"{threaded_url}/admin/staff/new")
    page.get_by_label("姓名").fill("李明")
    page.get_by_label("项目管理").check()
    page.get_by_label("理由").fill("第二位管理员")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("h1")).to_have_text("请再次验证")
    read(page)
    page.get_by_label("验证码").fill(recovery[1])
    page.get_by_role("button", name="继续").click()
    expect(page.locator("main")).to_contain_text("新增工作人员“李明”")
    read(page)
    assert {address for address in asked if not address.startswith((threaded_url, "data:"))} == set()
    # a page that asks for the second factor says 401, which browsers note
    assert [one for one in complaints if "401 (UNAUTHORIZED)" not in one] == []
