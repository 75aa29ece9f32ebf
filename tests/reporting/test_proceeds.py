"""What became of a loan, a bond and a sponsor's money: out of the real books, against plain arithmetic."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring
from carbon_credits.ledger import funds, money_tags, transfers
from carbon_credits.ledger.expiry import expire_resident
from carbon_credits.reporting import proceeds, proceeds_readings
from carbon_credits.reporting.proceeds import STATES, Instrument
from carbon_credits.rewards import codes, funding_refunds, fundings, purses, redemptions, reversals
from carbon_credits.rewards.captures import capture
from carbon_credits.rewards.payment_contract import Collection
from carbon_credits.staff.service import Role, add, by_name
from tests.factories.campaigns import launched
from tests.factories.ledger import Act, credit, months_of, residents
from tests.factories.redemptions import a_merchant, a_till, an_offer
from tests.ledger.books import take_back
from tests.ledger.conftest import Door, assert_sound, door, engine
from tests.rewards.conftest import keyring

__all__ = ("door", "engine", "keyring")
LOAN = {
    "kind": "green_credit",
    "instrument": "绿色信贷 2026-07",
    "issuer": "佛山某银行",
    "matures_on": "2029-06-30",
    "document": "合同 佛绿贷〔2026〕7 号",
}
BOND = LOAN | {
    "kind": "green_bond",
    "instrument": "绿色债 01",
    "issuer": "禅城某公司",
    "document": "募集说明书 p. 12",
}
SPECIAL = LOAN | {
    "kind": "special_fund",
    "instrument": "区专项资金",
    "matures_on": None,
    "document": "佛禅府〔2026〕3 号",
}


def agreed(session: Session, kind: str, payload: dict[str, Any]) -> int:
    """Two people agree; the number of their approval."""
    proposed = approving.propose(session, kind, payload, "for a test", "提")
    approving.decide(session, proposed.approval_id, "批", approve=True)
    return proposed.approval_id


def deposit(session: Session, fund: int, points: int, fen: int, tag: dict[str, Any] | None = None) -> int:
    payload: dict[str, Any] = {"fund_id": fund, "points": points, "amount_fen": fen}
    return agreed(session, approving.DEPOSIT, payload if tag is None else payload | {"tag": tag})


@pytest.fixture
def fund(door: Door) -> int:
    """A fund, and two people of finance and of the programme."""
    with door() as session:
        for name in ("提", "批"):
            add(session, name, [Role.FINANCE, Role.PROGRAMME], by="tests")
        today = clock.today()
        months_of(session, today - timedelta(days=62), today + timedelta(days=100))
        return funds.create_fund(session, "base", "基础资金池", "Base fund")


def of_kind(door: Door) -> dict[str, Instrument]:
    """The report's instruments, every payment whole."""
    with door() as session:
        told = proceeds.report(session, clock.today())
        books = session.execute(
            text("select coalesce(sum(points), 0), coalesce(sum(amount_fen), 0) from fund_deposit")
        )
        points, fen = books.one()
    every = [payment for one in told.instruments for payment in one.payments]
    assert sum(n for payment in every for n in payment.points.values()) == points
    assert sum(n for payment in every for n in payment.fen.values()) == fen
    assert sum(p.received_fen - p.returned_fen for p in every) == fen
    assert_sound(door)
    return {one.kind: one for one in told.instruments}


def points_of(one: Instrument) -> dict[str, int]:
    return {state: one.points(state) for state in STATES if one.points(state)}


