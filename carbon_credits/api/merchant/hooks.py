"""Where a merchant's system wants to be told of things, and what it was told (Standard Webhooks)."""

import re
from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import fields
from marshmallow.validate import Length
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer, empty
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import WRONG_FORMAT, Body, Choice, Instant, Line, QueryWhole, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.paging import LONGEST, cursor_to, position_of
from carbon_credits.api.reading import body_as_told, no_body
from carbon_credits.core import clock
from carbon_credits.core.addresses import LONGEST as LONGEST_ADDRESS
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.jobs.doorbell import HOOKS
from carbon_credits.rewards import hooks
from carbon_credits.rewards.hook_deliveries import MOST_ATTEMPTS
from carbon_credits.rewards.merchant_models import HookDelivery, MerchantHook

DELIVERIES: Final = "hooks.deliveries"
NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
HOOK: Final = [
    {
        "in": "path",
        "name": "hook",
        "schema": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[1-9][0-9]{0,8}$"},
        "example": "3",
    }
]
EXAMPLE: Final = {"url": "https://shop.example.com/hooks/carbon", "events": ["redemption.captured"]}

blueprint = Blueprint(
    "hooks", __name__, who=Who.MERCHANT, description="推送。\n\nWhat a merchant's system is told unasked."
)


class NewHook(Body):
    """POST /merchant/v1/hooks."""

    url = Line(
        12,
        LONGEST_ADDRESS,
        required=True,
        metadata={
            "description": "公网 https 地址，端口 443 或 8443 / https on a public host, port 443 or 8443"
        },
    )
    events = fields.List(
        Choice(*hooks.EVENTS), required=True, validate=Length(1, len(hooks.EVENTS), error=WRONG_FORMAT)
    )


class Hook(Body):
    """Where to, what about, and whether it still is: `disabled` says why not."""

    id = Words(1, 9, required=True, example="3")
    url = Words(1, LONGEST_ADDRESS, required=True, example=EXAMPLE["url"])
    events = fields.List(Choice(*hooks.EVENTS), required=True)
    made_at = Instant(required=True)
    rotating_until = Instant(required=True, allow_none=True)
    disabled_at = Instant(required=True, allow_none=True)
    disabled = Words(1, 200, required=True, allow_none=True, example="gone")


class Hooks(Body):
    """All that have not ended, oldest first."""

    items = fields.List(fields.Nested(Hook), required=True)


class Secret(Body):
    """What signs: `whsec_` and base64, as libraries for Standard Webhooks take it."""

    secret = Words(1, 60, required=True, example="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")
    rotating_until = Instant(required=True, allow_none=True)


class Delivery(Body):
    """One thing told, and how far it is. `last_error` is a code; what the address answered is not kept."""

    id = Words(36, 36, required=True, metadata={"description": "`webhook-id`"})
    event = Choice(*hooks.EVENTS, hooks.TEST, required=True)
    state = Choice("waiting", "taken", "dead", required=True)
    attempts = Whole(0, MOST_ATTEMPTS, required=True, example=1)
    created_at = Instant(required=True)
    next_at = Instant(required=True, allow_none=True)
    finished_at = Instant(required=True, allow_none=True)
    last_status = Whole(100, 599, required=True, allow_none=True, example=200)
    last_error = Words(1, 200, required=True, allow_none=True, example="answered_500")


