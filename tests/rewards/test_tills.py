"""Tills and who stands at them: pairing codes, PINs under guessing, shifts."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.rewards import clients, members, tills
from carbon_credits.rewards.clients import OF_A_TILL
from carbon_credits.rewards.members import Locked, MemberRole, Right, Wrong
from tests.factories.rewards import a_member_of, a_merchant, a_system, a_till
from tests.residents.together import together

PIN = "480213"


@pytest.fixture
def merchant(session: Session, vault: Vault) -> int:
    """A merchant with somebody who works there, number 7."""
    made = a_merchant(session, vault)
    a_member_of(session, vault, made, 7, PIN)
    session.commit()
    return made


def test_a_code_brings_in_one_till_once(
    session: Session, vault: Vault, merchant: int, database_url: str
) -> None:
    shown = tills.begin_pairing(session, vault, merchant, "收银台 1", "test", clock.now())
    session.commit()
    assert shown.code not in session.execute(text("select p::text from till_pairing p")).scalar_one()
    typed = f"{shown.code[:5].lower()}-{shown.code[5:]} "
    heard = together(database_url, 8, lambda own: tills.pair(own, vault, typed, clock.now())[0])
    assert sum(isinstance(answer, NotFound) for answer in heard) == 7
    (till,) = clients.clients_of(session, merchant)
    assert (till.kind, till.label, set(till.scopes)) == ("till", "收银台 1", set(OF_A_TILL))


def test_a_code_that_is_old_or_wrong_brings_in_nothing(session: Session, vault: Vault, merchant: int) -> None:
    now = clock.now()
    shown = tills.begin_pairing(session, vault, merchant, "收银台 1", "test", now)
    heard = []
    for code, at in (("A" * 10, now), (shown.code, now + tills.CODE_LIFE)):
        with pytest.raises(NotFound) as refused:
            tills.pair(session, vault, code, at)
        heard.append((refused.value.code, refused.value.detail))
    assert len(set(heard)) == 1


def test_a_pin_is_kept_as_a_keyed_digest_and_opens_a_shift(
    session: Session, vault: Vault, merchant: int
) -> None:
    row = session.execute(text("select m::text from merchant_member m")).scalar_one()
    assert PIN not in row
    assert "陈小姐" not in row
    (member,) = members.members_of(session, vault, merchant)
    assert (member.number, member.name, member.role) == (7, "陈小姐", MemberRole.CASHIER)
    till, now = a_till(session, vault, merchant).client_id, clock.now()
    first = members.check_pin(session, vault, merchant, 7, PIN, now)
    assert isinstance(first, Right)
    begun = tills.begin_shift(session, till, first, now)
    # the same person goes on, another relieves
    assert tills.begin_shift(session, till, first, now + timedelta(hours=1)) == begun
    a_member_of(session, vault, merchant, 8, "731904", MemberRole.MANAGER)
    second = members.check_pin(session, vault, merchant, 8, "731904", now)
    assert isinstance(second, Right)
    tills.begin_shift(session, till, second, now + timedelta(hours=2))
    (row,) = tills.tills_of(session, merchant)
    assert (row.client_id, row.number) == (till, 8)
    members.end(session, merchant, 8, now + timedelta(hours=3))
    assert tills.on_duty(session, till) is None
    assert isinstance(members.check_pin(session, vault, merchant, 8, "731904", now), Wrong)
    ended = session.execute(text("select count(*) from till_shift where ended_at is not null")).scalar_one()
    assert ended == 2


def test_a_shift_needs_a_till(session: Session, vault: Vault, merchant: int) -> None:
    who = members.check_pin(session, vault, merchant, 7, PIN, clock.now())
    assert isinstance(who, Right)
    with pytest.raises(NotFound):
        tills.begin_shift(session, a_system(session, vault, merchant).client_id, who, clock.now())


def test_of_forty_guesses_at_once_five_are_compared(
    session: Session, vault: Vault, merchant: int, database_url: str
) -> None:
    now = clock.now()
    heard = together(database_url, 40, lambda own: members.check_pin(own, vault, merchant, 7, "111112", now))
    assert sum(isinstance(answer, Wrong) for answer in heard) == 4
    assert sum(isinstance(answer, Locked) for answer in heard) == 36
    # the right PIN is not compared either while it is closed
    assert isinstance(members.check_pin(session, vault, merchant, 7, PIN, now), Locked)
    later = now + members.LOCKED_FOR
    assert members.check_pin(session, vault, merchant, 7, "111112", later) == Wrong(4)
    assert isinstance(members.check_pin(session, vault, merchant, 7, PIN, later), Right)
    assert members.check_pin(session, vault, merchant, 7, "111112", later) == Wrong(4)


def test_another_pin_opens_a_number_that_was_closed(session: Session, vault: Vault, merchant: int) -> None:
    now = clock.now()
    for left in (4, 3, 2, 1):
        assert members.check_pin(session, vault, merchant, 7, "111112", now) == Wrong(left)
    assert isinstance(members.check_pin(session, vault, merchant, 7, "111112", now), Locked)
    members.change_pin(session, vault, merchant, 7, "640128")
    assert isinstance(members.check_pin(session, vault, merchant, 7, "640128", now), Right)


def test_nobodys_number_hears_what_a_wrong_pin_hears(session: Session, vault: Vault, merchant: int) -> None:
    now = clock.now()
    assert members.check_pin(session, vault, merchant, 99, PIN, now) == Wrong(4)
    assert members.check_pin(session, vault, merchant, 7, "111112", now) == Wrong(4)
    # a number of another merchant's is nobody's here
    other = a_merchant(session, vault)
    assert members.check_pin(session, vault, other, 7, PIN, now) == Wrong(4)


@pytest.mark.parametrize("pin", ["000000", "123456", "987654", "567890", "12345", "１２３４５６", "abcdef"])
def test_a_pin_that_is_guessed_first_is_refused(
    session: Session, vault: Vault, merchant: int, pin: str
) -> None:
    with pytest.raises(Invalid) as refused:
        members.add(session, vault, merchant, 9, "某人", MemberRole.CASHIER, pin)
    assert refused.value.faults[0].pointer == "/pin"


def test_a_number_is_never_another_persons(session: Session, vault: Vault, merchant: int) -> None:
    members.end(session, merchant, 7, clock.now())
    with pytest.raises(Conflict, match="number_taken"):
        a_member_of(session, vault, merchant, 7, PIN)
    with pytest.raises(NotFound):
        members.end(session, merchant, 7, clock.now())
