"""What was done, by whom, when and why: found again, changed by nobody."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from admin import audit_words, pages
from carbon_credits.core import audit
from carbon_credits.core.audit import AuditEntry, Wanted
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.residents import unmasking
from carbon_credits.staff.service import number_of

PAGE: Final = 50
_LONGEST: Final = 160
NOT_A_DAY: Final = Text("应为日期，如 2026-01-31", "A day, such as 2026-01-31")

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("/")
def search() -> Response:
    """Deeds by who, what, about what and when."""
    given = {
        name: request.args.get(name, "")[:_LONGEST].strip() for name in ("who", "what", "about", "from", "to")
    }
    faults: dict[str, Text] = {}
    first, last = _day("from", given["from"], faults), _day("to", given["to"], faults)
    with reading() as session:
        wanted = Wanted(
            _actor(session, given["who"]), given["what"] or None, given["about"] or None, first, last
        )
        found = [] if faults else audit.search(session, wanted, PAGE + 1, _before())
        actions = audit.actions(session)
        names = audit_words.names(session, found)
    more = _more("audit.search", found)
    return pages.render(
        "audit.html",
        422 if faults else 200,
        deeds=found[:PAGE],
        names=names,
        words=audit_words.words,
        given=given,
        faults=faults,
        choices=[
            ("", Text("全部", "Anything").in_language(pages.language())),
            *((one, _choice(one)) for one in actions),
        ],
        more=more,
    )


@blueprint.get("/phones")
def phones() -> Response:
    """Every time somebody read a resident's phone number in full, and why."""
    with reading() as session:
        found = audit.search(session, Wanted(action=unmasking.SHOWN), PAGE + 1, _before())
        names = audit_words.names(session, found)
    more = _more("audit.phones", found)
    return pages.render("phones.html", deeds=found[:PAGE], names=names, more=more)


def _more(endpoint: str, found: Sequence[AuditEntry]) -> str:
    """The address of the next page, with the same filters; nothing on the last."""
    return (
        pages.url(endpoint, **{**request.args, "before": found[PAGE - 1].audit_id})
        if len(found) > PAGE
        else ""
    )


def _choice(action: str) -> str:
    """An action in words, and as it is written where it has words."""
    told = audit_words.words(action).in_language(pages.language())
    return told if told == action else f"{told} ({action})"


def _actor(session: Session, words: str) -> str | None:
    """Who is meant: a member of staff by name, or an actor as the audit writes it."""
    if not words:
        return None
    number = number_of(session, words)
    return words if number is None else f"staff:{number}"


def _before() -> int | None:
    given = request.args.get("before", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None


def _day(name: str, words: str, faults: dict[str, Text]) -> date | None:
    if not words:
        return None
    try:
        return date.fromisoformat(words)
    except ValueError:
        faults[name] = NOT_A_DAY
        return None
