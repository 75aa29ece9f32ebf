"""What a merchant is paid for a point: dated, in micro-fen, set by two people and never changed afterwards."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.offer_models import PointValue

SET: Final = "point.value"
MOST_MICRO_FEN: Final = 1_000_000_000


def value_on(session: Session, day: date) -> int | None:
    """Micro-fen a point in force on a day; None before the first."""
    value: int | None = session.execute(text("select point_value_on(:day)"), {"day": day}).scalar()
    return value


def values(session: Session) -> list[PointValue]:
    """Every value there is or was, the newest first."""
    return list(session.scalars(select(PointValue).order_by(PointValue.in_force.desc())))


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid with every fault of a proposed value."""
    faults = []
    amount = payload.get("micro_fen")
    if type(amount) is not int or not 1 <= amount <= MOST_MICRO_FEN:
        told = Text("应为 1–1,000,000,000 的整数（百万分之一分）", "a whole number of millionths of a fen")
        faults.append(FieldFault("/micro_fen", "out_of_range", told))
    if not _is_day(payload.get("in_force")):
        faults.append(FieldFault("/in_force", "not_a_day", Text("应为日期，如 2027-01-01", "a day")))
    if not 1 <= len(str(payload.get("reason") or "")) <= 500:
        faults.append(FieldFault("/reason", "wrong_length", Text("请说明理由", "1 to 500 characters")))
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=tuple(faults))


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Put a value in force from its day on, today or later; only the first may begin in the past.

    Raises Conflict for a day gone by and for one that has a value.
    """
    day = date.fromisoformat(payload["in_force"])
    if day < clock.today() and values(session):
        raise Conflict("day_gone_by", Text("生效日已过", "That day has gone by: propose a later one"))
    row = {
        "in_force": day,
        "micro_fen": payload["micro_fen"],
        "reason": payload["reason"],
        "approval_id": approval_id,
    }
    made = session.execute(
        insert(PointValue)
        .values(row)
        .on_conflict_do_nothing(index_elements=[PointValue.in_force])
        .returning(PointValue.in_force)
    ).scalar_one_or_none()
    if made is None:
        raise Conflict("day_has_value", Text("该日已有积分价值", "There is a value from that day on"))


def _is_day(value: Any) -> bool:
    try:
        return type(value) is str and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
