"""Proposals of rules in words: rates, caps, restatements, what drives ask, who is on their lists."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.orm import Session

from admin import words
from admin.proposals.shape import Line, Table, Told
from carbon_credits.core.i18n import Text
from carbon_credits.groups import drives, group_list
from carbon_credits.ledger import fund_list
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme import service as programme
from carbon_credits.reporting.numbers import grouped

EVERYTHING: Final = Text("全部类别", "all families")
IN_FORCE: Final = Text("生效日", "In force from")


def rate(session: Session, payload: Mapping[str, Any]) -> Told:
    """What a milligram earns."""
    begins = date.fromisoformat(payload["in_force"])
    holding = [
        row
        for row in programme.rates(session)
        if (row.family, row.evidence_class) == (payload["family"], payload["evidence_class"])
        and row.in_force < begins
        and (row.until is None or row.until >= begins)
    ]
    now = holding[-1] if holding else None
    fund = fund_list.fund(session, payload["fund_id"])
    before = None if now is None else fund_list.fund(session, now.fund_id)
    family = _family(payload["family"])
    return Told(
        Text(
            f"{family.zh}、证据等级 {payload['evidence_class']} 的积分费率",
            f"What a gram of {family.en} with evidence of class {payload['evidence_class']} earns",
        ),
        (
            Line(
                Text("每克积分", "Points a gram"),
                _a_gram(payload["points_per_mg"]),
                None if now is None else _a_gram(now.points_per_mg),
            ),
            Line(
                Text("成熟天数", "Days until they mature"),
                str(payload["mature_days"]),
                None if now is None else str(now.mature_days),
            ),
            Line(
                Text("资金池", "Fund"),
                Text(fund.name_zh, fund.name_en),
                None if before is None else Text(before.name_zh, before.name_en),
            ),
            Line(IN_FORCE, payload["in_force"], None if now is None else now.in_force.isoformat()),
        ),
        page=("rules.show", {}),
    )


def cap(session: Session, payload: Mapping[str, Any]) -> Told:
    """The most that counts in a period."""
    begins, period = date.fromisoformat(payload["in_force"]), payload.get("period", "day")
    key = (payload["scope"], payload["unit"], period)
    holding = [
        row
        for row in programme.caps(session)
        if (row.scope, row.unit, row.period) == key
        and row.in_force < begins
        and (row.until is None or row.until >= begins)
    ]
    now = holding[-1] if holding else None
    scope, unit, often = (
        _scope(payload["scope"]),
        words.named(words.CAP_UNITS, payload["unit"]),
        words.named(words.PERIODS, period),
    )
    kind = Text("科学上限", "science cap") if payload["kind"] == "science" else Text("政策上限", "policy cap")
    return Told(
        Text(f"{scope.zh} 的{often.zh}{kind.zh}", f"A {kind.en} of {scope.en}, {often.en}"),
        (
            Line(
                Text(f"上限（{unit.zh}）", f"The most ({unit.en})"),
                grouped(payload["most"]),
                None if now is None else grouped(now.most),
            ),
            Line(IN_FORCE, payload["in_force"], None if now is None else now.in_force.isoformat()),
        ),
        page=("rules.show", {}),
    )


def restatement(_: Session, payload: Mapping[str, Any]) -> Told:
    """Grams of past acts under another version."""
    found = BY_CODE[payload["code"]][-1].title
    return Told(
        Text(
            f"按第 {payload['version']} 版重述“{found.zh}”的减排量",
            f"Restate the grams of “{found.en}” by version {payload['version']}",
        ),
        (
            Line(Text("方法学", "Methodology"), payload["code"]),
            Line(Text("期间", "Period"), f"{payload['since']} – {payload['until']}"),
            Line(Text("影响", "What it touches"), Text("只改克数，不动积分", "Grams alone; nobody's points")),
        ),
    )


def criterion(session: Session, payload: Mapping[str, Any]) -> Told:
    """What a drive asks."""
    day = date.fromisoformat(payload["in_force"])
    held = [row for row in drives.criteria(session, payload["drive"], day) if row.code == payload["code"]]
    now = held[0] if held else None
    dropped = payload["filled"] == "dropped"
    what = Text("取消创建行动的一项条件", "A drive asks no longer for a thing")
    changed = Text("创建行动的一项条件", "What a drive asks")
    return Told(
        what if dropped else changed,
        (
            Line(Text("行动与条件", "Drive and criterion"), f"{payload['drive']} · {payload['code']}"),
            Line(
                Text("条件", "Criterion"),
                Text(payload["text_zh"], payload["text_en"]),
                None if now is None else Text(now.text_zh, now.text_en),
            ),
            Line(
                Text("指标与门槛", "Figure and threshold"),
                _threshold(payload["figure"], payload["threshold"]),
                None if now is None else _threshold(now.figure, now.threshold),
            ),
            Line(Text("来源", "Source"), payload["source"], None if now is None else now.source),
            Line(IN_FORCE, payload["in_force"], None if now is None else now.in_force.isoformat()),
        ),
        page=("drives.one", {"drive": payload["drive"]}),
    )


def award(session: Session, payload: Mapping[str, Any]) -> Told:
    """A drive's list of a year."""
    rows = group_list.applications(session, numbers=payload["applications"], most=10_000)
    names = {row.drive: Text(row.drive_zh, row.drive_en) for row in rows}
    drive = names.get(payload["drive"], Text(payload["drive"], payload["drive"]))
    many = len(payload["applications"])
    return Told(
        Text(
            f"{payload['year']} 年“{drive.zh}”授牌名单，{many} 个",
            f"The list of {payload['year']} of “{drive.en}”: {many}",
        ),
        table=Table(
            Text("名单", "The list"),
            (Text("申请", "Application"), Text("组", "Group"), Text("评审人", "Reviewed by")),
            [
                (f"#{row.application_id}", Text(row.name_zh, row.name_en), row.reviewed_by or "")
                for row in rows
            ],
        ),
        page=("drives.awards", {"drive": payload["drive"], "year": payload["year"]}),
    )


def _family(code: str) -> Text:
    return EVERYTHING if code == programme.EVERYTHING else words.named(words.FAMILIES, code)


def _scope(code: str) -> Text:
    return Text(*BY_CODE[code][-1].title) if code in BY_CODE else _family(code)


def _a_gram(points_per_mg: Any) -> str:
    return grouped(Decimal(str(points_per_mg)).scaleb(3).normalize())


def _threshold(figure: str | None, threshold: int | None) -> Text:
    if figure is None or threshold is None:
        return Text("凭文件申报", "Declared with a document")
    return Text(f"{figure} ≥ {grouped(threshold)}", f"{figure} ≥ {grouped(threshold)}")
