"""Codes by text message: asked for, guessed at, used once, and never too often."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import outbox
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Invalid, NotAllowed, TooMany
from carbon_credits.core.signing import Keyring
from carbon_credits.residents import otp, service
from carbon_credits.residents.otp import Closed, SignedIn, SignInLimits, WrongCode
from tests.factories.residents import NOW, a_phone, a_resident
from tests.residents.conftest import texts
from tests.residents.together import together

LIMITS = SignInLimits(per_phone=10, per_address=60)
HERE = "203.0.113.7"


def ask(session: Session, vault: Vault, phone: str) -> tuple[UUID, str]:
    """A challenge and its code."""
    challenge = otp.start_sign_in(session, vault, phone, HERE, LIMITS, NOW)
    code: str = texts(session, vault)[-1]["code"]
    session.commit()
    return challenge.challenge_id, code


def another(code: str) -> str:
    """A wrong code."""
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_first_sign_in_enrols_and_the_second_does_not(
    session: Session, vault: Vault, keyring: Keyring
) -> None:
    phone = a_phone()
    first = otp.finish_sign_in(session, vault, keyring, *ask(session, vault, phone), NOW)
    second = otp.finish_sign_in(session, vault, keyring, *ask(session, vault, phone), NOW)
    assert isinstance(first, SignedIn)
    assert isinstance(second, SignedIn)
    assert (first.enrolled, second.enrolled) == (True, False)
    assert first.resident_id == second.resident_id
    assert first.tokens.refresh_token != second.tokens.refresh_token


def test_a_code_is_good_once(session: Session, vault: Vault, keyring: Keyring) -> None:
    asked = ask(session, vault, a_phone())
    assert isinstance(otp.finish_sign_in(session, vault, keyring, *asked, NOW), SignedIn)
    assert otp.finish_sign_in(session, vault, keyring, *asked, NOW) == Closed()


def test_a_code_is_good_for_five_minutes(session: Session, vault: Vault, keyring: Keyring) -> None:
    asked = ask(session, vault, a_phone())
    late = NOW + otp.CODE_LIFE
    assert otp.finish_sign_in(session, vault, keyring, *asked, late) == Closed()
    in_time = otp.finish_sign_in(session, vault, keyring, *asked, late - timedelta(seconds=1))
    assert isinstance(in_time, SignedIn)


def test_asking_again_ends_the_code_before(session: Session, vault: Vault, keyring: Keyring) -> None:
    phone = a_phone()
    before, after = ask(session, vault, phone), ask(session, vault, phone)
    assert otp.finish_sign_in(session, vault, keyring, *before, NOW) == Closed()
    assert isinstance(otp.finish_sign_in(session, vault, keyring, *after, NOW), SignedIn)


def test_a_code_does_not_open_another_challenge(session: Session, vault: Vault, keyring: Keyring) -> None:
    mine, theirs = ask(session, vault, a_phone()), ask(session, vault, a_phone())
    if mine[1] != theirs[1]:
        assert isinstance(otp.finish_sign_in(session, vault, keyring, mine[0], theirs[1], NOW), WrongCode)
    assert otp.finish_sign_in(session, vault, keyring, uuid4(), mine[1], NOW) == Closed()


def test_five_wrong_guesses_close_a_challenge_to_the_right_one(
    session: Session, vault: Vault, keyring: Keyring
) -> None:
    challenge_id, code = ask(session, vault, a_phone())
    left = [otp.finish_sign_in(session, vault, keyring, challenge_id, another(code), NOW) for _ in range(5)]
    assert left == [WrongCode(n) for n in (4, 3, 2, 1, 0)]
    assert otp.finish_sign_in(session, vault, keyring, challenge_id, code, NOW) == Closed()


def test_of_fifty_guesses_at_once_exactly_five_are_compared(
    session: Session, vault: Vault, keyring: Keyring, database_url: str
) -> None:
    challenge_id, code = ask(session, vault, a_phone())
    wrong = another(code)
    heard = together(
        database_url, 50, lambda s: otp.finish_sign_in(s, vault, keyring, challenge_id, wrong, NOW)
    )
    assert sum(isinstance(answer, WrongCode) for answer in heard) == 5
    assert heard.count(Closed()) == 45


def test_of_twenty_right_codes_at_once_one_signs_in(
    session: Session, vault: Vault, keyring: Keyring, database_url: str
) -> None:
    challenge_id, code = ask(session, vault, a_phone())
    heard = together(
        database_url, 20, lambda s: otp.finish_sign_in(s, vault, keyring, challenge_id, code, NOW)
    )
    assert sum(isinstance(answer, SignedIn) for answer in heard) == 1
    assert heard.count(Closed()) == 19
    assert session.execute(text("select count(*) from auth_session")).scalar_one() == 1


def test_fifty_enrolments_of_one_phone_at_once_make_one_account(
    session: Session, vault: Vault, database_url: str
) -> None:
    phone = a_phone()
    heard = together(database_url, 50, lambda s: service.enrol(s, vault, phone, NOW))
    assert len({answer[0] for answer in heard if isinstance(answer, tuple)}) == 1
    assert sum(answer[1] for answer in heard if isinstance(answer, tuple)) == 1
    assert len([answer for answer in heard if isinstance(answer, tuple)]) == 50
    assert session.execute(text("select count(*) from resident")).scalar_one() == 1


def test_a_phone_gets_so_many_codes_an_hour_even_at_once(
    session: Session, vault: Vault, database_url: str
) -> None:
    phone = a_phone()
    limits = SignInLimits(per_phone=7, per_address=1000)
    heard = together(database_url, 30, lambda s: otp.start_sign_in(s, vault, phone, HERE, limits, NOW))
    refused = [answer for answer in heard if isinstance(answer, TooMany)]
    assert len(heard) - len(refused) == 7
    assert len(refused) == 23
    assert {answer.retry_after_s for answer in refused} == {3601}
    opened = session.execute(text("select state, count(*) from otp_challenge group by 1 order by 1")).all()
    assert [tuple(row) for row in opened] == [("open", 1), ("replaced", 6)]
    next_hour = NOW + timedelta(hours=1)
    otp.start_sign_in(session, vault, phone, HERE, limits, next_hour)


def test_an_address_gets_so_many_codes_an_hour_whatever_the_phone(session: Session, vault: Vault) -> None:
    limits = SignInLimits(per_phone=10, per_address=3)
    for _ in range(3):
        otp.start_sign_in(session, vault, a_phone(), HERE, limits, NOW)
    with pytest.raises(TooMany):
        otp.start_sign_in(session, vault, a_phone(), HERE, limits, NOW)
    otp.start_sign_in(session, vault, a_phone(), "203.0.113.8", limits, NOW)


def test_the_addresses_of_one_ipv6_network_count_as_one(session: Session, vault: Vault) -> None:
    limits = SignInLimits(per_phone=10, per_address=2)
    otp.start_sign_in(session, vault, a_phone(), "2001:db8:1:2::1", limits, NOW)
    otp.start_sign_in(session, vault, a_phone(), "2001:db8:1:2:ffff::9", limits, NOW)
    with pytest.raises(TooMany):
        otp.start_sign_in(session, vault, a_phone(), "2001:db8:1:2::3", limits, NOW)
    otp.start_sign_in(session, vault, a_phone(), "2001:db8:1:3::1", limits, NOW)


def test_a_known_number_and_an_unknown_one_cause_the_same_rows(session: Session, vault: Vault) -> None:
    known = a_phone()
    a_resident(session, vault, known)

    def rows_written(phone: str) -> list[tuple[str, int]]:
        otp.start_sign_in(session, vault, phone, HERE, LIMITS, NOW)
        counted = session.execute(
            text(
                """select 'otp', count(*) from otp_challenge union all select 'out', count(*) from outbox
                   union all select 'one', count(*) from resident order by 1"""
            )
        )
        return [(name, n) for name, n in counted]

    first, second, third = rows_written(known), rows_written(a_phone()), rows_written(known)
    assert first == [("one", 1), ("otp", 1), ("out", 1)]
    assert second == [("one", 1), ("otp", 2), ("out", 2)]
    assert third == [("one", 1), ("otp", 3), ("out", 3)]


def test_a_frozen_account_does_not_sign_in(session: Session, vault: Vault, keyring: Keyring) -> None:
    phone = a_phone()
    resident_id = a_resident(session, vault, phone)
    session.execute(text("update resident set status = 'frozen' where resident_id = :r"), {"r": resident_id})
    asked = ask(session, vault, phone)
    with pytest.raises(NotAllowed):
        otp.finish_sign_in(session, vault, keyring, *asked, NOW)


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "110",
        "+8613800",
        "+85291234567",
        "075782345678",
        "+14155552671",
        "１３８００００００００１",
        "x" * 99,
        "+8613800000001;ext=5",
        "13800000001\x00",
    ],
)
def test_what_is_no_mainland_mobile_number_is_refused_by_its_field(
    session: Session, vault: Vault, phone: str
) -> None:
    with pytest.raises(Invalid) as refused:
        otp.start_sign_in(session, vault, phone, HERE, LIMITS, NOW)
    assert [fault.pointer for fault in refused.value.faults] == ["/phone"]


@pytest.mark.parametrize("phone", ["+8613800000001", "13800000001", "138 0000 0001", "0086 138-0000-0001"])
def test_one_number_has_one_form(session: Session, vault: Vault, phone: str) -> None:
    otp.start_sign_in(session, vault, phone, HERE, LIMITS, NOW)
    assert texts(session, vault)[-1]["to"] == "+8613800000001"


def test_nothing_at_rest_shows_a_phone_or_a_code(session: Session, vault: Vault, keyring: Keyring) -> None:
    phone = a_phone()
    challenge_id, code = ask(session, vault, phone)
    otp.finish_sign_in(session, vault, keyring, challenge_id, code, NOW)
    tables = ("resident", "resident_key", "resident_phone", "otp_challenge", "throttle", "outbox", "consent")
    for table in (*tables, "auth_session", "refresh_token", "audit_entry"):
        for (row,) in session.execute(text(f"select t::text from {table} t")):
            assert phone.removeprefix("+86") not in row
            assert phone.encode().hex() not in row
            assert f'"{code}"' not in row
            assert code.encode().hex() not in row


def test_a_waiting_code_is_texted_and_a_late_one_is_dropped(session: Session, vault: Vault) -> None:
    sent: list[tuple[str, str | None]] = []

    class Phone:
        def send(self, to: str, text: str, code: str | None) -> None:
            assert code is not None
            assert code in text
            sent.append((to, code))

    phone = a_phone()
    _, code = ask(session, vault, phone)
    row = session.execute(text("select outbox_id, topic, payload, sealed from outbox")).one()
    message = outbox.Message(row.outbox_id, row.topic, row.payload, row.sealed, 1)
    otp.text_sender(vault, Phone(), lambda: NOW + otp.CODE_LIFE)(message)
    assert sent == []
    otp.text_sender(vault, Phone(), lambda: NOW)(message)
    assert sent == [(phone, code)]


def test_stale_challenges_counters_and_sessions_are_forgotten(
    session: Session, vault: Vault, keyring: Keyring
) -> None:
    otp.finish_sign_in(session, vault, keyring, *ask(session, vault, a_phone()), NOW)
    counted = text(
        """select (select count(*) from otp_challenge), (select count(*) from throttle),
                  (select count(*) from refresh_token), (select count(*) from auth_session)"""
    )
    service.forget_stale(session, NOW + timedelta(hours=23))
    assert tuple(session.execute(counted).one()) == (1, 2, 1, 1)
    service.forget_stale(session, NOW + timedelta(days=3))
    assert tuple(session.execute(counted).one()) == (0, 0, 1, 1)
    service.forget_stale(session, NOW + timedelta(days=31))
    assert tuple(session.execute(counted).one()) == (0, 0, 0, 0)
