"""Claiming an act, looking at one's acts."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from carbon_credits.activities import service
from carbon_credits.activities.reasons import explain
from carbon_credits.activities.verification import TripView, trip_of
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.language import language
from carbon_credits.api.paging import cursor_to, position_of
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.resident.objections import OneActivity, standing_of
from carbon_credits.api.resident.shapes import ACT, Accepted, Activities, ClaimBody
from carbon_credits.api.resident.wallet import Page
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.campaign_views import GivenBonus, given_for
from carbon_credits.crediting.estimates import estimate
from carbon_credits.jobs.doorbell import VERIFICATION
from carbon_credits.methodologies.standing import status_on

LIST: Final = "activities.index"
# recent, so that what the page offers to send is not too old to be taken
YESTERDAY: Final = clock.today() - timedelta(days=1)
EXAMPLE: Final = {
    "methodology": "travel.cycling",
    "occurred_from": f"{YESTERDAY}T08:00:00+08:00",
    "occurred_to": f"{YESTERDAY}T08:16:00+08:00",
    "monitored": {"distance_m": 3200},
}

blueprint = Blueprint(
    "activities",
    __name__,
    who=Who.RESIDENT,
    description="低碳行为：申报、查询。\n\nActs: claims, views.",
)


@blueprint.route("/v1/activities", methods=["POST"])
@blueprint.arguments(ClaimBody, example=EXAMPLE)
@blueprint.response(202, Accepted, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.keyed
def submit(body: dict[str, Any]) -> Response:
    """申报一次低碳行为 / Claim an act

    立即记录并给出估算，随后自动核算。同一行为再次申报得到同一编号。
    轨迹须先授权（location_traces），先核验，加密保存不超过 30 天。

    Recorded at once with an estimate; the decision follows. The same act again has the same id. A trace needs the consent
    `location_traces`; it is looked at first, and kept encrypted for thirty days at most.
    """
    told, now, who, ours = _claim(body), clock.now(), principal().id, house()
    trace = body.get("evidence", {}).get("trace")

    def work(session: Session) -> tuple[int, Any]:
        made = service.claim(session, ours.vault, who, told, now, trace)
        worth = estimate(session, ours.rates, told, made.occurred_on, made.evidence_class)
        return 202, {
            "id": made.id,
            "status": made.status,
            "evidence_class": made.evidence_class,
            "estimate": {
                "reduction_mg": worth.reduction_mg,
                "points": worth.points,
                "methodology_status": status_on(told.methodology, made.occurred_on),
            },
            "reasons": _reasons((*worth.reasons, *([made.of_trace] if made.of_trace else []))),
            "links": _links(made.id),
        }

    response = once("activities.submit", body_as_told(), work)
    if response.status_code == 202:
        ours.ringer.ring([shard_of(who)], bells=() if trace is None else (VERIFICATION,))
    return response


@blueprint.route("/v1/activities", methods=["GET"])
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Activities)
def index(page: dict[str, Any]) -> Response:
    """我的低碳行为 / My acts"""
    who, vault, limit = principal(), house().vault, page["limit"]
    before = None
    if "cursor" in page:
        day, number = position_of(vault, who.actor, LIST, page["cursor"])
        before = (date.fromisoformat(day), number)
    with reading() as session:
        found = service.activities_of(session, who.id, before=before, limit=limit + 1)
    following = None
    if len(found) > limit:
        day_seen, number_seen = found[limit - 1].position
        following = cursor_to(vault, who.actor, LIST, [day_seen.isoformat(), number_seen])
    return answer({"items": [_view(view) for view in found[:limit]], "next": following})


@blueprint.route("/v1/activities/<activity>", methods=["GET"], parameters=ACT)
@blueprint.response(200, OneActivity)
@blueprint.refuses(404)
def show(activity: str) -> Response:
    """查询一次行为 / One act"""
    with reading() as session:
        who = principal().id
        view = service.activity_of(session, who, activity)
        trip = _trip(trip_of(session, who, view.position[1]))
        campaign = _campaign(given_for(session, who, *view.position) if view.status == "credited" else None)
        return answer({**_view(view), "trip": trip, "campaign": campaign, **standing_of(session, who, view)})


def _claim(body: dict[str, Any]) -> service.Claim:
    steps = body.get("evidence", {}).get("steps")
    return service.Claim(
        methodology=body["methodology"],
        occurred_from=body["occurred_from"],
        occurred_to=body["occurred_to"],
        monitored=body["monitored"],
        references=body.get("references", {}),
        evidence=None if steps is None else {"steps": steps},
    )


def _view(view: service.ActivityView) -> dict[str, Any]:
    return {
        "id": view.id,
        "methodology": view.methodology,
        "methodology_status": status_on(view.methodology, view.occurred_on),
        "occurred_from": view.occurred_from,
        "occurred_to": view.occurred_to,
        "occurred_on": view.occurred_on,
        "told_at": view.told_at,
        "status": view.status,
        "evidence_class": view.evidence_class,
        "monitored": view.monitored,
        "reduction_mg": view.reduction_mg,
        "points": view.points,
        "bonus": view.bonus,
        "matures_on": view.matures_on,
        "decided_at": view.decided_at,
        "reasons": _reasons(view.reasons),
        "links": _links(view.id),
    }


def _trip(view: TripView | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {
        "decision": view.decision,
        "reasons": _reasons(view.reasons),
        "judged_at": view.judged_at,
        "by_a_person": view.by_a_person,
        "rules_version": view.rules_version,
    }


def _campaign(given: GivenBonus | None) -> dict[str, Any] | None:
    if given is None:
        return None
    reader = language()
    return {
        "code": given.code,
        "name": given.name.in_language(reader),
        "how": given.how.in_language(reader),
        "entitled": given.entitled,
        "points": given.points,
        "reasons": _reasons(given.reasons),
    }


def _reasons(codes: Iterable[str]) -> list[dict[str, str]]:
    reader = language()
    return [{"code": code, "text": explain(code).in_language(reader)} for code in codes]


def _links(activity: str) -> dict[str, str]:
    return {"self": f"/v1/activities/{activity}", "receipt": f"/v1/activities/{activity}/receipt"}
