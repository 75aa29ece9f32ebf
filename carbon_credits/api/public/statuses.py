"""Which statements were revoked: signed lists that anybody may fetch and keep for some minutes."""

from typing import Final

from flask import Response

from carbon_credits.api.access import Who
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.incentives.status_lists import MEDIA_TYPE, TTL

LIST: Final = [
    {
        "in": "path",
        "name": "status_list",
        "schema": {"type": "integer", "minimum": 1, "maximum": 2_147_483_647},
        "example": 1,
    }
]

blueprint = Blueprint("statuses", __name__, who=Who.ANYONE, description="声明状态。\n\nStatus of statements.")


@blueprint.route("/public/v1/status/<int(max=2147483647):status_list>", methods=["GET"], parameters=LIST)
@blueprint.doc(
    responses={
        "200": {"description": "Token Status List", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
    }
)
@blueprint.refuses(404)
def show(status_list: int) -> Response:
    """声明状态列表 / A status list of statements

    IETF Token Status List 的签名形式（JWT），每份声明一位：0 有效，1 已撤销。可缓存 5 分钟。

    An IETF Token Status List as a signed JWT, one bit for each statement: 0 valid, 1 revoked. May be kept for 5 minutes.
    """
    ours = house()
    with reading() as session:
        signed = ours.statuses.signed(session, ours.keyring, status_list, clock.now())
    response = Response(signed.token, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = f"public, max-age={int(TTL.total_seconds())}"
    return response
