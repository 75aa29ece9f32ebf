"""The public face of a methodology over HTTP, and what its pages are made from."""

import hashlib
import json
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from fractions import Fraction
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from carbon_credits.api.pages import rendering
from carbon_credits.api.pages.formulas import lay_out, lines, pieces
from carbon_credits.api.pages.methodology_page import index_view, methodology_view
from carbon_credits.core import clock
from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.catalogue import BY_CODE, METHODOLOGIES, newest
from carbon_credits.methodologies.formula import names
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.methodologies.readings import text
from carbon_credits.methodologies.releases import releases
from carbon_credits.reporting import numbers
from carbon_credits.reporting.numbers import NARROW

EVERY = pytest.mark.parametrize("methodology", METHODOLOGIES, ids=lambda m: f"{m.code}-v{m.version}")
TODAY = date(2026, 3, 2)


def _page(client: FlaskClient, path: str) -> str:
    told = client.get(path)
    assert told.status_code == 200, path
    return str(told.get_data(as_text=True))


def _words(html: str) -> str:
    """The page as read: without marks, with the spaces that a reader sees."""
    return " ".join(unescape(re.sub(r"<wbr>|</?(?:var|span|b)[^>]*>", "", html)).split())


def _shown(amount: Decimal | int) -> str:
    """A number as `_words` has it."""
    return numbers.grouped(amount).replace(NARROW, " ")


def test_who_knows_no_address_finds_one_at_the_front(client: FlaskClient) -> None:
    html = _page(client, "/?lang=en")
    ways = re.findall(r'<h3><a href="([^"]+)">', html)
    assert len(ways) == 6
    # the console is put beside the doors where the whole programme is put together
    assert [client.get(way).status_code for way in ways if way != "/admin/"] == [200] * 5
    assert "商户收银台" in _page(client, "/")
    assert client.get("/", headers={"Accept-Language": "en"}).headers["Content-Language"] == "en"


@EVERY
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_says_all_that_the_declaration_says(
    client: FlaskClient, methodology: Methodology, lang: str
) -> None:
    path = f"/methodologies/{methodology.code}?version={methodology.version}&lang={lang}"
    words = _words(_page(client, path))
    at = 0 if lang == "zh" else 1
    boundary = methodology.boundary
    for pair in (
        methodology.title,
        methodology.summary,
        boundary.baseline,
        boundary.project,
        boundary.leakage,
    ):
        assert pair[at] in words
    for parameter in methodology.parameters:
        assert parameter.description[at] in words
        for value in parameter.values:
            assert _shown(value.amount) in words
            assert value.source.title in words
            assert value.since.isoformat() in words
    for example in methodology.examples:
        assert example.title[at] in words
        assert _shown(example.reduction_mg) in words or example.reasons
    for release in releases(methodology):
        assert release.digest in words
    assert '<html lang="' + rendering.TAGS[lang] + '">' in _page(client, path)


@EVERY
def test_every_symbol_of_the_formula_has_its_human_name(methodology: Methodology) -> None:
    view = methodology_view(BY_CODE[methodology.code], methodology, "en", TODAY)
    assert {one["name"] for one in view["legend"]} == names(methodology.tree)


