"""Statements: the tier and nothing else, for one bank, agreed to, revocable, and their status among many."""

import base64
import json
import re
import zlib
from datetime import UTC, date, datetime, timedelta

import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.signing import Keyring
from carbon_credits.incentives import grams, lifecycle, statements, status_lists
from carbon_credits.incentives.grams import Window
from carbon_credits.incentives.programmes import Programme
from carbon_credits.incentives.statements import Issued
from carbon_credits.residents import consents, service
from tests.factories.incentives import a_bank, give_grams, put_in_force
from tests.factories.residents import a_resident
from tests.factories.staff import a_member
from tests.residents.together import together


def issue(session: Session, vault: Vault, keyring: Keyring, who: int, loan: Programme) -> Issued:
    """A statement under the wording in force."""
    version = loan.terms.consent_version
    return statements.issue(session, vault, keyring, who, loan.id, version, clock.now())


def claims(made: Issued) -> dict[str, object]:
    """What a statement says, unchecked."""
    told: dict[str, object] = jwt.decode(made.statement, options={"verify_signature": False})
    return told


@pytest.mark.parametrize(
    ("last", "months", "first"),
    [
        (date(2026, 11, 29), 12, date(2025, 11, 30)),
        (date(2026, 3, 31), 1, date(2026, 3, 1)),
        (date(2028, 3, 31), 1, date(2028, 3, 1)),
        (date(2026, 12, 31), 1, date(2026, 12, 1)),
        (date(2026, 1, 15), 36, date(2023, 1, 16)),
        (date(2024, 2, 29), 12, date(2023, 3, 1)),
    ],
)
def test_a_window_is_whole_months_back(last: date, months: int, first: date) -> None:
    assert grams.window(last, months) == Window(first, last)


def test_only_grams_of_the_grade_the_families_and_the_days_count(
    session: Session, vault: Vault, loan: Programme
) -> None:
    who, days = a_resident(session, vault), grams.window(clock.today(), 12)
    give_grams(session, who, 30_000, days=[days.first, days.last])
    give_grams(session, who, 7_000, days=[days.first - timedelta(days=1)])
    give_grams(session, who, 500, pool="c")
    give_grams(session, who, 90, pool="r")
    assert grams.counted(session, who, loan.terms, days) == 60_000_000
    both = put_in_force(session, code="both", grade="verified_and_claimed")
    assert grams.counted(session, who, both.terms, days) == 60_500_000
    other = put_in_force(session, code="other", families=["recycling"])
    assert grams.counted(session, who, other.terms, days) == 0
    tiers = loan.terms.tiers
    assert [grams.reached(tiers, mg) for mg in (49_999_999, 50_000_000, 10**12)] == [None, *tiers]
    assert grams.following(tiers, 49_999_001) == (tiers[0], 1)
    assert grams.following(tiers, 10**12) is None


