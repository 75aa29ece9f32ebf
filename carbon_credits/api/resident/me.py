"""The resident's own profile and what they have agreed to."""

from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.activities.traces import forget_of
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Words, YesNo
from carbon_credits.api.house import house, principal
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import LANGUAGES, Text
from carbon_credits.groups.membership import leave_all
from carbon_credits.incentives import statements
from carbon_credits.partners import service as partners
from carbon_credits.residents import consents as agreed
from carbon_credits.residents import service as residents

STREETS = tuple(street.value for street in residents.Street)
PURPOSES = tuple(purpose.value for purpose in agreed.Purpose)

blueprint = Blueprint(
    "me", __name__, who=Who.RESIDENT, description="我的资料与授权。\n\nMy profile and what I have agreed to."
)


class Profile(Body):
    """What a resident sees of themselves; the phone is masked."""

    id = Words(1, 20, required=True, example="4711")
    phone = Words(1, 20, required=True, example="138****0001")
    street = Choice(*STREETS, required=True, allow_none=True)
    street_name = Words(1, 40, required=True, allow_none=True, example="祖庙街道")
    language = Choice(*LANGUAGES, required=True)
    enrolled_at = Instant(required=True)


class ProfileChange(Body):
    """PATCH /v1/me: what is named changes, the rest stays."""

    street = Choice(*STREETS, metadata={"description": "街道 / subdistrict or town"})
    language = Choice(*LANGUAGES, metadata={"description": "语言 / language"})


class Consent(Body):
    """The latest word on one purpose and, for partners' records, one partner."""

    purpose = Choice(*PURPOSES, required=True)
    partner = Words(2, 40, required=True, allow_none=True, example="metro")
    granted = YesNo(required=True)
    text_version = Words(1, 80, required=True, example="partner_records/1")
    at = Instant(required=True)


class Consents(Body):
    """All of them."""

    items = fields.List(fields.Nested(Consent), required=True)


class ConsentChange(Body):
    """PUT /v1/consents/{purpose}."""

    granted = YesNo(required=True)
    partner = Words(
        2,
        40,
        pattern="[a-z][a-z0-9_]{1,39}",
        metadata={"description": "仅用于 partner_records / only for partner_records"},
    )


@blueprint.route("/v1/me", methods=["GET"])
@blueprint.response(200, Profile)
def show() -> Response:
    """我的资料 / My profile"""
    with reading() as session:
        return _profile(session)


@blueprint.route("/v1/me", methods=["PATCH"])
@blueprint.arguments(ProfileChange)
@blueprint.response(200, Profile)
def change(body: dict[str, Any]) -> Response:
    """修改资料 / Change my profile"""
    street = residents.Street(body["street"]) if "street" in body else None

    def work(session: Session) -> Response:
        residents.change_profile(session, principal().id, street, body.get("language"))
        return _profile(session)

    return in_transaction(work)


@blueprint.route("/v1/consents", methods=["GET"])
@blueprint.response(200, Consents)
def consents() -> Response:
    """我的授权 / What I have agreed to"""
    with reading() as session:
        return answer({"items": _consents(session)})


@blueprint.route(
    "/v1/consents/<purpose>",
    methods=["PUT"],
    parameters=[{"in": "path", "name": "purpose", "schema": {"type": "string", "enum": list(PURPOSES)}}],
)
@blueprint.arguments(ConsentChange, example={"granted": True})
@blueprint.response(200, Consents)
@blueprint.refuses(404, 409)
def consent(body: dict[str, Any], purpose: str) -> Response:
    """授权或撤回 / Agree or withdraw

    撤回对合作方记录的授权会同时解除与该合作方的绑定；撤回轨迹授权会立即删除已保存的轨迹；撤回金融优惠授权会立即撤销有效的声明；撤回组授权即退出所有组。

    Withdrawing from a partner's records also ends the bindings with that partner; withdrawing from traces deletes those
    that are kept, at once; withdrawing from green finance revokes the statements that are alive;
    withdrawing from groups leaves them all.
    """
    if purpose not in PURPOSES:
        raise NotFound("purpose_unknown", Text("没有这项授权", "There is no such purpose"))
    say = agreed.give if body["granted"] else agreed.withdraw
    now = clock.now()

    def work(session: Session) -> Response:
        partner = partners.partner_by_code(session, body["partner"]).partner_id if "partner" in body else None
        say(session, principal().id, agreed.Purpose(purpose), partner, now)
        if purpose == agreed.Purpose.LOCATION_TRACES and not body["granted"]:
            forget_of(session, principal().id)
        if purpose == agreed.Purpose.GROUPS and not body["granted"]:
            leave_all(session, principal().id, now)
        if purpose == agreed.Purpose.GREEN_FINANCE and not body["granted"]:
            statements.revoke_all(session, principal().id, "consent", now)
        return answer({"items": _consents(session)})

    return in_transaction(work)


def _profile(session: Session) -> Response:
    who = principal()
    profile = residents.profile_of(session, house().vault, who.id)
    name = profile.street.text.in_language(profile.language) if profile.street else None
    return answer(
        {
            "id": str(profile.resident_id),
            "phone": profile.phone,
            "street": profile.street,
            "street_name": name,
            "language": profile.language,
            "enrolled_at": profile.enrolled_at,
        }
    )


def _consents(session: Session) -> list[dict[str, Any]]:
    codes = {partner.partner_id: partner.code for partner in partners.partners(session)}
    return [
        {
            "purpose": word.purpose,
            "partner": None if word.partner_id is None else codes.get(word.partner_id),
            "granted": word.granted,
            "text_version": word.text_version,
            "at": word.at,
        }
        for word in agreed.standing(session, principal().id)
    ]
