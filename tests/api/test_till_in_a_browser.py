"""The till as somebody at a counter uses it: a phone's width, a scanner that types, a network that goes away."""

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
import pytest
import segno
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from carbon_credits.api.till import FILES
from tests.api.conftest import Caller
from tests.api.redeemed import give_points, offered
from tests.api.test_docs_in_a_browser import NAMES, QUIET, browser

__all__ = ("browser",)
pytestmark = pytest.mark.browser
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
MANAGER, CASHIER = (1, "480213"), (7, "135790")
QR_PIXELS = 480
# a drawing as a camera's picture of it: one byte of brightness for each point
DRAWN = """async ([svg, size]) => {
  const image = new Image();
  image.src = "data:image/svg+xml;base64," + btoa(svg);
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {width: size, height: size});
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, size, size);
  const points = context.getImageData(0, 0, size, size).data;
  let told = "";
  for (let place = 0; place < points.length; place += 4) told += String.fromCharCode(points[place]);
  return btoa(told);
}"""
# what a browser with a reader has, with a reader from outside behind it
LENT_READER = """globalThis.BarcodeDetector = class {
  static getSupportedFormats() { return Promise.resolve(["qr_code"]); }
  async detect(video) {
    const [width, height] = [video.videoWidth, video.videoHeight];
    const context = Object.assign(document.createElement("canvas"), {width, height}).getContext("2d");
    context.drawImage(video, 0, 0);
    const points = context.getImageData(0, 0, width, height).data;
    let told = "";
    for (let place = 0; place < points.length; place += 4) told += String.fromCharCode(points[place]);
    const rawValue = await globalThis.read(btoa(told), width, height);
    return rawValue === null ? [] : [{ rawValue }];
  }
};"""


@dataclass
class Counter:
    """A page at a paired merchant's counter, who may redeem there, and what the browser complained of."""

    page: Page
    url: str
    merchant: Caller
    resident: Caller
    offer: str
    complaints: list[str]
    asked: list[str]
    browser: Browser

    def launch(self, more: list[str]) -> Browser:
        """Another browser of the same kind, told more."""
        kind = self.browser.browser_type
        return kind.launch(executable_path=next(filter(None, map(shutil.which, NAMES))), args=[*QUIET, *more])

    def pairing_code(self) -> str:
        body = {"label": "收银台 1"}
        return str(self.merchant.call("POST", "/merchant/v1/tills/pairings", json=body).get_json()["code"])

    def redeem(self, **wish: Any) -> dict[str, Any]:
        body = {"offer_id": self.offer, **wish}
        answer = self.resident.call("POST", "/v1/redemptions", key=str(uuid4()), json=body)
        assert answer.status_code == 201, answer.get_json()
        return dict(answer.get_json())

    def pair(self) -> None:
        self.page.goto(f"{self.url}/till")
        self.page.get_by_label("配对码").fill(self.pairing_code())
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="接班")).to_be_visible()

    def begin_shift(self, who: tuple[int, str] = CASHIER) -> None:
        self.page.get_by_label("工号").fill(str(who[0]))
        self.page.get_by_label("PIN").fill(who[1])
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_label("券码")).to_be_focused()

    def scan(self, code: str) -> None:
        """As a scanner does: it types where the cursor is, then presses Enter."""
        expect(self.page.get_by_label("券码")).to_be_focused()
        self.page.keyboard.type(code)
        self.page.keyboard.press("Enter")

    def take(self, code: str) -> None:
        self.scan(code)
        expect(self.page.get_by_role("button", name="确认核销")).to_be_focused()
        self.page.keyboard.press("Enter")

    @property
    def result(self) -> Any:
        return self.page.locator("#result")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A phone whose browser is set to Chinese."""
    with browser.new_context(viewport=PHONE, locale="zh-CN", has_touch=True) as made:
        yield made


@pytest.fixture
def counter(
    app: Flask,
    browser: Browser,
    context: BrowserContext,
    threaded_url: str,
    merchant: Caller,
    resident: Caller,
) -> Iterator[Counter]:
    """A counter that nobody has set up yet; afterwards nobody else was asked, and nothing was refused by the policy."""
    for number, pin, role in ((*MANAGER, "manager"), (*CASHIER, "cashier")):
        body = {"number": number, "name": "陈小姐", "role": role, "pin": pin}
        made = merchant.call("POST", "/merchant/v1/members", key=f"m{number}", json=body)
        assert made.status_code == 201, made.get_json()
    give_points(app, resident, 1_000)
    page = context.new_page()
    found = Counter(
        page, threaded_url, merchant, resident, offered(app, merchant, offline=True), [], [], browser
    )
    context.on("request", lambda request: found.asked.append(request.url))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("console", lambda said: found.complaints.extend([said.text] if is_policy(said.text) else []))
    yield found
    assert {address for address in found.asked if not address.startswith((threaded_url, "data:"))} == set()
    assert found.complaints == []


def is_policy(said: str) -> bool:
    """Whether a remark of the browser's is about the page's policy; a refusal of the API is no fault of the page."""
    return any(word in said for word in ("Content Security Policy", "TrustedScript", "TrustedHTML"))


def read(points: str, width: int, height: int) -> str | None:
    """What a reader of QR codes sees in a picture of a byte of brightness for each point."""
    found = zxingcpp.read_barcodes(np.frombuffer(base64.b64decode(points), np.uint8).reshape(height, width))
    return str(found[0].text) if found else None


def decoded(page: Page, svg: str) -> str:
    """What a reader of QR codes sees in a drawing."""
    found = read(page.evaluate(DRAWN, [svg, QR_PIXELS]), QR_PIXELS, QR_PIXELS)
    assert found is not None
    return found


def film(code: str, path: Path) -> None:
    """What a camera before a code sees, as the raw video that Chromium takes for a camera's: one frame, in grey."""
    matrix = np.array(
        [list(row) for row in segno.make(code, micro=False).matrix_iter(scale=8, border=4)], np.uint8
    )
    frame = np.full((480, 640), 200, np.uint8)
    high, wide = matrix.shape
    frame[20 : 20 + high, 100 : 100 + wide] = np.where(matrix > 0, 20, 235)
    colours = np.full(640 * 480 // 2, 128, np.uint8)
    path.write_bytes(
        b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420mpeg2\nFRAME\n" + frame.tobytes() + colours.tobytes()
    )


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways, and whatever is touched is large enough for a thumb."""
    return bool(
        page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth
              && [...document.querySelectorAll("button, input")].filter((e) => e.offsetParent)
                 .every((e) => e.getBoundingClientRect().height >= 44)"""
        )
    )


