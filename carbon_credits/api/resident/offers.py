"""What points buy: offers open now, by category, street and what one can afford."""

from typing import Any, Final

from flask import Response
from marshmallow import fields

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Line, Whole, Words, YesNo
from carbon_credits.api.house import house, principal
from carbon_credits.api.merchant.offer_shapes import KINDS, OFFER, Conditions, Title
from carbon_credits.api.merchant.shapes import CATEGORIES, MOST_FEN, MOST_POINTS, STREETS, Both, numbered
from carbon_credits.api.paging import cursor_to, position_of
from carbon_credits.api.resident.wallet import Page
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.ledger import service as ledger
from carbon_credits.residents.service import Street
from carbon_credits.rewards import offer_list
from carbon_credits.rewards.merchants import Category
from carbon_credits.rewards.offer_list import Wish

LIST: Final = "offers.index"

blueprint = Blueprint("offers", __name__, who=Who.RESIDENT, description="可兑换权益。\n\nWhat points buy.")


class OffersWanted(Page):
    """GET /v1/offers: what one looks for."""

    category = Choice(*CATEGORIES)
    street = Choice(*STREETS, metadata={"description": "该镇街居民可兑换 / open to residents of it"})
    affordable = Choice(
        "true", "false", metadata={"description": "仅列出积分够用的 / only what the wallet pays for now"}
    )


class Value(Body):
    """Who pays the face value, in fen; the four add up to it."""

    subsidy_fen = Whole(0, MOST_FEN, required=True, example=0)
    sponsor_fen = Whole(0, MOST_FEN, required=True, example=300)
    points_fen = Whole(0, MOST_FEN, required=True, example=20)
    merchant_fen = Whole(0, MOST_FEN, required=True, example=680)


class Seller(Body):
    """Where it is had."""

    code = Words(3, 40, required=True, example="three_friends")
    name = fields.Nested(Both, required=True)
    street = Choice(*STREETS, required=True, allow_none=True, metadata={"enum": [*STREETS, None]})
    address = Words(1, 200, required=True, example="佛山市禅城区祖庙路 1 号")


class Offer(Body):
    """One offer. No `per_person` is no limit; no `streets` is for everybody."""

    id = Words(1, 18, required=True, example="12")
    kind = Choice(*KINDS, required=True)
    merchant = fields.Nested(Seller, required=True)
    title = fields.Nested(Title, required=True)
    text = fields.Nested(Conditions, required=True)
    category = Choice(*CATEGORIES, required=True)
    points = Whole(1, MOST_POINTS, required=True, example=2000)
    face_fen = Whole(1, MOST_FEN, required=True, example=1000)
    value = fields.Nested(Value, required=True)
    left = Whole(0, MOST_POINTS, required=True, example=497)
    per_person = Whole(1, 1000, required=True, allow_none=True, example=2)
    streets = fields.List(Choice(*STREETS), required=True)
    offline = YesNo(required=True)
    affordable = YesNo(required=True)
    from_ = Instant(required=True, data_key="from")
    to = Instant(required=True)


class Offers(Body):
    """A page, the newest first."""

    items = fields.List(fields.Nested(Offer), required=True)
    next = Line(1, 200, required=True, allow_none=True)


@blueprint.route("/v1/offers", methods=["GET"])
@blueprint.arguments(OffersWanted, location="query")
@blueprint.response(200, Offers)
def index(wanted: dict[str, Any]) -> Response:
    """可兑换权益 / What is to be had now

    每项权益写明面值由谁承担：项目补贴、赞助、积分、商户让利。

    Each says who pays its face value: the programme, a sponsor, the points, the merchant's own gift.
    """
    who, vault, limit = principal(), house().vault, wanted["limit"]
    before = position_of(vault, who.actor, LIST, wanted["cursor"])[0] if "cursor" in wanted else None
    with reading() as session:
        available = ledger.wallet_of(session, who.id).available
        wish = Wish(
            category=Category(wanted["category"]) if "category" in wanted else None,
            street=Street(wanted["street"]) if "street" in wanted else None,
            most_points=available if wanted.get("affordable") == "true" else None,
        )
        found = offer_list.to_be_had(session, wish, clock.now(), before, limit + 1)
    following = None
    if len(found) > limit:
        following = cursor_to(vault, who.actor, LIST, [found[limit - 1].row.offer_id])
    return answer({"items": [_shown(offer, available) for offer in found[:limit]], "next": following})


@blueprint.route("/v1/offers/<offer>", methods=["GET"], parameters=OFFER)
@blueprint.response(200, Offer)
@blueprint.refuses(404)
def show(offer: str) -> Response:
    """一项权益 / One offer"""
    with reading() as session:
        available = ledger.wallet_of(session, principal().id).available
        found = offer_list.open_offer(session, numbered(offer), clock.now())
    return answer(_shown(found, available))


def _shown(offer: offer_list.Shown, available: int) -> dict[str, Any]:
    row, value = offer.row, offer.value
    return {
        "id": str(row.offer_id),
        "kind": row.kind,
        "merchant": {
            "code": row.merchant_code,
            "name": {"zh": row.name_zh, "en": row.name_en},
            "street": row.street,
            "address": row.address,
        },
        "title": {"zh": row.title_zh, "en": row.title_en},
        "text": {"zh": row.text_zh, "en": row.text_en},
        "category": row.category,
        "points": row.points,
        "face_fen": row.face_fen,
        "value": {
            "subsidy_fen": value.subsidy_fen,
            "sponsor_fen": value.sponsor_fen,
            "points_fen": value.points_fen,
            "merchant_fen": value.merchant_fen,
        },
        "left": row.left_n,
        "per_person": row.per_person,
        "streets": list(row.streets),
        "offline": row.offline,
        "affordable": row.points <= available,
        "from": row.from_at,
        "to": row.to_at,
    }
