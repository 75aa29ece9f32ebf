"""The month as a paper: the books' own figures, in either language, and a code that leads to the same ones."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
import zxingcpp
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from carbon_credits.api.house import EXTENSION
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import NotFound
from carbon_credits.reporting import statement_links
from carbon_credits.reporting.numbers import NARROW
from carbon_credits.reporting.statements import month_of, statement
from carbon_credits.residents.links import LinkExpired
from tests.api.conftest import Caller
from tests.api.credited import a_decided_ride, policy

MONTH = f"{clock.today():%Y-%m}"


def words(told: TestResponse) -> str:
    assert (told.status_code, told.mimetype) == (200, "application/pdf"), told.get_data(as_text=True)[:500]
    pages = pypdf.PdfReader(BytesIO(told.data)).pages
    return " ".join("\n".join(page.extract_text() for page in pages).replace(NARROW, " ").split())


def code_on(told: TestResponse) -> str:
    """What the QR code on the first page says, read from the drawing."""
    (drawing,) = pypdf.PdfReader(BytesIO(told.data)).pages[0].images
    (found,) = zxingcpp.read_barcodes(drawing.image)
    return str(found.text)


@pytest.fixture
def month(app: Flask, resident: Caller) -> Caller:
    """A resident with two rides credited and one of them taken back."""
    policy(app)
    a_decided_ride(app, resident)
    a_decided_ride(app, resident, minutes_ago=60)
    return resident


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ("月度对账单", "期初", "骑自行车出行", "申报减排量", "不可交易")),
        ("en", ("monthly statement", "Opening", "Cycling", "Claimed", "not tradable")),
    ],
)
def test_the_paper_says_what_the_wallet_says(month: Caller, lang: str, said: tuple[str, ...]) -> None:
    wallet = month.get("/v1/wallet").get_json()
    told = month.get(f"/v1/statements/{MONTH}.pdf", headers={"Accept-Language": lang})
    shown = words(told)
    for word in said:
        assert word in shown
    assert told.headers["Content-Language"].startswith(lang)
    assert told.headers["Cache-Control"] == "no-store"
    points = wallet["points"]
    assert f"{points['available'] + points['pending']}" in shown
    grams = wallet["carbon"]["claimed_mg"]
    assert f"{grams // 1000}.{grams % 1000:03d}" in shown
    assert "CO2e" in shown.replace(" ", "")
    assert "■" not in shown


def test_the_code_leads_to_the_same_figures_as_they_were(app: Flask, month: Caller) -> None:
    told = month.get(f"/v1/statements/{MONTH}.pdf")
    url = code_on(told)
    base = app.extensions[EXTENSION].settings.public_url
    assert url.startswith(f"{base}/statements/")
    path = url.removeprefix(base)
    shown = month.client.get(path, headers={"Accept-Language": "en"})
    page = unescape(shown.get_data(as_text=True))
    assert (shown.status_code, shown.headers["X-Robots-Tag"]) == (200, "noindex, nofollow")
    (digest,) = re.findall(r"<code>([0-9a-f]{64})</code>", page)
    assert digest[:32] in words(told)
    assert digest[32:] in words(told)
    a_decided_ride(app, month, minutes_ago=120)
    again = unescape(month.client.get(path).get_data(as_text=True))
    assert digest in again, "what was booked since changes nothing on it"
    assert digest[:32] not in words(month.get(f"/v1/statements/{MONTH}.pdf")), "and a new paper says more"


def test_a_link_ends_and_cannot_be_made_up(app: Flask, month: Caller) -> None:
    vault = app.extensions[EXTENSION].vault
    with app.app_context(), reading() as session:
        shown = statement(session, month.id, month_of(MONTH), clock.today())
        token, ends = statement_links.lend(vault, month.id, shown, clock.now())
        assert statement_links.borrowed(session, vault, token, clock.now()).resident_id == month.id
        with pytest.raises(LinkExpired):
            statement_links.borrowed(session, vault, token, ends)
        for wrong in (token[:-2], token + "=", "A" * len(token), "é"):
            with pytest.raises(NotFound):
                statement_links.borrowed(session, vault, wrong, clock.now())
    old, _ = statement_links.lend(vault, month.id, shown, clock.now() - timedelta(days=31))
    assert month.client.get(f"/statements/{old}").status_code == 410
    assert month.client.get("/statements/nonsense").status_code == 404
    with app.app_context(), transaction() as session:
        session.execute(text("update resident set status = 'frozen'"))
    assert month.client.get(f"/statements/{token}").status_code == 404


def test_months_add_up_from_one_to_the_next(app: Flask, month: Caller) -> None:
    """The statement of a month that is over begins with nothing and ends where the next begins."""
    this = month_of(MONTH)
    before = (this - timedelta(days=1)).replace(day=1)
    with app.app_context(), reading() as session:
        empty = statement(session, month.id, before, clock.today())
        now = statement(session, month.id, this, clock.today())
    assert (empty.is_over, empty.lines, empty.closing) == (True, (), now.opening)
    assert now.closing.points == now.opening.points + sum(now.points.values())
    assert now.closing.claimed_mg == sum(of.claimed_mg for of in now.grams.values()) > 0
    assert [line.methodology for line in now.lines] == ["travel.cycling"] * 2
    assert now.lines[-1].balance_after == now.closing.points


@pytest.mark.parametrize("name", ["2999-01", "2026-13", "2026-1", "26-01", "２０２６-01", "2026-10-01"])
def test_other_months_are_not_found(resident: Caller, name: str) -> None:
    assert resident.get(f"/v1/statements/{name}.pdf").status_code == 404


def test_without_the_font_it_says_so(
    app: Flask, month: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = app.extensions[EXTENSION]
    for font in (tmp_path / "none.ttf", Path(__file__)):
        changed = replace(ours, settings=replace(ours.settings, font=font))
        monkeypatch.setitem(app.extensions, EXTENSION, changed)
        told = month.get(f"/v1/statements/{MONTH}.pdf")
        assert (told.status_code, told.get_json()["code"]) == (503, "font_missing")
        assert told.headers["Retry-After"] == "3600"
