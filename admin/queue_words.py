"""The words that pages of the queues use for what rooms write as codes."""

from collections.abc import Mapping
from typing import Any, Final

from carbon_credits.activities.reasons import explain
from carbon_credits.core.i18n import Text
from carbon_credits.crediting.rulings import CODES
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting import numbers
from carbon_credits.residents.service import Street

STATES: Final[Mapping[str, Text]] = {
    "claimed": Text("待核算", "Not decided"),
    "held": Text("暂缓", "On hold"),
    "awaiting": Text("待合作方记录", "Waiting for a record"),
    "credited": Text("已计入", "Credited"),
    "rejected": Text("未计入", "Refused"),
    "replaced": Text("已替代", "Replaced"),
    "reversed": Text("已撤销", "Reversed"),
}
COLOURS: Final[Mapping[str, str]] = {
    "held": "yellow",
    "awaiting": "azure",
    "credited": "green",
    "rejected": "red",
    "reversed": "red",
    "overdue": "red",
    "open": "yellow",
    "quarantined": "red",
    "applied": "green",
}
VERDICTS: Final[Mapping[str, Text]] = {
    "accept": Text("通过", "Accepted"),
    "review": Text("转人工", "For a person"),
    "reject": Text("不符", "Does not fit"),
    "unverified": Text("不足以核验", "Does not suffice"),
}
CASE_STATES: Final[Mapping[str, Text]] = {
    "open": Text("待处理", "Open"),
    "waiting_for_partner": Text("等待合作方答复", "Waiting for the partner"),
    "waiting_for_resident": Text("异议期内", "The resident may object"),
    "decided": Text("已决定", "Decided"),
    "closed": Text("已结束", "Closed"),
}
CASE_OUTCOMES: Final[Mapping[str, Text]] = {
    "upheld": Text("成立", "Upheld"),
    "partly": Text("部分成立", "Upheld in part"),
    "rejected": Text("不成立", "Rejected"),
    "unopposed": Text("无异议", "Unopposed"),
    "withdrawn": Text("已撤回", "Withdrawn"),
    "resolved": Text("原因已消除", "Its cause is gone"),
}
# what a decision of a case means, said on its button
CASE_CHOICES: Final[Mapping[str, Mapping[str, Text]]] = {
    "clawback_proposed": {
        "upheld": Text("撤回减排量和积分", "Take the credit back"),
        "rejected": Text("不撤回", "Leave the credit"),
    },
    "clawback_outlier": {
        "upheld": Text("数据源无误，继续撤回", "The feed is sound: go on taking back"),
        "rejected": Text("停止，结束当日全部拟撤回", "Stop: end what was proposed of the day"),
    },
    "ambiguous_match": {
        "upheld": Text("申报另为一次行为", "The claim is an act of its own"),
        "rejected": Text("已由合作方记录计入", "A record stands for it already"),
    },
}
APPEAL_STATES: Final[Mapping[str, Text]] = {
    "open": Text("待答复", "To be answered"),
    "won": Text("申诉成立", "Granted"),
    "partly": Text("部分成立", "Granted in part"),
    "lost": Text("申诉不成立", "Not granted"),
    "withdrawn": Text("居民已撤回", "Withdrawn by the resident"),
}
AGAINST: Final[Mapping[str, Text]] = {
    "decision": Text("对核算结果", "Against the decision"),
    "clawback": Text("对拟撤回", "Against taking it back"),
}
FILE_STATES: Final[Mapping[str, Text]] = {
    "seen": Text("已收到", "Received"),
    "verified": Text("已校验", "Verified"),
    "staged": Text("处理中", "Being taken in"),
    "applied": Text("已入库", "Taken in"),
    "quarantined": Text("已隔离", "Put aside"),
    "superseded": Text("已被新版替代", "Replaced by a newer version"),
    "refused": Text("已拒绝", "Refused"),
}
QUEUES: Final[Mapping[str, tuple[str, Text, Text]]] = {
    "held": ("review.index", Text("暂缓的行为", "Held acts"), Text("等待人工核对", "wait for a person")),
    "sample": ("review.index", Text("抽样复核", "Drawn for a second look"), Text("规则已通过", "accepted by the rules")),
    "appeals": ("appeal.index", Text("居民申诉", "Appeals"), Text("按答复期限排列", "by the day they are due")),
    "joining": ("groups.requests", Text("入组申请", "Asking to be let in"), Text("等待答复", "wait for an answer")),
    "driving": ("drive_requests.show", Text("创建行动申请", "Groups for drives"), Text("等待受理", "to be taken up")),
    "cases": ("case.index", Text("对账事项", "Cases"), Text("对账与数据源", "of reconciliation and feeds")),
    "files": ("file.index", Text("被隔离的文件", "Files put aside"), Text("合作方文件", "of partners")),
    "feeds": ("feed.index", Text("滞后的数据源", "Feeds behind"), Text("超过宽限期", "beyond their grace")),
}  # fmt: skip
ALARMS: Final[Mapping[str, Text]] = {
    "partner_differs": Text("清单中的合作方不是送件人", "The manifest names another partner than its sender"),
    "signature_wrong": Text("签名不符", "The signature does not fit"),
    "key_revoked": Text("密钥已吊销", "The key was revoked"),
    "version_taken": Text("同一序号送来不同内容", "Other bytes under a number that is taken"),
}
FAULTS: Final[Mapping[str, Text]] = {
    "rows_differ": Text("行数与清单不符", "The number of rows is not the manifest's"),
    "totals_differ": Text("合计与清单不符", "Totals are not the manifest's"),
    "total_unknown": Text("清单中的合计项未知", "The manifest names a total there is not"),
    "by_type_differs": Text("分类计数与清单不符", "Counts by kind are not the manifest's"),
    "trailer_differs": Text("尾行与内容不符", "The last line does not fit what is above it"),
    "too_many_unreadable": Text("无法读取的行过多", "Too many rows cannot be read"),
}
# deeds as the audit names them
DEEDS: Final[Mapping[str, Text]] = {
    "review.credited": Text("人工通过", "Accepted by a person"),
    "review.rejected": Text("人工不予计入", "Refused by a person"),
    "review.kept": Text("继续暂缓", "Kept on hold"),
    "trip.accepted": Text("人工通过", "Accepted by a person"),
    "trip.refused": Text("人工不予计入", "Refused by a person"),
    "trace.opened": Text("查看轨迹", "Opened the trace"),
    "case.opened": Text("立案", "Opened"),
    "case.assigned": Text("指定负责人", "Given to somebody"),
    "case.open": Text("转为待处理", "Open again"),
    "case.waiting_for_partner": Text("询问合作方", "Asked the partner"),
    "case.waiting_for_resident": Text("等待居民", "Waiting for the resident"),
    "case.decided": Text("作出决定", "Decided"),
    "case.closed": Text("结束", "Closed"),
    "file.released": Text("放行", "Released"),
    "file.refused": Text("拒绝", "Refused"),
}
COURSES: Final[Mapping[str, Text]] = {
    "n": Text("北", "N"), "ne": Text("东北", "NE"), "e": Text("东", "E"), "se": Text("东南", "SE"),
    "s": Text("南", "S"), "sw": Text("西南", "SW"), "w": Text("西", "W"), "nw": Text("西北", "NW"),
}  # fmt: skip
ROLES: Final[Mapping[str, Text]] = {
    "programme": Text("项目", "Programme"),
    "methodology": Text("方法学", "Methodology"),
    "finance": Text("财务", "Finance"),
    "support": Text("客服", "Support"),
    "audit": Text("审计", "Audit"),
}
NOBODY: Final = Text("未登记镇街", "No street told")


