"""The demonstration's money and rules: proposed by one member of staff, approved by the other, like real ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.ledger import funds
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme import service as programme
from carbon_credits.staff.models import Staff
from carbon_credits.staff.service import Role, add

SINCE: Final = date(2025, 1, 1).isoformat()
PROPOSER: Final = "demo-programme"
APPROVER: Final = "demo-finance"
ROLES: Final = (Role.PROGRAMME, Role.FINANCE)
REASON: Final = "演示区初始设置 / the demonstration's first rules"
FUND: Final = "base"
BUDGET_POINTS: Final = 10_000_000_000
# a hundred points are one fen in the demonstration
BUDGET_FEN: Final = BUDGET_POINTS // 100

# (family, class, points per mg, days until they can be spent)
RATES: Final = (
    ("*", "A", "0.001", 0),
    ("*", "B", "0.001", 0),
    ("*", "C", "0.0005", 7),
    ("*", "D", "0.0002", 7),
    ("purchases", "A", "0.001", 15),
    ("purchases", "B", "0.001", 15),
    ("purchases", "C", "0.0005", 15),
    ("purchases", "D", "0.0002", 15),
)
# (kind, scope, unit, period, the most in it); a methodology that is not in the catalogue yet has no cap yet
CAPS: Final = (
    ("science", "travel.walking", "quantity", "day", 4_000),
    ("science", "travel.cycling", "quantity", "day", 20_000),
    ("science", "travel.shared_bicycle", "quantity", "day", 20_000),
    ("science", "travel.e_bike", "quantity", "day", 20_000),
    ("science", "travel.bus", "count", "day", 4),
    ("science", "travel.metro", "quantity", "day", 60_000),
    ("science", "travel.metro", "count", "day", 8),
    ("science", "purchases.no_cutlery", "quantity", "day", 3),
    ("science", "purchases.own_bag", "quantity", "day", 3),
    ("science", "purchases.own_cup", "quantity", "day", 3),
    ("science", "purchases.clean_plate", "quantity", "day", 2),
    ("science", "purchases.e_invoice", "quantity", "day", 5),
    ("science", "recycling.paper", "quantity", "day", 30_000),
    ("science", "recycling.paper", "quantity", "month", 100_000),
    ("science", "recycling.steel", "quantity", "month", 20_000),
    ("science", "recycling.copper", "quantity", "month", 20_000),
    ("science", "recycling.aluminium", "quantity", "month", 5_000),
    ("science", "recycling.plastics", "quantity", "month", 30_000),
    ("science", "recycling.glass", "quantity", "month", 20_000),
    ("science", "recycling.textiles", "quantity", "month", 20_000),
    ("science", "travel.electric_car", "quantity", "month", 1_500_000),
    ("policy", "*", "points", "day", 3_000),
    ("policy", "travel", "points", "day", 2_000),
)


@dataclass(frozen=True)
class Member:
    """One of the demonstration's staff."""

    name: str
    roles: tuple[str, ...]


def ensure(session: Session) -> list[Member]:
    """See that staff, fund, rates and caps are there; what is there stays as it is. Returns the staff."""
    for name in (PROPOSER, APPROVER):
        if session.scalar(select(Staff.staff_id).where(Staff.name == name)) is None:
            add(session, name, ROLES, by="demo")
    _ensure_fund(session)
    fund_id = session.execute(
        text("select fund_id from fund where code = :code"), {"code": FUND}
    ).scalar_one()
    for kind, payload in _missing(session, fund_id):
        _enact(session, kind, payload)
    return [Member(name, tuple(role.value for role in ROLES)) for name in (PROPOSER, APPROVER)]


def _ensure_fund(session: Session) -> None:
    found = session.execute(text("select fund_id from fund where code = :code"), {"code": FUND}).scalar()
    if found is None:
        number = funds.create_fund(session, FUND, "基础积分池", "Base fund")
        deposit = {"fund_id": number, "points": BUDGET_POINTS, "amount_fen": BUDGET_FEN}
        _enact(session, approving.DEPOSIT, deposit)


def _missing(session: Session, fund_id: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rates = {(rate.family, rate.evidence_class) for rate in programme.rates(session)}
    caps = {(cap.scope, cap.unit, cap.period) for cap in programme.caps(session)}
    for family, letter, points_per_mg, days in RATES:
        if (family, letter) not in rates:
            yield (
                programme.RATE,
                {
                    "family": family,
                    "evidence_class": letter,
                    "points_per_mg": points_per_mg,
                    "mature_days": days,
                    "fund_id": fund_id,
                    "in_force": SINCE,
                },
            )
    for kind, scope, unit, period, most in CAPS:
        is_known = kind == "policy" or scope in BY_CODE
        if is_known and (scope, unit, period) not in caps:
            yield (
                programme.CAP,
                {
                    "kind": kind,
                    "scope": scope,
                    "unit": unit,
                    "period": period,
                    "most": most,
                    "in_force": SINCE,
                },
            )


def _enact(session: Session, kind: str, payload: Mapping[str, Any]) -> None:
    proposed = approving.propose(session, kind, payload, REASON, PROPOSER)
    approving.decide(session, proposed.approval_id, APPROVER, approve=True)
