"""Creation drives: criteria that data and documents answer, a review, and a list that two people put up."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed
from carbon_credits.groups import dossiers, drive_criteria, drives, figures
from carbon_credits.groups.dossiers import Stated
from carbon_credits.groups.service import GroupKind
from tests.factories.groups import a_group
from tests.factories.programme import approved
from tests.factories.staff import a_member

NOW = clock.now()
TODAY = clock.day_of(NOW)
PAPER = drives.Declared(True, "案卷 7 / file 7", sha256(b"paper").digest())


def a_month(session: Session, group_id: int, **figure: int) -> None:
    """What the nightly work would have written of the month that is over."""
    row = {"members": 200, "active": 60, "people": 1_000, "mg": 8_000_000_000, **figure}
    session.execute(
        text("""insert into group_month (group_id, month, members, active, people, verified_mg, claimed_mg, removal_mg,
                                         travel_mg, recycling_mg, computed_on)
                values (:group, :month, :members, :active, :people, :mg, 0, 0, 0, :mg, :today)"""),
        {**row, "group": group_id, "month": figures.last_month(TODAY), "today": TODAY},
    )


def test_the_seven_begin_with_assumptions_that_two_people_replace(session: Session) -> None:
    assert len(drives.drives(session)) == 7
    for drive in drives.drives(session):
        asked = drives.criteria(session, drive.drive, TODAY)
        assert asked
        assert all(row.assumed and row.source for row in asked)
    people = (a_member(session), a_member(session))
    payload: dict[str, Any] = {
        "drive": "mall",
        "code": "floor_area",
        "in_force": TODAY.isoformat(),
        "text_zh": "建筑面积 10 万平方米（含）以上",
        "text_en": "100,000 square metres or more",
        "filled": "declared",
        "figure": None,
        "threshold": None,
        "source": "区商务局文件 / the district's commerce office",
        "assumed": False,
    }
    for wrong in ({"filled": "data"}, {"threshold": 5}, {"in_force": "soon"}, {"more": 1}, {"text_en": " "}):
        with pytest.raises(Invalid):
            drive_criteria.check(payload | wrong)
    drive_criteria.check(payload)
    drive_criteria.enact(session, approved(session, people, drive_criteria.CRITERION, payload), payload)
    confirmed = {row.code: row.assumed for row in drives.criteria(session, "mall", TODAY)}
    assert confirmed == {"floor_area": False, "energy_quota": True}
    before = drives.criteria(session, "mall", TODAY - timedelta(days=1))
    assert all(row.assumed for row in before)
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("update drive_criterion set assumed = false"))


def test_from_an_application_to_the_list(session: Session) -> None:
    one, other, third = (a_member(session) for _ in range(3))
    estate = a_group(session, NOW)
    with pytest.raises(Invalid, match="kind_not_fitting"):
        drives.apply(session, "mall", estate, TODAY.year, one, NOW)
    made = drives.apply(session, "community", estate, TODAY.year, one, NOW)
    with pytest.raises(Conflict, match="applied_already"):
        drives.apply(session, "community", estate, TODAY.year, one, NOW)
    number = made.application_id
    assert [line.answer.met if line.answer else "" for line in drives.checklist(session, made)] == [
        None,
        None,
        "",
    ]
    a_month(session, estate)
    drives.fill(session, made, one, NOW)
    found = {line.criterion.code: line.answer for line in drives.checklist(session, made)}
    assert {code: answer and (answer.value, answer.met) for code, answer in found.items()} == {
        "enrolled": (200, True),
        "recycles": (8_000_000, True),
        "sorting": None,
    }
    with pytest.raises(NotAllowed, match="wrong_person"):
        drives.review(session, number, one, "好", recommend=True)
    with pytest.raises(Conflict, match="not_all_met"):
        drives.review(session, number, other, "好", recommend=True)
    with pytest.raises(Invalid, match="filled_from_data"):
        drives.declare(session, number, "enrolled", PAPER, one)
    drives.declare(session, number, "sorting", PAPER, one)
    with pytest.raises(Conflict, match="nothing_recommended"):
        drives.award_list(session, "community", TODAY.year)
    drives.review(session, number, other, "材料齐全 / complete", recommend=True)
    with pytest.raises(Conflict, match="wrong_state"):
        drives.declare(session, number, "sorting", PAPER, one)
    with pytest.raises(DBAPIError, match="not open"), session.begin_nested():
        session.execute(
            text("""insert into drive_answer (application_id, drive, code, in_force, met, said_by)
                    select application_id, drive, code, in_force, true, said_by from drive_answer limit 1""")
        )
    payload = drives.award_list(session, "community", TODAY.year)
    drives.check_award(payload)
    approval = approved(session, (other, third), drives.AWARD, payload)
    with pytest.raises(Conflict, match="not_recommended"), session.begin_nested():
        drives.enact_award(session, approval, payload | {"applications": [number, number + 1]})
    drives.enact_award(session, approval, payload)
    assert [(drive.drive, year) for drive, year in drives.awards_of(session, estate)] == [
        ("community", TODAY.year)
    ]
    with pytest.raises(Conflict, match="wrong_state"):
        drives.withdraw(session, number)


def test_too_few_people_answer_nothing(session: Session) -> None:
    staff, estate = a_member(session), a_group(session, NOW)
    a_month(session, estate, members=9, active=9, people=9)
    made = drives.apply(session, "community", estate, TODAY.year, staff, NOW)
    assert all(line.answer is None or line.answer.value is None for line in drives.checklist(session, made))


def test_a_dossier_has_sources_and_what_was_measured_beside(session: Session) -> None:
    staff = a_member(session)
    hub, estate = a_group(session, NOW, GroupKind.HUB), a_group(session, NOW)
    a_month(session, hub)
    year = figures.last_month(TODAY).year
    for role, when, value in (
        ("baseline", year - 2, 0),
        ("target", year - 1, 1),
        ("target", year, 9_000_000_000),
    ):
        stated = Stated(role, "verified_mg", "mg", when, value, "可研报告 / feasibility study")  # type: ignore[arg-type]
        dossiers.state(session, hub, stated, staff)
    dossiers.state(
        session, hub, Stated("baseline", "energy_kwh", "kWh", 2024, 310_000, "电表 / meter"), staff
    )
    lines = {line.code: line for line in dossiers.dossier(session, hub, TODAY.year)}
    carbon, energy = lines["verified_mg"], lines["energy_kwh"]
    assert carbon.target is not None
    assert (carbon.target.value, carbon.measured, carbon.measured_year) == (
        9_000_000_000,
        8_000_000_000,
        year,
    )
    assert (energy.measured, energy.target) == (None, None)
    for group, told, why in (
        (estate, Stated("target", "x", "kWh", 2030, 1, "…"), "no_dossier"),
        (hub, Stated("target", "verified_mg", "t", 2030, 1, "…"), "wrong_unit"),
        (hub, Stated("target", "x", "kWh", 2030, 1, " "), "wrong_figure"),
    ):
        with pytest.raises(Invalid, match=why):
            dossiers.state(session, group, told, staff)
