"""Proposals about merchants, their offers, and proven fraud, in words."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from admin.proposals.shape import NONE, Line, Told, Value, points, yuan
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.numbers import grouped
from carbon_credits.rewards import accounts, merchants, offer_register, purses
from carbon_credits.rewards.offer_list import split


def admission(session: Session, payload: Mapping[str, Any]) -> Told:
    """A merchant let in."""
    known = merchants.merchant(session, payload["merchant_id"])
    return Told(
        Text(f"准入商户“{known.name_zh}”", f"Let the merchant “{known.name_en}” in"),
        (
            Line(Text("统一社会信用代码", "Licence"), payload["licence_no"]),
            Line(Text("收款账户", "Account"), _ending(payload["account_end"])),
            Line(Text("状态", "State"), "active", known.state, is_of_now=True),
        ),
        page=("merchants.one", {"code": known.code}),
    )


def resumption(session: Session, payload: Mapping[str, Any]) -> Told:
    """A suspended merchant that goes on."""
    known = merchants.merchant(session, payload["merchant_id"])
    return Told(
        Text(f"恢复商户“{known.name_zh}”营业", f"Let the merchant “{known.name_en}” go on"),
        (
            Line(Text("状态", "State"), "active", known.state, is_of_now=True),
            Line(Text("暂停原因", "Why it was suspended"), known.state_reason or NONE, is_of_now=True),
        ),
        page=("merchants.one", {"code": known.code}),
    )


def account(session: Session, payload: Mapping[str, Any]) -> Told:
    """Another account to be paid to."""
    known = merchants.merchant(session, payload["merchant_id"])
    now = accounts.in_force(session, known.merchant_id)
    return Told(
        Text(
            f"变更商户“{known.name_zh}”的收款账户", f"Pay the merchant “{known.name_en}” to another account"
        ),
        (
            Line(Text("结算渠道", "By"), payload["rail"], None if now is None else now.rail),
            Line(
                Text("账户", "Account"),
                _ending(payload["account_end"]),
                None if now is None else _ending(now.number_end),
            ),
        ),
        page=("merchants.one", {"code": known.code}),
    )


def offer(session: Session, payload: Mapping[str, Any]) -> Told:
    """An offer put up as it stands, with who pays what of it."""
    known = offer_register.one(session, payload["offer_id"])
    parts = split(
        payload["face_fen"],
        payload["points"],
        payload["value_micro_fen"],
        payload["subsidy_fen"],
        by_sponsor=False,
    )
    purse: Value = NONE
    if payload["purse_id"] is not None:
        found = purses.purse(session, payload["purse_id"])
        purse = Text(found.name_zh, found.name_en)
    return Told(
        Text(
            f"上架权益“{known.title_zh}”（{known.merchant_zh}）",
            f"Put up “{known.title_en}” of {known.merchant_en}",
        ),
        (
            Line(Text("所需积分", "It costs"), points(payload["points"])),
            Line(Text("面值", "Face value"), yuan(payload["face_fen"])),
            Line(Text("积分抵", "The points pay"), yuan(parts.points_fen)),
            Line(Text("每份补贴", "Subsidy of each"), yuan(payload["subsidy_fen"])),
            Line(Text("商户自担", "The merchant bears"), yuan(parts.merchant_fen)),
            Line(Text("份数", "How many"), grouped(payload["stock"])),
            Line(Text("补贴资金", "Purse"), purse),
            Line(
                Text("需预留补贴", "To be reserved in the purse"),
                yuan(payload["subsidy_fen"] * payload["stock"]),
            ),
        ),
        page=("offers.one", {"offer": known.offer_id}),
    )


def fraud(_: Session, payload: Mapping[str, Any]) -> Told:
    """A credit taken back for proven fraud."""
    return Told(
        Text("因作弊收回一笔已计入的减排与积分", "Take a credit back for proven fraud"),
        (
            Line(Text("居民编号", "Resident"), str(payload["resident"])),
            Line(Text("低碳行为", "Activity"), payload["activity"]),
        ),
    )


def _ending(number_end: str | None) -> Value:
    return Text("Stripe 账户", "an account with Stripe") if number_end is None else f"…{number_end}"
