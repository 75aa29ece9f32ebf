"""Cases open once, wait for whom they should, and end with their cause; clawbacks stop where a feed seems broken."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg
import pytest
from sqlalchemy import select, text

from carbon_credits import approving
from carbon_credits.activities.names import public_id
from carbon_credits.core import clock
from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.check import check
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.reconciliation import cases, clawbacks, fraud, questions, service
from carbon_credits.reconciliation.models import Case
from carbon_credits.reconciliation.service import Word
from carbon_credits.reconciliation.watching import watch
from carbon_credits.staff.service import Role, add
from tests.reconciliation.cases.conftest import ENDED, NOW, Metro

WHY = Text("记录有误", "the record is wrong")
ANSWER = Text("已核实", "we looked")


def named(metro: Metro, activities: Sequence[int]) -> list[tuple[int, str]]:
    rows = metro.session.execute(
        text(
            "select resident_id, occurred_on, activity_id from activity where activity_id = any(:acts) order by 3"
        ),
        {"acts": list(activities)},
    )
    return [(row.resident_id, public_id(row.occurred_on, row.activity_id)) for row in rows]


def records(metro: Metro, many: int, ended: datetime = ENDED) -> list[int]:
    """Credited journeys of one day, in turn of the bound residents, an hour apart."""
    made = [
        metro.ride(metro.bound[n % 2], ended - timedelta(minutes=30 * (n // 2)), evidence_class="A", number=n)
        for n in range(many)
    ]
    metro.decide()
    return made


def propose(metro: Metro, vault: Vault, activities: Sequence[int]) -> clawbacks.Proposed:
    made = clawbacks.propose(
        metro.session, vault, named(metro, activities), WHY, f"staff:{metro.staff[0]}", NOW
    )
    metro.session.commit()
    return made


def carry_out(metro: Metro, now: datetime) -> int:
    done = 0
    for shard in sorted({shard_of(person) for person in metro.people}):
        lock_shard(metro.session, shard)
        done += clawbacks.carry_out_due(metro.session, shard, now, 100)
        metro.session.commit()
    return done


def case_of(metro: Metro, kind: str) -> Case:
    return metro.session.scalars(
        select(Case).where(Case.kind == kind).order_by(Case.case_id.desc()).limit(1)
    ).one()


def staff(metro: Metro, role: Role) -> int:
    made = add(metro.session, f"{role} 甲", [role], by="tests").staff_id
    metro.session.commit()
    return made


def decide(metro: Metro, vault: Vault, case: int, who: int, outcome: str, letter: str | None = None) -> None:
    service.decide(metro.session, vault, case, who, Word(outcome, ANSWER, letter), NOW)
    metro.session.commit()


def noon() -> datetime:
    """A moment whose hours before lie on one day of the programme."""
    return ENDED.replace(hour=12, minute=0, second=0)


def test_too_many_clawbacks_of_one_feed_and_day_stop_and_make_the_feed_a_case(
    metro: Metro, vault: Vault
) -> None:
    rides = records(metro, 24, noon())
    few, more = rides[:2], rides[2:14]
    assert len(propose(metro, vault, few).opened) == 2  # so few are never a share
    stopped = propose(metro, vault, more)
    day = clock.day_of(noon())
    assert (stopped.opened, stopped.stopped) == ((), ((metro.source.source_id, day),))
    outlier = case_of(metro, cases.OUTLIER)
    assert (outlier.state, outlier.occurred_on) == ("open", day)
    # nothing of that day is carried out while somebody looks
    assert carry_out(metro, NOW + timedelta(days=20)) == 0
    propose(metro, vault, more)
    assert case_of(metro, cases.OUTLIER).case_id == outlier.case_id
    decide(metro, vault, outlier.case_id, metro.staff[0], "upheld")
    assert len(propose(metro, vault, more).opened) == 12
    assert carry_out(metro, NOW + timedelta(days=20)) == 14


def test_a_feed_that_was_wrong_ends_what_was_proposed_of_its_day(metro: Metro, vault: Vault) -> None:
    rides = records(metro, 24, noon())
    propose(metro, vault, rides[:2])
    propose(metro, vault, rides[2:14])
    decide(metro, vault, case_of(metro, cases.OUTLIER).case_id, metro.staff[0], "rejected")
    told = metro.session.execute(text("select kind, outcome, state from recon_case order by case_id")).all()
    assert {tuple(row) for row in told} == {
        ("clawback_proposed", "rejected", "closed"),
        ("clawback_outlier", "rejected", "closed"),
    }
    assert carry_out(metro, NOW + timedelta(days=20)) == 0
    assert {metro.standing(ride)[0] for ride in rides} == {"credited"}


def test_a_clawback_lets_the_claim_that_the_record_replaced_wait_again(metro: Metro, vault: Vault) -> None:
    claim = metro.ride(metro.bound[0])
    record = metro.ride(metro.bound[0], evidence_class="A")
    metro.decide()
    assert (metro.standing(claim)[0], metro.standing(record)[0]) == ("replaced", "credited")
    propose(metro, vault, [record])
    assert carry_out(metro, NOW + timedelta(days=14)) == 1
    metro.decide()
    assert metro.standing(record) == ("rejected", ["clawback_unopposed"])
    assert metro.standing(claim)[0] == "awaiting"
    assert carry_out(metro, NOW + timedelta(days=15)) == 0
    assert not any(found.violations for found in check(metro.session))


def test_a_clawback_of_what_is_credited_no_longer_ends_without_taking_anything(
    metro: Metro, vault: Vault
) -> None:
    (ride,) = records(metro, 1)
    propose(metro, vault, [ride])
    (resident, name) = named(metro, [ride])[0]
    payload = {"resident": resident, "activity": name}
    proposed = approving.propose(metro.session, fraud.KIND, payload, "伪造 / forged", "陈提")
    fraud.carry_out(metro.session, vault, proposed.approval_id, payload)
    metro.session.commit()
    metro.decide()
    assert carry_out(metro, NOW + timedelta(days=14)) == 1
    assert case_of(metro, cases.CLAWBACK).outcome == "resolved"
    assert metro.standing(ride) == ("rejected", ["clawback_fraud"])
    rows = metro.session.execute(text("select count(*) from clawback")).scalar_one()
    assert rows == 1


def test_fraud_is_taken_back_at_once_and_once_and_the_resident_is_told(metro: Metro, vault: Vault) -> None:
    (ride,) = records(metro, 1)
    (resident, name) = named(metro, [ride])[0]
    payload = {"resident": resident, "activity": name}
    approvals = [
        approving.propose(metro.session, fraud.KIND, payload, "伪造 / forged", "陈提").approval_id
        for _ in range(2)
    ]
    first = fraud.carry_out(metro.session, vault, approvals[0], payload)
    metro.session.commit()
    with pytest.raises(Conflict):
        fraud.carry_out(metro.session, vault, approvals[1], payload)
    metro.session.rollback()
    metro.decide()
    assert metro.standing(ride) == ("rejected", ["clawback_fraud"])
    case = metro.session.get_one(Case, first)
    assert (case.outcome, case.state) == ("upheld", "closed")
    told = metro.session.execute(text("select payload ->> 'subject' from outbox where topic = 'sms.notice'"))
    assert list(told.scalars()) == [f"case:{first}"]


@pytest.mark.parametrize(
    "payload",
    [{}, {"resident": "1", "activity": "20261101-1"}, {"resident": 1, "activity": "x"}, {"resident": 1}],
)
def test_a_proposal_of_fraud_names_one_act(payload: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        fraud.check(payload)


def test_a_silent_feed_is_one_case_that_ends_when_it_speaks(metro: Metro) -> None:
    assert watch(metro.session, NOW) == 0  # it never sent a file
    metro.complete(NOW - timedelta(days=5, seconds=-1))
    assert watch(metro.session, NOW) == 0
    assert watch(metro.session, NOW + timedelta(seconds=2)) == 1
    assert watch(metro.session, NOW + timedelta(hours=1)) == 0
    assert case_of(metro, cases.SILENT).subject == "feed:test_metro"
    metro.complete(NOW)
    assert watch(metro.session, NOW + timedelta(hours=2)) == 1
    assert case_of(metro, cases.SILENT).outcome == "resolved"
    # silent once more: another case
    assert watch(metro.session, NOW + timedelta(days=6)) == 1
    assert metro.session.execute(text("select count(*) from recon_case")).scalar_one() == 2


def test_a_file_put_aside_is_one_case_that_ends_when_it_is_not(metro: Metro) -> None:
    number = metro.session.execute(
        text("""insert into partner_file (source_id, sha256, name, bytes, state, fault)
                values (:source, sha256('x'), 'x', 1, 'quarantined', '{"code": "totals_differ"}') returning file_id"""),
        {"source": metro.source.source_id},
    ).scalar_one()
    assert watch(metro.session, NOW) == 1
    assert watch(metro.session, NOW) == 0
    case = case_of(metro, cases.QUARANTINED)
    assert (case.file_id, case.reason, case.owner_role) == (number, "totals_differ", "programme")
    metro.session.execute(text("update partner_file set state = 'refused', finished_at = now()"))
    assert watch(metro.session, NOW) == 1
    metro.session.refresh(case)
    assert (case.state, case.outcome) == ("closed", "resolved")


def doubtful(metro: Metro) -> int:
    """A claimed deposit between two that the partner told, each as near to it as the other."""
    claim = metro.deposit(metro.bound[0], ENDED)
    metro.deposit(metro.bound[0], ENDED + timedelta(minutes=4), evidence_class="A")
    metro.deposit(metro.bound[0], ENDED - timedelta(minutes=4), evidence_class="A")
    metro.decide()
    return claim


@pytest.mark.parametrize(("outcome", "letter"), [("rejected", None), ("upheld", "B")])
def test_a_doubtful_match_is_for_a_person_to_say(
    metro: Metro, vault: Vault, outcome: str, letter: str | None
) -> None:
    claim = doubtful(metro)
    assert metro.standing(claim) == ("held", ["ambiguous_match"])
    assert watch(metro.session, NOW) == 1
    assert watch(metro.session, NOW) == 0
    support = staff(metro, Role.SUPPORT)
    case = case_of(metro, cases.AMBIGUOUS)
    with pytest.raises(Invalid):
        decide(metro, vault, case.case_id, support, outcome, "C" if letter is None else None)
    metro.session.rollback()
    decide(metro, vault, case.case_id, support, outcome, letter)
    metro.decide()
    assert metro.standing(claim)[0] == ("rejected" if letter is None else "credited")
    assert watch(metro.session, NOW) == 0
    assert not any(found.violations for found in check(metro.session))


def test_a_partner_is_asked_and_answers_and_only_its_own(metro: Metro) -> None:
    (ride,) = records(metro, 1)
    resident, name = named(metro, [ride])[0]
    act = cases.act_subject(metro.session, resident, clock.day_of(ENDED), ride)
    assert act is not None
    number = cases.open_case(metro.session, cases.DISPUTED, "appeal:1", "…", "tests", NOW, **act.columns())
    assert number is not None
    partner = metro.source.partner_id
    assert partner is not None
    with pytest.raises(NotFound):
        questions.answer(metro.session, number, partner + 1, confirms=True, words=None)
    with pytest.raises(Conflict):
        questions.answer(metro.session, number, partner, confirms=True, words=None)
    with pytest.raises(NotFound):
        questions.ask(metro.session, number, "app", "?", metro.staff[0], NOW)
    questions.ask(metro.session, number, "test_metro", "请核实", metro.staff[0], NOW)
    (asked,) = questions.asked_of(metro.session, partner)
    assert (asked["activity"], asked["question"], asked["methodology"]) == (name, "请核实", "travel.metro")
    assert not {"resident", "resident_id"} & set(asked)
    assert questions.asked_of(metro.session, partner + 1) == []
    questions.answer(metro.session, number, partner, confirms=False, words="未发生")
    assert questions.asked_of(metro.session, partner) == []
    case = metro.session.get_one(Case, number)
    metro.session.refresh(case)
    assert (case.state, case.partner_said, case.partner_words) == ("open", False, "未发生")
    steps = metro.session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == f"case:{number}").order_by(AuditEntry.audit_id)
    ).all()
    assert steps == ["case.opened", "case.waiting_for_partner", "case.open"]


def test_a_case_belongs_to_somebody_with_its_role_and_is_counted_when_late(
    metro: Metro, vault: Vault
) -> None:
    (ride,) = records(metro, 1)
    propose(metro, vault, [ride])
    case = case_of(metro, cases.CLAWBACK)
    support, programme = staff(metro, Role.SUPPORT), metro.staff[1]
    with pytest.raises(NotAllowed):
        cases.assign(metro.session, case.case_id, support, programme)
    cases.assign(metro.session, case.case_id, programme, metro.staff[0])
    assert case_of(metro, cases.CLAWBACK).owner_id == programme
    late = case.deadline + timedelta(seconds=1)
    assert [(c.unfinished, c.overdue) for c in cases.counts(metro.session, case.deadline)] == [(1, 0)]
    assert [(c.unfinished, c.overdue) for c in cases.counts(metro.session, late)] == [(1, 1)]
    found = cases.listed(metro.session, every=False, kind=None, overdue_at=late, most=10)
    assert [one.case_id for one in found] == [case.case_id]
    assert cases.listed(metro.session, every=False, kind=None, overdue_at=case.deadline, most=10) == []


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("update recon_case set state = 'closed', closed_at = now()", "cannot become"),
        ("update recon_case set state = 'open'", "cannot become"),
        ("update recon_case set outcome = 'rejected', answer_zh = '否', answer_en = 'no'", "is not changed"),
    ],
)
def test_the_database_holds_the_states_of_a_case(
    metro: Metro, vault: Vault, owner_url: str, statement: str, why: str
) -> None:
    (ride,) = records(metro, 1)
    propose(metro, vault, [ride])
    if why == "is not changed":
        assert carry_out(metro, NOW + timedelta(days=14)) == 1
    elif "'open'" in statement:
        with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
            owner.execute(
                "update recon_case set state = 'decided', outcome = 'resolved', decided_by = 'x', decided_at = now()"
            )
    with (
        psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner,
        pytest.raises(psycopg.DatabaseError, match=f"{why}|closed case"),
    ):
        owner.execute(statement)


def test_a_case_of_a_feed_is_not_decided_by_a_person(metro: Metro, vault: Vault) -> None:
    metro.complete(NOW - timedelta(days=9))
    watch(metro.session, NOW)
    with pytest.raises(Invalid):
        decide(metro, vault, case_of(metro, cases.SILENT).case_id, metro.staff[0], "upheld")
    with pytest.raises(NotFound):
        decide(metro, vault, 10**9, metro.staff[0], "upheld")
