"""Creation drives for a group's members: where it stands in each; whoever runs it asks that it be put forward."""

from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer, empty
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.merchant.shapes import numbered
from carbon_credits.api.resident import drive_shapes as shapes
from carbon_credits.api.resident.group_views import GROUP, number, require_consent
from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.groups import drive_requests, drive_standing
from carbon_credits.residents import throttle

MOST_ASKED: Final = 10

blueprint = Blueprint(
    "group_drives", __name__, who=Who.RESIDENT, description="创建行动。\n\nCreation drives of the plan."
)


@blueprint.route("/v1/groups/<group>/drives", methods=["GET"], parameters=GROUP)
@blueprint.response(200, shapes.DriveStandings)
@blueprint.refuses(403, 404)
def index(group: str) -> Response:
    """本组的创建行动 / The drives for a group

    仅成员可见：面向此类组的行动、核对表目前的结果、本组的请求与申请、授牌年份。数据项由已结束的月份计算，人数过少时不显示。

    For members: the drives for this kind of group, the checklist as it is filled so far, the group's request and
    application, the years it is on the list. Figures are of months that are over, and never of too few.
    """
    with reading() as session:
        rows = drive_standing.standings(session, number(group), principal().id, clock.today())
    return answer({"items": [shapes.standing(row) for row in rows]})


@blueprint.route(
    "/v1/groups/<group>/drives/<drive>/requests", methods=["POST"], parameters=[*GROUP, *shapes.DRIVE]
)
@blueprint.response(201, shapes.DriveRequestShown)
@blueprint.refuses(403, 404)
@blueprint.keyed
def ask(group: str, drive: str) -> Response:
    """请求参加本年度创建 / Ask to be put forward for this year's list

    仅组的创建人（且仍为成员）可提出；学校由工作人员按其书面申请登记。工作人员受理或说明理由后不予受理。已有待受理的请求时返回同一请求。
    提出即同意工作人员查看本组核对表，家庭的人均减排量平时只有成员可见。

    For whoever founded the group and still belongs to it; schools are put forward by staff at their written request.
    Staff take it up, or decline it and say why. While one waits, the same is answered again. Asking lets staff read the
    group's checklist: of a household, grams a head that its members alone see otherwise.
    """
    who, vault, now = principal(), house().vault, clock.now()

    def work(session: Session) -> tuple[int, Any]:
        require_consent(session)
        throttle.count(session, "drive_request", vault.blind("group-tries", str(who.id)), MOST_ASKED, now)
        made, is_new = drive_requests.ask(session, shapes.named(drive), number(group), who.id, now)
        if is_new:
            told = {"drive": drive, "group": made.group_id, "year": made.year}
            audit.record(session, who.actor, "drive.asked", f"drive_request:{made.request_id}", None, told)
        return 201, shapes.request(made)

    return once("group_drives.ask", None, work)


@blueprint.route(
    "/v1/groups/<group>/drives/<drive>/requests/<request>",
    methods=["DELETE"],
    parameters=[*GROUP, *shapes.DRIVE, *shapes.REQUEST],
)
@blueprint.response(204)
@blueprint.refuses(404, 409)
def withdraw(group: str, drive: str, request: str) -> Response:
    """撤回请求 / Take a request back

    仅提出人、且尚未答复时。已受理的，请联系工作人员撤回申请。

    For who asked, while nobody has answered. What is taken up is taken back by staff: ask them.
    """
    who, asked = principal(), numbered(request)

    def work(session: Session) -> None:
        if drive_requests.withdraw(session, shapes.named(drive), number(group), asked, who.id):
            audit.record(session, who.actor, "drive.request_withdrawn", f"drive_request:{asked}")

    in_transaction(work)
    return empty()
