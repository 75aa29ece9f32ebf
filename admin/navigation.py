"""The menu: in sections, in this order; each member of staff sees what their roles may open."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from admin.access import ACCESS
from carbon_credits.core.i18n import Text
from carbon_credits.staff.sessions import Member


class Entry(NamedTuple):
    """A page of the menu."""

    endpoint: str
    words: Text
    is_current: bool = False


class Section(NamedTuple):
    """Pages that belong together."""

    words: Text
    entries: Sequence[Entry]


SECTIONS: Final[Sequence[Section]] = (
    Section(Text("概览", "Overview"), (Entry("home.show", Text("总览", "Dashboard")),)),
    Section(
        Text("审核", "Review"),
        (
            Entry("queue.show", Text("待办队列", "Queues")),
            Entry("approvals.show", Text("审批", "Approvals")),
            Entry("review.index", Text("行为审核", "Acts to review")),
            Entry("appeal.index", Text("居民申诉", "Appeals")),
            Entry("case.index", Text("对账事项", "Cases")),
        ),
    ),
    Section(
        Text("活动与激励", "Campaigns and incentives"),
        (
            Entry("campaigns.show", Text("活动", "Campaigns")),
            Entry("groups.show", Text("组", "Groups")),
            Entry("drives.show", Text("创建行动", "Creation drives")),
            Entry("incentives.show", Text("碳普惠金融", "Green finance")),
        ),
    ),
    Section(
        Text("商户与资金", "Merchants and funds"),
        (
            Entry("merchants.show", Text("商户", "Merchants")),
            Entry("offers.show", Text("权益", "Offers")),
            Entry("settlements.show", Text("结算", "Settlements")),
            Entry("funds.show", Text("资金池", "Funds")),
            Entry("rules.show", Text("费率与上限", "Rates and caps")),
        ),
    ),
    Section(
        Text("合作方", "Partners"),
        (
            Entry("feed.index", Text("数据源", "Feeds")),
            Entry("file.index", Text("合作方文件", "Files")),
            Entry("file.alarms", Text("文件警报", "Alarms")),
        ),
    ),
    Section(
        Text("指标与报告", "Figures and reports"),
        (
            Entry("participation.show", Text("参与统计", "Participation")),
            Entry("indicators.show", Text("方案指标", "Indicators")),
            Entry("evaluations.show", Text("年度评估", "Evaluations")),
            Entry("proceeds.show", Text("资金用途", "Use of proceeds")),
            Entry("exports.show", Text("导出", "Exports")),
        ),
    ),
    Section(Text("居民", "Residents"), (Entry("residents.find", Text("查找居民", "Find a resident")),)),
    Section(
        Text("系统", "System"),
        (
            Entry("staff.everybody", Text("工作人员", "Staff")),
            Entry("audit.search", Text("操作记录", "Audit")),
            Entry("audit.phones", Text("查看手机号记录", "Phone numbers read")),
        ),
    ),
)


def menu(member: Member | None, here: str) -> Sequence[Section]:
    """What this member may open, the page at hand marked; nothing for who has not signed in."""
    if member is None:
        return ()
    open_to = {endpoint for endpoint, rule in ACCESS.items() if rule.roles & member.roles}
    current = _entry_of(here)
    sections = (Section(one.words, list(_open(one.entries, open_to, current))) for one in SECTIONS)
    return [section for section in sections if section.entries]


def _open(entries: Iterable[Entry], open_to: set[str], current: str | None) -> Iterable[Entry]:
    for entry in entries:
        if entry.endpoint in open_to:
            yield entry._replace(is_current=entry.endpoint == current)


def _entry_of(here: str) -> str | None:
    """The entry that a page belongs to: itself, else the first of its module."""
    endpoints = [entry.endpoint for section in SECTIONS for entry in section.entries]
    if here in endpoints:
        return here
    module = here.partition(".")[0]
    return next((each for each in endpoints if each.partition(".")[0] == module), None)
