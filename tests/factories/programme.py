"""Policy in force: staff, a filled fund, rates and caps, each approved by a second person."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from carbon_credits.core import approvals
from carbon_credits.ledger import funds
from carbon_credits.programme import service as programme
from carbon_credits.staff.service import Role, add

SINCE = "2025-01-01"


def two_staff(session: Session) -> tuple[int, int]:
    """One who proposes and one who decides."""
    roles = [Role.PROGRAMME, Role.FINANCE]
    return tuple(add(session, name, roles, by="tests").staff_id for name in ("陈提", "李批"))  # type: ignore[return-value]


def approved(session: Session, people: tuple[int, int], kind: str, payload: Mapping[str, Any]) -> int:
    """The number of an approval of this payload."""
    proposed = approvals.propose(session, kind, payload, "for a test", people[0])
    approvals.decide(session, proposed.approval_id, people[1], approve=True)
    return proposed.approval_id


def a_fund(session: Session, people: tuple[int, int], points: int, code: str = "base") -> int:
    """A fund with a budget."""
    fund_id = funds.create_fund(session, code, "基础资金池", "Base fund")
    if points:
        payload = {"fund_id": fund_id, "points": points, "amount_fen": points}
        funds.deposit(session, fund_id, points, points, approved(session, people, "fund.deposit", payload))
    return fund_id


def a_rate(
    session: Session,
    people: tuple[int, int],
    fund_id: int,
    evidence_class: str,
    points_per_mg: str = "0.001",
    mature_days: int = 0,
    family: str = "*",
) -> None:
    """A rate in force since the beginning of the tests' time."""
    payload = {
        "family": family,
        "evidence_class": evidence_class,
        "points_per_mg": points_per_mg,
        "mature_days": mature_days,
        "in_force": SINCE,
        "fund_id": fund_id,
    }
    programme.enact_rate(session, approved(session, people, programme.RATE, payload), payload)


def a_cap(
    session: Session, people: tuple[int, int], scope: str, unit: str, most: int, period: str = "day"
) -> None:
    """A cap in force since the beginning of the tests' time."""
    kind = "policy" if unit == "points" else "science"
    payload = {
        "kind": kind,
        "scope": scope,
        "unit": unit,
        "period": period,
        "most": most,
        "in_force": SINCE,
    }
    programme.enact_cap(session, approved(session, people, programme.CAP, payload), payload)
