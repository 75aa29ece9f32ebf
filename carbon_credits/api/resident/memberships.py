"""Belonging to groups: joined by a code, asked for, a name shared or taken back, left; where one belonged before."""

from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer, empty
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.resident import group_shapes as shapes
from carbon_credits.api.resident.group_views import GROUP, number, one, require_consent, share_name
from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.groups import finding, membership, service
from carbon_credits.residents import throttle

MOST_TRIES: Final = 10

blueprint = Blueprint(
    "memberships", __name__, who=Who.RESIDENT, description="加入与退出组。\n\nBelonging to groups."
)


@blueprint.route("/v1/groups/memberships", methods=["GET"])
@blueprint.response(200, shapes.History)
def history() -> Response:
    """我的加入记录 / Where I belonged, and when

    退出后记录仍保留；`until` 当天不再属于该组。

    What has ended stays; on the day of `until` one does not belong any more.
    """
    with reading() as session:
        rows = finding.history_of(session, principal().id)
    return answer({"items": [shapes.stay(known, row) for known, row in rows]})


@blueprint.route("/v1/groups/memberships", methods=["POST"])
@blueprint.arguments(shapes.Joining, example={"code": shapes.A_CODE})
@blueprint.response(201, shapes.OneGroup)
@blueprint.refuses(403, 404)
@blueprint.keyed
def join(body: dict[str, Any]) -> Response:
    """用邀请码加入 / Join with a code

    每小时最多尝试 10 次。自加入之日起的行为计入该组。学校组不显示姓名。

    Ten tries an hour. Acts count for the group from the day of joining on. Nobody is named in a school's group.
    """
    who, vault, now = principal().id, house().vault, clock.now()
    # counted by itself and before: a wrong code stays counted
    in_transaction(
        lambda s: throttle.count(s, "group_join", vault.blind("group-tries", str(who)), MOST_TRIES, now)
    )

    def work(session: Session) -> tuple[int, Any]:
        require_consent(session)
        joined = membership.join(session, vault, body["code"], who, now)
        if "share_name" in body:
            share_name(session, joined.group_id, body["share_name"])
        return 201, one(session, joined)

    return once("groups.join", body_as_told(), work)


@blueprint.route("/v1/groups/<group>/requests", methods=["POST"], parameters=GROUP)
@blueprint.response(201, shapes.Asked)
@blueprint.refuses(403, 404)
@blueprint.keyed
def ask(group: str) -> Response:
    """申请加入 / Ask to be let in

    没有邀请码时申请，由工作人员答复。家庭只能用邀请码加入。

    Without a code; staff answer. A household lets in by its code alone.
    """

    def work(session: Session) -> tuple[int, Any]:
        require_consent(session)
        asked = membership.ask(session, number(group), principal().id, clock.now())
        return 201, {"id": str(asked), "group": group, "state": "asked"}

    return once("groups.ask", None, work)


@blueprint.route("/v1/groups/<group>/codes", methods=["POST"], parameters=GROUP)
@blueprint.response(201, shapes.InviteShownOnce)
@blueprint.refuses(404)
def invite(group: str) -> Response:
    """家庭邀请码 / A code for one more of the household

    仅家庭成员可用；两天内有效，只能用一次，只显示这一次。

    For members of a household: good for two days, once, shown this once.
    """
    vault, now, who = house().vault, clock.now(), principal()

    def work(session: Session) -> membership.NewCode:
        throttle.count(session, "group_code", vault.blind("group-tries", str(who.id)), MOST_TRIES, now)
        made = membership.invite(session, vault, number(group), who.id, now)
        audit.record(session, who.actor, "group.invited", f"group:{group}")
        return made

    made = in_transaction(work)
    return answer({"code": made.code, "expires_at": made.expires_at}, 201)


@blueprint.route("/v1/groups/<group>/membership", methods=["DELETE"], parameters=GROUP)
@blueprint.response(204)
@blueprint.refuses(404)
def leave(group: str) -> Response:
    """退出组 / Leave a group

    自今日起不再计入；此前的行为仍留在当时的组。

    From today on nothing counts for it; what was done before stays where it was.
    """
    in_transaction(lambda s: membership.leave(s, number(group), principal().id, clock.now()))
    return empty()


@blueprint.route("/v1/groups/<group>/membership", methods=["PUT"], parameters=GROUP)
@blueprint.arguments(shapes.NameChange, example={"share_name": None})
@blueprint.response(200, shapes.OneGroup)
@blueprint.refuses(404)
def change(body: dict[str, Any], group: str) -> Response:
    """显示或收回姓名 / Share a name, or take it back

    null 为收回；其他成员此后看不到。学校组不显示姓名。

    Null takes it back: nobody reads it from then on. Nobody is named in a school's group.
    """

    def work(session: Session) -> Response:
        share_name(session, number(group), body["share_name"])
        return answer(one(session, service.group(session, number(group))))

    return in_transaction(work)
