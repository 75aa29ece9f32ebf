"""Rates and caps: what is wrong is said before anybody approves, what is approved holds from its day on."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed
from carbon_credits.programme import service as programme
from carbon_credits.programme.rate_card import RateCard
from carbon_credits.staff.service import Role, add
from tests.factories.programme import a_fund, approved, two_staff

RATE = {
    "family": "*",
    "evidence_class": "A",
    "points_per_mg": "0.001",
    "mature_days": 0,
    "in_force": "2026-01-01",
    "fund_id": 1,
}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"family": "teleporting"}, "/family"),
        ({"evidence_class": "E"}, "/evidence_class"),
        ({"points_per_mg": "1.5"}, "/points_per_mg"),
        ({"points_per_mg": "NaN"}, "/points_per_mg"),
        ({"points_per_mg": "0.0000000000001"}, "/points_per_mg"),
        ({"mature_days": 61}, "/mature_days"),
        ({"mature_days": True}, "/mature_days"),
        ({"in_force": "2026-02-30"}, "/in_force"),
        ({"fund_id": None}, "/fund_id"),
    ],
)
def test_a_wrong_rate_is_refused_with_its_field(change: dict[str, object], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        programme.check_rate({**RATE, **change}, approving.FAMILIES)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"unit": "points"}, "/unit"),
        ({"scope": "travel"}, "/scope"),
        ({"most": -1}, "/most"),
        ({"most": 1.5}, "/most"),
    ],
)
def test_a_wrong_cap_is_refused_with_its_field(change: dict[str, object], pointer: str) -> None:
    cap = {
        "kind": "science",
        "scope": "travel.cycling",
        "unit": "quantity",
        "most": 1,
        "in_force": "2026-01-01",
    }
    with pytest.raises(Invalid) as refused:
        programme.check_cap({**cap, **change}, approving.FAMILIES, approving.CODES)
    assert pointer in [fault.pointer for fault in refused.value.faults]


def test_a_new_rate_ends_the_old_one_on_the_day_it_begins(session: Session) -> None:
    people = two_staff(session)
    fund = a_fund(session, people, 0)
    for begins, rate in (("2026-01-01", "0.001"), ("2026-06-01", "0.002")):
        payload = {**RATE, "fund_id": fund, "in_force": begins, "points_per_mg": rate}
        programme.enact_rate(session, approved(session, people, programme.RATE, payload), payload)
    found = [
        RateCard().rate_for(session, "travel", "A", day)
        for day in (date(2025, 12, 31), date(2026, 5, 31), date(2026, 6, 1))
    ]
    assert [rate.points_per_mg if rate else None for rate in found] == [
        None,
        Decimal("0.001"),
        Decimal("0.002"),
    ]


def test_a_familys_own_rate_goes_before_the_general_one(session: Session) -> None:
    people = two_staff(session)
    fund = a_fund(session, people, 0)
    for family, rate in (("*", "0.001"), ("purchases", "0.0005")):
        payload = {**RATE, "fund_id": fund, "family": family, "points_per_mg": rate}
        programme.enact_rate(session, approved(session, people, programme.RATE, payload), payload)
    own = RateCard().rate_for(session, "purchases", "A", date(2026, 3, 1))
    assert own is not None
    assert own.points_per_mg == Decimal("0.0005")


def test_two_rates_can_never_hold_on_the_same_day(session: Session) -> None:
    people = two_staff(session)
    fund = a_fund(session, people, 0)
    for begins in ("2026-06-01", "2026-01-01"):
        payload = {**RATE, "fund_id": fund, "in_force": begins}
        number = approved(session, people, programme.RATE, payload)
        if begins == "2026-06-01":
            programme.enact_rate(session, number, payload)
        else:
            with pytest.raises(IntegrityError, match="earning_rate"):
                programme.enact_rate(session, number, payload)
    session.rollback()


def test_points_last_through_the_month_a_year_on() -> None:
    days = (date(2026, 11, 22), date(2026, 1, 31), date(2027, 2, 1), date(2026, 12, 1))
    assert [programme.lot_day(day) for day in days] == [
        date(2027, 11, 30),
        date(2027, 1, 31),
        date(2028, 2, 29),
        date(2027, 12, 31),
    ]


def test_a_proposal_needs_the_role_and_another_person_and_is_in_force_once(session: Session) -> None:
    for name, roles in (("甲", [Role.PROGRAMME]), ("乙", [Role.PROGRAMME]), ("丙", [Role.SUPPORT])):
        add(session, name, roles, by="tests")
    fund = a_fund(session, two_staff(session), 0)
    payload = {**RATE, "fund_id": fund}
    with pytest.raises(NotAllowed):
        approving.propose(session, programme.RATE, payload, "because", "丙")
    proposed = approving.propose(session, programme.RATE, payload, "because", "甲")
    session.commit()
    for name in ("甲", "丙"):
        with pytest.raises(NotAllowed):
            approving.decide(session, proposed.approval_id, name, approve=True)
        session.rollback()
    approving.decide(session, proposed.approval_id, "乙", approve=True)
    session.commit()
    with pytest.raises(Conflict):
        approving.decide(session, proposed.approval_id, "乙", approve=True)
    session.rollback()
    assert session.execute(text("select count(*) from earning_rate")).scalar_one() == 1
