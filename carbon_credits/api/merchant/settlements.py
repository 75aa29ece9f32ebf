"""A merchant's statements: what it is owed for each day, how it was paid, every line of it, as JSON or as a table."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import fields

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Day, Instant, Line, QueryWhole, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.merchant.shapes import ToDo
from carbon_credits.api.paging import LONGEST, cursor_to, position_of
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core.db import reading
from carbon_credits.rewards import standing, statements
from carbon_credits.rewards.settlement_models import Payment, SettlementAdjustment
from carbon_credits.rewards.settlement_models import Settlement as Row

LIST: Final = "settlements.index"
LINES: Final = "settlements.lines"
PATH: Final = [
    {
        "in": "path",
        "name": "settlement",
        "schema": {"type": "string", "minLength": 1, "maxLength": 20},
        "example": "17",
    }
]
CSV: Final = {"200": {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}
COLUMNS: Final = (
    "capture",
    "kind",
    "booked_on",
    "offer_id",
    "points",
    "face_fen",
    "micro_fen",
    "subsidy_fen",
    "reference",
)
CHUNK: Final = 1_000
# a table program takes these for the beginning of a formula, the full-width ones too
LIVE: Final = re.compile(r"^\s*[=+\-@|%＝＋－＠]")

blueprint = Blueprint(
    "settlements", __name__, who=Who.MERCHANT, description="结算单。\n\nSettlements and their lines."
)


class Settlement(Body):
    """One day. `carried_in + lines + adjusted = amount + carried_out`; micro-fen are millionths of a fen."""

    id = Words(1, 20, required=True, example="17")
    day = Day(required=True)
    status = Choice(*statements.STATES, required=True)
    captures = Whole(0, GREATEST, required=True, example=42)
    reversals = Whole(0, GREATEST, required=True, example=1)
    carried_in_micro_fen = Whole(-GREATEST, GREATEST, required=True, example=350_000)
    lines_micro_fen = Whole(-GREATEST, GREATEST, required=True, example=9_660_000_000)
    adjusted_fen = Whole(-GREATEST, GREATEST, required=True, example=0)
    amount_fen = Whole(0, GREATEST, required=True, example=9_660)
    carried_out_micro_fen = Whole(-GREATEST, GREATEST, required=True, example=350_000)
    digest = Words(64, 64, required=True, example="0f" * 32)
    made_at = Instant(required=True)


class Settlements(Body):
    """A page, newest day first."""

    items = fields.List(fields.Nested(Settlement), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


class Attempt(Body):
    """One attempt to pay it. `returned_fen` came back to us and stands in a later statement."""

    attempt = Whole(1, 99, required=True, example=1)
    rail = Choice("stripe", "bank", required=True)
    status = Choice("created", "sent", "paid", "reconciled", "failed", "reversed", required=True)
    amount_fen = Whole(1, GREATEST, required=True, example=9_660)
    returned_fen = Whole(0, GREATEST, required=True, example=0)
    failure = Words(1, 200, required=True, allow_none=True)
    changed_at = Instant(required=True)


class Adjustment(Body):
    """What the statement was put right by, in fen: above zero owed to the merchant, below zero by it."""

    kind = Choice("returned", "receivable", required=True)
    fen = Whole(-GREATEST, GREATEST, required=True, example=-200)
    booked_on = Day(required=True)


class SettlementWhole(Settlement):
    """One settlement with its attempts at payment, newest first; `to_do` is what its payment waits for."""

    payments = fields.List(fields.Nested(Attempt), required=True)
    adjustments = fields.List(fields.Nested(Adjustment), required=True)
    to_do = fields.Nested(ToDo, required=True, allow_none=True)


class SettlementLine(Body):
    """A capture or its reversal; amounts are signed. `micro_fen` includes the subsidy."""

    capture = Words(36, 36, required=True, example="0193a1b2-0000-7000-8000-000000000002")
    kind = Choice("capture", "reversal", required=True)
    booked_on = Day(required=True)
    offer_id = Words(1, 18, required=True, example="17")
    points = Whole(1, GREATEST, required=True, example=10)
    face_fen = Whole(1, GREATEST, required=True, example=500)
    micro_fen = Whole(-GREATEST, GREATEST, required=True, example=230_000_000)
    subsidy_fen = Whole(-GREATEST, GREATEST, required=True, example=30)
    reference = Words(1, 60, required=True, allow_none=True, example="bill 7")


class Lines(Body):
    """A page, in the order of the digest."""

    items = fields.List(fields.Nested(SettlementLine), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


class Page(Body):
    """Where a page begins and how long it is."""

    limit = QueryWhole(1, 200, load_default=50, metadata={"description": "每页条数 / items a page"})
    cursor = Line(1, LONGEST, metadata={"description": "上一页的 next / `next` of the page before"})


@blueprint.route("/merchant/v1/settlements", methods=["GET"])
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Settlements)
def index(page: dict[str, Any]) -> Response:
    """结算单 / Settlements, newest day first"""
    who, vault, limit = principal(), house().vault, page["limit"]
    before: tuple[date, int] | None = None
    if "cursor" in page:
        day, number = position_of(vault, who.actor, LIST, page["cursor"])
        before = date.fromisoformat(day), number
    with reading() as session:
        found = statements.listed(session, who.id, before=before, most=limit + 1)
        items = [_settlement(row) for row in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    position = None if last is None else [last.day.isoformat(), last.settlement_id]
    following = None if position is None else cursor_to(vault, who.actor, LIST, position)
    return answer({"items": items, "next": following})


@blueprint.route("/merchant/v1/settlements/<settlement>", methods=["GET"], parameters=PATH)
@blueprint.response(200, SettlementWhole)
@blueprint.refuses(404)
def show(settlement: str) -> Response:
    """一张结算单 / One settlement and how it was paid"""
    with reading() as session:
        found = statements.whole(session, _number(settlement), principal().id)
        told = _settlement(found.settlement)
        told["payments"] = [_attempt(payment) for payment in found.payments]
        told["adjustments"] = [_adjustment(adjustment) for adjustment in found.adjustments]
        to_do = standing.why_unpaid(session, found.settlement)
        told["to_do"] = None if to_do is None else to_do.both()
    return answer(told)


@blueprint.route("/merchant/v1/settlements/<settlement>/lines", methods=["GET"], parameters=PATH)
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Lines)
@blueprint.refuses(404)
def lines(page: dict[str, Any], settlement: str) -> Response:
    """逐笔明细 / Every capture and reversal of it"""
    who, vault, limit, number = principal(), house().vault, page["limit"], _number(settlement)
    place = f"{LINES}:{number}"
    after: tuple[UUID, str] | None = None
    if "cursor" in page:
        capture, kind = position_of(vault, who.actor, place, page["cursor"])
        after = UUID(capture), kind
    with reading() as session:
        statements.whole(session, number, who.id)
        found = statements.lines_of(session, number, after, limit + 1)
    items = [_line(line) for line in found[:limit]]
    position = [items[-1]["capture"], items[-1]["kind"]] if len(found) > limit else None
    following = None if position is None else cursor_to(vault, who.actor, place, position)
    return answer({"items": items, "next": following})


@blueprint.route("/merchant/v1/settlements/<settlement>/lines.csv", methods=["GET"], parameters=PATH)
@blueprint.doc(responses=CSV)
@blueprint.refuses(404)
def table(settlement: str) -> Response:
    """逐笔明细表 / Its lines as a table (UTF-8 with a mark)"""
    number = _number(settlement)
    with reading() as session:
        found = statements.whole(session, number, principal().id).settlement
        told = "\ufeff" + "".join(_rows(statements.every_line(session, number, CHUNK)))
    response = Response(told.encode(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="settlement-{found.day.isoformat()}.csv"'
    return response


def _rows(every: Iterator[statements.Line]) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\r\n"
    for line in every:
        told = _line(line)
        yield ",".join(_cell(told[name]) for name in COLUMNS) + "\r\n"


def _cell(value: Any) -> str:
    """A cell as RFC 4180 writes it; a text that a table program would take for a formula gets an apostrophe."""
    if value is None or not isinstance(value, str):
        return "" if value is None else str(value)
    plain = "'" + value if LIVE.match(value) else value
    return '"' + plain.replace('"', '""') + '"'


def _number(told: str) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,17}", told, re.ASCII) is None:
        raise statements.unknown()
    return int(told)


def _settlement(row: Row) -> dict[str, Any]:
    return {
        "id": str(row.settlement_id),
        "day": row.day,
        "status": row.state,
        "captures": row.captures,
        "reversals": row.reversals,
        "carried_in_micro_fen": row.carried_in,
        "lines_micro_fen": row.lines_micro_fen,
        "adjusted_fen": row.adjusted_fen,
        "amount_fen": row.amount_fen,
        "carried_out_micro_fen": row.carried_out,
        "digest": bytes(row.digest).hex(),
        "made_at": row.made_at,
    }


def _attempt(payment: Payment) -> dict[str, Any]:
    return {
        "attempt": payment.attempt,
        "rail": payment.rail,
        "status": payment.state,
        "amount_fen": payment.amount_fen,
        "returned_fen": payment.reversed_fen,
        "failure": payment.failure,
        "changed_at": payment.changed_at,
    }


def _adjustment(adjustment: SettlementAdjustment) -> dict[str, Any]:
    return {"kind": adjustment.kind, "fen": adjustment.fen, "booked_on": adjustment.booked_on}


def _line(line: statements.Line) -> dict[str, Any]:
    return {
        "capture": str(line.capture_id),
        "kind": line.kind,
        "booked_on": line.booked_on,
        "offer_id": str(line.offer_id),
        "points": line.points,
        "face_fen": line.face_fen,
        "micro_fen": line.micro_fen,
        "subsidy_fen": line.subsidy_fen,
        "reference": line.reference,
    }
