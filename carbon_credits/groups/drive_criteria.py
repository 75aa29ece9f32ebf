"""What a drive asks is changed by two people: another wording, threshold or source from a day on, or asked no more."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups.drive_models import Criterion, Drive

CRITERION: Final = "groups.criterion"
FIGURES: Final = (
    "members",
    "members_share_pm",
    "active_share_pm",
    "verified_mg_per_head",
    "travel_mg_per_head",
    "recycling_mg_per_head",
)
FILLED: Final = ("data", "declared", "dropped")
TEXTS: Final = ("drive", "code", "text_zh", "text_en", "source")
NAMES: Final = frozenset({*TEXTS, "in_force", "filled", "figure", "threshold", "assumed"})


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid, with every fault at its field, unless the proposal says a whole criterion."""
    faults = [
        _fault(name, "一项都不能少，也不能多", "named once, nothing else") for name in NAMES ^ set(payload)
    ]
    if not faults:
        faults = [
            _fault(name, "应为 1–300 字", "1 to 300 characters")
            for name in TEXTS
            if not _is_text(payload[name])
        ]
        faults += _faults_of_filling(payload)
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=tuple(faults))


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Put an approved criterion in force from its day on. Raises Invalid for an unknown drive, Conflict for one twice."""
    known = select(Drive.drive).where(Drive.drive == payload["drive"])
    if session.execute(known).scalar_one_or_none() is None:
        raise Invalid("drive_unknown", Text("没有此创建行动", "There is no such drive"))
    row = {**payload, "in_force": date.fromisoformat(payload["in_force"]), "approval_id": approval_id}
    written = insert(Criterion).values(row).on_conflict_do_nothing().returning(Criterion.code)
    if session.execute(written).scalar_one_or_none() is None:
        raise Conflict(
            "criterion_known", Text("该条件在同一生效日已存在", "It is there from that day already")
        )


def _faults_of_filling(payload: Mapping[str, Any]) -> list[FieldFault]:
    faults = []
    by_data = payload["filled"] == "data"
    if payload["filled"] not in FILLED:
        faults.append(_fault("filled", f"应为 {'、'.join(FILLED)}", f"one of {', '.join(FILLED)}"))
    if (payload["figure"] in FIGURES) is not by_data:
        faults.append(_fault("figure", "仅数据项须有指标", f"one of {', '.join(FIGURES)} where data fill it"))
    if (type(payload["threshold"]) is int and 0 < payload["threshold"] < 2**53) is not by_data:
        faults.append(
            _fault("threshold", "仅数据项须有正整数门槛", "a whole number above zero where data fill it")
        )
    if type(payload["assumed"]) is not bool:
        faults.append(_fault("assumed", "应为 true 或 false", "true or false"))
    try:
        date.fromisoformat(payload["in_force"])
    except (TypeError, ValueError):
        faults.append(_fault("in_force", "日期应如 2027-01-01", "a day such as 2027-01-01"))
    return faults


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= 300


def _fault(name: str, zh: str, en: str) -> FieldFault:
    return FieldFault("/" + name, "wrong_value", Text(zh, en))
