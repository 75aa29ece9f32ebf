"""Programmes: wrong terms are named, two people put them in force, nothing in force changes."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core import approvals
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import banks, lifecycle, programmes, terms
from carbon_credits.incentives.banks import NewBank
from carbon_credits.incentives.programmes import Programme
from carbon_credits.staff.service import Role, add
from tests.factories.incentives import a_bank, put_in_force, some_terms
from tests.factories.staff import a_member

OTHER_WORDS = {"zh": "我同意。", "en": "I agree."}


def tiers(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The usual tiers, each changed."""
    return [{**tier, **change} for tier, change in zip(some_terms()["tiers"], changes, strict=True)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"code": "Green"}, "/code"),
        ({"benefit": "cash"}, "/benefit"),
        ({"benefit": ["limit"]}, "/benefit"),
        ({"name": {"zh": "绿\ud800", "en": "Green"}}, "/name/zh"),
        ({"grade": "self_declared"}, "/grade"),
        ({"families": []}, "/families"),
        ({"families": ["travel", "flying"]}, "/families"),
        ({"window_months": 37}, "/window_months"),
        ({"valid_days": 93}, "/valid_days"),
        ({"valid_days": True}, "/valid_days"),
        ({"consent": {"zh": "好"}}, "/consent"),
        ({"consent": {"zh": "", "en": "yes"}}, "/consent/zh"),
        ({"tiers": []}, "/tiers"),
        ({"tiers": tiers({}, {"from_g": 50_000})}, "/tiers"),
        ({"tiers": tiers({}, {"code": "light"})}, "/tiers"),
        ({"tiers": tiers({}, {"amount": 10})}, "/tiers"),
        ({"tiers": tiers({}, {"amount": 80.5})}, "/tiers/1/amount"),
        ({"tiers": tiers({"extra": 1}, {})}, "/tiers/0/extra"),
        ({"interest": 3}, "/interest"),
    ],
)
def test_wrong_terms_are_named_at_their_place(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        terms.read(some_terms(**change))
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_terms_read_and_written_again_are_the_same() -> None:
    told = terms.read(some_terms()).as_document()
    assert told == {**some_terms(), "tiers": told["tiers"]}
    assert terms.read(told).as_document() == told


def test_a_bank_is_registered_once_under_an_address_that_no_access_token_has(
    session: Session, vault: Vault
) -> None:
    bank = a_bank(session, vault)
    assert banks.contact_of(vault, bank) == "王经理"
    assert "王经理".encode() not in bank.contact
    with pytest.raises(Conflict, match="bank_taken"):
        a_bank(session, vault)
    for audience in ("partner", "resident", "http://bank.example"):
        new = NewBank("other_bank", "insurer", Text("另", "Other"), audience, "someone")
        with pytest.raises(Invalid) as refused:
            banks.add(session, vault, new, 1)
        assert [fault.pointer for fault in refused.value.faults] == ["/audience"]


def test_two_people_put_a_programme_in_force_on_the_command_line(session: Session, vault: Vault) -> None:
    a_bank(session, vault)
    one = add(session, "陈提", [Role.PROGRAMME], "tests")
    add(session, "李批", [Role.PROGRAMME], "tests")
    made = lifecycle.draft(session, some_terms(), one.staff_id)
    proposed = lifecycle.propose(session, made.id, "a test", one.staff_id)
    with pytest.raises(NotAllowed, match="wrong_person"):
        approving.decide(session, proposed.approval_id, "陈提", approve=True)
    approving.decide(session, proposed.approval_id, "李批", approve=True)
    assert [found.id for found in programmes.active(session)] == [made.id]


def test_a_draft_is_written_anew_and_a_proposal_is_not(session: Session, vault: Vault) -> None:
    a_bank(session, vault)
    by, another = a_member(session), a_member(session)
    first = lifecycle.draft(session, some_terms(), by)
    again = lifecycle.draft(session, some_terms(valid_days=7, tiers=tiers({}, {"from_g": 90_000})), by)
    assert (again.id, again.version, again.terms.valid_days) == (first.id, 1, 7)
    assert [tier.from_g for tier in again.terms.tiers] == [50_000, 90_000]
    proposed = lifecycle.propose(session, first.id, "a test", by)
    with pytest.raises(Conflict, match="waits_for_approval"):
        lifecycle.draft(session, some_terms(), by)
    with pytest.raises(NotAllowed):
        lifecycle.reopen(session, first.id, another)
    approvals.decide(session, proposed.approval_id, another, approve=False)
    lifecycle.reopen(session, first.id, another)
    assert lifecycle.draft(session, some_terms(), by).id == first.id


@pytest.mark.parametrize(
    "change",
    [
        "update incentive set valid_days = 90 where incentive_id = :id",
        "update incentive set families = '{travel,recycling}' where incentive_id = :id",
        "update incentive set state = 'draft', approval_id = null where incentive_id = :id",
        "delete from incentive_tier where incentive_id = :id",
        "insert into incentive_tier values (:id, 'free', 1, 1, '一', 'one')",
    ],
)
def test_the_tables_themselves_refuse_to_change_what_is_in_force(
    session: Session, loan: Programme, change: str
) -> None:
    with pytest.raises(DBAPIError, match=r"only|cannot become"), session.begin_nested():
        session.execute(text(change), {"id": loan.id})


def test_the_tables_themselves_refuse_what_nobody_approved(session: Session, vault: Vault) -> None:
    a_bank(session, vault)
    by = a_member(session)
    made = lifecycle.draft(session, some_terms(), by)
    proposed = lifecycle.propose(session, made.id, "a test", by)
    with pytest.raises(DBAPIError, match="nobody approved"), session.begin_nested():
        session.execute(
            text("update incentive set state = 'active' where incentive_id = :id"), {"id": made.id}
        )
    other = {**proposed.payload, "terms": some_terms(valid_days=90)}
    with pytest.raises(Conflict, match="not_what_was_approved"):
        lifecycle.enact(session, proposed.approval_id, other)


def test_another_version_ends_the_one_before_and_other_words_are_another_consent(
    session: Session, loan: Programme
) -> None:
    same = put_in_force(session, valid_days=60)
    other = put_in_force(session, consent=OTHER_WORDS)
    assert same.terms.consent_version == loan.terms.consent_version != other.terms.consent_version
    told = [(found.version, found.state) for found in programmes.versions(session, "green_loan")]
    assert told == [(1, "ended"), (2, "ended"), (3, "active")]


def test_what_is_in_force_is_paused_resumed_and_ended_for_good(session: Session, loan: Programme) -> None:
    by = a_member(session)
    for state in ("paused", "active", "ended"):
        assert lifecycle.turn(session, "green_loan", state, "a test", by).state == state
    with pytest.raises(NotFound):
        lifecycle.turn(session, "green_loan", "active", "a test", by)
    steps = session.execute(
        text("select count(*) from audit_entry where subject = 'incentive:green_loan'")
    ).scalar_one()
    assert steps == 6
