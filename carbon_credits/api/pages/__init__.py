"""Pages for people: the ways in, what a methodology says, a receipt that somebody was shown. Plain HTML, no script."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, request

from carbon_credits.api.house import house
from carbon_credits.api.pages import rendering
from carbon_credits.api.pages.coverage_page import coverage_view
from carbon_credits.api.pages.methodology_page import in_force_or_newest, index_view, methodology_view
from carbon_credits.api.pages.receipt_page import receipt_view
from carbon_credits.api.problems import Problem
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Language, Text
from carbon_credits.crediting.receipt_links import borrowed
from carbon_credits.crediting.receipts import receipt
from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.methodologies.releases import Release, releases
from carbon_credits.residents.links import LinkExpired
from carbon_credits.rewards.coverage import newest

NO_PAGE = Text("没有这个页面", "There is no such page")
YEAR = "public, max-age=31536000, immutable"

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def front() -> Response:
    """Who comes without knowing an address finds theirs here."""
    reader = rendering.page_language()
    return rendering.public(rendering.written("front.html", reader, "/"), reader)


@blueprint.get("/methodologies")
def methodologies() -> Response:
    """Every methodology, by family."""
    reader = rendering.page_language()
    return rendering.public(_index(reader, clock.today(), house().settings.public_url), reader)


@blueprint.get("/methodologies/<code>")
def methodology(code: str) -> Response:
    """One methodology: the version in force, or the one asked for."""
    reader = rendering.page_language()
    version = _version(BY_CODE.get(code, ()), request.args.get("version"))
    if version is None:
        return _missing(reader)
    return rendering.public(_whole(version, reader, clock.today(), house().settings.public_url), reader)


@blueprint.get("/methodologies/<code>/releases/<digest>.json")
def release(code: str, digest: str) -> Response:
    """The document of a release, byte for byte as its digest names it."""
    found = _releases(code).get(digest)
    if found is None:
        raise Problem("not_found", Text("没有这次发布", "There is no such release"))
    response = Response(found.document, mimetype="application/json")
    response.headers["Cache-Control"] = YEAR
    response.set_etag(digest)
    response.make_conditional(request)
    return response


@blueprint.get("/coverage")
def coverage() -> Response:
    """What stands behind the points, as it was read last."""
    reader = rendering.page_language()
    with reading() as session:
        found = newest(session)
    view = None if found is None else coverage_view(found, reader)
    return rendering.public(rendering.written("coverage.html", reader, "/coverage", c=view), reader)


@blueprint.get("/receipts/<token>")
def lent_receipt(token: str) -> Response:
    """A receipt that its owner lent for a day."""
    reader = rendering.page_language()
    ours = house()
    try:
        with reading() as session:
            lent = borrowed(session, ours.vault, token, clock.now())
            told = receipt(session, lent.resident_id, lent.activity)
    except LinkExpired:
        return _no_receipt(reader, 410)
    except NotFound:
        return _no_receipt(reader, 404)
    html = rendering.written(
        "receipt.html", reader, f"/receipts/{token}", r=receipt_view(told, reader), expires_at=lent.expires_at
    )
    return rendering.private(html, reader)


@blueprint.get("/pages/<name>")
def asset(name: str) -> Response:
    """What the pages are made of."""
    try:
        return rendering.asset(name)
    except KeyError as error:
        raise Problem("not_found", Text("没有这个文件", "There is no such file")) from error


def own_receipt(told: Mapping[str, Any]) -> Response:
    """A receipt as a page for its owner, in the language the request prefers."""
    reader = rendering.page_language()
    html = rendering.written("receipt.html", reader, None, r=receipt_view(told, reader), expires_at=None)
    return rendering.private(html, reader)


@lru_cache(maxsize=8)
def _index(reader: Language, today: date, base: str) -> str:
    del base  # in the page's own links, so a page is kept for one address alone
    return rendering.written("index.html", reader, "/methodologies", index=index_view(BY_CODE, reader, today))


@lru_cache(maxsize=256)
def _whole(version: Methodology, reader: Language, today: date, base: str) -> str:
    del base
    versions = BY_CODE[version.code]
    is_main = version is in_force_or_newest(versions, today)
    path = f"/methodologies/{version.code}" + ("" if is_main else f"?version={version.version}")
    view = methodology_view(versions, version, reader, today)
    return rendering.written("methodology.html", reader, path, m=view, is_main=is_main)


def _version(versions: Sequence[Methodology], asked: str | None) -> Methodology | None:
    if not versions or asked is None:
        return in_force_or_newest(versions, clock.today()) if versions else None
    return next((version for version in versions if str(version.version) == asked), None)


def _releases(code: str) -> Mapping[str, Release]:
    """The releases of every version, by the hexadecimal digits of their digest."""
    return {
        one.digest.removeprefix("sha256:"): one
        for version in BY_CODE.get(code, ())
        for one in releases(version)
    }


def _missing(reader: Language) -> Response:
    return rendering.private(rendering.written("missing.html", reader, None), reader, 404)


def _no_receipt(reader: Language, status: int) -> Response:
    html = rendering.written("no_receipt.html", reader, None, expired=status == 410)
    return rendering.private(html, reader, status)
