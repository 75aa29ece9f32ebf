"""Staff sessions: they end by time, by hand and with the account, and the token is nowhere to be read."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Invalid, NotAllowed, NotFound
from carbon_credits.staff import administering, service, sessions
from carbon_credits.staff.service import Role
from tests.factories.staff import a_member

AT = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return AT + timedelta(minutes=count)


def begun(session: Session, vault: Vault, staff_id: int) -> str:
    return sessions.begin(session, vault, staff_id, AT, address="198.51.100.7", agent="Firefox " + "x" * 300)


def test_a_token_is_its_holder_until_a_quarter_of_an_hour_without_a_request(
    session: Session, vault: Vault
) -> None:
    number = service.add(session, "街办", [Role.STREET], "tests", ["zumiao"]).staff_id
    token = begun(session, vault, number)
    member = sessions.current(session, vault, token, minutes(14))
    assert member is not None
    assert (member.staff_id, member.name, member.roles) == (number, "街办", frozenset({Role.STREET}))
    assert member.streets == frozenset({"zumiao"})
    assert member.stepped_up_until is None
    again = sessions.current(session, vault, token, minutes(28))
    assert again is not None
    assert again.csrf == member.csrf
    assert sessions.current(session, vault, token, minutes(43)) is None
    assert sessions.current(session, vault, token + "x", minutes(28)) is None
    assert sessions.current(session, vault, "x" * 5_000, minutes(28)) is None


def test_no_request_carries_a_session_past_its_tenth_hour(session: Session, vault: Vault) -> None:
    token = begun(session, vault, a_member(session))
    for minute in range(10, 600, 10):
        assert sessions.current(session, vault, token, minutes(minute)) is not None
    assert sessions.current(session, vault, token, minutes(599.9)) is not None
    assert sessions.current(session, vault, token, minutes(600)) is None


def test_the_second_factor_shown_again_is_good_for_five_minutes(session: Session, vault: Vault) -> None:
    token = begun(session, vault, a_member(session))
    member = sessions.current(session, vault, token, minutes(1))
    assert member is not None
    sessions.step_up(session, member.session_id, minutes(1))
    up = sessions.current(session, vault, token, minutes(5))
    assert up is not None
    assert up.stepped_up_until == minutes(6)
    down = sessions.current(session, vault, token, minutes(6))
    assert down is not None
    assert down.stepped_up_until is None


def test_sessions_are_listed_and_ended_and_stay_ended(session: Session, vault: Vault) -> None:
    number = a_member(session)
    first, second = begun(session, vault, number), begun(session, vault, number)
    listed = sessions.sessions_of(session, number, minutes(1))
    assert [(one.address, len(one.agent)) for one in listed] == [("198.51.100.7", 200)] * 2
    sessions.end(session, listed[0].session_id, "ended", "staff:9", minutes(1))
    assert sessions.current(session, vault, second, minutes(1)) is None
    with pytest.raises(NotFound):
        sessions.end(session, listed[0].session_id, "ended", "staff:9", minutes(1))
    with pytest.raises(NotFound):
        sessions.step_up(session, listed[0].session_id, minutes(1))
    assert sessions.current(session, vault, first, minutes(1)) is not None
    assert sessions.end_all(session, number, "reset", "staff:9", minutes(2)) == 1
    assert sessions.sessions_of(session, number, minutes(2)) == []
    assert sessions.end_all(session, number, "reset", "staff:9", minutes(2)) == 0


def test_a_closed_account_is_signed_in_nowhere(session: Session, vault: Vault) -> None:
    number = a_member(session)
    token = begun(session, vault, number)
    administering.close(session, number, "staff:9", minutes(1))
    assert sessions.current(session, vault, token, minutes(1)) is None
    with pytest.raises(NotAllowed):
        begun(session, vault, number)


def test_who_reads_the_table_has_no_token(session: Session, vault: Vault) -> None:
    token = begun(session, vault, a_member(session))
    row = session.execute(text("select to_jsonb(g)::text from staff_session g")).scalar_one()
    assert token not in row
    assert token.encode().hex() not in row


def test_the_role_of_a_street_needs_one_of_the_four(session: Session) -> None:
    with pytest.raises(Invalid):
        service.add(session, "甲", [Role.STREET], "tests")
    with pytest.raises(Invalid):
        service.add(session, "甲", [Role.STREET], "tests", ["guicheng"])
