"""The queues in a real Chromium: a held trip approved by the keyboard alone, an appeal answered, every page looked at."""

from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from admin.guard import cookie_name
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.reconciliation.watching import watch
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visitor, Visits
from tests.admin.queue_ground import a_doubtful_ride, decided, held_for
from tests.admin.test_desks_in_a_browser import look_at
from tests.admin.test_first_visit_in_a_browser import read
from tests.admin.test_queues_appeals import an_appeal
from tests.admin.test_queues_files import metro, sender
from tests.api.conftest import Caller, sign_in, threaded_url
from tests.api.credited import policy
from tests.api.test_docs_in_a_browser import browser
from tests.api.test_objections import show
from tests.waiting import wait_until

__all__ = ["browser", "metro", "sender", "threaded_url"]
pytestmark = pytest.mark.browser
# how many points of the drawing are neither blank nor grey, and how many are there
COLOURED = """(canvas) => {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, copy.width, copy.height);
  let coloured = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, opaque] = data.slice(at, at + 4);
    if (opaque > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) coloured += 1;
  }
  return [coloured, width * height];
}"""


@pytest.fixture
def helper(visit: Visits) -> Visitor:
    """Somebody for support and the programme."""
    return visit(Role.SUPPORT, Role.PROGRAMME)


@pytest.fixture
def page(browser: Browser, threaded_url: str, helper: Visitor, settings: Settings) -> Iterator[Page]:
    """A desk at which the helper is signed in."""
    name = cookie_name(settings, "staff")
    token = helper.client.get_cookie(name)
    assert token is not None
    # a name that begins with __Host- is taken for addresses with TLS alone, and then also sent to our own machine
    address = threaded_url.replace("http:", "https:") if name.startswith("__Host-") else threaded_url
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        context.add_cookies([{"name": name, "value": token.value, "url": address, "secure": True}])
        yield context.new_page()


@pytest.fixture
def ground(app: Flask, vault: Vault, metro: Caller) -> tuple[Caller, str, Caller, str, int]:
    """A held ride, whose and which; an appeal, whose, about which act, its number; cases and files beside them."""
    del metro
    policy(app)
    rider, ride = a_doubtful_ride(app, vault, street="zumiao")
    held_for(app, vault, ["ambiguous_match"])
    held_for(app, vault, ["could_not_be_decided"], many=21)
    objector = sign_in(app, vault, "+8613800000002")
    act, appeal = an_appeal(app, objector)
    with app.app_context(), transaction() as session:
        watch(session, clock.now())
    return rider, ride, objector, act, appeal


def test_a_held_trip_is_approved_by_keyboard_and_an_appeal_answered(
    app: Flask, page: Page, threaded_url: str, ground: tuple[Caller, str, Caller, str, int]
) -> None:
    rider, ride, objector, act, appeal = ground
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{threaded_url}/admin/reviews/")
    page.keyboard.press("?")
    expect(page.locator(".console-keys dl")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=ride)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(ride)
    page.wait_for_load_state()
    # it is drawn once the canvas has its size, after all is loaded
    drawn = partial(page.locator("canvas").evaluate, COLOURED)
    wait_until(lambda: drawn()[0] > 200, "the line on its map")
    coloured, whole = drawn()
    assert coloured < whole // 2
    page.keyboard.press("a")
    expect(page.locator("#cause-credit")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("与路网吻合")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text(f"{ride}：通过")
    assert decided(app, rider.id)[ride][0] == "credited"

    page.goto(f"{threaded_url}/admin/appeals/")
    page.get_by_role("link", name=f"#{appeal}", exact=True).click()
    page.get_by_label("证据等级").select_option("C")
    page.get_by_label("中文答复").fill("已核对，重新核算")
    page.get_by_label("英文答复").fill("We looked, and decide again")
    page.get_by_role("button", name="发送答复").click()
    expect(page.get_by_role("status")).to_contain_text(f"已答复申诉 #{appeal}")
    assert show(objector, act, "en")["appeal"]["answer"] == "We looked, and decide again"
    assert {address for address in asked if not address.startswith((threaded_url, "data:"))} == set()
    assert complaints == []


def test_every_page_can_be_read_by_everybody(
    page: Page, threaded_url: str, ground: tuple[Caller, str, Caller, str, int]
) -> None:
    rider, ride, _, _, appeal = ground
    look_at(page, f"{threaded_url}/admin", pages_of(page, threaded_url, rider, ride, appeal))
    for lang, width in (("en", 1440), ("zh", 360)):
        page.goto(f"{threaded_url}/admin/reviews/?why=could_not_be_decided&lang={lang}")
        page.locator("[data-every=act]").check()
        page.keyboard.press("r")
        expect(page.get_by_role("checkbox")).to_have_count(1)
        read(page, width)
        page.get_by_role("checkbox").check()
        page.locator("main button[type=submit]").click()
        expect(page.locator("textarea")).to_be_visible()
        read(page, width)


def pages_of(page: Page, url: str, rider: Caller, ride: str, appeal: int) -> list[str]:
    """The address of each page, those of single things as the lists name them."""
    found = [
        "/queues/",
        "/reviews/",
        f"/reviews/{rider.id}/{ride}",
        "/appeals/",
        f"/appeals/{appeal}",
        "/cases/",
        "/feeds/",
        "/feeds/metro_taps?scorecard=yes",
        "/files/",
        "/files/alarms",
    ]
    for listed in ("/cases/?kind=ambiguous_match", "/cases/?kind=file_quarantined", "/files/"):
        page.goto(f"{url}/admin{listed}")
        address = page.locator("tr[data-row] th a").first.get_attribute("href")
        assert address is not None
        found.append(address.removeprefix("/admin"))
    return found
