"""What a bank tells of a statement it was shown. The one call banks have here: there is none that lists anybody."""

from datetime import date
from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Whole, Words
from carbon_credits.api.house import principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.problems import Problem
from carbon_credits.api.reading import WRONG, body_as_told
from carbon_credits.core import clock
from carbon_credits.core.errors import FieldFault
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import outcomes
from carbon_credits.incentives.outcomes import Told

EXAMPLE: Final = {
    "statement_id": "p3Zk0mM1c2d3e4f5g6h7i8",
    "version": 1,
    "outcome": "granted",
    "benefit_fen": 195_000,
    "from": "2026-12-01",
    "to": "2027-11-30",
}
DAY_FORM: Final = r"\d{4}-\d{2}-\d{2}"

blueprint = Blueprint(
    "outcomes", __name__, who=Who.PARTNER, description="金融优惠结果。\n\nOutcomes of green finance."
)


class StatementOutcome(Body):
    """An outcome. A correction has the next version; `declined_other` is for another reason than grams."""

    statement_id = Words(
        22, 22, pattern=r"[A-Za-z0-9_-]{22}", required=True, metadata={"description": "声明的 jti / its jti"}
    )
    version = Whole(1, outcomes.MOST_VERSIONS, load_default=1)
    outcome = Choice(*outcomes.OUTCOMES, required=True)
    benefit_fen = Whole(
        0, outcomes.MOST_FEN, metadata={"description": "优惠金额（分） / what the benefit comes to, in fen"}
    )
    first = Words(10, 10, pattern=DAY_FORM, data_key="from", metadata={"format": "date"})
    last = Words(10, 10, pattern=DAY_FORM, data_key="to", metadata={"format": "date"})


class OutcomeNoted(Body):
    """The outcome is noted."""

    statement_id = Words(22, 22, required=True)
    version = Whole(1, outcomes.MOST_VERSIONS, required=True)
    noted_at = Instant(required=True)


@blueprint.route("/partner/v1/incentives/outcomes", methods=["POST"])
@blueprint.arguments(StatementOutcome, example=EXAMPLE)
@blueprint.response(201, OutcomeNoted)
@blueprint.refuses(404)
@blueprint.keyed
def report(body: dict[str, Any]) -> Response:
    """回报结果 / Tell what became of a statement

    每份声明一次；更正用下一版本号。仅可回报出示给贵机构的声明。

    Each statement once; a correction has the next version. Only of statements that are addressed to you.
    """
    who = principal()
    told = Told(
        body["outcome"], body.get("benefit_fen"), _day(body, "first", "from"), _day(body, "last", "to")
    )

    def work(session: Session) -> tuple[int, Any]:
        jti, version = body["statement_id"], body["version"]
        outcomes.report(session, who.id, jti, version, told, who.subject)
        return 201, {"statement_id": jti, "version": version, "noted_at": clock.now()}

    return once("outcomes.report", body_as_told(), work)


def _day(body: dict[str, Any], name: str, told_as: str) -> date | None:
    """A calendar day; raises Problem for one that is in no calendar."""
    if name not in body:
        return None
    try:
        return date.fromisoformat(body[name])
    except ValueError as error:
        fault = FieldFault("/" + told_as, "not_a_date", Text("应为日期", "Must be a date"))
        raise Problem("wrong_fields", WRONG, faults=(fault,)) from error
