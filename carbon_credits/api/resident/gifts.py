"""Gifts of many: beginning one, one's own, looking at one with its code, pledging a piece."""

from typing import Any, Final

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Line, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.merchant.shapes import Both
from carbon_credits.api.paging import LONGEST, cursor_to, position_of
from carbon_credits.api.reading import body_as_told, no_body
from carbon_credits.api.resident.redemptions import OFFER_ID, Redemption, told
from carbon_credits.api.resident.wallet import Page
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.rewards import gifts
from carbon_credits.rewards.gifts import Gift as Known

LIST: Final = "gifts.index"
JOIN: Final = [
    {
        "in": "path",
        "name": "join",
        "schema": {"type": "string", "minLength": 1, "maxLength": 40},
        "example": "7K3M9QX2TA",
    }
]

blueprint = Blueprint("gifts", __name__, who=Who.RESIDENT, description="众筹礼物。\n\nGifts of many.")


class NewGift(Body):
    """POST /v1/gifts."""

    offer_id = Words(1, 18, pattern=OFFER_ID, required=True, example="17")
    title = Line(1, 60, required=True, example="三班的小树林 / our class's grove")
    pieces = Whole(
        2, 1_000, required=True, metadata={"description": "共需几份 / how many pieces it takes"}, example=10
    )
    deadline = Instant(required=True)


class Gift(Body):
    """A gift as those who have its code see it. Goal and pledged are in points, `points` is one piece."""

    join_code = Words(10, 10, required=True, example="7K3M9QX2TA")
    offer_id = Words(1, 18, pattern=OFFER_ID, required=True, example="17")
    offer_title = fields.Nested(Both, required=True)
    title = Words(1, 60, required=True)
    goal = Whole(1, GREATEST, required=True, example=1_000)
    pledged = Whole(0, GREATEST, required=True, example=400)
    points = Whole(1, 10_000_000, required=True, example=100)
    pledges = Whole(0, GREATEST, required=True, example=4)
    deadline = Instant(required=True)
    status = Choice("open", "complete", "failed", required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class Gifts(Body):
    """A page, newest first."""

    items = fields.List(fields.Nested(Gift), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


@blueprint.route("/v1/gifts", methods=["POST"])
@blueprint.arguments(NewGift)
@blueprint.response(201, Gift, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.keyed
@blueprint.refuses(404)
def begin(body: dict[str, Any]) -> Response:
    """发起众筹礼物 / Begin a gift of many

    把邀请码发给亲友，每人认一份；到截止时间未达成则全部退回。

    Hand its code to others, each pledges a piece; what is not met by the deadline is given back to all.
    """
    ours, now = house(), clock.now()

    def work(session: Session) -> tuple[int, Any]:
        made = gifts.begin(
            session,
            ours.vault,
            principal().id,
            int(body["offer_id"]),
            body["title"],
            body["pieces"],
            body["deadline"],
            now,
        )
        return 201, _told(made)

    return once("gifts.begin", body_as_told(), work, secret=True)


@blueprint.route("/v1/gifts", methods=["GET"])
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Gifts)
def index(page: dict[str, Any]) -> Response:
    """我的众筹礼物 / My gifts of many

    本人发起的与认过份的，新的在前。 Those that you began or pledged to, the newest first.
    """
    who, vault, limit = principal(), house().vault, page["limit"]
    before = position_of(vault, who.actor, LIST, page["cursor"])[0] if "cursor" in page else None
    with reading() as session:
        found = gifts.gifts_of(session, vault, who.id, before, limit + 1)
    following = None
    if len(found) > limit:
        following = cursor_to(vault, who.actor, LIST, [found[limit - 1].gift_id])
    return answer({"items": [_told(one) for one in found[:limit]], "next": following})


@blueprint.route("/v1/gifts/<join>", methods=["GET"], parameters=JOIN)
@blueprint.response(200, Gift)
@blueprint.refuses(404)
def show(join: str) -> Response:
    """查看众筹礼物 / A gift of many"""
    with reading() as session:
        return answer(_told(gifts.show(session, house().vault, join)))


@blueprint.route("/v1/gifts/<join>/pledges", methods=["POST"], parameters=JOIN)
@blueprint.response(201, Redemption, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.keyed
@blueprint.refuses(404)
def pledge(join: str) -> Response:
    """认一份 / Pledge a piece

    积分预留至截止时间，达成前可取消。

    Points are held until the deadline; a pledge may be cancelled before the goal is met.
    """
    no_body()
    ours, now = house(), clock.now()

    def work(session: Session) -> tuple[int, Any]:
        return 201, told(session, gifts.pledge(session, ours.vault, principal().id, join, now))

    return once("gifts.pledge", None, work)


def _told(gift: Known) -> dict[str, Any]:
    own = f"/v1/gifts/{gift.join_code}"
    return {
        "join_code": gift.join_code,
        "offer_id": str(gift.offer_id),
        "offer_title": gift.offer_title.both(),
        "title": gift.title,
        "goal": gift.goal,
        "pledged": gift.pledged,
        "points": gift.points,
        "pledges": gift.pledges,
        "deadline": gift.deadline,
        "status": gift.state,
        "links": {"self": own, "pledges": f"{own}/pledges"},
    }
