"""The columns of exports: one name, one heading, one way of being shown, in whichever export they stand."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from carbon_credits.activities.names import public_id
from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.i18n import Text
from carbon_credits.ledger.models import ContraKind
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reporting.sheets import Cell

POOLS: Final = {"v": "verified", "c": "claimed", "r": "removal"}

HEADINGS: Final[Mapping[str, Text]] = {
    "act": Text("记录号", "Act"),
    "action": Text("操作", "Action"),
    "actor": Text("操作人", "Actor"),
    "acts": Text("行为数", "Acts"),
    "adjusted_fen": Text("调整（分）", "Adjusted (fen)"),
    "after": Text("之后", "After"),
    "amount_fen": Text("应付（分）", "To pay (fen)"),
    "at": Text("时间", "At"),
    "audit_id": Text("编号", "Entry"),
    "before": Text("之前", "Before"),
    "bonus": Text("奖励积分", "Bonus points"),
    "booked_on": Text("记账日", "Booked on"),
    "campaign": Text("活动代码", "Campaign"),
    "captures": Text("核销数", "Captures"),
    "carried_in": Text("上期结转（微分）", "Carried in (micro-fen)"),
    "carried_out": Text("结转下期（微分）", "Carried out (micro-fen)"),
    "case_id": Text("编号", "Case"),
    "claimed_mg": Text("申报减排量（毫克 CO2e）", "Claimed (mg CO2e)"),
    "closed_at": Text("关闭时间", "Closed at"),
    "contra_kind": Text("类别", "Kind"),
    "counted": Text("计入数量", "Quantity counted"),
    "credited_mg": Text("减排量（毫克 CO2e）", "Reduction (mg CO2e)"),
    "day": Text("日期", "Day"),
    "deadline": Text("期限", "Deadline"),
    "decided_at": Text("决定时间", "Decided at"),
    "decided_by": Text("决定人", "Decided by"),
    "digest": Text("公式摘要", "Digest of the formula"),
    "due_points": Text("应得积分", "Points due"),
    "effective_on": Text("所属日", "Effective on"),
    "evidence_class": Text("证据等级", "Evidence class"),
    "feed": Text("数据来源", "Feed"),
    "generation": Text("轮次", "Passage"),
    "journal_id": Text("凭证号", "Journal"),
    "kind": Text("类别", "Kind"),
    "line": Text("行", "Line"),
    "lines_micro_fen": Text("本期（微分）", "Lines (micro-fen)"),
    "lot_on": Text("有效期至", "Valid through"),
    "made_at": Text("生成时间", "Made at"),
    "merchant": Text("商户代码", "Merchant"),
    "methodology": Text("方法学", "Methodology"),
    "mg": Text("减排量（毫克 CO2e）", "Reduction (mg CO2e)"),
    "name_zh": Text("商户名称", "Name"),
    "occurred_on": Text("发生日期", "Day of the act"),
    "opened_at": Text("开立时间", "Opened at"),
    "opened_by": Text("开立人", "Opened by"),
    "outcome": Text("结果", "Outcome"),
    "owner_role": Text("责任岗位", "Owner"),
    "people": Text("人数", "People"),
    "points": Text("积分", "Points"),
    "pool": Text("账目", "Pool"),
    "raw_mg": Text("公式结果（毫克 CO2e）", "Formula's result (mg CO2e)"),
    "reason": Text("原因", "Reason"),
    "reasons": Text("原因代码", "Reasons"),
    "release": Text("方法学版本", "Release"),
    "removal_mg": Text("清除量（毫克 CO2e）", "Removal (mg CO2e)"),
    "request_id": Text("请求号", "Request"),
    "resident_id": Text("居民（化名）", "Resident (pseudonym)"),
    "reversals": Text("撤回数", "Reversals"),
    "settlement_id": Text("结算单", "Settlement"),
    "state": Text("状态", "State"),
    "street": Text("镇街", "Street"),
    "subject": Text("对象", "Subject"),
    "verified_mg": Text("核证减排量（毫克 CO2e）", "Verified (mg CO2e)"),
}
SHOWN: Final[Mapping[str, Callable[[Any], Cell]]] = {
    "act": lambda pair: public_id(date.fromisoformat(pair[0]), int(pair[1])),
    "contra_kind": lambda kind: ContraKind(kind).name.lower(),
    "methodology": lambda number: BY_NUMBER[number][-1].code,
    "pool": lambda pool: POOLS[pool],
}


def cell(column: str, value: Any, pseudonym: Callable[[int], str]) -> Cell:
    """A value under a column, as it is written."""
    if value is None:
        return None
    if column == "resident_id":
        return pseudonym(value)
    return SHOWN.get(column, plain)(value)


def plain(value: Any) -> Cell:
    """A value as a cell: instants on the programme's clock, lists with semicolons, documents as JSON."""
    if isinstance(value, datetime):
        return value.astimezone(PROGRAMME_ZONE).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, list | tuple):
        return "; ".join(str(one) for one in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value if isinstance(value, int | str) else str(value)
