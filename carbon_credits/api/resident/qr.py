"""The code of a redemption as a drawing: for an app that draws none by itself, and for trying the till out."""

from io import BytesIO
from typing import Final

import segno
from flask import Response

from carbon_credits.api.access import Who
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import principal
from carbon_credits.api.resident.redemptions import REDEMPTION, number_of, told
from carbon_credits.core.db import reading
from carbon_credits.rewards import redemptions
from carbon_credits.rewards.refusals import refusal

SVG: Final = "image/svg+xml"
# the quiet zone that the standard asks for
BORDER: Final = 4
# a short code is drawn to be read from a scratched screen, a signed one so that it stays small
SIGNED_FROM: Final = 100

blueprint = Blueprint("qr", __name__, who=Who.RESIDENT, description="二维码。\n\nQR codes.")


@blueprint.route("/v1/redemptions/<redemption>/qr.svg", methods=["GET"], parameters=REDEMPTION)
@blueprint.doc(
    responses={
        "200": {"description": "二维码 / the QR code", "content": {SVG: {"schema": {"type": "string"}}}}
    }
)
@blueprint.refuses(404, 409)
def draw(redemption: str) -> Response:
    """券码的二维码 / The code as a QR code

    内容即 `code`。券码不可用时为 409。

    It holds `code` and nothing else; 409 once the code can no longer be used.
    """
    with reading() as session:
        one = redemptions.one_of(session, principal().id, number_of(redemption))
        code = told(session, one)["code"]
    if code is None:
        raise refusal("redemption_over")
    return Response(drawing(code), mimetype=SVG)


def drawing(code: str) -> bytes:
    """An SVG that grows to whatever it is shown in, black on white whatever is around it."""
    drawn = BytesIO()
    made = segno.make(code, error="l" if len(code) > SIGNED_FROM else "q", micro=False)
    made.save(drawn, kind="svg", border=BORDER, dark="#000", light="#fff", omitsize=True, xmldecl=False)
    return drawn.getvalue()
