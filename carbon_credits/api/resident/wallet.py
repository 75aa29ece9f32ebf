"""The two books as their owner sees them: points, grams, and how they came to be."""

from typing import Any

from flask import Response
from marshmallow import fields

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Day, Line, QueryWhole, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.paging import LONGEST, cursor_to, position_of
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.ledger import service as ledger
from carbon_credits.ledger.models import ContraKind, Posting

KINDS = tuple(kind.name.lower() for kind in ContraKind)
POSTINGS = "wallet.postings"

blueprint = Blueprint(
    "wallet", __name__, who=Who.RESIDENT, description="账户与明细。\n\nThe wallet and its postings."
)


class Expiring(Body):
    """Points that can be used through `on` and not after."""

    on = Day(required=True)
    points = Whole(1, GREATEST, required=True, example=120)


class Points(Body):
    """Whole points: usable, reserved, not mature yet, owed."""

    available = Whole(0, GREATEST, required=True, example=860)
    held = Whole(0, GREATEST, required=True, example=0)
    pending = Whole(0, GREATEST, required=True, example=25)
    debt = Whole(0, GREATEST, required=True, example=0)
    expiring = fields.List(fields.Nested(Expiring), required=True)


class Carbon(Body):
    """Milligrams of CO2e: verified, claimed (never added to verified), removed by trees."""

    verified_mg = Whole(0, GREATEST, required=True, example=1_840_000)
    claimed_mg = Whole(0, GREATEST, required=True, example=128_000)
    removal_mg = Whole(0, GREATEST, required=True, example=0)


class Wallet(Body):
    """GET /v1/wallet."""

    points = fields.Nested(Points, required=True)
    carbon = fields.Nested(Carbon, required=True)


class PostingLine(Body):
    """One movement; `balance_after` is the sum of all points after it, `points` and grams are signed."""

    seq = Whole(1, GREATEST, required=True, example=12)
    booked_on = Day(required=True)
    effective_on = Day(required=True)
    kind = Choice(*KINDS, required=True)
    points = Whole(-GREATEST, GREATEST, required=True, example=25)
    verified_mg = Whole(-GREATEST, GREATEST, required=True, example=0)
    claimed_mg = Whole(-GREATEST, GREATEST, required=True, example=128_000)
    removal_mg = Whole(-GREATEST, GREATEST, required=True, example=0)
    balance_after = Whole(-GREATEST, GREATEST, required=True, example=885)


class Postings(Body):
    """A page, newest first."""

    items = fields.List(fields.Nested(PostingLine), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


class Page(Body):
    """Where a page begins and how long it is."""

    limit = QueryWhole(1, 100, load_default=20, metadata={"description": "每页条数 / items a page"})
    cursor = Line(1, LONGEST, metadata={"description": "上一页的 next / `next` of the page before"})


@blueprint.route("/v1/wallet", methods=["GET"])
@blueprint.response(200, Wallet)
def show() -> Response:
    """我的账户 / My wallet"""
    resident = principal().id
    with reading() as session:
        wallet = ledger.wallet_of(session, resident)
        lapsing = ledger.expiring(session, resident, clock.today())
    return answer(
        {
            "points": {
                "available": wallet.available,
                "held": wallet.held,
                "pending": wallet.pending,
                "debt": wallet.debt,
                "expiring": [{"on": lot.expires_on, "points": lot.points} for lot in lapsing],
            },
            "carbon": {
                "verified_mg": wallet.verified_mg,
                "claimed_mg": wallet.claimed_mg,
                "removal_mg": wallet.removal_mg,
            },
        }
    )


@blueprint.route("/v1/wallet/postings", methods=["GET"])
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Postings)
def postings(page: dict[str, Any]) -> Response:
    """账户明细 / The wallet's postings"""
    who, vault, limit = principal(), house().vault, page["limit"]
    before = position_of(vault, who.actor, POSTINGS, page["cursor"])[0] if "cursor" in page else None
    with reading() as session:
        found = ledger.postings_of(session, who.id, before, limit + 1)
        lines = [_line(posting) for posting in found[:limit]]
    more = len(found) > limit
    following = cursor_to(vault, who.actor, POSTINGS, [lines[-1]["seq"]]) if more else None
    return answer({"items": lines, "next": following})


def _line(posting: Posting) -> dict[str, Any]:
    return {
        "seq": posting.wallet_seq,
        "booked_on": posting.booked_on,
        "effective_on": posting.effective_on,
        "kind": ContraKind(posting.contra_kind).name.lower(),
        "points": posting.points,
        "verified_mg": posting.verified_mg,
        "claimed_mg": posting.claimed_mg,
        "removal_mg": posting.removal_mg,
        "balance_after": posting.balance_after,
    }
