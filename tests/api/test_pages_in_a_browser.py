"""The pages as people see them: a phone and a desk, both languages, light and dark, in a real Chromium."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from carbon_credits.core.db import transaction
from carbon_credits.jobs.coverage import read_coverage
from tests.api.conftest import Caller
from tests.api.credited import a_decided_ride, policy
from tests.api.test_docs_in_a_browser import browser
from tests.factories.redemptions import a_point_value

__all__ = ["browser"]
pytestmark = pytest.mark.browser
PHONE = pytest.mark.parametrize("page", [(360, "light")], indirect=True)

WIDTHS = (360, 1280)
# The contrast of every piece of text with what lies behind it, as WCAG 2 reckons it; the worst ones.
PALE = """() => {
  const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const parse = (css) => css.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim()) continue;
    const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) found.push([ratio.toFixed(2), element.className, walker.currentNode.textContent.trim()]);
  }
  return found;
}"""
# Headings that skip a level, tables without a caption or with cells that head nothing.
LOST = """() => {
  const found = [];
  let before = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) found.push(heading.textContent);
    before = level;
  }
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption) found.push('a table without a caption');
    for (const cell of table.querySelectorAll('th')) if (!cell.scope) found.push(cell.textContent);
  }
  return found;
}"""


@pytest.fixture
def paths(app: Flask, resident: Caller) -> list[str]:
    """Pages of each kind: the front, what stands behind points, formulas, a receipt that was cut and one refused."""
    policy(app, most_m=2000)
    with app.app_context(), transaction() as session:
        a_point_value(session)
    with app.app_context():
        assert read_coverage() == 1
    links = []
    for ago, metres in ((30, 3200), (90, 100)):
        activity = a_decided_ride(app, resident, minutes_ago=ago, monitored={"distance_m": metres})
        made = resident.call("POST", f"/v1/activities/{activity}/receipt/links", key=str(uuid4()))
        links.append("/receipts/" + made.get_json()["url"].rpartition("/")[2])
    codes = ("travel.cycling", "planting.tree", "recycling.paper", "household.rooftop_pv")
    plain = ("/docs/partners", "/coverage", "/")
    return ["/methodologies", *(f"/methodologies/{code}" for code in codes), *plain, *links]


@pytest.fixture(params=[(width, scheme) for width in WIDTHS for scheme in ("light", "dark")])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A fresh page of one width, light or dark."""
    width, scheme = request.param
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context:
        yield context.new_page()


def test_pages_read_well_and_ask_nobody_else(page: Page, threaded_url: str, paths: list[str]) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in paths:
        for lang, tag in (("zh", "zh-CN"), ("en", "en")):
            told = page.goto(f"{threaded_url}{path}?lang={lang}")
            assert told is not None
            assert told.status == 200
            assert page.locator("html").get_attribute("lang") == tag
            assert page.locator("h1").count() == 1
            # what is folded away is read too
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            assert _too_wide(page) == [], (path, lang)
            assert page.evaluate(PALE) == [], (path, lang)
            assert page.evaluate(LOST) == [], (path, lang)
    assert {address for address in asked if not address.startswith(threaded_url)} == set()
    assert complaints == []


@PHONE
def test_the_other_language_is_one_click_away(page: Page, threaded_url: str, paths: list[str]) -> None:
    for path in (paths[0], paths[1], paths[-1]):
        page.goto(f"{threaded_url}{path}?lang=zh")
        page.get_by_role("link", name="English", exact=True).click()
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.url == f"{threaded_url}{path}?lang=en"


@PHONE
def test_a_page_is_walked_by_keyboard(page: Page, threaded_url: str, paths: list[str]) -> None:
    page.goto(f"{threaded_url}{paths[1]}?lang=en")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the text"
    assert skip.bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@PHONE
def test_paper_shows_what_the_screen_folds_away(page: Page, threaded_url: str, paths: list[str]) -> None:
    page.goto(f"{threaded_url}{paths[1]}?lang=en")
    folded = page.locator("details.example:not([open]) .outcome").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert not page.locator(".contents").is_visible()


def _too_wide(page: Page) -> list[Any]:
    """Anything that makes the page scroll sideways."""
    found: list[Any] = page.evaluate(
        """() => document.documentElement.scrollWidth > window.innerWidth
          ? [document.documentElement.scrollWidth, window.innerWidth] : []"""
    )
    return found
