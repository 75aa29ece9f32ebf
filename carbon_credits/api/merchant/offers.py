"""A merchant's offers: drafts, put forward for approval, paused, resumed, ended."""

from collections.abc import Callable
from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.merchant.offer_shapes import (
    EXAMPLE,
    OFFER,
    NewOffer,
    OfferBody,
    Offers,
    OfferShown,
    Why,
    draft_of,
    shown,
)
from carbon_credits.api.merchant.shapes import numbered
from carbon_credits.api.paging import cursor_to, position_of
from carbon_credits.api.reading import body_as_told, no_body
from carbon_credits.api.resident.wallet import Page
from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.rewards import offers
from carbon_credits.rewards.offer_models import Offer

LIST: Final = "merchant_offers.index"
WHY: Final = {"reason": "厨房检修 / the kitchen is being repaired"}

blueprint = Blueprint("merchant_offers", __name__, who=Who.MERCHANT, description="权益。\n\nOffers.")


@blueprint.route("/merchant/v1/offers", methods=["GET"])
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Offers)
def index(page: dict[str, Any]) -> Response:
    """我的权益 / The merchant's offers"""
    asking, vault, limit = principal(), house().vault, page["limit"]
    before = position_of(vault, asking.actor, LIST, page["cursor"])[0] if "cursor" in page else None
    with reading() as session:
        found = [shown(known) for known in offers.offers_of(session, asking.id, before, limit + 1)]
    following = None
    if len(found) > limit:
        following = cursor_to(vault, asking.actor, LIST, [int(found[limit - 1]["id"])])
    return answer({"items": found[:limit], "next": following})


@blueprint.route("/merchant/v1/offers/<offer>", methods=["GET"], parameters=OFFER)
@blueprint.response(200, OfferShown)
@blueprint.refuses(404)
def show(offer: str) -> Response:
    """一项权益 / One offer"""
    with reading() as session:
        return answer(shown(offers.offer(session, numbered(offer), principal().id)))


@blueprint.route("/merchant/v1/offers", methods=["POST"])
@blueprint.arguments(NewOffer, example=EXAMPLE)
@blueprint.response(201, OfferShown)
@blueprint.refuses(404)
@blueprint.keyed
def draft(body: dict[str, Any]) -> Response:
    """新建草稿 / Draft an offer

    草稿可修改；提交后由两名工作人员批准。已批准的权益不再更改，另定价格须新建并以 replaces 替换。

    A draft may change; put forward, two people of the programme approve it. An approved offer never changes: for another
    price draft another one that `replaces` it.
    """
    asking, now = principal(), clock.now()

    def work(session: Session) -> tuple[int, Any]:
        made = offers.draft(session, asking.id, draft_of(body), now)
        audit.record(session, asking.actor, "offer.drafted", f"offer:{made.offer_id}")
        return 201, shown(made)

    return once("offers.draft", body_as_told(), work)


@blueprint.route("/merchant/v1/offers/<offer>", methods=["PUT"], parameters=OFFER)
@blueprint.arguments(OfferBody, example=EXAMPLE)
@blueprint.response(200, OfferShown)
@blueprint.refuses(404, 409)
def change(body: dict[str, Any], offer: str) -> Response:
    """修改草稿 / Change a draft"""
    asking, number, now = principal(), numbered(offer), clock.now()

    def work(session: Session) -> dict[str, Any]:
        changed = offers.redraft(session, asking.id, number, draft_of(body), now)
        audit.record(session, asking.actor, "offer.changed", f"offer:{number}")
        return shown(changed)

    return answer(in_transaction(work))


@blueprint.route("/merchant/v1/offers/<offer>/proposal", methods=["POST"], parameters=OFFER)
@blueprint.response(200, OfferShown)
@blueprint.refuses(404)
@blueprint.keyed
def propose(offer: str) -> Response:
    """提交审批 / Put a draft forward"""
    no_body()
    return _step("proposed", offer, offers.put_forward)


@blueprint.route("/merchant/v1/offers/<offer>/withdrawal", methods=["POST"], parameters=OFFER)
@blueprint.response(200, OfferShown)
@blueprint.refuses(404)
@blueprint.keyed
def take_back(offer: str) -> Response:
    """撤回提交 / Take a proposal back"""
    no_body()
    return _step("taken_back", offer, offers.take_back)


@blueprint.route("/merchant/v1/offers/<offer>/pause", methods=["POST"], parameters=OFFER)
@blueprint.arguments(Why, example=WHY)
@blueprint.response(200, OfferShown)
@blueprint.refuses(404)
@blueprint.keyed
def pause(body: dict[str, Any], offer: str) -> Response:
    """暂停 / Pause an offer

    已发出的券照常兑付。

    What is out is honoured.
    """
    why = body["reason"]
    return _step("paused", offer, lambda session, own, number: offers.pause(session, own, number, why))


@blueprint.route("/merchant/v1/offers/<offer>/resumption", methods=["POST"], parameters=OFFER)
@blueprint.response(200, OfferShown)
@blueprint.refuses(404)
@blueprint.keyed
def resume(offer: str) -> Response:
    """恢复 / Resume a paused offer"""
    no_body()
    return _step("resumed", offer, offers.resume)


@blueprint.route("/merchant/v1/offers/<offer>/end", methods=["POST"], parameters=OFFER)
@blueprint.arguments(Why, example=WHY)
@blueprint.response(200, OfferShown)
@blueprint.refuses(404)
@blueprint.keyed
def end(body: dict[str, Any], offer: str) -> Response:
    """结束 / End an offer for good

    已发出的券照常兑付。

    What is out is honoured.
    """
    why = body["reason"]
    return _step("ended", offer, lambda session, own, number: offers.end(session, number, why, own))


def _step(deed: str, offer: str, work: Callable[[Session, int, int], Offer]) -> Response:
    """One step of one offer of the asking merchant's, once for its key."""
    asking, number = principal(), numbered(offer)

    def done(session: Session) -> tuple[int, Any]:
        moved = work(session, asking.id, number)
        audit.record(session, asking.actor, f"offer.{deed}", f"offer:{number}")
        return 200, shown(moved)

    return once(f"offers.{deed}", body_as_told(), done)
