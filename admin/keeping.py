"""What somebody typed before they had to sign in or to show the second factor: held in the page, and sent again from it.

Its fields stand under names of their own beside those of the page that holds them, so that neither hides the other.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from flask import Response, redirect, request, url_for

from admin import pages
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings

PREFIX: Final = "kept:"
HERE: Final = "/admin/"
READS: Final = frozenset({"GET", "HEAD"})
_LONGEST: Final = 2_000


class Kept(NamedTuple):
    """Where it goes, how, and what was typed; a page that was only asked for has no fields."""

    path: str
    method: str = "GET"
    fields: Sequence[tuple[str, str]] = ()


NOTHING: Final = Kept("")


def read() -> Kept:
    """What the form at hand holds for later."""
    path, method = request.form.get("kept_path", ""), request.form.get("kept_method", "")
    fields = [
        (name.removeprefix(PREFIX), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(PREFIX)
    ]
    return Kept(within(path), "POST" if method == "POST" else "GET", fields)


def within(path: str) -> str:
    """An address as it was given where it is one of the console's, nothing for any other."""
    is_ours = path.startswith(HERE) and len(path) <= _LONGEST and path.isprintable()
    # a browser reads what is written %2e as a dot, and two of them as one step up
    plain = path.lower().replace("%2e", ".")
    return "" if not is_ours or any(part in plain for part in ("//", "\\", "..")) else path


def ask_to_sign_in(kept: Kept, status: int = 401, *, name: str = "", fault: Text | None = None) -> Response:
    """The page where one signs in, with what waits behind it."""
    offered = bool(settings().oidc_issuer) and kept.method in READS
    return pages.render("signing_in.html", status, kept=kept, name=name, fault=fault, offered=offered)


def go_on(kept: Kept, *, at_once: bool = False) -> Response:
    """To where one wanted to: a page now, a form by a page that sends it, at once or once it was looked over."""
    if kept.method in READS or not kept.path:
        return cast(Response, redirect(kept.path or url_for("console.home.show"), 303))
    return pages.render("kept.html", kept=kept, at_once=at_once)
