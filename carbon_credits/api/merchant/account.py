"""What a merchant is paid to: shown by its end, changed only with two people of the programme."""

from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Words, YesNo
from carbon_credits.api.house import house, principal
from carbon_credits.api.merchant.applications import EXAMPLE, SettlementWish, settlement_of
from carbon_credits.api.merchant.shapes import ToDo
from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.rewards import accounts, standing
from carbon_credits.rewards.merchant_models import MerchantAccount

blueprint = Blueprint(
    "account", __name__, who=Who.MERCHANT, description="收款账户。\n\nThe account that is paid to."
)


class Account(Body):
    """An account as it is shown: never the whole number. `payable` is null at a bank, and until Stripe was asked.

    `to_do` says what the merchant has to put right at Stripe, such as a bank account that did not take its money.
    """

    rail = Choice("stripe", "bank", required=True)
    number_end = Words(2, 4, required=True, allow_none=True, example="3456")
    bank_code = Words(12, 12, required=True, allow_none=True, example="105588000011")
    proposed_at = Instant(required=True)
    payable = YesNo(required=True, allow_none=True)
    to_do = fields.Nested(ToDo, required=True, allow_none=True)


class Accounts(Body):
    """The account in force, and one that waits for approval; either may be null."""

    in_force = fields.Nested(Account, required=True, allow_none=True)
    proposed = fields.Nested(Account, required=True, allow_none=True)


@blueprint.route("/merchant/v1/account", methods=["GET"])
@blueprint.response(200, Accounts)
def show() -> Response:
    """收款账户 / The account"""
    with reading() as session:
        return answer(_both(session, principal().id))


@blueprint.route("/merchant/v1/account", methods=["PUT"])
@blueprint.arguments(SettlementWish, example=EXAMPLE["settlement"])
@blueprint.response(200, Accounts)
def give(body: dict[str, Any]) -> Response:
    """更换收款账户 / Give another account

    由两名工作人员批准后生效；在此之前仍付原账户。

    In force once two people of the programme have approved it; until then the old one is paid.
    """
    asking, vault, now = principal(), house().vault, clock.now()
    told = settlement_of(body)

    def work(session: Session) -> dict[str, Any]:
        accounts.propose(session, vault, asking.id, told, now)
        audit.record(session, asking.actor, "account.proposed", f"merchant:{asking.id}")
        return _both(session, asking.id)

    try:
        return answer(in_transaction(work))
    except Invalid as refused:
        # here the body is the settlement itself
        faults = tuple(
            FieldFault(fault.pointer.removeprefix("/settlement"), fault.code, fault.detail)
            for fault in refused.faults
        )
        raise Invalid(refused.code, refused.detail, faults=faults) from refused


def _both(session: Session, merchant_id: int) -> dict[str, Any]:
    return {
        "in_force": _shown(session, accounts.in_force(session, merchant_id)),
        "proposed": _shown(session, accounts.proposed(session, merchant_id)),
    }


def _shown(session: Session, account: MerchantAccount | None) -> dict[str, Any] | None:
    if account is None:
        return None
    found = standing.of(session, account.account_id)
    to_do = standing.says(found)
    return {
        "rail": account.rail,
        "number_end": account.number_end,
        "bank_code": account.bank_code,
        "proposed_at": account.proposed_at,
        "payable": None if found is None else found.payable,
        "to_do": None if to_do is None else to_do.both(),
    }
