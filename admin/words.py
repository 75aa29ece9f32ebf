"""The programme's codes in the words of its staff: states with a colour, kinds, reasons."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from carbon_credits.core.i18n import Text


class State(NamedTuple):
    """A state in words, and the colour of its badge; the words say all, the colour only helps the eye."""

    words: Text
    colour: str = "secondary"


def _state(zh: str, en: str, colour: str = "secondary") -> State:
    return State(Text(zh, en), colour)


STATES: Final[Mapping[str, Mapping[str, State]]] = {
    "proposal": {
        "proposed": _state("待审批", "waiting", "yellow"),
        "approved": _state("已批准", "approved", "green"),
        "rejected": _state("已驳回", "rejected", "red"),
        "withdrawn": _state("已撤回", "withdrawn"),
    },
    "settlement": {
        "frozen": _state("待批准", "waits for approval", "yellow"),
        "carried": _state("结转下期", "carried on"),
        "approved": _state("已批准，付款中", "approved, being paid", "blue"),
        "refused": _state("暂缓", "kept out", "orange"),
        "paid": _state("已付", "paid", "green"),
    },
    "payment": {
        "created": _state("待发出", "to be sent", "yellow"),
        "sent": _state("已发出", "sent", "blue"),
        "paid": _state("已付", "paid", "green"),
        "reconciled": _state("已对平", "reconciled", "green"),
        "failed": _state("失败", "failed", "red"),
        "reversed": _state("已退回", "came back", "orange"),
    },
    "merchant": {
        "applied": _state("待审核", "applied", "yellow"),
        "active": _state("营业", "active", "green"),
        "suspended": _state("暂停", "suspended", "red"),
        "refused": _state("已拒绝", "refused"),
        "closing": _state("退出中", "closing", "orange"),
        "closed": _state("已退出", "closed"),
    },
    "offer": {
        "proposed": _state("待审核", "put forward", "yellow"),
        "live": _state("上架", "live", "green"),
        "paused": _state("商户暂停", "paused by the merchant", "orange"),
        "refused": _state("已拒绝", "refused"),
        "ended": _state("已结束", "ended"),
    },
    "funding": {
        "created": _state("待支付", "to be paid", "yellow"),
        "paid": _state("已到账", "paid", "green"),
        "expired": _state("已过期", "expired"),
        "failed": _state("失败", "failed", "red"),
        "refunded": _state("已退回", "refunded", "orange"),
    },
    "export": {
        "asked": _state("排队中", "waiting", "yellow"),
        "running": _state("生成中", "being written", "blue"),
        "done": _state("已完成", "done", "green"),
        "failed": _state("失败", "failed", "red"),
        "expired": _state("已删除", "erased"),
    },
    "evaluation": {
        "draft": _state("草稿", "draft", "yellow"),
        "final": _state("定稿", "final", "green"),
    },
    "incentive": {
        "draft": _state("草案", "draft"),
        "proposed": _state("待审批", "waits for approval", "yellow"),
        "active": _state("生效", "active", "green"),
        "paused": _state("暂停", "paused", "orange"),
        "ended": _state("已结束", "ended"),
    },
    "campaign": {
        "draft": _state("草案", "draft"),
        "proposed": _state("待审批", "waits for approval", "yellow"),
        "approved": _state("已批准，待开始", "approved, to begin", "blue"),
        "running": _state("进行中", "running", "green"),
        "paused": _state("暂停", "paused", "orange"),
        "ended": _state("已结束", "ended"),
        "withdrawn": _state("已撤回", "taken back"),
    },
    "simulation": {
        "waiting": _state("等待中", "waiting", "yellow"),
        "running": _state("进行中", "running", "blue"),
        "done": _state("完成", "done", "green"),
        "failed": _state("失败", "failed", "red"),
    },
    "group": {
        "applied": _state("待审核", "applied for", "yellow"),
        "active": _state("启用", "active", "green"),
        "refused": _state("已拒绝", "refused"),
        "closed": _state("已关闭", "closed"),
    },
    "application": {
        "applied": _state("待评审", "to be reviewed", "yellow"),
        "recommended": _state("已推荐", "recommended", "blue"),
        "awarded": _state("已授牌", "on the list", "green"),
        "refused": _state("未通过", "refused", "red"),
        "withdrawn": _state("已撤回", "withdrawn"),
    },
}
GROUP_KINDS: Final[Mapping[str, Text]] = {
    "household": Text("家庭", "Household"),
    "estate": Text("小区", "Estate"),
    "school": Text("学校", "School"),
    "firm": Text("企业", "Firm"),
    "public_body": Text("机关", "Public body"),
    "mall": Text("商场", "Mall"),
    "building": Text("建筑", "Building"),
    "hub": Text("枢纽", "Hub"),
    "pilot": Text("试点", "Pilot"),
}
CATEGORIES: Final[Mapping[str, Text]] = {
    "food": Text("餐饮", "Food"),
    "groceries": Text("商超", "Groceries"),
    "household": Text("家居", "Household"),
    "culture": Text("文化", "Culture"),
    "travel": Text("出行", "Travel"),
    "planting": Text("植树", "Planting"),
    "other": Text("其他", "Other"),
}
FAMILIES: Final[Mapping[str, Text]] = {
    "travel": Text("出行", "Travel"),
    "recycling": Text("回收", "Recycling"),
    "planting": Text("植树", "Planting"),
    "purchases": Text("绿色消费", "Purchases"),
    "household": Text("家庭节能", "Household energy"),
}
PERIODS: Final[Mapping[str, Text]] = {
    "day": Text("每日", "a day"),
    "month": Text("每月", "a month"),
    "year": Text("每年", "a year"),
}
CAP_UNITS: Final[Mapping[str, Text]] = {
    "points": Text("积分", "points"),
    "count": Text("次", "times"),
    "quantity": Text("监测数量", "quantity"),
}
BENEFITS: Final[Mapping[str, Text]] = {
    "rate_discount": Text("利率优惠（基点）", "lower rate, basis points"),
    "limit": Text("额度提升（基点）", "higher limit, basis points"),
    "premium": Text("保费优惠（基点）", "lower premium, basis points"),
    "subsidy": Text("补贴（分）", "subsidy, fen"),
}
GRADES: Final[Mapping[str, Text]] = {
    "verified": Text("仅核证减排量", "verified grams alone"),
    "verified_and_claimed": Text("核证与申报减排量", "verified and claimed grams"),
}


def state(machine: str, code: str) -> State:
    """A state in words; one that has none yet, by its code."""
    return STATES[machine].get(code, _state(code, code))


def named(words: Mapping[str, Text], code: str | None) -> Text:
    """A code in words; one that has none, as it is; nothing for none."""
    return Text("—", "—") if code is None else words.get(code, Text(code, code))


def options(machine: str, language: str) -> list[tuple[str, str]]:
    """Every state of a machine as a choice: its code and its words."""
    return [(code, one.words.in_language(language)) for code, one in STATES[machine].items()]


def choices(known: Mapping[str, Text], language: str) -> list[tuple[str, str]]:
    """Codes as a choice, each with its words."""
    return [(code, told.in_language(language)) for code, told in known.items()]


def whole_fen(micro_fen: int) -> int:
    """Millionths of a fen as whole fen, what is less than one cut off."""
    return abs(micro_fen) // 1_000_000 * (1 if micro_fen >= 0 else -1)
