"""Groups as residents meet them: found, applied for, looked at by month, on boards."""

from datetime import date
from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.paging import cursor_to, position_of
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.resident import group_shapes as shapes
from carbon_credits.api.resident.group_views import GROUP, number, one, require_consent
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups import figures, finding, membership, service
from carbon_credits.groups.service import GroupKind, GroupState, NewGroup

LIST: Final = "groups.index"

blueprint = Blueprint(
    "groups", __name__, who=Who.RESIDENT, description="组与榜单。\n\nGroups and their boards."
)


@blueprint.route("/v1/groups", methods=["GET"])
@blueprint.arguments(shapes.GroupsWanted, location="query")
@blueprint.response(200, shapes.GroupList)
def index(wanted: dict[str, Any]) -> Response:
    """组列表 / Groups

    首页先列出本人所在或申请的组；其后为可加入的组。家庭只有成员可见。

    One's own stand first on the first page, then those that may be joined. A household is seen by its members alone.
    """
    who, vault, limit = principal(), house().vault, wanted["limit"]
    after = position_of(vault, who.actor, LIST, wanted["cursor"])[0] if "cursor" in wanted else 0
    with reading() as session:
        mine = [row for row, _ in service.groups_of(session, who.id)]
        founded = finding.waiting_of(session, who.id) if not after else []
        found = finding.open_groups(session, wanted.get("kind"), wanted.get("street"), after, limit + 1)
    own = {row.group_id for row in mine}
    shown = [shapes.line(row, member=True) for row in mine] if not after else []
    shown += [shapes.line(row, member=False) for row in founded]
    shown += [shapes.line(row, member=False) for row in found[:limit] if row.group_id not in own]
    following = cursor_to(vault, who.actor, LIST, [found[limit - 1].group_id]) if len(found) > limit else None
    return answer({"items": shown, "next": following})


@blueprint.route("/v1/groups", methods=["POST"])
@blueprint.arguments(shapes.NewGroupWanted, example={"kind": "household", "street": "zumiao"})
@blueprint.response(201, shapes.GroupLine)
@blueprint.refuses(403, 404)
@blueprint.keyed
def found(body: dict[str, Any]) -> Response:
    """申请成立组 / Apply for a group

    由工作人员审批；批准后申请人为首位成员。须先授权“组”用途。

    Staff decide; whoever applied is the first member then. The consent `groups` comes first.
    """
    name = body.get("name")

    def work(session: Session) -> tuple[int, Any]:
        require_consent(session)
        told = NewGroup(
            GroupKind(body["kind"]),
            None if name is None else Text(name["zh"], name["en"]),
            body.get("street"),
            number(body["parent"]) if "parent" in body else None,
            body.get("listed", False),
        )
        made = service.apply_for(session, told, principal().id, clock.now())
        return 201, shapes.line(made, member=False)

    return once("groups.found", body_as_told(), work)


@blueprint.route("/v1/groups/boards", methods=["GET"])
@blueprint.arguments(shapes.BoardWanted, location="query")
@blueprint.response(200, shapes.Board)
@blueprint.refuses(404)
def boards(wanted: dict[str, Any]) -> Response:
    """榜单 / Boards

    按人均核证减排量，仅含同意上榜、成员不少于 10 人的组，并列照实列出。学校只按名称列出，不排名；班级不上榜。

    By verified grams a head: groups that let their name stand and have ten members or more; ties are ties. Schools stand
    by name without a rank, classes not at all.
    """
    newest = figures.last_month(clock.today())
    month = date.fromisoformat(wanted["month"] + "-01") if "month" in wanted else newest
    if month > newest:
        raise NotFound("month_not_over", Text("该月尚未结束", "That month is not over"))
    with reading() as session:
        places = figures.board(session, GroupKind(wanted["kind"]), month)
    shown = [shapes.place(row) for row in places]
    return answer({"kind": wanted["kind"], "month": f"{month:%Y-%m}", "items": shown})


@blueprint.route("/v1/groups/<group>", methods=["GET"], parameters=GROUP)
@blueprint.response(200, shapes.OneGroup)
@blueprint.refuses(404)
def show(group: str) -> Response:
    """一个组 / One group

    人数不足 10 人的组不显示数据（家庭成员可见自家数据）。

    Figures of fewer than ten are not shown; a household sees its own.
    """
    with reading() as session:
        known = service.group(session, number(group))
        mine = membership.membership_in(session, known.group_id, principal().id)
        founder = known.founder_id == principal().id
        if (
            mine is None
            and not founder
            and (known.kind == GroupKind.HOUSEHOLD or known.state != GroupState.ACTIVE)
        ):
            raise service.unknown()
        return answer(one(session, known))