def test_points_are_traced_through_grants_spending_lapsing_and_taking_back(
    door: Door, vault: Vault, keyring: Keyring, fund: int
) -> None:
    today = clock.today()
    with door() as session:
        loan = deposit(session, fund, 600, 1_003, LOAN)
        deposit(session, fund, 400, 777, BOND)
        deposit(session, fund, 500, 500)
        a, b, c = residents(session, 3)
        for who, points in ((a, 300), (b, 250), (c, 120)):
            credit(session, Act(who, points=points, mg=points * 1_000_003, fund_id=fund), today)
        undone = Act(b, points=200, mg=5_000, fund_id=fund)
        credit(session, undone, today)
        # what a phone alone said stands apart, and old points lapse
        credit(
            session, Act(c, points=40, mg=7, pool="c", fund_id=fund, lot_on=today - timedelta(days=1)), today
        )
        expire_resident(session, c, today)
        merchant = a_merchant(session)
        till = a_till(session, merchant, role="manager")
        tea = an_offer(session, merchant, points=30, value_micro_fen=1_000_001)
    take_back(door, undone, today)
    with door() as session:
        taken = []
        for _ in range(4):
            made = redemptions.reserve(session, vault, a, tea, clock.now())
            taken.append(capture(session, vault, keyring, till, codes.long_code(vault, made.id), clock.now()))
        reversals.reverse(session, till, taken[0].id, "wrong cup")
    found = of_kind(door)
    # 710 granted and standing: 600 of the loan, 110 of the bond; 90 spent and 40 lapsed, all of the loan
    assert points_of(found["green_credit"]) == {"spent": 90, "lapsed": 40, "outstanding": 470}
    assert points_of(found["green_bond"]) == {"outstanding": 110, "unallocated": 290}
    assert points_of(found["untagged"]) == {"unallocated": 500}
    lent = found["green_credit"]
    assert [lent.fen(state) for state in STATES] == [
        1_003 * 90 // 600,
        1_003 * 130 // 600 - 150,
        1_003 - 217,
        0,
        0,
    ]
    assert (lent.received_fen, lent.returned_fen, lent.paid_micro_fen) == (1_003, 0, 90 * 1_000_001)
    verified = 670 * 1_000_003
    assert lent.verified_mg + found["green_bond"].verified_mg == verified
    assert lent.verified_mg == verified * 600 // 710
    assert lent.claimed_mg + found["green_bond"].claimed_mg == 7
    assert lent.verified_mg_spent == lent.verified_mg * 90 // 600
    assert lent.fen_per_verified_kg == 150 * 1_000_000 // lent.verified_mg_spent
    assert found["green_bond"].fen_per_verified_kg is None
    assert (lent.issuer, str(lent.matures_on), lent.documents) == (
        LOAN["issuer"],
        "2029-06-30",
        (LOAN["document"],),
    )
    assert [payment.money for payment in lent.payments] == [loan]
    with door() as session:
        assert proceeds.report(session, today - timedelta(days=400)).instruments == ()
        # a day is kept when it is over, once, and as it was
        assert [proceeds_readings.read_due(session, today + timedelta(days=1)) for _ in range(2)] == [1, 0]
        kept = proceeds_readings.newest(session)
        assert kept is not None
        assert (kept.through, proceeds_readings.newest(session, today - timedelta(days=1))) == (today, None)
        by_kind = {one["kind"]: one for one in kept.report["instruments"]}
        assert by_kind["green_credit"] == lent.as_document()
        assert by_kind["untagged"]["unallocated_points"] == 500


def test_a_campaign_is_paid_with_named_money_and_its_left_over_keeps_its_name(door: Door, fund: int) -> None:
    today = clock.today()
    with door() as session:
        deposit(session, fund, 200, 400, LOAN)
        deposit(session, fund, 300, 900, BOND)
        people = (by_name(session, "提").staff_id, by_name(session, "批").staff_id)
        day = (today + timedelta(days=2)).isoformat()
        campaign = launched(
            session, people, source_fund="base", budget_points=260, starts_on=day, ends_on=day
        )
        assert campaign.fund_id is not None
        (who,) = residents(session, 1)
        # the same grams stand behind base and bonus, and are counted once
        credit(
            session,
            Act(who, points=30, mg=90_001, fund_id=fund, bonus=60, bonus_fund_id=campaign.fund_id),
            today,
        )
    found = of_kind(door)
    assert points_of(found["green_credit"]) == {"outstanding": 60, "allocated": 140}
    assert points_of(found["green_bond"]) == {"outstanding": 30, "allocated": 60, "unallocated": 210}
    assert found["green_credit"].verified_mg == 90_001 - 90_001 * 30 // 90
    assert found["green_bond"].verified_mg == 90_001 * 30 // 90
    with door() as session:
        assert transfers.give_back(session, campaign.fund_id, fund, campaign.campaign_id) == 200
    found = of_kind(door)
    # all of it in one day: what moves between funds comes before what is granted, and the oldest goes home first
    assert points_of(found["green_credit"]) == {"outstanding": 30, "unallocated": 170}
    assert points_of(found["green_bond"]) == {"outstanding": 60, "unallocated": 240}


