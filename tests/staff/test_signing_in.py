"""Signing in: two factors, one answer to whatever is wrong, guesses counted exactly, a code good once."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Invalid, NotFound, TooMany
from carbon_credits.staff import credentials, guessing, second_factor, sessions, signing_in
from carbon_credits.staff.service import Role
from carbon_credits.staff.signing_in import Place
from tests.factories.staff import PASSWORD, SignsIn, who_signs_in
from tests.residents.together import together

AT = datetime(2026, 6, 1, 1, 0, 10, tzinfo=UTC)
HOME = "198.51.100.7"


def later(**time: float) -> datetime:
    return AT + timedelta(**time)


@pytest.fixture
def chen(session: Session, vault: Vault) -> SignsIn:
    made = who_signs_in(session, vault, AT, Role.SUPPORT)
    session.commit()
    return made


def ticket(
    session: Session,
    vault: Vault,
    name: str,
    password: str,
    now: datetime = AT,
    address: str = HOME,
    browser: str = "",
) -> str | None:
    place = Place(address, "tests", browser)
    account = signing_in.count(session, vault, name, place, now)
    compared = signing_in.compare(account, password)
    return None if compared is None else signing_in.half_way(session, vault, compared, place, now)


def half(session: Session, vault: Vault, chen: SignsIn, now: datetime = AT) -> signing_in.HalfWay:
    given = ticket(session, vault, chen.name, PASSWORD, now)
    assert given is not None
    found = signing_in.read_ticket(session, vault, given, now)
    assert found is not None
    return found


def half_again(session: Session, vault: Vault, chen: SignsIn, now: datetime) -> signing_in.HalfWay:
    given = ticket(session, vault, chen.name, "another horse battery", now)
    assert given is not None
    found = signing_in.read_ticket(session, vault, given, now)
    assert found is not None
    return found


def finish(
    session: Session,
    vault: Vault,
    who: signing_in.HalfWay,
    code: str,
    now: datetime = AT,
    password: str | None = None,
) -> str | None:
    signed = signing_in.finish(session, vault, who, code, now, Place(HOME, "tests"), password)
    return None if signed is None else signed.session


def test_name_password_and_code_begin_a_session(session: Session, vault: Vault, chen: SignsIn) -> None:
    token = finish(session, vault, half(session, vault, chen), chen.code(AT))
    assert token is not None
    member = sessions.current(session, vault, token, AT)
    assert member is not None
    assert (member.staff_id, member.stepped_up_until) == (chen.staff_id, None)
    assert ticket(session, vault, chen.name, PASSWORD + "!") is None
    assert ticket(session, vault, "nobody", PASSWORD) is None
    assert ticket(session, vault, f"  {chen.name} ", PASSWORD) is not None


def test_a_ticket_is_good_for_five_minutes_and_for_one_password(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    given = ticket(session, vault, chen.name, PASSWORD)
    assert given is not None
    assert signing_in.read_ticket(session, vault, given, later(minutes=4.9)) is not None
    assert signing_in.read_ticket(session, vault, given, later(minutes=5)) is None
    spoilt = given[:-2] + f"{int(given[-2:], 16) ^ 1:02x}"
    assert signing_in.read_ticket(session, vault, spoilt, AT) is None
    assert signing_in.read_ticket(session, vault, "no hex", AT) is None
    credentials.replace_password(
        session, chen.staff_id, chen.name, "another horse battery", "test", later(minutes=1)
    )
    assert signing_in.read_ticket(session, vault, given, later(minutes=1)) is None


def test_of_twenty_wrong_guesses_at_once_ten_are_compared_and_the_lock_ends(
    session: Session, vault: Vault, chen: SignsIn, database_url: str
) -> None:
    heard = together(
        database_url,
        20,
        lambda own: signing_in.count(own, vault, chen.name, Place("unknown", "tests"), AT) is not None,
    )
    assert heard.count(True) == 10
    assert ticket(session, vault, chen.name, PASSWORD, later(minutes=14.9)) is None
    assert ticket(session, vault, chen.name, PASSWORD, later(minutes=15)) is not None
    # the guess that was right counts no more, and the lock is gone
    counted = session.execute(text("select wrong, locked_until from staff_credential")).one()
    assert tuple(counted) == (0, None)
    locked = "select count(*) from audit_entry where action = 'staff.locked'"
    assert session.execute(text(locked)).scalar_one() == 1


def test_a_known_browser_is_closed_by_its_own_guesses_alone(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    def signed(minutes: float, browser: str, address: str) -> signing_in.SignedIn | None:
        now = later(minutes=minutes)
        given = ticket(session, vault, chen.name, PASSWORD, now, address, browser)
        who = None if given is None else signing_in.read_ticket(session, vault, given, now)
        if who is None:
            return None
        return signing_in.finish(session, vault, who, chen.code(now), now, Place(address, "tests", browser))

    def wrong(minutes: float, browser: str, address: str) -> None:
        for _ in range(10):
            assert ticket(session, vault, chen.name, "x", later(minutes=minutes), address, browser) is None

    first = signed(0, "", HOME)
    assert first is not None
    other = who_signs_in(session, vault, AT, Role.SUPPORT)
    wrong(1, "", "203.0.113.1")
    # closed for whoever is not known: strangers, somebody else's browser, one that was made up
    assert signed(1, "", "203.0.113.2") is None
    strange = signing_in.begin(session, vault, other.staff_id, AT, Place(HOME, "tests"))
    assert signed(1, strange.browser, HOME) is None
    assert signed(1, "x" * 43, HOME) is None
    assert signed(1, "x" * 10_000, HOME) is None
    # the known one stays known, and strangers' guesses stay counted
    again = signed(2, first.browser, HOME)
    assert again is not None
    assert again.browser == first.browser
    assert signed(2.5, "", HOME) is None
    # its own guesses close it, then the account's count is its too
    wrong(3, first.browser, HOME)
    assert signed(3.5, first.browser, HOME) is None
    assert signed(16.5, first.browser, HOME) is not None
    locked = "select after from audit_entry where action = 'staff.locked' order by audit_id"
    assert [row.after["known_browser"] for row in session.execute(text(locked))] == [False, True]


def test_a_browser_is_unknown_after_ninety_days_and_another_password(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    def known(browser: str, now: datetime) -> bool:
        account = signing_in.count(session, vault, chen.name, Place(HOME, "tests", browser), now)
        assert account is not None
        guessing.was_right(session, account, HOME)
        return account.browser is not None

    made = signing_in.begin(session, vault, chen.staff_id, AT, Place(HOME, "tests"))
    assert known(made.browser, later(days=89))
    assert not known(made.browser, later(days=90))
    credentials.replace_password(
        session, chen.staff_id, chen.name, "another horse battery", "t", later(days=1)
    )
    assert not known(made.browser, later(days=1))
    now = later(days=91)
    finish(session, vault, half_again(session, vault, chen, now), chen.code(now), now)
    kept = session.execute(text("select known_at from staff_browser")).scalars().all()
    assert kept == [now]


def test_an_address_is_closed_after_thirty_of_an_hour_whoever_was_guessed_at(
    session: Session, vault: Vault, chen: SignsIn, database_url: str
) -> None:
    for each in range(10):
        assert guessing.count(session, f"nobody {each}", "2001:db8:1:2::" + str(each), AT) is None
    session.commit()

    def guess(own: Session) -> bool:
        try:
            guessing.count(own, "nobody", "2001:db8:1:2:3::1", AT)
        except TooMany:
            return False
        return True

    assert together(database_url, 30, guess).count(True) == 20
    with pytest.raises(TooMany) as refused:
        ticket(session, vault, chen.name, PASSWORD, later(minutes=14), "2001:db8:1:2::7")
    assert refused.value.retry_after_s == 61
    assert ticket(session, vault, chen.name, PASSWORD, AT, "2001:db8:1:3::7") is not None
    assert ticket(session, vault, chen.name, PASSWORD, later(minutes=15), "2001:db8:1:2::7") is not None


def test_guesses_of_long_ago_do_not_close_an_address(session: Session) -> None:
    for hour in range(4):
        for _ in range(29):
            guessing.count(session, "nobody", HOME, later(hours=hour * 1.1))


def test_a_code_used_twice_at_once_is_right_once(
    session: Session, vault: Vault, chen: SignsIn, database_url: str
) -> None:
    code = chen.code(AT)
    heard = together(database_url, 8, lambda own: second_factor.check(own, vault, chen.staff_id, code, AT))
    assert heard.count(True) == 1
    # and an older one is worth nothing after a newer one
    assert not second_factor.check(session, vault, chen.staff_id, chen.code(later(seconds=-30)), AT)
    assert second_factor.check(session, vault, chen.staff_id, chen.code(later(seconds=30)), AT)


def test_codes_of_the_half_minutes_beside_are_taken_and_no_others(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    code = chen.code(later(minutes=5))
    for seconds, good in ((-60, False), (60, False), (-30, True)):
        now = later(minutes=5, seconds=seconds)
        assert second_factor.check(session, vault, chen.staff_id, code, now) is good


def test_ten_wrong_codes_in_a_row_close_the_second_factor_for_good(
    session: Session, vault: Vault, chen: SignsIn, database_url: str
) -> None:
    together(database_url, 20, lambda own: second_factor.check(own, vault, chen.staff_id, "000000", AT))
    assert session.execute(text("select wrong_codes from staff_credential")).scalar_one() == 10
    assert finish(session, vault, half(session, vault, chen, later(days=9)), chen.code(later(days=9))) is None
    refused = "select count(*) from audit_entry where action = 'staff.codes_refused'"
    assert session.execute(text(refused)).scalar_one() == 1


def test_a_right_code_forgets_the_wrong_ones(session: Session, vault: Vault, chen: SignsIn) -> None:
    for minute in range(3):
        for _ in range(9):
            assert not second_factor.check(session, vault, chen.staff_id, "12345x", later(minutes=minute))
        now = later(minutes=minute)
        assert second_factor.check(session, vault, chen.staff_id, chen.code(now), now)


def test_a_code_on_paper_is_good_once_however_it_is_written(
    session: Session, vault: Vault, chen: SignsIn, database_url: str
) -> None:
    first, second = chen.recovery[:2]
    assert len(set(chen.recovery)) == 10
    assert second_factor.check(session, vault, chen.staff_id, first.upper().replace("-", " "), AT)
    assert not second_factor.check(session, vault, chen.staff_id, first, AT)
    session.commit()
    heard = together(database_url, 6, lambda own: second_factor.check(own, vault, chen.staff_id, second, AT))
    assert heard.count(True) == 1
    kept = session.execute(text("select string_agg(r::text, '') from staff_recovery_code r")).scalar_one()
    assert second not in kept


def test_a_hash_of_old_parameters_is_made_anew_at_the_next_sign_in(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    session.execute(text("update staff_credential set password_hash = :old"), {"old": old})
    assert ticket(session, vault, chen.name, PASSWORD) is not None
    new = session.execute(text("select password_hash from staff_credential")).scalar_one()
    assert new.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert ticket(session, vault, chen.name, PASSWORD) is not None


def test_changing_ones_password_ends_the_other_sessions(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    first = sessions.begin(session, vault, chen.staff_id, AT, address=HOME, agent="")
    second = sessions.begin(session, vault, chen.staff_id, AT, address=HOME, agent="")
    member = sessions.current(session, vault, second, AT)
    assert member is not None
    new = "another horse battery"
    assert not credentials.change_password(session, member, HOME, "wrong horse battery", new, AT)
    with pytest.raises(Invalid):
        credentials.change_password(session, member, HOME, PASSWORD, PASSWORD, AT)
    assert credentials.change_password(session, member, HOME, PASSWORD, new, AT)
    assert sessions.current(session, vault, first, AT) is None
    assert sessions.current(session, vault, second, AT) is not None
    assert ticket(session, vault, chen.name, PASSWORD) is None
    assert ticket(session, vault, chen.name, new) is not None


def test_who_must_change_the_password_gets_no_session_without_another(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    credentials.require_change(session, chen.staff_id, "staff:9", "seen on a note at a desk")
    who = half(session, vault, chen)
    assert who.must_change
    for password in (None, "too short", PASSWORD):
        with session.begin_nested(), pytest.raises(Invalid):
            finish(session, vault, who, chen.code(AT), password=password)
        session.rollback()
        credentials.require_change(session, chen.staff_id, "staff:9", "seen on a note at a desk")
    assert finish(session, vault, who, chen.code(AT), password="another horse battery") is not None
    assert ticket(session, vault, chen.name, "another horse battery") is not None


def test_another_authenticator_counts_from_its_first_code_and_alone(
    session: Session, vault: Vault, chen: SignsIn
) -> None:
    token = sessions.begin(session, vault, chen.staff_id, AT, address=HOME, agent="")
    member = sessions.current(session, vault, token, AT)
    assert member is not None
    secret = credentials.propose_authenticator(session, vault, chen.staff_id)
    assert credentials.propose_authenticator(session, vault, chen.staff_id) == secret
    new = SignsIn(chen.staff_id, chen.name, secret, [])
    with pytest.raises(Invalid):
        credentials.take_authenticator(session, vault, member, chen.code(AT), AT)
    codes = credentials.take_authenticator(session, vault, member, new.code(AT), AT)
    assert not second_factor.check(
        session, vault, chen.staff_id, chen.code(later(minutes=1)), later(minutes=1)
    )
    assert not second_factor.check(session, vault, chen.staff_id, chen.recovery[0], AT)
    assert not second_factor.check(session, vault, chen.staff_id, new.code(AT), AT)
    assert second_factor.check(session, vault, chen.staff_id, codes[0], AT)
    assert second_factor.check(session, vault, chen.staff_id, new.code(later(minutes=1)), later(minutes=1))


def test_secrets_are_kept_sealed_for_their_row(session: Session, vault: Vault, chen: SignsIn) -> None:
    row = session.execute(text("select c::text from staff_credential c")).scalar_one()
    assert chen.secret.encode().hex() not in row
    with pytest.raises(NotFound):
        credentials.propose_authenticator(session, vault, 999)
