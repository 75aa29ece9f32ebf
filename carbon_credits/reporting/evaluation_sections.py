"""An evaluation's snapshot as sections of text and tables, the same for paper and for spreadsheet.

Nothing but the snapshot is read. A cell is a text, a whole number, or None for what may not be shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from carbon_credits.core.i18n import Text
from carbon_credits.reporting import evaluation_tables
from carbon_credits.reporting.evaluation_layout import (
    APART,
    NOT_WHOLE,
    UNSHOWN,
    Section,
    Snapshot,
    both,
    legend,
    names_of,
    quantity,
)


def sections(snapshot: Snapshot) -> list[Section]:
    """Everything, in the order of the paper."""
    found = [_indicators(snapshot), _coverage(snapshot)]
    if snapshot["whole_year"]:
        found += [
            evaluation_tables.streets(snapshot),
            *evaluation_tables.months(snapshot),
            evaluation_tables.methodologies(snapshot),
        ]
    found += [evaluation_tables.grams(snapshot), _programme(snapshot), _awards(snapshot)]
    if snapshot["campaigns"]:
        found.append(_campaigns(snapshot))
    return [*found, _methods(snapshot), _sources(snapshot)]


def _of_plan(snapshot: Snapshot) -> Iterator[Mapping[str, Any]]:
    return (indicator for indicator in snapshot["indicators"] if not indicator["is_basis"])


def _indicators(snapshot: Snapshot) -> Section:
    rows = []
    for indicator in _of_plan(snapshot):
        official, own = indicator["official"], indicator["own"]
        targets = "; ".join(
            f"{target['year']}: {_target(target, indicator)}" for target in indicator["targets"]
        )
        stated = (
            UNSHOWN
            if official is None
            else f"{quantity(official['value'], official['unit'])} ({official['as_of']})"
        )
        ours = UNSHOWN if own is None else quantity(own["value"], own["unit"])
        rows.append((both(indicator["title"]), indicator["section"], targets, stated, ours))
    notes = (APART, legend(snapshot)) if snapshot["whole_year"] else (APART, NOT_WHOLE, legend(snapshot))
    header = (
        Text("指标", "Indicator"),
        Text("方案条目", "Section of the plan"),
        Text("目标", "Target"),
        Text("官方数值（截至）", "Official value (as of)"),
        Text("平台数据", "Our records"),
    )
    return Section("Indicators", Text("方案指标", "The plan's figures"), notes, header, tuple(rows))


def _target(target: Mapping[str, Any], indicator: Mapping[str, Any]) -> str:
    value = target["at_least"]
    return "未定数值 no figure" if value is None else "≥ " + quantity(value, indicator["unit"])


def _coverage(snapshot: Snapshot) -> Section:
    rows = [
        (
            both(indicator["title"]),
            _of_day(part),
            part["seen"],
            "无官方数值 not stated" if part["whole"] is None else part["whole"],
            quantity(part["ppm"], "ppm"),
        )
        for indicator in _of_plan(snapshot)
        for part in (indicator["own"] or {"coverage": ()})["coverage"]
    ]
    header = (
        Text("指标", "Indicator"),
        Text("覆盖对象", "Part of"),
        Text("平台所见", "Seen here"),
        Text("总体", "Whole"),
        Text("覆盖率", "Coverage"),
    )
    note = Text("覆盖率向下取整。", "Coverage is rounded down.")
    return Section("Coverage", Text("数据覆盖", "What our records cover"), (note,), header, tuple(rows))


def _of_day(part: Mapping[str, Any]) -> str:
    """What it is a part of, and of which day that is; papers of packs from before the day was kept stay as they are."""
    as_of = part.get("as_of")
    return both(part["of"]) if as_of is None else f"{both(part['of'])} ({as_of})"


_FIGURES: Final[Mapping[str, Text]] = {
    "enrolled": Text("期末注册居民", "Residents enrolled at the end"),
    "enrolled_in_year": Text("当年新注册居民", "Residents enrolled in the year"),
    "granted": Text("发放积分", "Points granted"),
    "bonus": Text("活动奖励积分", "Bonus points of campaigns"),
    "taken_back": Text("撤回积分", "Points taken back"),
    "spent": Text("兑换积分", "Points spent"),
    "lapsed": Text("过期积分", "Points lapsed"),
    "written_off": Text("核销积分", "Points written off"),
    "paid_into_funds_fen": Text("拨入资金池（分）", "Paid into funds (fen)"),
    "returned_from_funds_fen": Text("退还出资方（分）", "Returned to those who paid (fen)"),
    "points_bought": Text("购入积分净额", "Points bought, less those returned"),
    "paid_into_purses_fen": Text("拨入补贴资金（分）", "Paid into purses (fen)"),
    "paid_to_merchants_fen": Text("支付商户（分）", "Paid to merchants (fen)"),
}


def _programme(snapshot: Snapshot) -> Section:
    told = snapshot["programme"]
    rows = tuple(
        (both(_FIGURES[name].both()), value)
        for part in ("residents", "points", "money")
        for name, value in sorted(told[part].items(), key=lambda item: list(_FIGURES).index(item[0]))
    )
    header = (Text("项目", "Figure"), Text("数值", "Value"))
    return Section(
        "Programme",
        Text("居民、积分与资金", "Residents, points and money"),
        (legend(snapshot),),
        header,
        rows,
    )


def _awards(snapshot: Snapshot) -> Section:
    rows = tuple(
        (both(drive["name"]), drive["count"], "; ".join(both(group) for group in drive["groups"]))
        for drive in snapshot["awards"]
    )
    header = (
        Text("创建行动", "Drive"),
        Text("数量", "Number"),
        Text("名单（家庭不列名）", "List (families are not named)"),
    )
    return Section("Awards", Text("七类创建行动名单", "Awards of the seven drives"), (), header, rows)


def _campaigns(snapshot: Snapshot) -> Section:
    rows = tuple(
        (
            f"{both(campaign['name'])} ({campaign['code']})",
            f"{campaign['starts_on']} – {campaign['ends_on']}",
            campaign["state"],
            campaign["budget_points"],
            campaign["people"],
            campaign["points"],
        )
        for campaign in snapshot["campaigns"]
    )
    header = (
        Text("活动", "Campaign"),
        Text("期间", "Period"),
        Text("状态", "State"),
        Text("预算积分", "Budget (points)"),
        Text("获奖居民", "Residents"),
        Text("奖励积分", "Points given"),
    )
    return Section("Campaigns", Text("主题活动", "Campaigns"), (legend(snapshot),), header, rows)


def _methods(snapshot: Snapshot) -> Section:
    rows = tuple(
        (
            both(indicator["title"]),
            indicator["says"],
            both(indicator["method"]),
            both(indicator["not_this"]),
        )
        for indicator in _of_plan(snapshot)
    )
    header = (
        Text("指标", "Indicator"),
        Text("方案原文", "What the plan says"),
        Text("平台数据的算法", "How ours is computed"),
        Text("它不是什么", "What it is not"),
    )
    return Section("Methods", Text("方法", "Methods"), (), header, rows)


def _sources(snapshot: Snapshot) -> Section:
    stated = [(indicator["title"], indicator["official"]) for indicator in snapshot["indicators"]]
    by_street = [
        (
            {"zh": f"常住人口：{name['zh']}", "en": f"Resident population: {name['en']}"},
            snapshot["population"].get(street),
        )
        for street, name in names_of(snapshot, "streets").items()
    ]
    rows = tuple(
        (
            both(of),
            quantity(official["value"], official["unit"]),
            official["as_of"],
            official["source_title"],
            official["source_page"] or "",
            official["source_address"] or "",
            f"{official['entered_by']} / {official['approved_by']} (#{official['approval_id']})",
        )
        for of, official in (*stated, *by_street)
        if official is not None
    )
    header = (
        Text("指标", "Indicator"),
        Text("官方数值", "Official value"),
        Text("截至", "As of"),
        Text("出处", "Source"),
        Text("页码", "Page"),
        Text("网址", "Address"),
        Text("录入/批准", "Entered / approved by"),
    )
    reading = snapshot["reading"]
    query = reading["figures"]["query_sha256"]
    which = f"#{reading['reading_id']} / {reading['version']}, {snapshot['through']}, SQL SHA-256 {query}"
    note = Text(f"平台数据的读数与查询：{which}", f"Our records' reading and query: {which}")
    return Section("Sources", Text("官方数值的出处", "Where official values are from"), (note,), header, rows)
