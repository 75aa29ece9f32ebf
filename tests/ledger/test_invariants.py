"""The questions themselves: sound books answer none, and each lie is found by the question meant for it."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import now
from carbon_credits.core.crypto import Vault
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.check import check, invariants, report
from carbon_credits.ledger.clawback import claw_back
from carbon_credits.ledger.holds import capture, reserve
from carbon_credits.ledger.reversing import reverse as undo
from carbon_credits.ledger.sealing import seal_once
from tests.factories.ledger import LOT_ON, TODAY, Act, a_campaign_fund, a_fund, credit, residents, reverse
from tests.ledger.books import A_WEEK, MERCHANT, SOON, passage_of
from tests.ledger.conftest import Door
from tests.ledger.redeemed import redeemed_and_settled

NAMES = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I14"]

# One lie each, told behind every guard: (who must notice, the lie).
LIES = [
    ("I1", "update wallet set available = available + 5 where resident_id = :who;"
           "update lot set remaining = remaining + 5, earned = earned + 5 where resident_id = :who and fund_id = :fund"),
    ("I2", "update lot set remaining = remaining + 1, earned = earned + 1 where resident_id = :who"),
    ("I2", "update pending_lot set points = points + 1"),
    ("I3", "update wallet set held = held + 1, available = available - 1 where resident_id = :who;"
           "update lot set held = held + 1, remaining = remaining - 1 where resident_id = :who and fund_id = :fund"),
    ("I4", "update wallet set seq = seq + 1 where resident_id = :who"),
    ("I5", "update posting set balance_after = balance_after + 1 where resident_id = :who and wallet_seq = 2"),
    ("I6", "update wallet set verified_mg = verified_mg + 1 where resident_id = :who"),
    ("I6", "update wallet set claimed_mg = claimed_mg + 1 where resident_id = :who"),
    ("I6", "update wallet set removal_mg = removal_mg + 1 where resident_id = :who"),
    ("I7", "alter table wallet drop constraint wallet_check1;"
           "update wallet set available = available + 5, debt = debt + 5 where resident_id = :who;"
           "update lot set remaining = remaining + 5, earned = earned + 5 where resident_id = :who and fund_id = :fund"),
    ("I8", "insert into hold_lot select hold_id, date '2027-01-31', 1, 1, shard_id from hold limit 1"),
    ("I8", "update hold set journal_id = journal_id + 1 where state = 'captured' and points = 6"),
    ("I8", "update journal set reverses = reverses + 1 where kind = 7 and points_sum = 2"),
    ("I8", "update clawback set to_debt = to_debt + 1"),
    ("I8", "insert into clawback select resident_id, 1, 9, null, 0, 0, 0, 0, 0, 'twice', at, shard_id from clawback"),
    ("I9", "update fund set unallocated = unallocated + 1"),
    ("I9", "update fund_slot set remaining = remaining + 1"),
    ("I9", "update fund_deposit set points = points + 1"),
    ("I9", "update fund_transfer set points = points - 1"),
    ("I9", "update campaign set budget_points = budget_points + 1"),
    ("I9", "alter table campaign drop constraint campaign_source_fund_id_source_kind_fkey;"
           "update campaign set source_fund_id = 0"),
    ("I10", "update redemption set state = 'lapsed', resolved_at = now() where state = 'reserved' and kind = 'voucher'"),
    ("I10", "update capture set paid_micro_fen = paid_micro_fen - 1"),
    ("I10", "delete from capture where capture_id not in (select capture_id from capture_reversal)"),
    ("I10", "delete from capture_reversal"),
    ("I10", "update settlement_line set micro_fen = micro_fen + 1"),
    ("I10", "update settlement_line set kind = 'reversal', micro_fen = -micro_fen, subsidy_fen = -subsidy_fen"),
    ("I10", "alter table settlement_line drop constraint settlement_line_pkey;"
            "insert into settlement_line select * from settlement_line"),
    ("I10", "delete from settlement_line"),
    ("I10", "update settlement set lines_micro_fen = lines_micro_fen + 1, carried_out = carried_out + 1"),
    ("I10", "update settlement set carried_in = carried_in + 1, carried_out = carried_out + 1"),
    ("I10", "update settlement set state = 'paid', approval_id = (select min(approval_id) from approval)"
            " where amount_fen > 0"),
    ("I10", "update offer_stock set left_n = left_n + 1 where slot = 0"),
    ("I10", "update offer_share set taken = taken - 1"),
    ("I10", "update gift set pledged = pledged - 1"),
    ("I11", "update journal set content_hash = sha256('x') where journal_id = (select min(journal_id) from journal)"),
    ("I11", "update journal set points_sum = points_sum + 1 where kind = 1"),
    ("I11", "update posting set lot_on = lot_on + 1 where resident_id = :who and wallet_seq = 1"),
    ("I11", "delete from seal_member where leaf = (select max(leaf) from seal_member)"),
    ("I11", "update seal set n_postings = n_postings + 1"),
    ("I11", "update seal set prev_hash = sha256('x')"),
    ("I12", "update decision set points = points + 1 where state = 'credited'"),
    ("I12", "update decision set bonus = bonus + 1 where state = 'credited'"),
    ("I12", "delete from bonus"),
    ("I12", "update bonus set journal_id = journal_id + 1"),
    ("I12", "update campaign set cap_total = 4"),
    ("I12", "update decision set pool = 'r' where state = 'credited' and pool = 'v'"),
    ("I12", "insert into activity select 999999, resident_id, occurred_from, occurred_to, told_at, occurred_on,"
            " methodology, source_id, shard_id, evidence_class, monitored, evidence, vehicle_key, item_key,"
            " transaction_key, meter_key, evidence_digest from activity limit 1"),
    ("I12", "insert into restated (restatement_id, resident_id, activity_id, old_mg, new_mg, raw_mg, journal_id,"
            " from_release, to_release, occurred_on, generation, shard_id) select 1, resident_id, activity_id,"
            " credited_mg, credited_mg + 5, 5, 1, 1, 1, occurred_on, generation, shard_id"
            " from decision where state = 'credited' limit 1"),
    ("I14", "update decision set motion = true where resident_id = :who"),
]  # fmt: skip


@pytest.fixture
def who(door: Door, vault: Vault) -> dict[str, int]:
    """Books in which every table has something to say: credits, holds, captures, redemptions, a clawback, a seal."""
    with door() as session:
        one, other = residents(session, 2)
        fund_id, bonus_fund_id = a_fund(session, 1_000), a_campaign_fund(session, 100)
        acts = [
            Act(one, points=30, bonus=5, fund_id=fund_id, bonus_fund_id=bonus_fund_id, motion=True),
            Act(one, points=10, mg=77, pool="c", fund_id=fund_id),
            Act(other, points=9, fund_id=fund_id, matures_on=TODAY + A_WEEK),
            Act(other, points=4, fund_id=fund_id, lot_on=LOT_ON + A_WEEK),
        ]
        for act in acts:
            credit(session, act, TODAY)
        hold = reserve(session, one, 6, MERCHANT, now() + SOON, TODAY)
        capture(session, hold.hold_id, hold.shard_id, TODAY)
        reserve(session, one, 7, MERCHANT, now() + SOON, TODAY)
        undone = reserve(session, other, 2, MERCHANT, now() + SOON, TODAY)
        capture(session, undone.hold_id, undone.shard_id, TODAY)
        undo(session, undone.hold_id, undone.shard_id, TODAY)
    redeemed_and_settled(door, vault)
    with door() as session:
        claw_back(session, shard_of(other), [passage_of(acts[3])], TODAY)
        reverse(session, acts[3])
    with door() as session:
        seal_once(session, 100)
    return {"who": one, "fund": fund_id}


def test_sound_books_answer_no_question_and_every_question_was_asked(door: Door, who: dict[str, int]) -> None:
    with door() as session:
        findings = check(session, seal_delay_s=0)
    assert [(f.name, f.sample) for f in findings if f.violations] == []
    assert [f.name for f in findings] == NAMES
    assert [f.name for f in findings if not f.examined] == []
    assert {f.verdict for f in findings} == {"holds"}


def test_empty_books_exercise_nothing(door: Door) -> None:
    with door() as session:
        rows = report(check(session, seal_delay_s=0))
    assert {(verdict, examined) for _, verdict, examined, _, _ in rows} == {
        ("not exercised", "not exercised")
    }


def test_every_question_has_a_name_and_a_promise_of_its_own() -> None:
    asked = invariants()
    assert [invariant.name for invariant in asked] == NAMES
    assert len({invariant.promise for invariant in asked}) == len(NAMES)
    assert {name for name, _ in LIES} == set(NAMES)


@pytest.mark.parametrize(("name", "lie"), LIES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(LIES)])
def test_a_planted_lie_is_found_by_the_question_meant_for_it(
    owner: Session, who: dict[str, int], name: str, lie: str
) -> None:
    for statement in lie.split(";"):
        given = {key: value for key, value in who.items() if f":{key}" in statement}
        owner.execute(text(statement), given)
    findings = check(owner, seal_delay_s=0)
    assert [finding.name for finding in findings if finding.violations] == [name]
    (found,) = [finding for finding in findings if finding.violations]
    assert found.verdict == "broken"
    assert 1 <= len(found.sample) <= found.violations
