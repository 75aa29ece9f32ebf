"""A resident's month as a paper: every movement, the balances around them, and a code to check it by."""

from typing import Any, Final

from flask import Response

from carbon_credits.api.access import Who
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house, principal
from carbon_credits.api.language import language
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.reporting.statement_links import lend
from carbon_credits.reporting.statement_paper import paper
from carbon_credits.reporting.statements import month_of, statement

PDF: Final = "application/pdf"
MONTH: Final[list[Any]] = [
    {
        "in": "path",
        "name": "month",
        "required": True,
        "schema": {"type": "string", "pattern": r"^\d{4}-\d{2}$"},
        "example": "2026-10",
    }
]
ANSWERS: Final[dict[str, Any]] = {
    "200": {
        "description": "对账单 / the statement",
        "content": {PDF: {"schema": {"type": "string", "format": "binary"}}},
    }
}

blueprint = Blueprint(
    "monthly", __name__, who=Who.RESIDENT, description="月度对账单。\n\nMonthly statements."
)


@blueprint.route("/v1/statements/<month>.pdf", methods=["GET"], parameters=MONTH)
@blueprint.doc(responses=ANSWERS)
@blueprint.refuses(404, 409, 503)
def show(month: str) -> Response:
    """月度对账单 / A month's statement

    记账月份内的全部明细、期初与期末余额、各方法学减排量，附二维码（30 天内可在线核对）。语言依 Accept-Language。
    本月未结束时为截至当前的对账单。未安装中文字体时为 503。

    All that was booked in a month, the balances before and after it, grams by methodology, and a QR code that leads to
    the same figures for 30 days. In the language of Accept-Language. Of a month that is not over it says how far it
    goes; 503 where the Chinese font is not installed.
    """
    ours, who, now = house(), principal().id, clock.now()
    with reading() as session:
        shown = statement(session, who, month_of(month), clock.today())
    token, _ = lend(ours.vault, who, shown, now)
    link = f"{ours.settings.public_url.rstrip('/')}/statements/{token}"
    reader = language()
    content = paper(shown, reader, link, ours.settings.font)
    response = Response(content, mimetype=PDF)
    response.headers["Content-Disposition"] = f'attachment; filename="statement-{shown.month:%Y-%m}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Language"
    response.headers["Content-Language"] = {"zh": "zh-CN", "en": "en"}[reader]
    return response
