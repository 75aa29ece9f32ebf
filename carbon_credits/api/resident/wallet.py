"""The two books as their owner sees them: points, grams, and how they came to be."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask import Response
from marshmallow import fields

from carbon_credits.activities.origins import methodologies_of
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Day, Line, QueryWhole, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.language import language
from carbon_credits.api.paging import LONGEST, cursor_to, position_of
from carbon_credits.api.resident.shapes import Standing
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.crediting.campaign_views import behind_funds
from carbon_credits.ledger import service as ledger
from carbon_credits.ledger.models import ContraKind, Posting
from carbon_credits.methodologies.base import Status
from carbon_credits.methodologies.standing import programme_status, status_on

KINDS = tuple(kind.name.lower() for kind in ContraKind)
POSTINGS = "wallet.postings"
# what a campaign gives, what is taken back of it, what lapses of it
OF_FUNDS: Final = frozenset({ContraKind.BONUS, ContraKind.CLAWBACK, ContraKind.BREAKAGE})

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
    """Milligrams of CO2e: verified, claimed (never added to verified), removed by trees.

    `status` is trial while any methodology that could have produced them is.
    """

    verified_mg = Whole(0, GREATEST, required=True, example=1_840_000)
    claimed_mg = Whole(0, GREATEST, required=True, example=128_000)
    removal_mg = Whole(0, GREATEST, required=True, example=0)
    status = Standing(required=True)


class Wallet(Body):
    """GET /v1/wallet."""

    points = fields.Nested(Points, required=True)
    carbon = fields.Nested(Carbon, required=True)


class PostingCampaign(Body):
    """The campaign whose points moved."""

    code = Words(3, 30, required=True, example="earth_day_2027")
    name = Words(1, 100, required=True, example="世界地球日")


class PostingLine(Body):
    """One movement; `balance_after` is the sum of all points after it, `points` and grams are signed.

    `methodology_status` is null where no grams move, `campaign` where the points were no campaign's.
    """

    seq = Whole(1, GREATEST, required=True, example=12)
    booked_on = Day(required=True)
    effective_on = Day(required=True)
    kind = Choice(*KINDS, required=True)
    points = Whole(-GREATEST, GREATEST, required=True, example=25)
    verified_mg = Whole(-GREATEST, GREATEST, required=True, example=0)
    claimed_mg = Whole(-GREATEST, GREATEST, required=True, example=128_000)
    removal_mg = Whole(-GREATEST, GREATEST, required=True, example=0)
    balance_after = Whole(-GREATEST, GREATEST, required=True, example=885)
    methodology_status = Standing(required=True, allow_none=True)
    campaign = fields.Nested(PostingCampaign, required=True, allow_none=True)


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
                "status": programme_status(),
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
        shown = found[:limit]
        codes = methodologies_of(session, who.id, [act for p in shown if (act := _act_with_grams(p))])
        behind = behind_funds(session, {p.contra_ref for p in shown if p.contra_kind in OF_FUNDS})
        lines = [{**_line(posting, codes), "campaign": _campaign(posting, behind)} for posting in shown]
    more = len(found) > limit
    following = cursor_to(vault, who.actor, POSTINGS, [lines[-1]["seq"]]) if more else None
    return answer({"items": lines, "next": following})


def _act_with_grams(posting: Posting) -> tuple[date, int] | None:
    """The act of a posting that moves grams: where a methodology stands behind it."""
    if posting.activity_id is None or not _moves_grams(posting):
        return None
    return posting.effective_on, posting.activity_id


def _moves_grams(posting: Posting) -> bool:
    return any((posting.verified_mg, posting.claimed_mg, posting.removal_mg))


def _standing(posting: Posting, codes: Mapping[tuple[date, int], str]) -> Status | None:
    """Its methodology's status; grams of no known act are no better than the programme's least settled."""
    if not _moves_grams(posting):
        return None
    code = codes.get(_act_with_grams(posting) or (posting.effective_on, 0))
    return programme_status() if code is None else status_on(code, posting.effective_on)


def _campaign(posting: Posting, behind: Mapping[int, tuple[str, Text]]) -> dict[str, str] | None:
    found = behind.get(posting.contra_ref) if posting.contra_kind in OF_FUNDS else None
    return None if found is None else {"code": found[0], "name": found[1].in_language(language())}


def _line(posting: Posting, codes: Mapping[tuple[date, int], str]) -> dict[str, Any]:
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
        "methodology_status": _standing(posting, codes),
    }
