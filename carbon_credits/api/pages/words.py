"""What the programme's short words mean, for somebody who has never seen them before."""

from collections.abc import Mapping
from typing import Any, Final

from carbon_credits.core.i18n import Text
from carbon_credits.reporting import numbers

View = dict[str, Any]
NAME: Final = Text("禅城碳普惠", "Chancheng carbon rewards")
FAMILIES: Final[Mapping[str, Text]] = {
    "travel": Text("出行", "Travel"),
    "recycling": Text("回收", "Recycling"),
    "planting": Text("植树", "Planting"),
    "purchases": Text("绿色消费", "Purchases"),
    "household": Text("家庭用能", "Household energy"),
}
STATUSES: Final[Mapping[str, Text]] = {
    "draft": Text("草案", "Draft"),
    "trial": Text("试行", "On trial"),
    "filed": Text("已备案", "Filed"),
    "superseded": Text("已被替代", "Superseded"),
}
STATUS_MEANINGS: Final[Mapping[str, Text]] = {
    "draft": Text("尚未生效，不产生减排量。", "Not in force: no grams come of it yet."),
    "trial": Text("试行方法学的估算值，不可交易。", "An estimate under a trial methodology, not tradable."),
    "filed": Text("方法学已向主管部门备案。", "The methodology has been filed with the authority."),
    "superseded": Text(
        "新的行为按后来的版本计算；此前的记录仍按当时的版本。",
        "New acts count by a later version; what was counted before stays as it was.",
    ),
}
GRADES: Final[Mapping[str, Text]] = {
    "A": Text("发布机构的原文", "the issuer's own text"),
    "B": Text("引用原文的报道或论文", "press or a paper quoting the issuer"),
    "C": Text("原表格的公开转录", "a public transcription of the issuer's table"),
    "D": Text("本项目的推算或选择", "arithmetic or a choice of this programme"),
}
CONFIDENCES: Final[Mapping[str, Text]] = {
    "VERIFIED": Text("已在来源中查证", "read in the source"),
    "PROPOSAL": Text("本项目的提议，只用于试行", "proposed by this programme; for trials only"),
    "RECALLED": Text("凭记忆，尚待查证；只用于试行", "remembered, still to be checked; for trials only"),
}
CLASSES: Final[Mapping[str, Text]] = {
    "A": Text("合作方的最终记录，与本人绑定", "a partner's final record, bound to the person"),
    "B": Text("合作方的暂定记录", "a partner's provisional record"),
    "C": Text("手机申报，轨迹通过核验", "the phone, with a trace that passed the check"),
    "D": Text("仅手机申报", "the phone's word alone"),
}
TRIPS: Final[Mapping[str, Text]] = {
    "accept": Text("轨迹核验通过", "The trace was accepted"),
    "review": Text("轨迹有疑点，由工作人员核对", "The trace raises questions: a person looks"),
    "reject": Text("轨迹与申报不符", "The trace does not fit the claim"),
    "unverified": Text("轨迹不足以核验", "The trace does not suffice to tell"),
}
CAP_UNITS: Final[Mapping[str, Text]] = {
    "count": Text("次", "acts"),
    "quantity": Text("单位监测量", "units of what is measured"),
    "points": Text("积分", "points"),
}
EVERYTHING: Final = Text("全部行为", "everything")
POOLS: Final[Mapping[str, Text]] = {
    "verified": Text("已核实减排量", "verified reduction"),
    "claimed": Text("自行申报减排量", "declared reduction"),
    "removal": Text("树木吸收量", "removal by trees"),
}
BASES: Final[Mapping[str, Text]] = {
    "person_motion": Text(
        "同一人同一时间只有一次出行：与已计入的出行重叠超过 70% 的不计，20%–70% 的转人工核对。",
        "A person makes one trip at a time: what overlaps a counted trip by more than 70 % is not counted, "
        "20 to 70 % is looked at by a person.",
    ),
    "vehicle": Text("同一车辆同一时间只计一次。", "A vehicle counts once for the same time."),
    "item": Text("同一物品只计一次。", "An item counts once."),
    "transaction": Text("同一订单或同一次投放只计一次。", "An order or deposit counts once."),
    "meter_interval": Text("同一表计的同一时段只计一次。", "A meter's period counts once."),
}
REFERENCES: Final[Mapping[str, Text]] = {
    "order_no": Text("订单号", "order number"),
    "trip_id": Text("行程号", "trip number"),
    "vehicle": Text("车辆编号", "vehicle number"),
    "meter": Text("表计编号", "meter number"),
    "item": Text("物品编号", "item number"),
}
STATES: Final[Mapping[str, Text]] = {
    "claimed": Text("已收到，等待核算", "Received, not decided yet"),
    "held": Text("暂缓，待人工核对", "On hold: a person will look"),
    "awaiting": Text("等待合作方的记录", "Waiting for the partner's record"),
    "credited": Text("已计入", "Counted"),
    "rejected": Text("未计入", "Not counted"),
    "replaced": Text("已由合作方的记录替代", "Replaced by the partner's record"),
    "reversed": Text("已撤销", "Reversed"),
}
CONTRAS: Final[Mapping[str, Text]] = {
    "grant": Text("积分发放", "points granted"),
    "bonus": Text("活动加赠", "bonus"),
    "merchant": Text("商户兑换", "redeemed"),
    "write_off": Text("核销", "written off"),
    "breakage": Text("过期", "lapsed"),
    "clawback": Text("追回", "taken back"),
    "adjustment": Text("减排量调整", "grams adjusted"),
}


def known(words: Mapping[str, Text], word: str) -> Text:
    """The meaning of a word; one that came after this page was written stands for itself."""
    return words.get(word, Text(word, word))


def say(pair: tuple[str, str], language: str) -> str:
    """A text of the programme or of a methodology, for a reader of one language."""
    return Text(*pair).in_language(language)


def unit_in(name: str, language: str) -> str:
    """A unit in words."""
    return numbers.unit(name).in_language(language)


def cited(source: Mapping[str, str], language: str) -> View:
    """Where a number comes from, its grade and confidence in words. Only an address on the web becomes a link."""
    address = source["address"]
    return {
        "title": source["title"],
        "address": address,
        "is_link": address.startswith(("https://", "http://")),
        "grade": source["grade"],
        "grade_meaning": say(known(GRADES, source["grade"]), language),
        "confidence": source["confidence"],
        "confidence_meaning": say(known(CONFIDENCES, source["confidence"]), language),
        "note": source["note"],
    }


def badge(status: str, language: str) -> View:
    """A status with its word and what it means."""
    return {
        "key": status,
        "word": say(known(STATUSES, status), language),
        "meaning": say(known(STATUS_MEANINGS, status), language),
    }
