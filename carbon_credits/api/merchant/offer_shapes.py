"""The shapes of a merchant's offers: what may be offered, and what is told of it afterwards."""

from typing import Any, Final

from marshmallow import fields

from carbon_credits.api.fields import Body, Choice, Instant, Line, Whole, Words, YesNo
from carbon_credits.api.merchant.shapes import CATEGORIES, MOST_FEN, MOST_POINTS, STREETS, in_path
from carbon_credits.core import clock
from carbon_credits.core.i18n import Text as Pair
from carbon_credits.residents.service import Street
from carbon_credits.rewards.merchants import Category
from carbon_credits.rewards.offer_models import Offer
from carbon_credits.rewards.offers import Draft, OfferKind, OfferState

OFFER: Final = in_path("offer", "12", 18)
KINDS: Final = tuple(kind.value for kind in OfferKind)
STATES: Final = tuple(state.value for state in OfferState)
SOON: Final = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
EXAMPLE: Final = {
    "kind": "voucher",
    "title": {"zh": "工作日午餐抵 10 元", "en": "10 yuan off a weekday lunch"},
    "text": {"zh": "周一至周五 11:00–14:00，每桌限用一张。", "en": "Monday to Friday, 11 to 2, one a table."},
    "category": "food",
    "points": 2000,
    "face_fen": 1000,
    "stock": 500,
    "per_person": 2,
    "streets": ["zumiao"],
    "offline": True,
    "from": SOON.isoformat(),
    "to": SOON.replace(year=SOON.year + 1, day=min(SOON.day, 28)).isoformat(),
}


class Title(Body):
    """What it is called, in both languages."""

    zh = Line(1, 60, required=True, example="工作日午餐抵 10 元")
    en = Line(1, 100, required=True, example="10 yuan off a weekday lunch")


class Conditions(Body):
    """What it is and under which conditions, in both languages."""

    zh = Words(1, 2000, pattern=r"[^\x00]*", required=True, example="周一至周五，每桌限用一张。")
    en = Words(1, 4000, pattern=r"[^\x00]*", required=True, example="Monday to Friday, one a table.")


class OfferBody(Body):
    """What a merchant offers. Who pays what of the face value is settled with the programme at approval."""

    kind = Choice(*KINDS, required=True)
    title = fields.Nested(Title, required=True)
    text = fields.Nested(Conditions, required=True)
    category = Choice(*CATEGORIES, required=True)
    points = Whole(1, MOST_POINTS, required=True, example=2000)
    face_fen = Whole(1, MOST_FEN, required=True, example=1000)
    stock = Whole(1, 10_000_000, required=True, example=500)
    per_person = Whole(1, 1000, example=2)
    streets = fields.List(Choice(*STREETS), load_default=())
    offline = YesNo(load_default=False)
    from_ = Instant(required=True, data_key="from")
    to = Instant(required=True)


class NewOffer(OfferBody):
    """POST /merchant/v1/offers. `replaces` ends the merchant's offer of that number when this one is approved."""

    replaces = Words(1, 18, pattern=r"[1-9][0-9]*", example="11")


class OfferShown(Body):
    """An offer as its merchant sees it."""

    id = Words(1, 18, required=True, example="12")
    state = Choice(*STATES, required=True)
    state_reason = Words(1, 500, required=True, allow_none=True)
    kind = Choice(*KINDS, required=True)
    title = fields.Nested(Title, required=True)
    text = fields.Nested(Conditions, required=True)
    category = Choice(*CATEGORIES, required=True)
    points = Whole(1, MOST_POINTS, required=True, example=2000)
    face_fen = Whole(1, MOST_FEN, required=True, example=1000)
    value_micro_fen = Whole(
        1,
        1_000_000_000,
        required=True,
        allow_none=True,
        example=10_000,
        metadata={"description": "每积分价值（百万分之一分）/ what a point is worth, in millionths of a fen"},
    )
    subsidy_fen = Whole(0, MOST_FEN, required=True, example=300)
    stock = Whole(1, 10_000_000, required=True, example=500)
    per_person = Whole(1, 1000, required=True, allow_none=True, example=2)
    streets = fields.List(Choice(*STREETS), required=True)
    offline = YesNo(required=True)
    from_ = Instant(required=True, data_key="from")
    to = Instant(required=True)
    replaces = Words(1, 18, required=True, allow_none=True)


class Offers(Body):
    """A page, the newest first."""

    items = fields.List(fields.Nested(OfferShown), required=True)
    next = Line(1, 200, required=True, allow_none=True)


class Why(Body):
    """Why: staff and the merchant read it."""

    reason = Line(1, 500, required=True, example="厨房检修 / the kitchen is being repaired")


def draft_of(body: dict[str, Any]) -> Draft:
    """A draft out of a body."""
    return Draft(
        kind=OfferKind(body["kind"]),
        title=Pair(**body["title"]),
        text=Pair(**body["text"]),
        category=Category(body["category"]),
        points=body["points"],
        face_fen=body["face_fen"],
        stock=body["stock"],
        from_at=body["from_"],
        to_at=body["to"],
        per_person=body.get("per_person"),
        streets=sorted({Street(name) for name in body["streets"]}),
        offline=body["offline"],
        replaces=int(body["replaces"]) if "replaces" in body else None,
    )


def shown(known: Offer) -> dict[str, Any]:
    """An offer as its merchant sees it."""
    return {
        "id": str(known.offer_id),
        "state": known.state,
        "state_reason": known.state_reason,
        "kind": known.kind,
        "title": {"zh": known.title_zh, "en": known.title_en},
        "text": {"zh": known.text_zh, "en": known.text_en},
        "category": known.category,
        "points": known.points,
        "face_fen": known.face_fen,
        "value_micro_fen": known.value_micro_fen,
        "subsidy_fen": known.subsidy_fen,
        "stock": known.stock,
        "per_person": known.per_person,
        "streets": list(known.streets),
        "offline": known.offline,
        "from": known.from_at,
        "to": known.to_at,
        "replaces": None if known.replaces is None else str(known.replaces),
    }