@EVERY
def test_the_program_on_the_page_recomputes_every_example(
    client: FlaskClient, methodology: Methodology, tmp_path: Path
) -> None:
    html = _page(client, f"/methodologies/{methodology.code}?version={methodology.version}")
    (program,) = re.findall(r'<code id="recompute">(.*?)</code></pre>', html, re.DOTALL)
    (path,) = re.findall(r'<a href="([^"]+)">release\.json</a>', html)
    document = client.get(path).data
    release = releases(methodology)[-1]
    assert "sha256:" + hashlib.sha256(document).hexdigest() == release.digest
    (tmp_path / "release.json").write_bytes(document)
    found = re.search(r"^v = (\{.*\})$", unescape(program), re.MULTILINE)
    assert found is not None
    example = methodology.examples[0]
    assert json.loads(found[1].replace("'", '"')) == dict(example.monitored)
    run = subprocess.run(
        [sys.executable, "-c", unescape(program)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = quantify(methodology, example.monitored, max(release.since, methodology.in_force))
    unmet = {condition.reason for condition in methodology.conditions} & set(expected.reasons)
    assert ("DOES NOT HOLD" in run.stdout) is bool(unmet)
    if not expected.reasons:
        assert run.stdout.splitlines()[-1] == f"{expected.reduction_mg} mg CO2e"


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        ("", None, "zh-CN"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "fr", "zh-CN"),
        ("?lang=en", "zh", "en"),
        ("?lang=zh", "en", "zh-CN"),
        ("?lang=xx", None, "zh-CN"),
        ("?lang=xx", "en", "en"),
        ("?lang=", None, "zh-CN"),
    ],
)
def test_the_language_is_the_one_asked_for(
    client: FlaskClient, path: str, accept: str | None, expected: str
) -> None:
    headers = {} if accept is None else {"Accept-Language": accept}
    for page in ("/methodologies", "/methodologies/travel.metro"):
        told = client.get(page + path, headers=headers)
        html = told.get_data(as_text=True)
        assert f'<html lang="{expected}">' in html
        assert told.headers["Content-Language"] == expected
        assert told.headers["Vary"] == "Accept-Language"
        for tag, lang in (("zh-CN", "zh"), ("en", "en")):
            assert f'hreflang="{tag}" href="https://' in html or f'hreflang="{tag}" href="http://' in html
            assert f'href="{page}?lang={lang}"' in html


def test_pages_are_strict_and_made_of_our_own_files(client: FlaskClient) -> None:
    for path in ("/methodologies", "/methodologies/travel.metro", "/methodologies/none", "/receipts/none"):
        told = client.get(path)
        html = told.get_data(as_text=True)
        assert told.mimetype == "text/html"
        assert told.headers["Content-Security-Policy"] == rendering.CSP
        assert told.headers["Referrer-Policy"] == "no-referrer"
        assert "unsafe" not in rendering.CSP
        assert not re.search(r"<script|\sstyle=|\son[a-z]+=", html)
        assert set(re.findall(r'(?:src|rel="(?:icon|stylesheet)"[^>]*href)="([^"]+)"', html)) <= {
            "/pages/page.css",
            "/pages/icon.svg",
        }
        assert html.count("<h1") == 1


