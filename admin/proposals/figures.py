"""Proposals about the plan's figures and the year's pack, in words."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from admin import words
from admin.proposals.shape import NONE, Line, Told, Value
from carbon_credits.core.i18n import Text
from carbon_credits.reporting import evaluation, indicators, indicators_official
from carbon_credits.reporting.numbers import grouped
from carbon_credits.residents.service import Street

STREETS: Final[Mapping[str, Text]] = {street.value: street.text for street in Street}


def official(session: Session, payload: Mapping[str, Any]) -> Told:
    """An official value as a bureau stated it, with where it is written."""
    known = indicators.indicator_of(payload["indicator"])
    stated = indicators_official.history(session, known.code)
    newest = next((value for street, value in stated if street == payload["street"]), None)
    where: Value = NONE if payload["street"] is None else words.named(STREETS, payload["street"])
    return Told(
        Text(f"登记官方数值：{known.title.zh}", f"Note the official value of “{known.title.en}”"),
        (
            Line(
                Text(f"数值（{known.unit}）", f"Value ({known.unit})"),
                grouped(payload["value"]),
                None if newest is None else grouped(newest.value),
            ),
            Line(Text("截至", "As of"), payload["as_of"], None if newest is None else newest.as_of),
            Line(Text("镇街", "Street"), where),
            Line(Text("来源文件", "Source"), payload["source_title"]),
            Line(Text("网址", "Address"), payload["source_address"] or NONE),
            Line(Text("页码", "Page"), str(payload["source_page"] or "—")),
        ),
    )


def pack(session: Session, payload: Mapping[str, Any]) -> Told:
    """A year's pack made final."""
    found = evaluation.pack_of(session, payload["pack_id"])
    return Told(
        Text(f"定稿 {payload['year']} 年度评估报告", f"Make the evaluation pack of {payload['year']} final"),
        (
            Line(Text("版本", "Version"), str(found.version)),
            Line(Text("快照摘要", "Digest of the snapshot"), payload["digest"]),
        ),
    )
