"""A client of a merchant as it stands: whose it is, what it may do, what state the merchant is in."""

from flask import Response
from marshmallow import fields

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Words
from carbon_credits.api.house import principal
from carbon_credits.api.merchant.shapes import CATEGORIES, SCOPES, STREETS, Both
from carbon_credits.core.db import reading
from carbon_credits.rewards import clients, merchants
from carbon_credits.rewards.clients import SIGNS_IN

blueprint = Blueprint(
    "merchant",
    __name__,
    who=Who.MERCHANT,
    description="商户与其凭证。\n\nThe merchant and the client that asks.",
)


class Client(Body):
    """The client that asks."""

    client_id = Words(4, 60, required=True, example="three-friends-0123456789")
    kind = Choice("system", "till", required=True)
    label = Words(1, 60, required=True, example="收银台 1")
    scopes = fields.List(Choice(*SCOPES), required=True)


class Merchant(Body):
    """GET /merchant/v1/me. `id` is what `mer` in a signed code names."""

    id = Words(1, 10, required=True, example="3")
    code = Words(3, 40, required=True, example="three_friends")
    name = fields.Nested(Both, required=True)
    category = Choice(*CATEGORIES, required=True)
    street = Choice(*STREETS, required=True, allow_none=True, metadata={"enum": [*STREETS, None]})
    address = Words(1, 200, required=True, example="佛山市禅城区祖庙路 1 号")
    state = Choice(*(state.value for state in SIGNS_IN), required=True)
    state_reason = Words(1, 500, required=True, allow_none=True)
    client = fields.Nested(Client, required=True)


@blueprint.route("/merchant/v1/me", methods=["GET"])
@blueprint.response(200, Merchant)
def show() -> Response:
    """商户与当前凭证 / The merchant and the client that asks"""
    asking = principal()
    with reading() as session:
        merchant = merchants.merchant(session, asking.id)
        client = clients.client_of(session, asking.id, asking.subject)
        told = {
            "id": str(merchant.merchant_id),
            "code": merchant.code,
            "name": {"zh": merchant.name_zh, "en": merchant.name_en},
            "category": merchant.category,
            "street": merchant.street,
            "address": merchant.address,
            "state": merchant.state,
            "state_reason": merchant.state_reason,
            "client": {
                "client_id": client.client_id,
                "kind": client.kind,
                "label": client.label,
                "scopes": list(client.scopes),
            },
        }
    return answer(told)
