"""The page of the documents as a person sees it: in a real Chromium, asking nobody but this server."""

import os
import shutil
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

pytestmark = pytest.mark.browser

# of whoever waits for what a page is to show
PATIENCE_MS = 20_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
# no look-ups of Chromium's own, which would be refused where there is no network
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; without one the test is skipped, unless the run requires it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        assert "CARBON_REQUIRE_BROWSER" not in os.environ, "this run requires Chromium and there is none"
        pytest.skip("there is no Chromium on this machine")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as play, play.chromium.launch(executable_path=path, args=list(QUIET)) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page."""
    with browser.new_context() as context:
        yield context.new_page()


def test_every_operation_of_every_document_is_on_the_page_and_nobody_else_is_asked(
    page: Page, threaded_url: str, client: FlaskClient
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(_address(request)))
    page.on("console", lambda said: complaints.extend(_complaint(said)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{threaded_url}/docs")
    for name in ("resident", "partner", "merchant", "public"):
        page.get_by_label("Select a definition").select_option(f"/openapi/{name}.json")
        document = client.get(f"/openapi/{name}.json").get_json()
        expect(page.locator("h1.title")).to_contain_text(document["info"]["title"])
        operations = sum(
            len(set(item) & {"get", "post", "put", "patch", "delete"})
            for item in (*document["paths"].values(), *document.get("webhooks", {}).values())
        )
        expect(page.locator(".opblock")).to_have_count(operations)
    assert {address for address in asked if not address.startswith((threaded_url, "data:"))} == set()
    assert complaints == []


def test_an_operation_opens_and_shows_its_example_and_its_refusals(page: Page, threaded_url: str) -> None:
    page.goto(f"{threaded_url}/docs")
    operation = page.locator(".opblock", has_text="/v1/activities").filter(has_text="申报一次低碳行为")
    operation.locator(".opblock-summary-control").click()
    expect(operation).to_contain_text("distance_m")
    expect(operation).to_contain_text("Idempotency-Key")
    for status in ("202", "409", "422"):
        expect(operation.locator(f'.response[data-code="{status}"]')).to_be_visible()


def _address(request: Request) -> str:
    return request.url


def _complaint(said: ConsoleMessage) -> list[str]:
    """What is more than a remark. One empty style sheet of Swagger UI's own making is refused by our policy."""
    expected = "style-src" in said.text
    return [said.text] if said.type in ("error", "warning") and not expected else []
