"""How a page of the console is written and sent: escaped, in one language, under a policy that allows no script inline.

Templates find in every page: `say(zh, en)`, `lang`, `member`, `csrf`, `menu`, `url(endpoint, …)`, `asset(name)` and the
filters below. Asked for by htmx, a page comes without its frame.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import Response, flash, g, get_flashed_messages, request, url_for
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from admin import assets
from admin.access import ACCESS
from admin.navigation import menu
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Language, Text
from carbon_credits.reporting import numbers

HERE: Final = Path(__file__).parent
LANGUAGE: Final = "carbon-language"
TAGS: Final[Mapping[str, str]] = {"zh": "zh-CN", "en": "en"}
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


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
    made.filters.update(FILTERS)
    return made


def language() -> Language:
    """`?lang=` where it says one of the two, else what was chosen last; Chinese before anybody chose."""
    chosen = request.args.get("lang") or request.cookies.get(LANGUAGE)
    return "en" if chosen == "en" else "zh"


def render(template: str, status: int = 200, **view: Any) -> Response:
    """A page, or the part of it that htmx asked for."""
    reader = language()
    partial = request.headers.get("HX-Request-Type") == "partial"
    html = (
        templates()
        .get_template(template)
        .render(
            frame="bare.html" if partial else "base.html",
            say=lambda zh, en: en if reader == "en" else zh,
            lang=reader,
            tag=TAGS[reader],
            member=g.get("member"),
            csrf=getattr(g.get("member"), "csrf", ""),
            opens=_opens,
            menu=menu(g.get("member"), str(request.endpoint).partition(".")[2]),
            other_language=_other_language(reader),
            notes=get_flashed_messages(with_categories=True),
            url=url,
            asset=asset,
            **view,
        )
    )
    return Response(html, status, mimetype="text/html")


def url(endpoint: str, **values: Any) -> str:
    """The address of a page: `url("queues.trips", state="held")`."""
    return url_for("console." + endpoint, **values)


def asset(name: str) -> str:
    """The address of one of our files, under the digest of its bytes."""
    return url("assets.show", name=name, v=assets.version(name))


def note(words: Text, kind: str = "success") -> None:
    """Something to be said on the next page that is shown: what was done, in the reader's language."""
    flash(words.in_language(language()), kind)


def fault(field: str, words: Text) -> Invalid:
    """A form that cannot be taken because of one field."""
    return Invalid("field_wrong", words, faults=(FieldFault("/" + field, "field_wrong", words),))


def finish(response: Response) -> Response:
    """What every answer of the console carries."""
    response.headers.setdefault("Content-Security-Policy", CSP)
    response.headers.setdefault("Cache-Control", "no-store")
    # told nothing at all, a browser names no origin when it sends a form, and the guard would take none
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if response.mimetype == "text/html":
        response.headers["Content-Language"] = TAGS[language()]
        response.vary.add("HX-Request-Type")
    if request.args.get("lang") in TAGS:
        response.set_cookie(
            LANGUAGE,
            request.args["lang"],
            path="/admin",
            max_age=31_536_000,
            samesite="Strict",
            httponly=True,
        )
    return response


def _opens(endpoint: str) -> bool:
    """Whether who is reading may open a page: a link to one they may not leads nowhere."""
    asking = g.get("member")
    return asking is not None and bool(ACCESS[endpoint].roles & asking.roles)


def _other_language(reader: Language) -> str:
    """This page in the other language."""
    wanted = {**request.args.to_dict(), "lang": "zh" if reader == "en" else "en"}
    if request.method != "GET" or request.endpoint is None:
        return url("home.show", lang=wanted["lang"])
    return url_for(request.endpoint, **{**(request.view_args or {}), **wanted})


def grams(milligrams: int) -> str:
    """Milligrams in g or kg, every digit."""
    told = numbers.grams(milligrams)
    return told.amount + numbers.SPACE + told.unit.in_language(language())


def _tonnes(milligrams: int) -> str:
    """Milligrams as tonnes, kilograms or grams to three places, for what is read at a glance."""
    for unit, scale in (("t", 10**9), ("kg", 10**6), ("g", 10**3)):
        if abs(milligrams) >= scale:
            return f"{milligrams / scale:,.3g}" + numbers.SPACE + unit
    return f"{milligrams}" + numbers.SPACE + "mg"


def _yuan(fen: int) -> str:
    sign = numbers.MINUS if fen < 0 else ""
    return f"{sign}¥{numbers.grouped(abs(fen) // 100)}.{abs(fen) % 100:02}"


def _percent_of_ppm(ppm: int | None) -> str:
    return numbers.percent_of_ppm(ppm) or "—"


def told(words: Text | tuple[str, str]) -> str:
    """A text in the reader's language."""
    return Text(*words).in_language(language())


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "grouped": numbers.grouped,  # every digit, grouped
    "grams": grams,  # mg, every digit, in g or kg
    "glance": _tonnes,  # mg, three places, in t, kg, g
    "yuan": _yuan,  # fen
    "percent": numbers.percent,
    "ppm": _percent_of_ppm,  # parts per million, as per cent
    "day": numbers.day,
    "moment": numbers.moment,  # an instant, on the programme's clock
    "told": told,  # a Text
}