class Deliveries(Body):
    """A page, newest first."""

    items = fields.List(fields.Nested(Delivery), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


class Page(Body):
    """Where a page begins and how long it is."""

    limit = QueryWhole(1, 100, load_default=20, metadata={"description": "每页条数 / items a page"})
    cursor = Line(1, LONGEST, metadata={"description": "上一页的 next / `next` of the page before"})


@blueprint.route("/merchant/v1/hooks", methods=["GET"])
@blueprint.response(200, Hooks)
def index() -> Response:
    """推送地址 / The hooks"""
    with reading() as session:
        return answer({"items": [_hook(hook) for hook in hooks.listed(session, principal().id)]})


@blueprint.route("/merchant/v1/hooks", methods=["POST"])
@blueprint.arguments(NewHook, example=EXAMPLE)
@blueprint.response(201, Hook)
@blueprint.keyed
def add(body: dict[str, Any]) -> Response:
    """新增推送地址 / Be told at an address"""
    asking, vault = principal(), house().vault

    def work(session: Session) -> tuple[int, Any]:
        made = hooks.add(session, vault, asking.id, body["url"], body["events"], asking.actor)
        return 201, _hook(made)

    return once("hooks.add", body_as_told(), work)


@blueprint.route("/merchant/v1/hooks/<hook>", methods=["DELETE"], parameters=HOOK)
@blueprint.response(204)
@blueprint.refuses(404)
def end(hook: str) -> Response:
    """停止推送 / Be told no more"""
    number, asking = _number(hook), principal()
    in_transaction(lambda session: hooks.end(session, asking.id, number, clock.now(), asking.actor))
    return empty()


@blueprint.route("/merchant/v1/hooks/<hook>/secret", methods=["GET"], parameters=HOOK)
@blueprint.response(200, Secret)
@blueprint.refuses(404)
def secret(hook: str) -> Response:
    """签名密钥 / The secret that signs"""
    with reading() as session:
        found = hooks.hook_of(session, principal().id, _number(hook))
        told = {"secret": hooks.secret_of(house().vault, found), "rotating_until": _rotating(found)}
    return answer(told)


@blueprint.route("/merchant/v1/hooks/<hook>/rotation", methods=["POST"], parameters=HOOK)
@blueprint.response(201, Hook)
@blueprint.refuses(404)
@blueprint.keyed
def rotate(hook: str) -> Response:
    """更换签名密钥，24 小时内新旧同签 / Bring in a new secret; both sign for 24 hours"""
    no_body()
    number, asking, vault = _number(hook), principal(), house().vault

    def work(session: Session) -> tuple[int, Any]:
        return 201, _hook(hooks.rotate(session, vault, asking.id, number, clock.now(), asking.actor))

    return once("hooks.rotate", None, work)


@blueprint.route("/merchant/v1/hooks/<hook>/test", methods=["POST"], parameters=HOOK)
@blueprint.response(202, Delivery)
@blueprint.refuses(404)
@blueprint.keyed
def try_out(hook: str) -> Response:
    """发送测试推送 / Be told that this is a test"""
    no_body()
    number, asking = _number(hook), principal()

    def work(session: Session) -> tuple[int, Any]:
        return 202, _delivery(hooks.test(session, asking.id, number))

    said = once("hooks.try_out", None, work)
    house().ringer.ring(bells=(HOOKS,))
    return said


@blueprint.route("/merchant/v1/hooks/<hook>/deliveries", methods=["GET"], parameters=HOOK)
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Deliveries)
@blueprint.refuses(404)
def deliveries(page: dict[str, Any], hook: str) -> Response:
    """推送记录 / What it was told"""
    number, who, vault, limit = _number(hook), principal(), house().vault, page["limit"]
    place = f"{DELIVERIES}:{number}"
    before = UUID(position_of(vault, who.actor, place, page["cursor"])[0]) if "cursor" in page else None
    with reading() as session:
        found = hooks.deliveries(session, who.id, number, before, limit + 1)
        lines = [_delivery(delivery) for delivery in found[:limit]]
    more = len(found) > limit
    following = cursor_to(vault, who.actor, place, [lines[-1]["id"]]) if more else None
    return answer({"items": lines, "next": following})


def _number(hook: str) -> int:
    if NUMBER.fullmatch(hook) is None:
        raise hooks.unknown()
    return int(hook)


def _hook(hook: MerchantHook) -> dict[str, Any]:
    return {
        "id": str(hook.hook_id),
        "url": hook.url,
        "events": list(hook.events),
        "made_at": hook.made_at,
        "rotating_until": _rotating(hook),
        "disabled_at": hook.disabled_at,
        "disabled": hook.why,
    }


def _rotating(hook: MerchantHook) -> Any:
    return hook.old_until if hook.old_until is not None and hook.old_until > clock.now() else None


def _delivery(delivery: HookDelivery) -> dict[str, Any]:
    return {
        "id": str(delivery.delivery_id),
        "event": delivery.event,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at,
        "next_at": delivery.next_at if delivery.state == "waiting" else None,
        "finished_at": delivery.finished_at,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
    }