def test_a_statement_says_the_tier_and_nothing_that_could_be_put_together(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who = a_resident(session, vault, "+8613912345678")
    give_grams(session, who, 61_234)
    made = issue(session, vault, keyring, who, loan)
    told = claims(made)
    assert set(told) == {
        *("iss", "aud", "sub", "iat", "nbf", "exp", "jti"),
        *("tier", "programme", "window", "status"),
    }
    assert (told["tier"], told["aud"]) == ("light", "https://chan-bank.example/green")
    header = jwt.get_unverified_header(made.statement)
    kid = keyring.of("statement").keys(session).signing_kid
    assert header == {"alg": "ES256", "typ": "incentive-statement+jwt", "kid": kid}
    # the instants in it may have these digits by chance
    assert "61234" not in json.dumps({name: told[name] for name in told if name not in ("iat", "nbf", "exp")})
    assert re.search(rf"\b{who}\b", str(told["sub"])) is None
    audited = session.execute(
        text(
            "select actor || subject || coalesce(after::text, '') from audit_entry where subject like 'statement:%'"
        )
    ).scalar_one()
    assert "resident:" not in audited
    assert "61234" not in audited


def test_a_resident_has_one_name_at_a_bank_and_another_at_another(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who = a_resident(session, vault)
    give_grams(session, who, 50_000)
    a_bank(session, vault, "other_bank")
    other = put_in_force(session, code="other_loan", bank="other_bank")
    here, again, there = (issue(session, vault, keyring, who, which) for which in (loan, loan, other))
    assert claims(here)["sub"] == claims(again)["sub"] != claims(there)["sub"]


def test_grams_behind_a_statement_open_with_its_residents_key_alone(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who = a_resident(session, vault)
    give_grams(session, who, 50_000)
    made = issue(session, vault, keyring, who, loan)
    sealed = session.execute(text("select grams from incentive_statement")).scalar_one()
    key = service.resident_key(session, vault, who)
    opened = service.unseal_for(key, statements.SEALED_FOR, bytes(sealed), statements.grams_place(made.id))
    assert int(opened) == 50_000_000


def test_another_wording_too_few_grams_too_many_alive_and_a_paused_programme_are_refused(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who, now = a_resident(session, vault), clock.now()
    with pytest.raises(Conflict, match="no_tier_yet"):
        issue(session, vault, keyring, who, loan)
    give_grams(session, who, 50_000)
    with pytest.raises(Conflict, match="consent_changed"):
        statements.issue(session, vault, keyring, who, loan.id, "0" * 16, now)
    made = [issue(session, vault, keyring, who, loan) for _ in range(statements.MOST_LIVE)]
    with pytest.raises(Conflict, match="statements_enough"):
        issue(session, vault, keyring, who, loan)
    late = made[0].expires_at + timedelta(seconds=1)
    statements.issue(session, vault, keyring, who, loan.id, loan.terms.consent_version, late)
    lifecycle.turn(session, "green_loan", "paused", "a test", a_member(session))
    with pytest.raises(NotFound):
        issue(session, vault, keyring, who, loan)


def test_what_was_revoked_is_a_bit_in_a_list_of_fixed_size_at_once_and_for_good(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who, stranger, now = a_resident(session, vault), a_resident(session, vault), clock.now()
    give_grams(session, who, 50_000)
    made = [issue(session, vault, keyring, who, loan) for _ in range(2)]
    places = [place(one) for one in made]
    kept = status_lists.StatusLists()
    before = kept.signed(session, keyring, places[0][0], now)
    assert kept.signed(session, keyring, places[0][0], now) is before
    with pytest.raises(NotFound):
        statements.revoke_own(session, stranger, made[0].id, now)
    for _ in range(2):
        statements.revoke_own(session, who, made[0].id, now)
    told = jwt.decode(
        kept.signed(session, keyring, places[0][0], now).token, options={"verify_signature": False}
    )
    bits = zlib.decompress(base64.urlsafe_b64decode(told["status_list"]["lst"] + "=="))
    assert (len(bits) * 8, told["sub"]) == (status_lists.SIZE, made[0].status_url)
    assert [n for n in range(status_lists.SIZE) if bits[n // 8] >> n % 8 & 1] == [places[0][1]]
    with pytest.raises(DBAPIError, match="stays as it is"), session.begin_nested():
        session.execute(text("update incentive_statement set revoked_at = null, revoked_why = null"))


def place(made: Issued) -> tuple[int, int]:
    """List and place of a statement."""
    status = claims(made)["status"]["status_list"]  # type: ignore[index]
    return int(status["uri"].rpartition("/")[2]), int(status["idx"])


def test_the_draft_example_of_a_status_list_reads_as_the_draft_says() -> None:
    packed = status_lists.compressed([0, 3, 4, 5, 7, 8, 9, 13, 15])
    bits = zlib.decompress(base64.urlsafe_b64decode(packed + "=="))
    assert bits[:2] == bytes([0xB9, 0xA3])
    assert len(bits) == 16_384


def test_a_full_list_is_followed_by_another(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = a_resident(session, vault)
    give_grams(session, who, 50_000)
    monkeypatch.setattr(status_lists, "draw", lambda: 77)
    first, second = (place(issue(session, vault, keyring, who, loan)) for _ in range(2))
    assert first[1] == second[1] == 77
    assert second[0] > first[0]


def test_withdrawing_consent_revokes_what_is_alive_and_a_new_statement_is_a_new_consent(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who, purpose, now = a_resident(session, vault), consents.Purpose.GREEN_FINANCE, clock.now()
    give_grams(session, who, 50_000)
    issue(session, vault, keyring, who, loan)
    assert consents.is_granted(session, who, purpose)
    consents.withdraw(session, who, purpose, None, now)
    assert statements.revoke_all(session, who, "consent", now) == 1
    issue(session, vault, keyring, who, loan)
    assert consents.is_granted(session, who, purpose)
    told = statements.statements_of(session, who)
    assert [given.revoked_at is None for given in told] == [True, False]


def test_ten_who_ask_at_once_get_no_more_than_may_be_alive(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme, database_url: str
) -> None:
    who = a_resident(session, vault)
    give_grams(session, who, 50_000)
    session.commit()
    heard = together(database_url, 10, lambda own: issue(own, vault, keyring, who, loan))
    made = [one for one in heard if isinstance(one, Issued)]
    refused = [one for one in heard if isinstance(one, Conflict)]
    assert (len(made), len(refused)) == (statements.MOST_LIVE, 10 - statements.MOST_LIVE)
    assert len({place(one) for one in made}) == statements.MOST_LIVE


def test_staff_revoke_for_fraud_once(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who, by = a_resident(session, vault), a_member(session)
    give_grams(session, who, 50_000)
    made = issue(session, vault, keyring, who, loan)
    statements.revoke(session, made.id, "fraud", by, datetime.now(UTC))
    with pytest.raises(NotFound):
        statements.revoke(session, made.id, "fraud", by, datetime.now(UTC))
