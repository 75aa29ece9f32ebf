"""Proposals about the plan and about money's purpose in words: official values, a year's evaluation, what money is."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from admin.proposals.shape import NONE, Line, Told, Value
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import money_tags
from carbon_credits.ledger.money_tags import KINDS
from carbon_credits.reporting import evaluation, indicators, indicators_official
from carbon_credits.reporting.evaluation_layout import quantity


def official(session: Session, payload: Mapping[str, Any]) -> Told:
    """What a bureau says an indicator was."""
    declared = indicators.indicator_of(payload["indicator"])
    year = date.fromisoformat(payload["as_of"]).year
    before = indicators_official.of_year(session, year, payload["street"]).get(declared.code)
    street = "" if payload["street"] is None else indicators.street_name(payload["street"])
    lines = [
        Line(
            Text("官方数值", "Official value"),
            quantity(payload["value"], declared.unit),
            None if before is None else quantity(before.value, before.unit),
        ),
        Line(
            Text("数值（单位）", "Value (unit)"),
            f"{payload['value']} {declared.unit.value}",
            None if before is None else f"{before.value} {before.unit}",
        ),
        Line(Text("截至", "As of"), payload["as_of"], None if before is None else before.as_of),
        Line(
            Text("出处", "Source"), payload["source_title"], None if before is None else before.source_title
        ),
        Line(Text("页码", "Page"), payload["source_page"] or NONE),
        Line(Text("网址", "Address"), payload["source_address"] or NONE),
    ]
    if street:
        lines.insert(0, Line(Text("镇街", "Street"), street))
    what = Text(f"录入官方数值：{declared.title.zh}", f"Enter an official value: {declared.title.en}")
    return Told(what, lines)


def final(session: Session, payload: Mapping[str, Any]) -> Told:
    """A year's evaluation made final."""
    pack = evaluation.pack_of(session, payload["pack_id"])
    lines = (
        Line(Text("版本", "Version"), str(pack.version)),
        Line(Text("截至", "Through"), pack.snapshot["through"]),
        Line(Text("快照 SHA-256", "SHA-256 of the snapshot"), payload["digest"]),
    )
    year = payload["year"]
    return Told(Text(f"{year} 年度评估定稿", f"Make the evaluation of {year} final"), lines)


def retag(session: Session, payload: Mapping[str, Any]) -> Told:
    """Another tag on money that came in."""
    money = payload["money_approval"]
    before = money_tags.newest(session).get(money)
    lines = [
        *tag_lines(payload, None if before is None else money_tags.told(before)),
        Line(Text("理由", "Reason"), payload["reason"]),
    ]
    what = Text(f"更改资金标签（审批 #{money} 入账）", f"Change what the money of approval #{money} is")
    return Told(what, lines, page=("approvals.one", {"approval": money}))


def tag_lines(payload: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Sequence[Line]:
    """What money is said to be, line by line; that nothing is said of it, where a payload has no tag."""
    tag = payload.get("tag")
    if tag is None:
        return (Line(Text("资金来源", "What money it is"), Text("未标注", "untagged")),)

    def of(name: str) -> Value | None:
        return None if before is None else before[name] or NONE

    return (
        Line(
            Text("资金来源", "What money it is"),
            KINDS[tag["kind"]],
            None if before is None else KINDS[before["kind"]],
        ),
        Line(Text("工具名称或编号", "Instrument"), tag["instrument"], of("instrument")),
        Line(Text("出资方或发行人", "Issuer"), tag["issuer"], of("issuer")),
        Line(Text("到期日", "Matures on"), tag["matures_on"] or NONE, of("matures_on")),
        Line(Text("文件", "Document"), tag["document"], of("document")),
    )