def test_a_page_is_named_by_its_digest_and_not_sent_twice(client: FlaskClient) -> None:
    first = client.get("/methodologies/travel.metro")
    assert first.headers["Cache-Control"] == "public, max-age=300"
    tag = first.headers["ETag"]
    again = client.get("/methodologies/travel.metro", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/methodologies/travel.metro?lang=en", headers={"If-None-Match": tag})
    assert (other.status_code, other.headers["ETag"] == tag) == (200, False)


@pytest.mark.parametrize(
    "path", ["/methodologies/no.such", "/methodologies/travel.metro?version=9", "/methodologies/%3Cb%3E"]
)
def test_what_is_not_there_is_404_in_both_languages_with_a_way_back(client: FlaskClient, path: str) -> None:
    told = client.get(path)
    html = told.get_data(as_text=True)
    assert told.status_code == 404
    assert told.headers["Cache-Control"] == "no-store"
    assert "没有这个方法学" in html
    assert 'lang="en">There is no such methodology' in html
    assert 'href="/methodologies?lang=zh"' in html
    assert "%3Cb" not in html
    assert "<b>" not in html


def test_a_release_is_served_byte_for_byte_and_no_other_is(client: FlaskClient) -> None:
    release = releases(newest("travel.metro"))[-1]
    name = release.digest.removeprefix("sha256:")
    told = client.get(f"/methodologies/travel.metro/releases/{name}.json")
    assert (told.data, told.mimetype) == (release.document, "application/json")
    assert "immutable" in told.headers["Cache-Control"]
    for path in (
        f"travel.bus/releases/{name}",
        f"none.such/releases/{name}",
        f"travel.metro/releases/{name[:-1]}",
    ):
        assert client.get(f"/methodologies/{path}.json").status_code == 404


@pytest.mark.parametrize("name", ["__init__.py", "..", "base.html", "..%2ftemplates%2fbase.html"])
def test_no_other_file_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/pages/{name}").status_code == 404


def test_an_empty_catalogue_says_so(client: FlaskClient) -> None:
    with client.application.test_request_context("/methodologies"):
        html = rendering.written("index.html", "en", "/methodologies", index=index_view({}, "en", TODAY))
    assert "No methodology has been published yet" in html
    assert "<section" not in html


def test_the_index_lists_every_methodology_once_with_its_status(client: FlaskClient) -> None:
    html = _page(client, "/methodologies?lang=en")
    for code in BY_CODE:
        assert html.count(f'href="/methodologies/{code}?lang=en"') == 1
    assert html.count('class="badge trial"') == len(BY_CODE)


def test_a_formula_with_choices_is_one_line_and_a_table_of_cases() -> None:
    tree = newest("planting.tree").tree
    layout = lay_out(tree)
    (cases,) = layout.cases
    assert " if " not in layout.line
    assert "case_1 × half_width_g" in layout.line
    assert [row.value for row in cases.rows] == ["0", "0.25", "0.5", "0.75", "1"]
    assert [bool(row.test) for row in cases.rows] == [True, True, True, True, False]
    assert layout.line.replace("case_1", cases.whole) == text(tree)


@EVERY
def test_steps_with_numbers_put_in_come_to_what_they_say(methodology: Methodology) -> None:
    """Read the line back as arithmetic: what a reader's own calculator would say."""
    layout = lay_out(methodology.tree)
    reckoned = 0
    for example in methodology.examples:
        found = quantify(methodology, example.monitored, example.on)
        assert found.release is not None
        told = lines(layout, found.steps, {**example.monitored, **found.release.parameters})
        for line in (*told.formula, *told.conditions):
            if not line.numbers:
                continue
            written = "".join(piece.text for piece in line.numbers).replace(NARROW, "")
            for shown, python in (("−", "-"), ("×", "*"), ("≤", "<="), ("≥", ">=")):
                written = written.replace(shown, python)
            value = _exactly(written)
            expected = (
                line.holds
                if line.holds is not None
                else _exactly(line.value.replace(NARROW, "").replace("−", "-"))
            )
            assert value == expected, written
            reckoned += 1
    assert reckoned > 0 or (methodology.formula is None and not methodology.conditions)


def _exactly(written: str) -> object:
    exact = re.sub(r"\d+(?:\.\d+)?", lambda found: f"F('{found[0]}')", written)
    return eval(exact, {"F": Fraction, "min": min, "max": max, "__builtins__": {}})


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "0"), ("999", "999"), ("1234567.5", "1 234 567.5"), ("-1000", "−1 000"), ("0.000001", "0.000001")],
)
def test_numbers_are_grouped_and_never_rounded(amount: str, shown: str) -> None:
    assert numbers.grouped(amount).replace(NARROW, " ") == shown


@pytest.mark.parametrize(
    ("mg", "amount", "unit"),
    [
        (0, "0", "g"),
        (1, "0.001", "g"),
        (999_999, "999.999", "g"),
        (1_000_000, "1", "kg"),
        (-46_746, "−46.746", "g"),
    ],
)
def test_grams_read_well_and_stay_exact(mg: int, amount: str, unit: str) -> None:
    shown = numbers.grams(mg)
    assert (shown.amount, shown.unit.en) == (amount, unit)
    assert int(shown.exact.replace(NARROW, "").replace("−", "-")) == mg


def test_words_and_names_of_a_line_are_told_apart() -> None:
    kinds = [(piece.kind, piece.text) for piece in pieces("min(a_g, 2000) × 0.5")]
    assert kinds == [
        ("function", "min"),
        ("sign", "("),
        ("name", "a_g"),
        ("sign", ", "),
        ("number", f"2{NARROW}000"),
        ("sign", ") × "),
        ("number", "0.5"),
    ]


def test_days_of_the_page_are_the_programmes() -> None:
    assert numbers.moment("2026-03-01T17:00:00Z") == "2026-03-02 01:00"
    assert clock.day_of(clock.now()) == clock.today()
