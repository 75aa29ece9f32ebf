"""Every page that a link leads to, in a real Chromium: readable by everybody, asking nobody else, as wide as a phone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.exceptions import HTTPException

from admin.access import ACCESS
from admin.console import NAME
from admin.guard import cookie_name
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs.surroundings import SETTINGS
from carbon_credits.reconciliation.watching import watch
from carbon_credits.staff import sessions
from carbon_credits.staff.service import Role
from tests.admin.queue_ground import a_doubtful_ride, held_for
from tests.admin.test_queues_appeals import an_appeal
from tests.api.conftest import sign_in, threaded_url
from tests.api.test_docs_in_a_browser import browser
from tests.factories.staff import who_signs_in

__all__ = ["browser", "threaded_url"]
pytestmark = pytest.mark.browser
DESK: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 360, "height": 780}
# what a link of an ordinary page does not lead to: what has no row here yet must be reached
ELSEWHERE: Final = frozenset({"signing_in.form"})


@pytest.fixture
def district(
    app: Flask, vault: Vault, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The demonstration's district, and something in each queue."""
    with monkeypatch.context() as patch:
        patch.setitem(app.config, SETTINGS, replace(settings, mode="demo", home=tmp_path))
        _seed(app)
    a_doubtful_ride(app, vault, street="zumiao")
    held_for(app, vault, ["ambiguous_match"])
    an_appeal(app, sign_in(app, vault, "+8613800000002"))
    with app.app_context(), transaction() as session:
        watch(session, clock.now())


def _seed(app: Flask) -> None:
    with app.app_context():
        seeded = app.test_cli_runner().invoke(args=["demo", "seed"])
    assert seeded.exit_code == 0, seeded.output


@pytest.fixture
def page(app: Flask, vault: Vault, browser: Browser, threaded_url: str, settings: Settings) -> Iterator[Page]:
    """A desk at which somebody is signed in who may open everything."""
    name, now = cookie_name(settings, "staff"), clock.now()
    with app.app_context(), transaction() as session:
        who = who_signs_in(session, vault, now, *(role for role in Role if role is not Role.STREET))
        token = sessions.begin(session, vault, who.staff_id, now, address="127.0.0.1", agent="Chromium")
        known = sessions.current(session, vault, token, now)
        assert known is not None
        sessions.step_up(session, known.session_id, now)
    # a name that begins with __Host- is taken for addresses with TLS alone, and then also sent to our own machine
    address = threaded_url.replace("http:", "https:") if name.startswith("__Host-") else threaded_url
    with browser.new_context() as context:
        context.add_cookies([{"name": name, "value": token, "url": address, "secure": True}])
        yield context.new_page()


def _links(page: Page, url: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "a[href^='/admin/']:not([hreflang])", "links => links.map(link => link.getAttribute('href'))"
    )
    return sorted({url + link.partition("#")[0] for link in found})


def _look(page: Page, address: str) -> list[str]:
    """What is wrong with one page, at a desk in Chinese and on a telephone in English."""
    wrong: list[str] = []
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    answer = page.goto(address + ("&" if "?" in address else "?") + "lang=zh")
    if answer is None or answer.status >= 400:
        return [f"{address} answered {answer and answer.status}"]
    found: dict[str, Any] = Axe().run(page).response
    wrong += [
        f"{address} {one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(address + ("&" if "?" in address else "?") + "lang=en")
    wide = page.evaluate("document.documentElement.scrollWidth")
    wrong += [f"{address} is {wide} wide"] if wide > PHONE["width"] else []
    return wrong


def test_every_page_can_be_read_and_asks_nobody_else(
    app: Flask, page: Page, threaded_url: str, district: None
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(f"{page.url} {said.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url} {error}"))
    addresses = app.url_map.bind("localhost")
    seen: Counter[str] = Counter()
    known = {threaded_url + "/admin/"}
    waiting, wrong = sorted(known), []
    while waiting:
        address = waiting.pop(0)
        try:
            endpoint, _ = addresses.match(address.removeprefix(threaded_url).partition("?")[0], method="GET")
        except HTTPException:
            wrong.append(f"a link leads to {address}, where nothing is")
            continue
        if seen[endpoint] or page.request.head(address).headers.get("content-type", "").find("html") < 0:
            continue
        seen[endpoint] += 1
        wrong += _look(page, address)
        found = set(_links(page, threaded_url)) - known
        known |= found
        waiting += sorted(found)
    assert not wrong, "\n".join(wrong)
    assert complaints == []
    assert {address for address in asked if not address.startswith((threaded_url, "data:"))} == set()
    assert len(seen) > 40
    assert {endpoint.removeprefix(NAME + ".") for endpoint in seen} <= set(ACCESS)
