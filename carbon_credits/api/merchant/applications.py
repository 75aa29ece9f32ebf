"""A merchant applies: the one thing of this document that needs no token."""

from typing import Any, Final

from flask import Response, request
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Line, Words
from carbon_credits.api.house import house
from carbon_credits.api.merchant.shapes import CATEGORIES, LICENCE, STREETS, Bank, Both
from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction
from carbon_credits.core.i18n import Text
from carbon_credits.residents import throttle
from carbon_credits.residents.service import Street
from carbon_credits.rewards import accounts, merchants
from carbon_credits.rewards.accounts import Settlement
from carbon_credits.rewards.merchant_models import Merchant
from carbon_credits.rewards.merchants import Application, Category

MOST_AN_HOUR: Final = 20
EXAMPLE: Final = {
    "code": "three_friends",
    "name": {"zh": "三友饭店", "en": "Three Friends Restaurant"},
    "category": "food",
    "street": "zumiao",
    "address": "佛山市禅城区祖庙路 1 号",
    "licence_no": "91350100M000100Y43",
    "contact_name": "何三友",
    "contact_phone": "13800000000",
    "settlement": {
        "rail": "bank",
        "bank": {"holder": "佛山市禅城区三友饭店", "number": "4400123456789012", "bank_code": "105588000011"},
    },
}

blueprint = Blueprint("applications", __name__, who=Who.ANYONE, description="商户申请。\n\nMerchants apply.")


class SettlementWish(Body):
    """How the merchant wants to be paid; with `stripe` no account is given, Stripe asks for it later."""

    rail = Choice("stripe", "bank", required=True)
    bank = fields.Nested(Bank)


class ApplicationBody(Body):
    """POST /merchant/v1/applications."""

    code = Words(3, 40, pattern=r"[a-z][a-z0-9_]{2,39}", required=True, example="three_friends")
    name = fields.Nested(Both, required=True)
    category = Choice(*CATEGORIES, required=True)
    street = Choice(*STREETS)
    address = Line(1, 200, required=True, example="佛山市禅城区祖庙路 1 号")
    licence_no = Words(
        18,
        18,
        pattern=LICENCE,
        required=True,
        example="91350100M000100Y43",
        metadata={"description": "统一社会信用代码（GB 32100，含校验码）/ with its check character"},
    )
    licence_sha256 = Words(
        64,
        64,
        pattern=r"[0-9a-f]+",
        metadata={"description": "执照影像的 SHA-256 / of a copy of the licence"},
    )
    contact_name = Line(1, 60, required=True, example="何三友")
    contact_phone = Words(7, 20, pattern=r"[0-9+-]+", required=True, example="13800000000")
    settlement = fields.Nested(SettlementWish, required=True)


class Noted(Body):
    """The application is noted and waits for two people of the programme."""

    code = Words(3, 40, required=True, example="three_friends")
    state = Choice("applied", required=True)
    applied_at = Instant(required=True)


def settlement_of(told: dict[str, Any]) -> Settlement:
    """How a merchant wants to be paid, out of a body."""
    bank = told.get("bank")
    return Settlement(told["rail"], None if bank is None else accounts.Bank(**bank))


@blueprint.route("/merchant/v1/applications", methods=["POST"])
@blueprint.arguments(ApplicationBody, example=EXAMPLE)
@blueprint.response(201, Noted)
@blueprint.refuses(409, 422)
def apply(body: dict[str, Any]) -> Response:
    """商户申请 / Apply as a merchant

    营业执照校验码与账号先行核对；由两名工作人员审核后开通。被拒绝的申请可改正后重新提交。

    The licence's check and the account are verified at once; two people of the programme decide. One that was refused
    may be made again, put right.
    """
    ours, now = house(), clock.now()
    digest = body.get("licence_sha256")
    told = Application(
        code=body["code"],
        names=Text(**body["name"]),
        category=Category(body["category"]),
        street=Street(body["street"]) if "street" in body else None,
        address=body["address"],
        licence_no=body["licence_no"],
        contact_name=body["contact_name"],
        contact_phone=body["contact_phone"],
        settlement=settlement_of(body["settlement"]),
        licence_sha256=None if digest is None else bytes.fromhex(digest),
    )
    network = throttle.network_of(request.remote_addr or "0.0.0.0")  # noqa: S104 - counted, never listened on
    subject = ours.vault.blind("throttle:address", network)

    def work(session: Session) -> Merchant:
        throttle.count(session, "merchant.apply", subject, MOST_AN_HOUR, now)
        made = merchants.apply(session, ours.vault, told, now)
        audit.record(session, "anyone", "merchant.applied", f"merchant:{made.code}")
        return made

    made = in_transaction(work)
    return answer({"code": made.code, "state": made.state, "applied_at": made.applied_at}, 201)