def test_a_sponsors_money_goes_back_to_the_fen_also_where_it_was_in_use(door: Door, fund: int) -> None:
    today = clock.today()
    asked = {"sponsor": "某银行", "fund_id": fund, "points": 300, "purse_id": None, "amount_fen": 451}
    asked["means"] = "checkout"
    with door() as session:
        agreed(session, fundings.KIND, asked | {"tag": SPECIAL})
        number = session.execute(text("select max(funding_id) from funding")).scalar_one()
        told = Collection("ref_1", "pi_1", None, "paid", 451, 0)
        fundings.record(session, number, told)
        deposit(session, fund, 300, 600, BOND)
        (who,) = residents(session, 1)
        credit(session, Act(who, points=250, mg=1_000, fund_id=fund), today)
    assert points_of(of_kind(door)["special_fund"]) == {"outstanding": 250, "unallocated": 50}
    with door() as session:
        payload = funding_refunds.payload_of(session, number, points=100, amount_fen=None)
        agreed(session, funding_refunds.KIND, payload)
    found = of_kind(door)
    sponsor = found["special_fund"]
    assert (sponsor.received_fen, sponsor.returned_fen) == (451, 451 * 100 // 300)
    assert points_of(sponsor) == {"outstanding": 200}
    assert points_of(found["green_bond"]) == {"outstanding": 50, "unallocated": 250}
    assert sponsor.fen("outstanding") == 451 - 150


def test_a_top_up_is_tagged_and_traced(door: Door, fund: int) -> None:
    with door() as session:
        purse = purses.create(session, "topup", "sponsor", Text("贴补", "Top-up"))
        agreed(session, "purse.pay_in", {"purse_id": purse, "amount_fen": 5_000, "tag": BOND})
    bond = of_kind(door)["green_bond"]
    assert (bond.received_fen, bond.payments, [one.free for one in bond.top_ups]) == (5_000, (), [5_000])


def test_another_tag_is_another_row_with_a_reason_and_two_people(door: Door, fund: int) -> None:
    with door() as session:
        money = deposit(session, fund, 100, 100)
        plain = deposit(session, fund, 100, 100, LOAN)
    with door() as session:
        agreed(session, money_tags.RETAG, {"money_approval": money, "tag": BOND, "reason": "入账时漏填"})
        agreed(session, money_tags.RETAG, {"money_approval": plain, "tag": SPECIAL, "reason": "合同更正"})
    with door() as session:
        assert [(tag.version, tag.kind, tag.reason) for tag in money_tags.history(session, plain)] == [
            (2, "special_fund", "合同更正"),
            (1, "green_credit", None),
        ]
        assert {tag.kind for tag in money_tags.newest(session).values()} == {"green_bond", "special_fund"}
    assert set(of_kind(door)) == {"green_bond", "special_fund"}
    for wrong, error in (
        ({"money_approval": 999_999, "tag": BOND, "reason": "x"}, NotFound),
        ({"money_approval": plain, "tag": SPECIAL, "reason": "x"}, Conflict),
        ({"money_approval": plain, "tag": BOND, "reason": " "}, Invalid),
        ({"money_approval": plain, "tag": BOND}, Invalid),
    ):
        with pytest.raises(error), door() as session:
            agreed(session, money_tags.RETAG, wrong)
    for statement in ("update money_tag set kind = 'own'", "delete from money_tag"):
        with pytest.raises(DBAPIError), door() as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"kind": "gift"}, "/tag/kind"),
        ({"instrument": ""}, "/tag/instrument"),
        ({"issuer": "x" * 121}, "/tag/issuer"),
        ({"document": "a\tb"}, "/tag/document"),
        ({"matures_on": None}, "/tag/matures_on"),
        ({"matures_on": "soon"}, "/tag/matures_on"),
        ({"kind": "own"}, "/tag/matures_on"),
        ({"extra": 1}, "/tag"),
    ],
)
def test_a_wrong_tag_is_explained_at_its_field_before_any_money_moves(
    door: Door, fund: int, changes: dict[str, Any], at: str
) -> None:
    with pytest.raises(Invalid) as no, door() as session:
        deposit(session, fund, 1, 1, LOAN | changes)
    assert [fault.pointer for fault in no.value.faults] == [at]
