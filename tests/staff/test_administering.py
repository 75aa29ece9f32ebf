"""Administering staff: power is given by two people, neither the one concerned; it is taken by one, at once."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.staff import (
    administering,
    credentials,
    invitations,
    roster,
    second_factor,
    service,
    sessions,
)
from carbon_credits.staff.models import Staff
from carbon_credits.staff.service import Role
from tests.factories.staff import PASSWORD, who_signs_in
from tests.residents.together import together

NOW = clock.now()


def name_of(session: Session, number: int) -> str:
    return session.get_one(Staff, number).name


@pytest.fixture
def two(session: Session, vault: Vault) -> tuple[str, str]:
    names = [who_signs_in(session, vault, NOW, Role.PROGRAMME).name for _ in range(2)]
    session.commit()
    return names[0], names[1]


def decided(session: Session, kind: str, payload: dict[str, object], by: tuple[str, str]) -> int:
    proposed = approving.propose(session, kind, payload, "needed", by[0])
    return approving.decide(session, proposed.approval_id, by[1], approve=True).approval_id


def line(session: Session, name: str) -> roster.Listed:
    return next(one for one in roster.everybody(session, clock.now()) if one.name == name)


def test_the_first_administrator_is_made_by_command_and_no_second(session: Session, vault: Vault) -> None:
    administering.first(session, vault, "陈晓", NOW)
    code = administering.first(session, vault, "陈晓", NOW)
    found = invitations.opened(session, vault, code, NOW)
    assert found.name == "陈晓"
    assert found.otpauth.startswith("otpauth://totp/")
    shown = pyotp.TOTP(found.secret).at(NOW)
    number, codes = invitations.accept(session, vault, code, PASSWORD, shown, NOW)
    assert len(codes) == 10
    assert second_factor.check(session, vault, number, codes[0], NOW)
    for name in ("陈晓", "李明"):
        with pytest.raises(Conflict):
            administering.first(session, vault, name, NOW)


def test_a_name_that_is_somebody_elses_does_not_become_the_first_administrator(
    session: Session, vault: Vault
) -> None:
    service.add(session, "李明", [Role.SUPPORT], "tests")
    with pytest.raises(Conflict):
        administering.first(session, vault, "李明", NOW)


def test_an_invitation_is_good_once_for_three_days_and_replaced_by_the_next(
    session: Session, vault: Vault, database_url: str
) -> None:
    number = service.add(session, "李明", [Role.SUPPORT], "tests").staff_id
    old = invitations.issue(session, vault, number, "operator", NOW)
    code = invitations.issue(session, vault, number, "operator", NOW)
    for given, at in ((old, NOW), (code, NOW + invitations.LIFE), ("x" * 43, NOW), ("x" * 9_000, NOW)):
        with pytest.raises(NotFound):
            invitations.opened(session, vault, given, at)
    found = invitations.opened(session, vault, code, NOW)
    shown = pyotp.TOTP(found.secret).at(NOW)
    with pytest.raises(Invalid):
        invitations.accept(session, vault, code, "李明李明李明李明李明", shown, NOW)
    with pytest.raises(Invalid):
        invitations.accept(session, vault, code, PASSWORD, "000000" if shown != "000000" else "000001", NOW)
    session.commit()

    def accept(own: Session) -> bool:
        try:
            invitations.accept(own, vault, code, PASSWORD, shown, NOW)
        except NotFound:
            return False
        return True

    assert together(database_url, 3, accept).count(True) == 1
    assert (
        code
        not in session.execute(text("select string_agg(i::text, '') from staff_invitation i")).scalar_one()
    )


def test_two_take_somebody_in_and_one_hands_over_the_link_once(
    session: Session, vault: Vault, two: tuple[str, str]
) -> None:
    payload: dict[str, object] = {"name": "街办小何", "roles": ["street"], "streets": ["zumiao"]}
    approval = decided(session, administering.ADMIT, payload, two)
    listed = line(session, "街办小何")
    assert (listed.to_invite, listed.streets, listed.has_credential) == (approval, ("zumiao",), False)
    by = service.by_name(session, two[0]).staff_id
    administering.invite(session, vault, approval, by, clock.now())
    assert line(session, "街办小何").to_invite is None
    assert line(session, "街办小何").invited_until is not None
    with pytest.raises(Conflict):
        administering.invite(session, vault, approval, by, clock.now())


def test_no_link_comes_of_what_was_not_approved_or_is_old_or_is_ones_own(
    session: Session, vault: Vault, two: tuple[str, str]
) -> None:
    third = who_signs_in(session, vault, NOW, Role.PROGRAMME)
    payload: dict[str, object] = {"staff_id": third.staff_id}
    proposed = approving.propose(session, administering.RESET, payload, "lost phone", two[0])
    by = service.by_name(session, two[1]).staff_id
    with pytest.raises(NotFound):
        administering.invite(session, vault, proposed.approval_id, by, clock.now())
    approving.decide(session, proposed.approval_id, two[1], approve=True)
    with pytest.raises(NotAllowed):
        administering.invite(session, vault, proposed.approval_id, third.staff_id, clock.now())
    with pytest.raises(Conflict):
        administering.invite(session, vault, proposed.approval_id, by, clock.now() + timedelta(days=8))
    assert administering.invite(session, vault, proposed.approval_id, by, clock.now())


def test_a_reset_ends_what_signed_in_before(session: Session, vault: Vault, two: tuple[str, str]) -> None:
    third = who_signs_in(session, vault, NOW, Role.SUPPORT)
    token = sessions.begin(session, vault, third.staff_id, NOW, address="?", agent="")
    decided(session, administering.RESET, {"staff_id": third.staff_id}, two)
    assert sessions.current(session, vault, token, NOW) is None
    assert not second_factor.check(session, vault, third.staff_id, third.recovery[0], NOW)
    with pytest.raises(NotFound):
        credentials.propose_authenticator(session, vault, third.staff_id)


@pytest.mark.parametrize("kind", [administering.CHANGE, administering.RESET])
def test_nobody_decides_about_himself(session: Session, two: tuple[str, str], kind: str) -> None:
    number = service.by_name(session, two[1]).staff_id
    payload: dict[str, object] = {
        "staff_id": number,
        "roles": ["programme", "finance"],
        "streets": None,
        "before": {"roles": ["programme"], "streets": None},
    }
    with pytest.raises(NotAllowed):
        decided(session, kind, payload, two)
    session.rollback()
    with pytest.raises(NotAllowed):
        decided(session, kind, payload, (two[1], two[1]))


def test_other_roles_come_with_two_and_end_the_sessions(
    session: Session, vault: Vault, two: tuple[str, str]
) -> None:
    third = who_signs_in(session, vault, NOW, Role.SUPPORT)
    token = sessions.begin(session, vault, third.staff_id, NOW, address="?", agent="")
    before = {"roles": ["support"], "streets": None}
    payload: dict[str, object] = {
        "staff_id": third.staff_id,
        "roles": ["street", "support"],
        "streets": ["shiwan", "zumiao"],
        "before": before,
    }
    decided(session, administering.CHANGE, payload, two)
    assert line(session, third.name).streets == ("shiwan", "zumiao")
    assert sessions.current(session, vault, token, NOW) is None
    # the same again was made on what is no longer so
    with pytest.raises(Conflict):
        decided(session, administering.CHANGE, payload, two)


def test_two_administrators_who_close_one_another_leave_one(
    session: Session, vault: Vault, two: tuple[str, str], database_url: str
) -> None:
    numbers = [service.by_name(session, name).staff_id for name in two]
    session.commit()
    turns = iter((0, 1))

    def close(own: Session) -> bool:
        own_turn = next(turns)
        try:
            administering.close(own, numbers[own_turn], f"staff:{numbers[1 - own_turn]}", clock.now())
        except Conflict:
            return False
        return True

    assert together(database_url, 2, close).count(True) == 1
    (left,) = [one for one in roster.everybody(session, clock.now()) if one.status == "active"]
    with pytest.raises(Conflict):
        administering.close(session, left.staff_id, "operator", clock.now())
    with pytest.raises(NotAllowed):
        administering.close(session, left.staff_id, f"staff:{left.staff_id}", clock.now())
    payload = {"staff_id": left.staff_id, "roles": ["audit"], "streets": None, "before": {}}
    with pytest.raises(Invalid):
        administering.check_change(payload)


@pytest.mark.parametrize(
    "payload",
    [
        {"name": "", "roles": ["audit"], "streets": None},
        {"name": "何", "roles": [], "streets": None},
        {"name": "何", "roles": ["king"], "streets": None},
        {"name": "何", "roles": ["street"], "streets": None},
        {"name": "何", "roles": ["audit"], "streets": ["guicheng"]},
        {"name": "何", "roles": ["audit"], "streets": "zumiao"},
    ],
)
def test_a_wrong_admission_is_refused_before_anybody_is_asked(payload: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        administering.check_admit(payload)
