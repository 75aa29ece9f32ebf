"""Tills: a code to bring one in, the till that shows it, and who stands there."""

from typing import Any, Final

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Line, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.merchant.people import ROLES, known_by_pin
from carbon_credits.api.merchant.shapes import Both
from carbon_credits.core import audit, clock
from carbon_credits.core.clients import NewClient
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import members, tills
from carbon_credits.rewards.clients import Scope
from carbon_credits.rewards.merchant_models import Merchant
from carbon_credits.rewards.tills import OnDuty, PairingCode

blueprint = Blueprint("tills", __name__, who=Who.MERCHANT, description="收银台与当班。\n\nTills and shifts.")
# a till that is not one yet has no token
newcomers = Blueprint(
    "pairing", __name__, who=Who.ANYONE, description="收银台配对。\n\nA till is brought in."
)
PIN: Final = r"[0-9]{6}"


class Till(Body):
    """A live till; `number` is whose shift it is."""

    client_id = Words(4, 60, required=True, example="three-friends-0123456789")
    label = Words(1, 60, required=True, example="收银台 1")
    created_at = Instant(required=True)
    number = Whole(1, 999, required=True, allow_none=True, example=7)


class Tills(Body):
    """Every live till, the oldest first."""

    items = fields.List(fields.Nested(Till), required=True)


class ByPin(Body):
    """Somebody in charge, at a till."""

    number = Whole(1, 999, required=True, example=7)
    pin = Words(6, 6, pattern=PIN, required=True, example="480213")


class PairingWanted(Body):
    """POST /merchant/v1/tills/pairings. A till asks with `by`, an owner's or a manager's number and PIN."""

    label = Line(1, 60, required=True, example="收银台 1")
    by = fields.Nested(ByPin)


class PairingShownOnce(Body):
    """PairingShown this once, good for one till within ten minutes."""

    code = Words(10, 10, required=True, example="7KQ2M9XW4T")
    expires_at = Instant(required=True)


class PairingShown(Body):
    """POST /merchant/v1/tills. Dashes and blanks do not count, nor does case."""

    code = Words(10, 20, pattern=r"[0-9A-Za-z -]+", required=True, example="7KQ2M-9XW4T")


class Paired(Body):
    """What the till signs in with at /oauth/token, shown this once."""

    client_id = Words(4, 60, required=True, example="three-friends-0123456789")
    client_secret = Words(20, 200, required=True, example="…")
    merchant = fields.Nested(Both, required=True)


class Shift(Body):
    """Who stands at this till, all null when nobody does."""

    number = Whole(1, 999, required=True, allow_none=True, example=7)
    role = Choice(*ROLES, required=True, allow_none=True, metadata={"enum": [*ROLES, None]})
    began_at = Instant(required=True, allow_none=True)


@blueprint.route("/merchant/v1/tills", methods=["GET"])
@blueprint.response(200, Tills)
def index() -> Response:
    """收银台 / Tills"""
    with reading() as session:
        rows = tills.tills_of(session, principal().id)
    return answer({"items": [dict(row._mapping) for row in rows]})


@blueprint.route("/merchant/v1/tills/pairings", methods=["POST"])
@blueprint.arguments(PairingWanted, example={"label": "收银台 1", "by": {"number": 7, "pin": "480213"}})
@blueprint.response(201, PairingShownOnce)
@blueprint.refuses(422)
def begin_pairing(body: dict[str, Any]) -> Response:
    """获取配对码 / A code for a new till

    系统凭证须有 staff 权限；已配对的收银台须由店主或店长以工号和 PIN 申请。配对码只显示这一次。

    A system needs the scope staff; at a till an owner or a manager asks with number and PIN. The code is shown this once.
    """
    asking, ours, now = principal(), house(), clock.now()
    who = asking.actor
    if Scope.STAFF not in asking.scopes:
        who = f"{asking.actor}/{_in_charge(body.get('by'))}"

    def work(session: Session) -> PairingCode:
        made = tills.begin_pairing(session, ours.vault, asking.id, body["label"], who, now)
        audit.record(session, who, "till.pairing", f"merchant:{asking.id}", None, {"label": body["label"]})
        return made

    made = in_transaction(work)
    return answer({"code": made.code, "expires_at": made.expires_at}, 201)


@newcomers.route("/merchant/v1/tills", methods=["POST"])
@newcomers.arguments(PairingShown, example={"code": "7KQ2M-9XW4T"})
@newcomers.response(201, Paired)
@newcomers.refuses(404)
def pair(body: dict[str, Any]) -> Response:
    """配对收银台 / Bring in a till

    配对码十分钟内有效，只能用一次。

    The code is good for ten minutes, once.
    """
    ours, now = house(), clock.now()

    def work(session: Session) -> tuple[NewClient, Merchant]:
        made, merchant = tills.pair(session, ours.vault, body["code"], now)
        told = {"client": made.client_id}
        audit.record(session, "anyone", "till.paired", f"merchant:{merchant.merchant_id}", None, told)
        return made, merchant

    made, merchant = in_transaction(work)
    names = {"zh": merchant.name_zh, "en": merchant.name_en}
    told = {"client_id": made.client_id, "client_secret": made.client_secret, "merchant": names}
    return answer(told, 201)


@blueprint.route("/merchant/v1/shift", methods=["GET"])
@blueprint.response(200, Shift)
def show_shift() -> Response:
    """当班 / Who stands at this till"""
    with reading() as session:
        return answer(_shift(tills.on_duty(session, principal().subject)))


@blueprint.route("/merchant/v1/shift", methods=["PUT"])
@blueprint.arguments(ByPin, example={"number": 7, "pin": "480213"})
@blueprint.response(200, Shift)
@blueprint.refuses(404)
def begin_shift(body: dict[str, Any]) -> Response:
    """接班 / Begin at this till

    以工号和 PIN；错误五次锁定十五分钟。前一位自动交班。

    With number and PIN; five wrong ones close the number for a quarter of an hour. Whoever stood here before is relieved.
    """
    who, client, now = known_by_pin(body["number"], body["pin"]), principal().subject, clock.now()
    return answer(_shift(in_transaction(lambda session: tills.begin_shift(session, client, who, now))))


@blueprint.route("/merchant/v1/shift", methods=["DELETE"])
@blueprint.response(200, Shift)
def end_shift() -> Response:
    """交班 / Nobody stands here any more"""
    client, now = principal().subject, clock.now()
    in_transaction(lambda session: tills.end_shift(session, client, now))
    return answer(_shift(None))


def _in_charge(by: dict[str, Any] | None) -> str:
    """Raises NotAllowed unless an owner or a manager asks; how the audit names them."""
    if by is not None:
        who = known_by_pin(by["number"], by["pin"])
        if who.role in members.IN_CHARGE:
            return f"member:{who.member_id}"
    detail = Text("请店主或店长以工号和 PIN 操作", "An owner or a manager does this, with number and PIN")
    raise NotAllowed("not_in_charge", detail)


def _shift(present: OnDuty | None) -> dict[str, Any]:
    if present is None:
        return {"number": None, "role": None, "began_at": None}
    return {"number": present.number, "role": present.role, "began_at": present.began_at}
