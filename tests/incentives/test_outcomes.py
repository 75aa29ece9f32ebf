"""Outcomes and the report: each told once, only by whom it concerns, and never of a few people."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.signing import Keyring
from carbon_credits.incentives import outcomes, statements
from carbon_credits.incentives.outcomes import Told
from carbon_credits.incentives.programmes import Programme
from carbon_credits.incentives.report import FEWEST, report_of, suppressed
from carbon_credits.residents.models import ResidentKey
from tests.factories.incentives import a_bank, give_grams
from tests.factories.residents import a_resident

GRANTED = Told("granted", 1_000, date(2026, 12, 1), date(2027, 11, 30))


def a_statement(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme, grams: int
) -> tuple[int, str]:
    """A new resident with these grams, and the number of their statement."""
    who = a_resident(session, vault)
    give_grams(session, who, grams)
    version = loan.terms.consent_version
    return who, statements.issue(session, vault, keyring, who, loan.id, version, clock.now()).id


def test_an_outcome_is_told_once_and_corrected_by_the_next_version(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    who, jti = a_statement(session, vault, keyring, loan, 50_000)
    mine = loan.bank.partner_id
    outcomes.report(session, mine, jti, 1, GRANTED, "chan-bank-1")
    for version in (1, 3):
        with pytest.raises(Conflict, match="version_not_next"):
            outcomes.report(session, mine, jti, version, GRANTED, "chan-bank-1")
    outcomes.report(session, mine, jti, 2, Told("not_used"), "chan-bank-1")
    assert [made.outcome for made in statements.statements_of(session, who)] == ["not_used"]
    other = a_bank(session, vault, "other_bank")
    for partner, name in ((other.partner_id, jti), (mine, "A" * 22)):
        with pytest.raises(NotFound, match="statement_unknown"):
            outcomes.report(session, partner, name, 3, GRANTED, "other-bank-1")


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        (Told("granted", 5), "/from"),
        (Told("granted", 5, date(2026, 12, 2), date(2026, 12, 1)), "/to"),
        (Told("not_used", 5), "/outcome"),
        (Told("declined_other", None, date(2026, 12, 2)), "/outcome"),
    ],
)
def test_money_and_days_fit_the_outcome(session: Session, told: Told, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        outcomes.report(session, 1, "A" * 22, 1, told, "a-client")
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 40), min_size=1))
def test_what_is_hidden_in_a_row_is_nobody_or_ten_at_least_or_all_there_is(counts: Mapping[str, int]) -> None:
    told = suppressed(counts)
    hidden = [counts[name] for name, n in told.items() if n is None]
    assert all(n == counts[name] and (n == 0 or n >= FEWEST) for name, n in told.items() if n is not None)
    assert sum(hidden) == 0 or sum(hidden) >= FEWEST or sum(hidden) == sum(counts.values())


def test_a_report_counts_each_person_once_and_never_shows_a_few(
    session: Session, vault: Vault, keyring: Keyring, loan: Programme
) -> None:
    light = [a_statement(session, vault, keyring, loan, 60_000) for _ in range(24)]
    for _ in range(3):
        a_statement(session, vault, keyring, loan, 100_000)
    for _, jti in light[:12]:
        outcomes.report(session, loan.bank.partner_id, jti, 1, GRANTED, "chan-bank-1")
    # a newer statement without an answer does not take the granted one's place, nor count the person twice
    later = clock.now() + timedelta(minutes=1)
    statements.issue(session, vault, keyring, light[0][0], loan.id, loan.terms.consent_version, later)
    told = report_of(session, vault, "green_loan")
    first, second = told.rows
    assert (first.people, first.outcomes["granted"], first.outcomes["unanswered"]) == (24, 12, 12)
    assert (first.benefit_fen, first.kg_behind_all, first.kg_behind_granted) == (12_000, 1_440, 720)
    assert [second.people, second.kg_behind_all, *second.outcomes.values()] == [None] * 6
    assert told.shown() == {"people": 24, "granted": 12, "benefit_fen": 12_000, "kg_behind_granted": 720}
    # whose key was destroyed is still counted, but has no grams any more
    session.execute(delete(ResidentKey).where(ResidentKey.resident_id.in_([who for who, _ in light[:3]])))
    after = report_of(session, vault, "green_loan").rows[0]
    assert (after.people, after.kg_behind_all, after.kg_behind_granted) == (24, 1_260, None)
    for _, jti in light[:4]:
        outcomes.report(session, loan.bank.partner_id, jti, 2, Told("not_used"), "chan-bank-1")
    corrected = report_of(session, vault, "green_loan").rows[0]
    assert [corrected.outcomes["granted"], corrected.outcomes["not_used"], corrected.benefit_fen] == [
        None
    ] * 3
