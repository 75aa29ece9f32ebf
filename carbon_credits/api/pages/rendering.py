"""How a page is written and sent: escaped, in one language, under a strict policy, with nothing from elsewhere."""

import mimetypes
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from carbon_credits.api.house import house
from carbon_credits.api.language import language
from carbon_credits.api.pages.words import NAME
from carbon_credits.core.i18n import LANGUAGES, Language, Text
from carbon_credits.reporting import numbers

HERE: Final = Path(__file__).parent
STATIC: Final = ("page.css", "icon.svg")
CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
FRESH: Final = "public, max-age=300"
TAGS: Final[dict[str, str]] = {"zh": "zh-CN", "en": "en"}


@cache
def templates() -> Environment:
    """The templates: everything is escaped, and a name that is not there is a fault, not a gap."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["grouped"] = numbers.grouped
    return made


def page_language() -> Language:
    """`?lang=zh` or `?lang=en` where it says one of these; else what the reader's browser prefers, else Chinese."""
    asked = request.args.get("lang", "")
    return "en" if asked == "en" else "zh" if asked == "zh" else language()


def written(template: str, reader: Language, path: str | None, **view: Any) -> str:
    """A page as text. `path` is where it stands, for the links to its other language; None where it has none."""

    def say(zh: str, en: str) -> str:
        return Text(zh, en).in_language(reader)

    return (
        templates()
        .get_template(template)
        .render(
            say=say,
            lang=reader,
            tag=TAGS[reader],
            tags=[(one, TAGS[one]) for one in LANGUAGES],
            path=path,
            base=house().settings.public_url.rstrip("/"),
            name=NAME.in_language(reader),
            **view,
        )
    )


def public(html: str, reader: Language) -> Response:
    """A page that anybody may keep for five minutes; its name is the digest of its bytes."""
    response = _html(html, reader)
    response.headers["Cache-Control"] = FRESH
    response.headers["Vary"] = "Accept-Language"
    response.set_etag(sha256(html.encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response


def private(html: str, reader: Language, status: int = 200) -> Response:
    """A page that nobody keeps and no search engine lists."""
    response = _html(html, reader, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept, Accept-Language"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def asset(name: str) -> Response:
    """One of our own files. Raises KeyError for any other name."""
    if name not in STATIC:
        raise KeyError(name)
    content, tag = _content(name)
    response = Response(content, mimetype=mimetypes.guess_type(name)[0])
    response.headers["Cache-Control"] = FRESH
    response.headers["Content-Security-Policy"] = CSP
    response.set_etag(tag)
    response.make_conditional(request)
    return response


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = (HERE / "static" / name).read_bytes()
    return content, sha256(content).hexdigest()[:32]


def _html(html: str, reader: Language, status: int = 200) -> Response:
    response = Response(html, status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Content-Language"] = TAGS[reader]
    return response