def accessible(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands."""
    return [f"{found['id']}: {found['help']}" for found in Axe().run(page).response["violations"]]


def sound(page: Page) -> None:
    assert fits(page)
    assert accessible(page) == []


def test_a_code_from_its_drawing_to_its_reversal(
    counter: Counter, context: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page, shots = counter.page, tmp_path_factory.mktemp("till")
    made = counter.redeem()
    drawing = counter.resident.get(f"/v1/redemptions/{made['id']}/qr.svg")
    assert drawing.mimetype == "image/svg+xml"
    scanned = decoded(context.new_page(), drawing.get_data(as_text=True))
    assert scanned == made["code"]

    counter.pair()
    page.screenshot(path=shots / "1-shift.png")
    sound(page)
    counter.begin_shift()
    expect(page.get_by_text("7 号当班 · 店员")).to_be_visible()
    page.get_by_role("button", name="今日").click()
    expect(page.get_by_text("今天还没有核销")).to_be_visible()
    sound(page)
    page.get_by_role("button", name="核销", exact=True).click()
    page.screenshot(path=shots / "2-counter.png")
    sound(page)

    counter.scan(scanned)
    expect(page.get_by_role("heading", name=made["title"]["zh"])).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("¥5.00")
    page.screenshot(path=shots / "3-preview.png")
    sound(page)
    page.get_by_role("button", name="确认核销").tap()
    expect(counter.result).to_contain_text("核销成功")
    page.screenshot(path=shots / "4-accepted.png")
    sound(page)

    counter.scan(scanned)
    expect(counter.result).to_contain_text("该券码已使用，请顾客出示其他券码")
    page.screenshot(path=shots / "5-refused.png")
    sound(page)

    page.get_by_role("button", name="今日").click()
    expect(page.locator(".list li")).to_have_count(1)
    expect(page.locator(".sums")).to_contain_text("¥5.00")
    page.screenshot(path=shots / "6-today.png")
    sound(page)
    page.get_by_role("button", name="撤销").click()
    page.get_by_label("原因").fill("点错商品")
    page.get_by_label("工号").fill(str(MANAGER[0]))
    page.get_by_label("PIN").fill("000000")
    sound(page)
    page.get_by_role("button", name="确认撤销").click()
    expect(page.get_by_role("alert")).to_contain_text("工号或 PIN 不正确，还可尝试 4 次")
    page.screenshot(path=shots / "7-reversal.png")
    page.get_by_label("PIN").fill(MANAGER[1])
    page.keyboard.press("Enter")
    expect(page.locator(".list .undone")).to_contain_text("已撤销")
    expect(page.get_by_text("1 号当班 · 店长")).to_be_visible()
    expect(page.locator(".sums")).to_contain_text("¥0.00")
    assert counter.resident.get(f"/v1/redemptions/{made['id']}").get_json()["status"] == "reversed"
    assert counter.resident.get("/v1/wallet").get_json()["points"]["available"] == 1_000


def test_the_short_code_is_typed_and_everything_is_there_in_english(counter: Counter) -> None:
    page = counter.page
    counter.pair()
    page.get_by_role("button", name="English").click()
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_label("Number").fill("7")
    page.get_by_label("PIN").fill("999999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Wrong number or PIN; 4 guesses are left")
    page.get_by_label("PIN").fill(CASHIER[1])
    page.keyboard.press("Enter")
    short = counter.redeem()["short_code"]
    page.get_by_label("Code", exact=True).fill(f"{short[:5].lower()} {short[5:]}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.keyboard.type(short)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take it").click()
    expect(counter.result).to_contain_text("Accepted")
    page.keyboard.type("AAAAAAAAAA")
    page.keyboard.press("Enter")
    expect(counter.result).to_contain_text("There is no such code")
    sound(page)
    # what was chosen stays, and so does the till
    page.reload()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="中文")).to_be_visible()


def test_a_wrong_pairing_code_and_an_ended_till_are_said_in_plain_words(counter: Counter) -> None:
    page = counter.page
    page.goto(f"{counter.url}/till")
    sound(page)
    page.get_by_label("配对码").fill("AAAAAAAAAA")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("配对码无效或已过期")
    sound(page)
    counter.pair()
    counter.begin_shift()
    (till,) = counter.merchant.get("/merchant/v1/tills").get_json()["items"]
    ended = counter.merchant.call("DELETE", f"/merchant/v1/clients/{till['client_id']}")
    assert ended.status_code == 200, ended.get_json()
    counter.scan("AAAAAAAAAA")
    expect(page.get_by_role("alert")).to_contain_text("请重新配对")


def test_while_the_network_is_away_signed_codes_are_taken_once_and_sent_later(
    counter: Counter, context: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page, shots = counter.page, tmp_path_factory.mktemp("till-offline")
    counter.pair()
    counter.begin_shift()
    counter.take(counter.redeem()["code"])
    expect(counter.result).to_contain_text("核销成功")  # the till has seen the title
    signed, plain = counter.redeem(offline=True), counter.redeem()
    page.wait_for_function("navigator.serviceWorker.controller !== null")

    context.set_offline(True)
    page.reload()
    expect(page.locator("#link")).to_have_text("离线")
    expect(page.get_by_text("最迟在到期后三天内联网上传")).to_be_visible()
    sound(page)
    counter.take(signed["code"])
    expect(counter.result).to_contain_text("已离线核销")
    expect(counter.result).to_contain_text(signed["title"]["zh"])
    expect(page.locator("#link")).to_have_text("离线 · 1 笔待上传")
    page.screenshot(path=shots / "1-offline.png")
    sound(page)
    counter.take(signed["code"])
    expect(counter.result).to_contain_text("该券码已在本收银台核销过")
    counter.scan(plain["code"])
    expect(counter.result).to_contain_text("此券码需联网核销")
    head, content, signature = signed["code"].split(".")
    other = "A" if signature[0] != "A" else "B"
    counter.scan(f"{head}.{content}.{other}{signature[1:]}")
    expect(counter.result).to_contain_text("不是本平台签发")
    page.get_by_role("button", name="今日").click()
    expect(page.locator(".list .waiting")).to_contain_text("待上传")
    page.screenshot(path=shots / "2-waiting.png")

    context.set_offline(False)
    expect(page.locator("#link")).to_be_hidden(timeout=20_000)
    page.get_by_role("button", name="刷新").click()
    expect(page.locator(".list li")).to_have_count(2)
    told = counter.resident.get(f"/v1/redemptions/{signed['id']}").get_json()
    assert told["status"] == "captured"
    (taken,) = [
        item for item in counter.merchant.get("/merchant/v1/captures").get_json()["items"] if item["offline"]
    ]
    assert taken["occurred_at"] < taken["captured_at"]


def test_one_code_taken_offline_at_two_tills_is_paid_once_and_the_other_till_says_so(
    counter: Counter, context: BrowserContext
) -> None:
    page = counter.page
    counter.pair()
    counter.begin_shift()
    signed = counter.redeem(offline=True)
    context.set_offline(True)
    counter.take(signed["code"])
    expect(counter.result).to_contain_text("已离线核销")
    first = counter.merchant.call(
        "POST", "/merchant/v1/captures", key="other-till", json={"code": signed["code"]}
    )
    assert first.status_code == 201
    context.set_offline(False)
    expect(page.locator("#link")).to_be_hidden(timeout=20_000)
    page.get_by_role("button", name="今日").click()
    refused = page.locator(".list .refused")
    expect(refused).to_contain_text("上传被拒绝")
    expect(refused).to_contain_text("该券码已使用")


def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_taken_twice(
    counter: Counter, context: BrowserContext
) -> None:
    """The server takes the code, the answer never arrives."""
    page = counter.page
    counter.pair()
    counter.begin_shift()
    made = counter.redeem()
    lost: list[str] = []

    def lose(route: Any) -> None:
        answer = route.fetch()
        lost.append(f"{answer.status} {route.request.headers['idempotency-key']}")
        route.abort()

    page.route("**/merchant/v1/captures", lose, times=1)
    counter.take(made["code"])
    expect(counter.result).to_contain_text("结果未知")
    sound(page)
    with page.expect_request("**/merchant/v1/captures") as again:
        page.get_by_role("button", name="再查一次").click()
    expect(counter.result).to_contain_text("核销成功")
    assert lost == [f"201 {again.value.headers['idempotency-key']}"]
    assert len(counter.merchant.get("/merchant/v1/captures").get_json()["items"]) == 1


def test_a_code_is_read_from_the_camera(counter: Counter, tmp_path: Path) -> None:
    """Where the browser has a reader. Chromium has none on this system, so a real one is lent to it."""
    made = counter.redeem()
    film(made["code"], tmp_path / "code.y4m")
    seen = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={tmp_path / 'code.y4m'}",
    ]
    with counter.launch(seen) as phone, phone.new_context(viewport=PHONE, locale="zh-CN") as context:
        lent = [True]
        context.expose_function("read", lambda *picture: read(*picture) if lent[0] else None)
        context.add_init_script(LENT_READER)
        page = context.new_page()
        aside = replace(counter, page=page)
        aside.pair()
        aside.begin_shift()
        page.get_by_role("button", name="打开摄像头").click()
        expect(page.get_by_role("heading", name=made["title"]["zh"])).to_be_visible()
        page.get_by_role("button", name="确认核销").click()
        expect(aside.result).to_contain_text("核销成功")
        # a camera that is taken away with its picture while it still sees nothing, and one that is not there
        lent[0] = False
        page.get_by_role("button", name="打开摄像头").click()
        page.get_by_role("button", name="今日").click()
        expect(page.locator(".list li")).to_have_count(1)
        page.evaluate(
            "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('none')); }"
        )
        page.get_by_role("button", name="核销", exact=True).click()
        page.get_by_role("button", name="打开摄像头").click()
        expect(aside.result).to_contain_text("无法使用摄像头，请输入短码")


def test_the_worker_keeps_every_file_of_the_page(counter: Counter) -> None:
    worker = FILES["worker.js"].read_text()
    kept = {name for name in FILES if f'"/till/{name}"' in worker}
    assert kept == set(FILES) - {"worker.js"}
    head = counter.merchant.client.get("/till").headers
    assert "unsafe" not in head["Content-Security-Policy"]
    assert head["Cache-Control"] == "no-cache"
