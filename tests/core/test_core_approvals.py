"""Two persons decide, once, on exactly what was proposed."""

import pytest
from psycopg import connect
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import approvals, clock
from carbon_credits.core.errors import Conflict, InvariantBroken, NotAllowed, NotFound
from carbon_credits.staff import administering
from tests.factories.staff import a_member
from tests.residents.together import together

PAYLOAD = {"fund": "district", "points": 5_000_000, "notes": ["a", None, True], "名": "禅城"}


def test_another_person_approves_and_the_payload_comes_back_as_it_was(session: Session) -> None:
    proposer, decider = a_member(session), a_member(session)
    proposed = approvals.propose(session, "fund.deposit", PAYLOAD, "first year", proposer)
    session.commit()
    decided = approvals.decide(session, proposed.approval_id, decider, approve=True)
    assert (decided.state, decided.decided_by, decided.payload) == ("approved", decider, PAYLOAD)
    assert decided.decided_at is not None
    entries = session.execute(
        text("select action, actor from audit_entry where subject like 'approval:%' order by 1")
    )
    assert [tuple(row) for row in entries] == [
        ("approval.approved", f"staff:{decider}"),
        ("approval.proposed", f"staff:{proposer}"),
    ]


def test_the_proposer_does_not_decide(session: Session) -> None:
    proposer = a_member(session)
    proposed = approvals.propose(session, "fund.deposit", PAYLOAD, "first year", proposer)
    for approve in (True, False):
        with pytest.raises(NotAllowed):
            approvals.decide(session, proposed.approval_id, proposer, approve=approve)


def test_what_was_decided_is_decided(session: Session) -> None:
    proposer, decider = a_member(session), a_member(session)
    proposed = approvals.propose(session, "fund.deposit", PAYLOAD, "first year", proposer)
    approvals.decide(session, proposed.approval_id, decider, approve=False)
    with pytest.raises(Conflict):
        approvals.decide(session, proposed.approval_id, decider, approve=True)
    with pytest.raises(Conflict):
        approvals.withdraw(session, proposed.approval_id, proposer)


def test_of_twenty_decisions_at_once_one_counts(session: Session, database_url: str) -> None:
    proposer = a_member(session)
    proposed = approvals.propose(session, "fund.deposit", PAYLOAD, "first year", proposer)
    deciders = [a_member(session) for _ in range(20)]
    session.commit()
    turns = iter(deciders)

    def decide(own: Session) -> str:
        by = next(turns)
        return approvals.decide(own, proposed.approval_id, by, approve=by % 2 == 0).state

    heard = together(database_url, 20, decide)
    assert sum(answer in ("approved", "rejected") for answer in heard) == 1
    assert sum(isinstance(answer, Conflict) for answer in heard) == 19


def test_only_the_proposer_withdraws(session: Session) -> None:
    proposer, other = a_member(session), a_member(session)
    proposed = approvals.propose(session, "fund.deposit", PAYLOAD, "first year", proposer)
    with pytest.raises(NotAllowed):
        approvals.withdraw(session, proposed.approval_id, other)
    assert approvals.withdraw(session, proposed.approval_id, proposer).state == "withdrawn"
    with pytest.raises(Conflict):
        approvals.decide(session, proposed.approval_id, other, approve=True)


def test_closed_accounts_neither_propose_nor_decide(session: Session) -> None:
    proposer, closed = a_member(session), a_member(session)
    proposed = approvals.propose(session, "fund.deposit", PAYLOAD, "first year", proposer)
    administering.close(session, closed, "test", clock.now())
    with pytest.raises(NotAllowed):
        approvals.decide(session, proposed.approval_id, closed, approve=True)
    with pytest.raises(NotAllowed):
        approvals.propose(session, "fund.deposit", PAYLOAD, "again", closed)
    with pytest.raises(NotFound):
        approvals.decide(session, 999, proposer, approve=True)


def test_an_altered_payload_is_not_approved(session: Session, owner_url: str) -> None:
    proposer, decider = a_member(session), a_member(session)
    proposed = approvals.propose(session, "fund.deposit", PAYLOAD, "first year", proposer)
    session.commit()
    with pytest.raises(DBAPIError):
        session.execute(text("update approval set payload = '{}'"))
    session.rollback()
    with connect(owner_url.replace("+psycopg", "")) as owner:
        owner.execute("update approval set payload = jsonb_set(payload, '{points}', '5000001')")
    with pytest.raises(InvariantBroken):
        approvals.decide(session, proposed.approval_id, decider, approve=True)


def test_a_payload_holds_no_floats(session: Session) -> None:
    proposer = a_member(session)
    with pytest.raises(ValueError, match="whole numbers"):
        approvals.propose(session, "rate.change", {"rates": [{"rate": 0.1}]}, "no", proposer)
