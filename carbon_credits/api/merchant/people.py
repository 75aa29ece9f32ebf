"""Who works at a merchant: numbers, names, PINs."""

from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Line, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.merchant.shapes import in_path, numbered
from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import NotAllowed, TooMany
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import members
from carbon_credits.rewards.members import MemberRole, Right

ROLES = tuple(role.value for role in MemberRole)
MEMBER = in_path("number", "7", 3)

blueprint = Blueprint(
    "members", __name__, who=Who.MERCHANT, description="店员与 PIN。\n\nWho works here, and PINs."
)


class NewMember(Body):
    """POST /merchant/v1/members. A number is used once and never for another person."""

    number = Whole(1, 999, required=True, example=7)
    name = Line(1, 60, required=True, example="陈小姐")
    role = Choice(*ROLES, required=True)
    pin = Words(6, 6, pattern=r"[0-9]{6}", required=True, example="480213")


class NewPin(Body):
    """PUT /merchant/v1/members/{number}/pin."""

    pin = Words(6, 6, pattern=r"[0-9]{6}", required=True, example="480213")


class Member(Body):
    """Somebody who works here; `locked_until` after five wrong PINs."""

    number = Whole(1, 999, required=True, example=7)
    name = Line(1, 60, required=True, example="陈小姐")
    role = Choice(*ROLES, required=True)
    added_at = Instant(required=True)
    locked_until = Instant(required=True, allow_none=True)


class Members(Body):
    """Everybody, by number."""

    items = fields.List(fields.Nested(Member), required=True)


class MemberNoted(Body):
    """Somebody is there now."""

    number = Whole(1, 999, required=True, example=7)


@blueprint.route("/merchant/v1/members", methods=["GET"])
@blueprint.response(200, Members)
def index() -> Response:
    """店员 / Who works here"""
    with reading() as session:
        found = members.members_of(session, house().vault, principal().id)
    return answer(
        {
            "items": [
                {
                    "number": member.number,
                    "name": member.name,
                    "role": member.role,
                    "added_at": member.added_at,
                    "locked_until": member.locked_until,
                }
                for member in found
            ]
        }
    )


@blueprint.route("/merchant/v1/members", methods=["POST"])
@blueprint.arguments(NewMember, example={"number": 7, "name": "陈小姐", "role": "cashier", "pin": "480213"})
@blueprint.response(201, MemberNoted)
@blueprint.keyed
def add(body: dict[str, Any]) -> Response:
    """添加店员 / Add somebody"""
    asking, vault = principal(), house().vault
    number, role = body["number"], MemberRole(body["role"])

    def work(session: Session) -> tuple[int, Any]:
        members.add(session, vault, asking.id, number, body["name"], role, body["pin"])
        told = {"number": number, "role": role}
        audit.record(session, asking.actor, "member.added", f"merchant:{asking.id}", None, told)
        return 201, {"number": number}

    # what a key is bound to is kept: not the PIN, which is short enough to be found from its digest
    return once("members.add", {name: body[name] for name in ("number", "name", "role")}, work)


@blueprint.route("/merchant/v1/members/<number>/pin", methods=["PUT"], parameters=MEMBER)
@blueprint.arguments(NewPin, example={"pin": "480213"})
@blueprint.response(200, MemberNoted)
@blueprint.refuses(404)
def change_pin(body: dict[str, Any], number: str) -> Response:
    """重设 PIN / Give somebody another PIN

    也用于解锁。

    It also opens a number that wrong PINs have closed.
    """
    asking, given, vault = principal(), numbered(number), house().vault

    def work(session: Session) -> None:
        members.change_pin(session, vault, asking.id, given, body["pin"])
        told = {"number": given}
        audit.record(session, asking.actor, "member.pin_changed", f"merchant:{asking.id}", None, told)

    in_transaction(work)
    return answer({"number": given})


@blueprint.route("/merchant/v1/members/<number>", methods=["DELETE"], parameters=MEMBER)
@blueprint.response(200, MemberNoted)
@blueprint.refuses(404)
def end(number: str) -> Response:
    """店员离职 / Somebody leaves"""
    asking, given, now = principal(), numbered(number), clock.now()

    def work(session: Session) -> None:
        members.end(session, asking.id, given, now)
        audit.record(session, asking.actor, "member.ended", f"merchant:{asking.id}", {"number": given}, None)

    in_transaction(work)
    return answer({"number": given})


def known_by_pin(number: int, pin: str) -> Right:
    """Who stands at the till, by number and PIN, counted and committed before a no is said.

    Raises NotAllowed (`wrong_pin`, with how many guesses are left), TooMany (`pin_locked`).
    """
    ours, asking, now = house(), principal(), clock.now()
    outcome = in_transaction(
        lambda session: members.check_pin(session, ours.vault, asking.id, number, pin, now)
    )
    if isinstance(outcome, Right):
        return outcome
    if isinstance(outcome, members.Wrong):
        left = outcome.guesses_left
        detail = Text(
            f"工号或 PIN 不正确，还可尝试 {left} 次", f"Wrong number or PIN; {left} guesses are left"
        )
        raise NotAllowed("wrong_pin", detail)
    wait = int((outcome.until - now).total_seconds()) + 1
    detail = Text(
        "PIN 多次错误，已锁定；请稍后再试或请店长重设",
        "Too many wrong PINs: wait, or have a manager set another PIN",
    )
    raise TooMany("pin_locked", detail, retry_after_s=wait)
