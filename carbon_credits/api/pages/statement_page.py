"""A statement that was lent with its paper: the same figures online, and nobody's name."""

from typing import Any

from flask import Blueprint, Response

from carbon_credits.api.house import house
from carbon_credits.api.pages import rendering
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Language, Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting import numbers
from carbon_credits.reporting.statement_links import borrowed
from carbon_credits.reporting.statement_paper import HEADS, NO_ACT, POOLS
from carbon_credits.reporting.statements import Balance, Statement, statement
from carbon_credits.residents.links import LinkExpired

blueprint = Blueprint("lent_statements", __name__)


@blueprint.get("/statements/<token>")
def show(token: str) -> Response:
    """The month that a paper's code leads to, as it was when the paper was made."""
    reader = rendering.page_language()
    try:
        with reading() as session:
            lent = borrowed(session, house().vault, token, clock.now())
            shown = statement(session, lent.resident_id, lent.month, clock.today(), lent.upto)
    except LinkExpired:
        return _none(reader, 410)
    except NotFound:
        return _none(reader, 404)
    view = statement_view(shown, reader)
    path = f"/statements/{token}"
    html = rendering.written(
        "statement.html", reader, path, s=view, expires_at=numbers.moment(lent.expires_at)
    )
    return rendering.private(html, reader)


def statement_view(shown: Statement, reader: Language) -> dict[str, Any]:
    """What the page shows: sums and the digest, no single posting."""
    return {
        "month": f"{shown.month:%Y-%m}",
        "upto": shown.upto,
        "is_over": shown.is_over,
        "pools": [name.in_language(reader) for name in POOLS.values()],
        "opening": _balance(shown.opening),
        "closing": _balance(shown.closing),
        "heads": [(HEADS[head].in_language(reader), numbers.grouped(n)) for head, n in shown.points.items()],
        "grams": [(_title(code, reader), _balance(of)["masses"]) for code, of in shown.grams.items()],
        "lines": len(shown.lines),
        "digest": shown.digest,
    }


def _balance(of: Balance) -> dict[str, Any]:
    masses = [numbers.grouped(getattr(of, pool)) for pool in POOLS]
    return {"points": numbers.grouped(of.points), "masses": masses}


def _title(code: str | None, reader: Language) -> str:
    return (NO_ACT if code is None else Text(*BY_CODE[code][-1].title)).in_language(reader)


def _none(reader: Language, status: int) -> Response:
    html = rendering.written("no_statement.html", reader, None, expired=status == 410)
    return rendering.private(html, reader, status)
