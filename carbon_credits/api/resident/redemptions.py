"""Taking an offer: a code to show at the till, or a donation; looking at what was taken; giving it up in time."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Whole, Words, YesNo
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.merchant.shapes import Both
from carbon_credits.api.paging import LONGEST, cursor_to, position_of
from carbon_credits.api.reading import body_as_told, no_body
from carbon_credits.api.resident.wallet import Page
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.rewards import codes, donations, offline, redemptions
from carbon_credits.rewards.redemptions import Redemption as Taken
from carbon_credits.rewards.refusals import refusal

LIST: Final = "redemptions.index"
KINDS: Final = ("voucher", "offline", "donation", "group_gift")
STATES: Final = ("reserved", "captured", "cancelled", "lapsed", "reversed")
A_REDEMPTION: Final = "0193a1b2-0000-7000-8000-000000000001"
REDEMPTION: Final = [
    {
        "in": "path",
        "name": "redemption",
        "schema": {"type": "string", "minLength": 1, "maxLength": 40},
        "example": A_REDEMPTION,
    }
]
OFFER_ID: Final = "[1-9][0-9]{0,17}"

blueprint = Blueprint(
    "redemptions",
    __name__,
    who=Who.RESIDENT,
    description="兑换：领取券码、捐赠、取消。\n\nRedemptions: codes, donations, cancelling.",
)


class Wish(Body):
    """POST /v1/redemptions."""

    offer_id = Words(1, 18, pattern=OFFER_ID, required=True, example="17")
    points = Whole(
        1,
        10_000_000,
        metadata={
            "description": "所显示的积分价格；不一致则拒绝 / the price that was shown; another one is refused"
        },
    )
    offline = YesNo(
        metadata={
            "description": "七天内可离线核销的签名券码 / a signed code for tills that may be offline, for seven days"
        }
    )


class Redemption(Body):
    """What was taken. The codes are there while they can be used; with `offline` the long one is signed (JWS)."""

    id = Words(36, 36, required=True, example=A_REDEMPTION)
    kind = Choice(*KINDS, required=True)
    status = Choice(*STATES, required=True)
    offer_id = Words(1, 18, pattern=OFFER_ID, required=True, example="17")
    title = fields.Nested(Both, required=True)
    merchant = fields.Nested(Both, required=True)
    points = Whole(1, 10_000_000, required=True, example=10)
    face_fen = Whole(1, 100_000_000, required=True, example=500)
    reserved_at = Instant(required=True)
    expires_at = Instant(required=True)
    resolved_at = Instant(required=True, allow_none=True)
    code = Words(
        1, offline.LONGEST, required=True, allow_none=True, example="CCR1.ABCDEFGHIJKLMNOPQRSTUVWX23"
    )
    short_code = Words(10, 10, required=True, allow_none=True, example="7K3M9QX2TA")
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class Redemptions(Body):
    """A page, newest first."""

    items = fields.List(fields.Nested(Redemption), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


@blueprint.route("/v1/redemptions", methods=["POST"])
@blueprint.arguments(Wish, example={"offer_id": "17", "points": 10})
@blueprint.response(201, Redemption, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.keyed
@blueprint.refuses(404)
def reserve(body: dict[str, Any]) -> Response:
    """兑换 / Take an offer

    预留积分并给出一次性券码：普通券码十五分钟有效；离线券码七天有效，不能取消，未使用的积分在到期三天后退回。捐赠立即完成。

    Points are held and a one-time code is given: for fifteen minutes; a signed one for seven days, which cannot be
    cancelled and whose unused points come back three days after. A donation is complete at once.
    """
    now, who, ours = clock.now(), principal().id, house()

    def work(session: Session) -> tuple[int, Any]:
        made = redemptions.reserve(
            session,
            ours.vault,
            who,
            int(body["offer_id"]),
            now,
            shown_points=body.get("points"),
            offline=body.get("offline", False),
        )
        if made.kind == "donation":
            donations.give(session, made, now)
            made = redemptions.one_of(session, who, made.id)
        return 201, told(session, made)

    return once("redemptions.reserve", body_as_told(), work, secret=True)


@blueprint.route("/v1/redemptions", methods=["GET"])
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Redemptions)
def index(page: dict[str, Any]) -> Response:
    """我的兑换 / My redemptions"""
    who, vault, limit = principal(), house().vault, page["limit"]
    before = None
    if "cursor" in page:
        at, number = position_of(vault, who.actor, LIST, page["cursor"])
        before = (datetime.fromisoformat(at), UUID(number))
    with reading() as session:
        found = redemptions.redemptions_of(session, who.id, before, limit + 1)
        items = [told(session, one) for one in found[:limit]]
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = cursor_to(vault, who.actor, LIST, [last.reserved_at.isoformat(), str(last.id)])
    return answer({"items": items, "next": following})


@blueprint.route("/v1/redemptions/<redemption>", methods=["GET"], parameters=REDEMPTION)
@blueprint.response(200, Redemption)
@blueprint.refuses(404)
def show(redemption: str) -> Response:
    """查询一次兑换 / One redemption

    券码可用时可再次查看。 While its codes can be used they are shown again.
    """
    with reading() as session:
        return answer(told(session, redemptions.one_of(session, principal().id, number_of(redemption))))


@blueprint.route("/v1/redemptions/<redemption>/cancel", methods=["POST"], parameters=REDEMPTION)
@blueprint.response(200, Redemption)
@blueprint.keyed
@blueprint.refuses(404)
def cancel(redemption: str) -> Response:
    """取消兑换 / Cancel

    积分原样退回，库存与次数一并恢复。 Exactly the points that were taken come back, with stock and count.
    """
    no_body()

    def work(session: Session) -> tuple[int, Any]:
        given_up = redemptions.cancel(session, principal().id, number_of(redemption), clock.today())
        return 200, told(session, given_up)

    return once("redemptions.cancel", None, work)


def told(session: Session, one: Taken) -> dict[str, Any]:
    """A redemption as its owner sees it, with its codes while they can be used."""
    ours, own = house(), f"/v1/redemptions/{one.id}"
    code = short = None
    if one.shows_code and clock.now() < one.expires_at:
        code, short = codes.long_code(ours.vault, one.id), codes.short_code(ours.vault, one.id.bytes)
        if one.kind == "offline":
            claims = {"code": code, "mer": one.merchant_id, "off": one.offer_id, "pts": one.points}
            code = offline.sign(session, ours.keyring, claims, one.reserved_at, one.expires_at)
    return {
        "id": str(one.id),
        "kind": one.kind,
        "status": one.state,
        "offer_id": str(one.offer_id),
        "title": one.title.both(),
        "merchant": one.merchant.both(),
        "points": one.points,
        "face_fen": one.face_fen,
        "reserved_at": one.reserved_at,
        "expires_at": one.expires_at,
        "resolved_at": one.resolved_at,
        "code": code,
        "short_code": short,
        "links": {"self": own, "cancel": f"{own}/cancel"},
    }


def number_of(redemption: str) -> UUID:
    """The number in a path; raises `redemption_unknown`."""
    try:
        return UUID(redemption)
    except ValueError as error:
        raise refusal("redemption_unknown") from error
