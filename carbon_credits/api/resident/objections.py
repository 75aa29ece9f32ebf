"""Objecting to a decision, taking an objection back, and how both stand with the act."""

from typing import Any, Final

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.activities import appeals
from carbon_credits.activities.appeals import AppealView
from carbon_credits.activities.service import ActivityView
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Words
from carbon_credits.api.house import principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.language import language
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.resident.shapes import ACT, AN_ACT, ActCampaign, Activity, Appeal, Trip
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reconciliation import announcements, disputes
from carbon_credits.reconciliation.waiting import waits_until

APPEALS: Final = ("open", "won", "partly", "lost", "withdrawn")
CLAWBACKS: Final = ("announced", "objected", "taken_back", "dropped")

blueprint = Blueprint("objections", __name__, who=Who.RESIDENT, description="申诉。\n\nObjections.")


class Objection(Body):
    """An objection and how it stands; `answer_by` is when it is answered at the latest."""

    id = Words(1, 20, required=True, example="17")
    activity = Words(1, 40, required=True, example=AN_ACT)
    against = Choice(
        "decision",
        "clawback",
        required=True,
        metadata={"description": "针对决定或拟撤回 / the decision, or its being taken back"},
    )
    state = Choice(*APPEALS, required=True)
    at = Instant(required=True)
    answer_by = Instant(required=True, allow_none=True)
    answer = Words(0, 4_000, required=True, allow_none=True, example="已复核，恢复计入")


class Clawback(Body):
    """A credit that is to be taken back, was, or is not: why, and until when its resident may object."""

    state = Choice(*CLAWBACKS, required=True)
    reason = Words(
        1, 2_100, required=True, example="合作方更正：未发生 / corrected by the partner: it did not happen"
    )
    object_until = Instant(required=True, allow_none=True)
    answer = Words(0, 4_000, required=True, allow_none=True)


class OneActivity(Activity):
    """An act looked at by itself: its trip, what a campaign gave for it, until when it waits, what is disputed."""

    trip = fields.Nested(Trip, required=True, allow_none=True)
    campaign = fields.Nested(ActCampaign, required=True, allow_none=True)
    waits_until = Instant(
        required=True,
        allow_none=True,
        metadata={
            "description": "至少等待合作方记录到此时，其后仍无记录则不计入；合作方数据迟到时为 null / "
            "waits for the partner's record until then at least; without one it does not count. "
            "Null when it does not wait, or when the partner is late"
        },
    )
    appeal = fields.Nested(Objection, required=True, allow_none=True)
    clawback = fields.Nested(Clawback, required=True, allow_none=True)


@blueprint.route("/v1/activities/<activity>/appeal", methods=["POST"], parameters=ACT)
@blueprint.arguments(Appeal, example={"words": "我确实骑行了全程 / I did ride all of it"})
@blueprint.response(201, Objection)
@blueprint.refuses(404)
@blueprint.keyed
def object_to(body: dict[str, Any], activity: str) -> Response:
    """申诉 / Object to a decision

    对最新决定提出；已通知拟撤回的，则针对撤回。answer_by 前答复。

    To the newest decision, or, where its credit is announced to be taken back, to that. Answered by `answer_by`.
    """

    def work(session: Session) -> tuple[int, Any]:
        made = disputes.object_to(session, principal().id, activity, body["words"], clock.now())
        return 201, view(made)

    return once("activities.object_to", body_as_told(), work)


@blueprint.route("/v1/activities/<activity>/appeal", methods=["DELETE"], parameters=ACT)
@blueprint.response(200, Objection)
@blueprint.refuses(404)
def take_back(activity: str) -> Response:
    """撤回申诉 / Take one's objection back

    仅限尚未答复的申诉；之后可再次申诉。

    While it is open; one may object again afterwards.
    """
    who = principal().id
    return answer(
        view(in_transaction(lambda session: disputes.withdraw(session, who, activity, clock.now())))
    )


def view(made: AppealView) -> dict[str, Any]:
    """An objection, in the reader's language."""
    return {
        "id": str(made.id),
        "activity": made.activity,
        "against": made.against,
        "state": made.state,
        "at": made.at,
        "answer_by": made.answer_by,
        "answer": None if made.answer is None else made.answer.in_language(language()),
    }


def standing_of(session: Session, resident_id: int, act: ActivityView) -> dict[str, Any]:
    """What an act waits for and what is disputed about it."""
    until = None
    if act.status == "awaiting":
        number = BY_CODE[act.methodology][-1].number
        until = waits_until(session, resident_id, number, act.occurred_to, act.occurred_on, clock.now())
    made = appeals.newest(session, resident_id, act.id)
    taken = announcements.of_act(session, resident_id, act.position[1])
    return {
        "waits_until": until,
        "appeal": None if made is None else view(made),
        "clawback": None
        if taken is None
        else {
            "state": taken.state,
            "reason": taken.reason,
            "object_until": taken.object_until,
            "answer": None if taken.answer is None else taken.answer.in_language(language()),
        },
    }