def known(words: Mapping[str, Text], code: str) -> Text:
    """The words of a code; a code that came after this page was written stands for itself."""
    return words.get(code, Text(code, code))


def titled(words: Text) -> Text:
    """Words that begin a line, or are all of it."""
    return Text(words.zh, words.en[:1].upper() + words.en[1:])


def reason(code: str) -> Text:
    """A reason in words."""
    try:
        return explain(code)
    except KeyError:
        return Text(code, code)


def code(chosen: str) -> Text:
    """The reason that a person chose from those offered."""
    return next((of[chosen] for of in CODES.values() if chosen in of), Text(chosen, chosen))


def case_reason(told: str) -> Text:
    """Why a case was opened: a sentence in both languages, the code of a file's fault, or as somebody wrote it."""
    zh, both, en = told.partition(" / ")
    return Text(zh, en) if both else known(FAULTS, told)


def methodology(code: str | None) -> Text:
    """A methodology's title."""
    versions = BY_CODE.get(code or "")
    return Text(*versions[-1].title) if versions else Text(code or "—", code or "—")


def street(code: str | None) -> Text:
    """A street's name; `-` and None are those who told none."""
    return Street(code).text if code in set(Street) else NOBODY


def monitored(code: str, told: Mapping[str, int]) -> list[tuple[Text, str, Text]]:
    """What was monitored: name, number, unit."""
    versions = BY_CODE.get(code)
    declared = {one.name: one for one in versions[-1].monitored} if versions else {}
    return [
        (
            Text(*declared[name].description) if name in declared else Text(name, name),
            numbers.grouped(amount),
            numbers.unit(declared[name].unit) if name in declared else Text("", ""),
        )
        for name, amount in told.items()
    ]


def actor(deed: Any) -> Text:
    """Who did something, as far as may be said: a member of staff by name, everybody else by kind."""
    if deed.name:
        return Text(deed.name, deed.name)
    kinds = {"resident": Text("居民", "the resident"), "partner": Text("合作方", "the partner")}
    return kinds.get(deed.actor.partition(":")[0], Text("系统", "the system"))


def minutes(seconds: int) -> str:
    """Seconds as minutes and seconds: `12:05`."""
    return f"{seconds // 60}:{seconds % 60:02}"
