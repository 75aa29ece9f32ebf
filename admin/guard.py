"""Who is at the console, and may they: asked before any view. Sessions are rows, so each can be ended from elsewhere.

A write is taken only from a page of our own: the browser must name us as its origin, and the form must carry the
token that belongs to the session. What somebody typed is never lost for want of a session or a second factor: it is
held in the page that asks for them, and sent again from there.
"""

from typing import Final, cast
from urllib.parse import urlsplit

from flask import Response, g, redirect, request, url_for

from admin import pages
from admin.access import ACCESS, UPLOADS, Rule
from admin.keeping import READS, Kept, ask_to_sign_in
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import same
from carbon_credits.core.db import transaction
from carbon_credits.core.errors import Invalid, NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.staff import sessions
from carbon_credits.staff.browsers import KNOWN_FOR
from carbon_credits.staff.sessions import Member

# the cookie of a browser that somebody has signed in with
BROWSER: Final = "known"
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
# what the guard and the pages it shows put into a form beside what a person typed
OURS: Final = frozenset(
    {CSRF_FIELD, "password", "new_password", "password_again", "one_time_code", "kept_path", "kept_method"}
)
# the console's own files are everybody's, and nobody's session lasts longer for them
FILES: Final = "assets.show"
ROLE_MISSING: Final = Text("您的角色不能进行此操作", "Your role does not allow this")
NOT_TEXT: Final = Text("内容含有无法保存的字符", "There is a character in this that cannot be kept")
NOT_OURS: Final = Text(
    "此请求不是从本控制台的页面发出的，未执行。请刷新页面后重试",
    "This did not come from a page of this console, and nothing was done. Reload the page and try again",
)


def is_https(told: Settings) -> bool:
    """Whether browsers reach us by TLS; only the demonstration on loopback does without."""
    return told.public_url.startswith("https://")


def cookie_name(told: Settings, name: str) -> str:
    """`__Host-` where there is TLS: then no other host of the domain can set it."""
    return f"__Host-carbon-{name}" if is_https(told) else f"carbon-{name}"


def member() -> Member:
    """Who is signed in; every view behind a rule has one."""
    return cast(Member, g.member)


def admit() -> Response | None:
    """Let in who the table allows."""
    name = str(request.endpoint).partition(".")[2]
    rule = ACCESS[name]
    g.member = None
    if name == FILES:
        return None
    g.member = _who()
    # before the form is read, and for members of staff alone
    if g.member is not None and name in UPLOADS:
        request.max_content_length = UPLOADS[name]
    _refuse_unwritable()
    if request.method not in READS:
        _refuse_strangers(g.member)
    if rule.anyone:
        return None
    if g.member is None:
        return _ask_to_sign_in()
    return _admit_member(rule, g.member)


def hold_session(response: Response, token: str) -> None:
    """Give the browser its session: no script reads it, no other site sends it, the browser's end forgets it."""
    told = settings()
    response.set_cookie(
        cookie_name(told, "staff"), token, path="/", secure=is_https(told), httponly=True, samesite="Strict"
    )


def hold_browser(response: Response, token: str) -> None:
    """Give the browser what it is known by the next time; that lets nobody in."""
    told = settings()
    response.set_cookie(
        cookie_name(told, BROWSER),
        token,
        max_age=KNOWN_FOR,
        path="/",
        secure=is_https(told),
        httponly=True,
        samesite="Strict",
    )


def known_browser() -> str:
    """What this browser is known by; empty where it is not."""
    return request.cookies.get(cookie_name(settings(), BROWSER), "")


def drop_session(response: Response) -> None:
    """Take the session from the browser."""
    told = settings()
    response.delete_cookie(
        cookie_name(told, "staff"), path="/", secure=is_https(told), httponly=True, samesite="Strict"
    )


def kept() -> Kept:
    """What was asked for, with what was typed into the form at hand and is not ours; files cannot be kept."""
    if request.method in READS:
        return Kept(request.full_path.rstrip("?"))
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in OURS]
    return Kept(request.path, request.method, fields)


def _who() -> Member | None:
    token = request.cookies.get(cookie_name(settings(), "staff"), "")
    if not token:
        return None
    with transaction() as session:
        return sessions.current(session, settings().vault, token, clock.now())


def _admit_member(rule: Rule, asking: Member) -> Response | None:
    if not rule.roles & asking.roles:
        raise NotAllowed("role_missing", ROLE_MISSING)
    if rule.fresh and (asking.stepped_up_until is None or asking.stepped_up_until <= clock.now()):
        return _ask_for_code()
    return None


def _refuse_strangers(asking: Member | None) -> None:
    """Raises NotAllowed unless a page of ours sent this, for this session."""
    origin = urlsplit(request.headers.get("Origin") or request.headers.get("Referer") or "")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if origin.netloc != request.host or site != "same-origin":
        raise NotAllowed("not_from_here", NOT_OURS)
    if asking is None:
        return
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    if not same(given.encode(), asking.csrf.encode()):
        raise NotAllowed("csrf_missing", NOT_OURS)


def _refuse_unwritable() -> None:
    """Raises Invalid for a character that no text of ours holds."""
    if any("\0" in value for given in (request.args, request.form) for _, value in given.items(multi=True)):
        raise Invalid("not_text", NOT_TEXT)


def _ask_to_sign_in() -> Response:
    """A page that was asked for waits behind the sign-in; a form stays in it."""
    if request.method in READS and "HX-Request" not in request.headers:
        # once signed in one goes on to where one wanted to
        return cast(
            Response, redirect(url_for("console.signing_in.form", next=request.full_path.rstrip("?")))
        )
    return ask_to_sign_in(kept())


def _ask_for_code() -> Response:
    return pages.render("step_up.html", 401, kept=kept(), fault=None)
