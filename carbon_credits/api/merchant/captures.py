"""Codes at the till: looking, taking, undoing on the same day, and the list of a day."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import (
    Body,
    Choice,
    Day,
    Instant,
    Line,
    QueryDay,
    QueryWhole,
    Whole,
    Words,
    YesNo,
)
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.merchant.shapes import Both
from carbon_credits.api.paging import LONGEST, cursor_to, position_of
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import NotFound
from carbon_credits.rewards import captures, codes, offline, reversals
from carbon_credits.rewards.captures import Capture as Taken
from carbon_credits.rewards.looking import Till, look
from carbon_credits.rewards.refusals import refusal

LIST: Final = "captures.index"
A_CAPTURE: Final = "0193a1b2-0000-7000-8000-000000000002"
CAPTURE: Final = [
    {
        "in": "path",
        "name": "capture",
        "schema": {"type": "string", "minLength": 1, "maxLength": 40},
        "example": A_CAPTURE,
    }
]
KINDS: Final = ("voucher", "offline", "donation", "group_gift")

blueprint = Blueprint(
    "captures", __name__, who=Who.MERCHANT, description="核销与撤销。\n\nCaptures and their reversals."
)


class Shown(Body):
    """POST /merchant/v1/captures/preview."""

    code = Line(
        1,
        offline.LONGEST,
        required=True,
        example="7K3M9QX2TA",
        metadata={
            "description": "扫描内容或十位短码 / what was scanned, or the ten characters of the short code"
        },
    )


class ToCapture(Shown):
    """POST /merchant/v1/captures."""

    occurred_at = Instant(
        metadata={
            "description": "离线核销的时间；须在券码有效期内，最迟到期后三天补传 / when an offline till took it:"
            " within the life of the code, and told at most three days after it"
        }
    )
    reference = Line(1, 60, metadata={"description": "商户自己的单号 / the merchant's own number"})


class Preview(Body):
    """What the code is good for. Nothing of the resident."""

    offer_id = Words(1, 18, required=True, example="17")
    title = fields.Nested(Both, required=True)
    kind = Choice(*KINDS, required=True)
    points = Whole(1, GREATEST, required=True, example=10)
    face_fen = Whole(1, GREATEST, required=True, example=500)
    paid_micro_fen = Whole(1, GREATEST, required=True, example=230_000_000)
    expires_at = Instant(required=True)


class Capture(Body):
    """A code that was taken. `paid_micro_fen` is what the merchant is owed, in millionths of a fen."""

    id = Words(36, 36, required=True, example=A_CAPTURE)
    status = Choice("captured", "reversed", required=True)
    offer_id = Words(1, 18, required=True, example="17")
    title = fields.Nested(Both, required=True)
    points = Whole(1, GREATEST, required=True, example=10)
    face_fen = Whole(1, GREATEST, required=True, example=500)
    paid_micro_fen = Whole(1, GREATEST, required=True, example=230_000_000)
    captured_at = Instant(required=True)
    occurred_at = Instant(required=True)
    booked_on = Day(required=True)
    offline = YesNo(required=True)
    till = Words(4, 60, required=True, allow_none=True, example="three-friends-0123456789")
    reference = Words(1, 60, required=True, allow_none=True, example="bill 7")
    reversed_at = Instant(required=True, allow_none=True)
    reason = Words(1, 200, required=True, allow_none=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class Captures(Body):
    """A page of a day, newest first."""

    items = fields.List(fields.Nested(Capture), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


class Reversal(Body):
    """POST /merchant/v1/captures/{capture}/reversal."""

    reason = Line(1, 200, required=True, example="点错商品 / the wrong cup")


class DayPage(Body):
    """Which day, and where a page of it begins."""

    day = QueryDay(metadata={"description": "入账日，默认今天 / the day, today by default"})
    limit = QueryWhole(1, 100, load_default=20, metadata={"description": "每页条数 / items a page"})
    cursor = Line(1, LONGEST, metadata={"description": "上一页的 next / `next` of the page before"})


@blueprint.route("/merchant/v1/captures/preview", methods=["POST"])
@blueprint.arguments(Shown)
@blueprint.response(200, Preview)
@blueprint.refuses(404, 409)
def preview(body: dict[str, Any]) -> Response:
    """查看券码 / Look at a code before taking it"""
    ours, till, now = house(), _till(), clock.now()

    def seeing() -> Response:
        with reading() as session:
            seen = look(session, ours.vault, ours.keyring, till, body["code"], now)
        return answer(
            {
                "offer_id": str(seen.offer_id),
                "title": seen.title.both(),
                "kind": seen.kind,
                "points": seen.points,
                "face_fen": seen.face_fen,
                "paid_micro_fen": seen.paid_micro_fen,
                "expires_at": seen.expires_at,
            }
        )

    return _counting_guesses(body["code"], seeing)


@blueprint.route("/merchant/v1/captures", methods=["POST"])
@blueprint.arguments(ToCapture, example={"code": "7K3M9QX2TA"})
@blueprint.response(201, Capture, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.keyed
@blueprint.refuses(404)
def take(body: dict[str, Any]) -> Response:
    """核销 / Take a code

    一码一次。网络中断时用同一 Idempotency-Key 重发即可得知结果。离线核销请附 occurred_at，联网后逐条补传。

    A code is taken once. Send again with the same Idempotency-Key to learn what became of a request. What was taken
    offline is sent one by one with `occurred_at`; of two tills that took one code the first to tell us is paid.
    """
    ours, till, now = house(), _till(), clock.now()

    def work(session: Session) -> tuple[int, Any]:
        taken = captures.capture(
            session,
            ours.vault,
            ours.keyring,
            till,
            body["code"],
            now,
            occurred_at=body.get("occurred_at"),
            reference=body.get("reference"),
        )
        return 201, _told(taken)

    return _counting_guesses(body["code"], lambda: once("captures.take", body_as_told(), work))


@blueprint.route("/merchant/v1/captures", methods=["GET"])
@blueprint.arguments(DayPage, location="query")
@blueprint.response(200, Captures)
def index(page: dict[str, Any]) -> Response:
    """当日核销 / The captures of a day"""
    who, vault, limit = principal(), house().vault, page["limit"]
    day, before = page.get("day") or clock.today(), None
    if "cursor" in page:
        told_day, number = position_of(vault, who.actor, LIST, page["cursor"])
        day, before = date.fromisoformat(told_day), UUID(number)
    with reading() as session:
        found = captures.captures_of(session, who.id, day, before, limit + 1)
    following = None
    if len(found) > limit:
        following = cursor_to(vault, who.actor, LIST, [day.isoformat(), str(found[limit - 1].id)])
    return answer({"items": [_told(one) for one in found[:limit]], "next": following})


@blueprint.route("/merchant/v1/captures/<capture>/reversal", methods=["POST"], parameters=CAPTURE)
@blueprint.arguments(Reversal)
@blueprint.response(201, Capture)
@blueprint.keyed
@blueprint.refuses(404)
def reverse(body: dict[str, Any], capture: str) -> Response:
    """撤销核销 / Reverse a capture

    仅限当日；收银台须有店长在班。积分原样退回顾客。

    On the same day alone, and at a till with a manager on shift. The customer gets exactly the points back.
    """
    till = _till()

    def work(session: Session) -> tuple[int, Any]:
        return 201, _told(reversals.reverse(session, till, _number(capture), body["reason"]))

    return once("captures.reverse", body_as_told(), work)


def _till() -> Till:
    asking = principal()
    return Till(asking.id, asking.subject)


def _counting_guesses(code: str, do: Callable[[], Response]) -> Response:
    """What was refused as unknown and could have been a guess is counted, in a transaction that is not undone."""
    try:
        return do()
    except NotFound as unknown:
        if unknown.code == "code_unknown" and codes.is_guess(code):
            client, now = principal().subject, clock.now()
            in_transaction(lambda session: codes.count_guess(session, client, now))
        raise


def _number(capture: str) -> UUID:
    try:
        return UUID(capture)
    except ValueError as error:
        raise refusal("capture_unknown") from error


def _told(one: Taken) -> dict[str, Any]:
    own = f"/merchant/v1/captures/{one.id}"
    return {
        "id": str(one.id),
        "status": "captured" if one.reversed_at is None else "reversed",
        "offer_id": str(one.offer_id),
        "title": one.title.both(),
        "points": one.points,
        "face_fen": one.face_fen,
        "paid_micro_fen": one.paid_micro_fen,
        "captured_at": one.captured_at,
        "occurred_at": one.occurred_at,
        "booked_on": one.booked_on,
        "offline": one.is_offline,
        "till": one.client_id,
        "reference": one.reference,
        "reversed_at": one.reversed_at,
        "reason": one.reason,
        "links": {"reversal": f"{own}/reversal"},
    }
