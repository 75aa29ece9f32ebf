"""The verbs of policy: check a proposal before a person reads it, put an approved one in force, read what holds."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.programme.campaign_checks import require_fund
from carbon_credits.programme.models import Cap, EarningRate

RATE = "programme.rate"
CAP = "programme.cap"
EXPIRY_MONTHS = 12
EVERYTHING = "*"


def lot_day(occurred_on: date) -> date:
    """The last day on which points earned on a day can be used: the end of that month, a year later."""
    months = occurred_on.year * 12 + occurred_on.month - 1 + EXPIRY_MONTHS + 1
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def check_rate(payload: Mapping[str, Any], families: frozenset[str]) -> None:
    """Raise Invalid with every fault of a proposed earning rate."""
    faults = _faults_of_dates(payload)
    if payload.get("family") not in families | {EVERYTHING}:
        faults.append(_fault("family", "unknown_family", "没有这个类别", "no such family"))
    if payload.get("evidence_class") not in set("ABCD"):
        faults.append(_fault("evidence_class", "not_a_class", "应为 A、B、C 或 D", "A, B, C or D"))
    try:
        rate = Decimal(str(payload.get("points_per_mg")))
        if not 0 <= rate <= 1 or rate != rate.quantize(Decimal("1e-12")):
            raise InvalidOperation
    except InvalidOperation:
        faults.append(
            _fault("points_per_mg", "not_a_rate", "应为 0 到 1 的小数，至多 12 位", "0 to 1, 12 places")
        )
    if type(payload.get("mature_days")) is not int or not 0 <= payload["mature_days"] <= 60:
        faults.append(_fault("mature_days", "out_of_range", "应为 0 到 60 天", "0 to 60 days"))
    if type(payload.get("fund_id")) is not int:
        faults.append(_fault("fund_id", "unknown_fund", "缺少资金池编号", "the fund's number is missing"))
    _refuse(faults)


def check_cap(payload: Mapping[str, Any], families: frozenset[str], codes: frozenset[str]) -> None:
    """Raise Invalid with every fault of a proposed cap."""
    faults = _faults_of_dates(payload)
    kind, unit, scope = payload.get("kind"), payload.get("unit"), payload.get("scope")
    if (kind, unit) not in {("science", "count"), ("science", "quantity"), ("policy", "points")}:
        faults.append(
            _fault("unit", "unknown_unit", "科学上限用次数或数量，政策上限用积分", "see kinds of cap")
        )
    scopes = codes if kind == "science" else families | {EVERYTHING}
    if payload.get("period", "day") not in (("day", "month", "year") if kind == "science" else ("day",)):
        faults.append(
            _fault(
                "period",
                "unknown_period",
                "科学上限按日、月或年，政策上限按日",
                "day, month or year; policy: day",
            )
        )
    if scope not in scopes:
        faults.append(_fault("scope", "unknown_scope", "没有这个适用范围", "no such scope"))
    if type(payload.get("most")) is not int or not 0 <= payload["most"] < 2**53:
        faults.append(_fault("most", "out_of_range", "应为非负整数", "a whole number, not negative"))
    _refuse(faults)


def enact_rate(session: Session, approval_id: int, payload: Mapping[str, Any]) -> EarningRate:
    """Put an approved rate in force; what held for the same family and class ends the day it begins.

    Raises NotFound where there is no such fund, or it is a campaign's.
    """
    require_fund(session, payload["fund_id"])
    begins = date.fromisoformat(payload["in_force"])
    same = and_(
        EarningRate.family == payload["family"], EarningRate.evidence_class == payload["evidence_class"]
    )
    _end_predecessor(session, EarningRate, same, begins)
    row = EarningRate(
        family=payload["family"],
        evidence_class=payload["evidence_class"],
        points_per_mg=Decimal(str(payload["points_per_mg"])),
        mature_days=payload["mature_days"],
        in_force=begins,
        fund_id=payload["fund_id"],
        approval_id=approval_id,
    )
    session.add(row)
    session.flush()
    return row


def enact_cap(session: Session, approval_id: int, payload: Mapping[str, Any]) -> Cap:
    """Put an approved cap in force; what held for the same scope, unit and period ends the day it begins."""
    begins = date.fromisoformat(payload["in_force"])
    period = payload.get("period", "day")
    same = and_(Cap.scope == payload["scope"], Cap.unit == payload["unit"], Cap.period == period)
    _end_predecessor(session, Cap, same, begins)
    row = Cap(
        kind=payload["kind"],
        scope=payload["scope"],
        unit=payload["unit"],
        period=period,
        most=payload["most"],
        in_force=begins,
        approval_id=approval_id,
    )
    session.add(row)
    session.flush()
    return row


def rates(session: Session) -> list[EarningRate]:
    """Every rate there ever was, in order."""
    order = (EarningRate.family, EarningRate.evidence_class, EarningRate.in_force)
    return list(session.scalars(select(EarningRate).order_by(*order)))


def caps(session: Session) -> list[Cap]:
    """Every cap there ever was, in order."""
    return list(
        session.scalars(select(Cap).order_by(Cap.kind, Cap.scope, Cap.unit, Cap.period, Cap.in_force))
    )


def _end_predecessor(session: Session, table: type[EarningRate] | type[Cap], same: Any, begins: date) -> None:
    """Close the row in force on the day; a row that would begin later than its successor is a conflict."""
    session.execute(
        update(table)
        .where(same, table.in_force < begins, or_(table.until.is_(None), table.until > begins))
        .values(until=begins)
        .execution_options(synchronize_session=False)
    )


def _faults_of_dates(payload: Mapping[str, Any]) -> list[FieldFault]:
    try:
        date.fromisoformat(str(payload.get("in_force")))
    except ValueError:
        return [_fault("in_force", "not_a_date", "应为日期，如 2026-01-31", "a date such as 2026-01-31")]
    return []


def _fault(field: str, code: str, zh: str, en: str) -> FieldFault:
    return FieldFault("/" + field, code, Text(zh, en))


def _refuse(faults: list[FieldFault]) -> None:
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=tuple(faults))
