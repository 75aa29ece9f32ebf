"""What we ask a partner about single acts when a resident objects, and its answers."""

import re
from typing import Any, Final

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Instant, Quantities, Words, YesNo
from carbon_credits.api.house import principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.reconciliation import questions

CASE: Final = [
    {
        "in": "path",
        "name": "case",
        "schema": {"type": "string", "minLength": 1, "maxLength": 20},
        "example": "17",
    }
]
EXAMPLE: Final = {"confirms": False, "words": "该次行程已退款 / this trip was refunded"}

blueprint = Blueprint(
    "questions", __name__, who=Who.PARTNER, description="待核实事项。\n\nQuestions to a partner."
)


class Question(Body):
    """What is asked about an act, and until when; never whose it is."""

    case = Words(1, 20, required=True, example="17")
    feed = Words(2, 40, required=True, example="metro_taps")
    question = Words(1, 1_000, required=True, example="请核实该次进出站 / did this journey take place?")
    answer_by = Instant(required=True)
    activity = Words(1, 40, required=True, allow_none=True)
    methodology = Words(3, 60, required=True, allow_none=True, example="travel.metro")
    occurred_from = Instant(required=True, allow_none=True)
    occurred_to = Instant(required=True, allow_none=True)
    monitored = Quantities(GREATEST, required=True, allow_none=True, example={"distance_m": 9000})


class Questions(Body):
    """The first hundred, the most urgent first."""

    items = fields.List(fields.Nested(Question), required=True)


class Answer(Body):
    """POST /partner/v1/questions/{case}/answer."""

    confirms = YesNo(
        required=True, metadata={"description": "确认该次行为属实 / it did take place as it is told"}
    )
    words = Words(
        1, 1_000, pattern=r"[^\x00]*", metadata={"description": "说明 / what there is to say of it"}
    )


class Answered(Body):
    """The answer is noted."""

    case = Words(1, 20, required=True, example="17")
    noted_at = Instant(required=True)


@blueprint.route("/partner/v1/questions", methods=["GET"])
@blueprint.response(200, Questions)
def index() -> Response:
    """待核实事项 / What you are asked"""
    with reading() as session:
        return answer({"items": questions.asked_of(session, principal().id)})


@blueprint.route("/partner/v1/questions/<case>/answer", methods=["POST"], parameters=CASE)
@blueprint.arguments(Answer, example=EXAMPLE)
@blueprint.response(201, Answered)
@blueprint.refuses(404)
@blueprint.keyed
def reply(body: dict[str, Any], case: str) -> Response:
    """答复 / Answer a question"""
    if re.fullmatch(r"[1-9][0-9]{0,17}", case, re.ASCII) is None:
        raise NotFound("case_unknown", Text("没有此事项", "There is no such case"))
    told = {"confirms": body["confirms"], "words": body.get("words")}

    def work(session: Session) -> tuple[int, Any]:
        questions.answer(session, int(case), principal().id, **told)
        return 201, {"case": case, "noted_at": clock.now()}

    return once("questions.reply", body_as_told(), work)
