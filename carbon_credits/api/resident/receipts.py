"""How a number came about: the receipt as JSON or as a page, and a link to show it to somebody."""

from typing import Any, Final

from flask import Response, request
from sqlalchemy.orm import Session

from carbon_credits.api import pages
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Instant, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.reading import no_body
from carbon_credits.api.resident.shapes import ACT, RECEIPT
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.crediting.receipt_links import lend
from carbon_credits.crediting.receipts import receipt

ANSWERS: Final[dict[str, Any]] = {
    "200": {
        "description": "OK",
        "content": {"application/json": {"schema": RECEIPT}, "text/html": {"schema": {"type": "string"}}},
    }
}

blueprint = Blueprint("receipts", __name__, who=Who.RESIDENT, description="凭据。\n\nReceipts.")


class Link(Body):
    """Where somebody else can read a receipt, and until when."""

    url = Words(1, 400, required=True, example="https://carbon.example/receipts/AbCd…")
    expires_at = Instant(required=True)


@blueprint.route("/v1/activities/<activity>/receipt", methods=["GET"], parameters=ACT)
@blueprint.doc(responses=ANSWERS)
@blueprint.refuses(404)
def show(activity: str) -> Response:
    """核算凭据 / How the number came about

    方法学版本、参数及来源、逐步计算、积分标准与上限。默认为 JSON；Accept 更偏好 text/html 时为可读页面。

    The methodology's version, its parameters with sources, each step, the rate and the caps. JSON by default; a page
    to read where Accept prefers text/html.
    """
    with reading() as session:
        told = receipt(session, principal().id, activity)
    if _prefers_a_page():
        return pages.own_receipt(told)
    return answer(told, headers={"Vary": "Accept"})


@blueprint.route("/v1/activities/<activity>/receipt/links", methods=["POST"], parameters=ACT)
@blueprint.response(201, Link)
@blueprint.refuses(404)
@blueprint.keyed
def lend_out(activity: str) -> Response:
    """出示凭据的链接 / A link to show a receipt

    24 小时内，任何持有此链接的人可查看这一张凭据；不含姓名、手机号或账户。

    For 24 hours whoever has it can read this one receipt; it holds no name, phone number or account.
    """
    no_body()
    ours, who, now = house(), principal().id, clock.now()

    def work(session: Session) -> tuple[int, Any]:
        token, expires_at = lend(session, ours.vault, who, activity, now)
        base = ours.settings.public_url.rstrip("/")
        return 201, {"url": f"{base}/receipts/{token}", "expires_at": expires_at}

    return once("receipts.lend_out", None, work)


def _prefers_a_page() -> bool:
    """Whether a page is preferred outright: who takes both alike, or anything, gets JSON."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]
