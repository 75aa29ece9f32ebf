"""A campaign's terms: contradictions are said at their field, what was proposed stays, no two for one act."""

import threading
from datetime import date
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core import approvals
from carbon_credits.core.db import in_transaction
from carbon_credits.core.errors import Conflict, Invalid, InvariantBroken, NotAllowed, NotFound
from carbon_credits.crediting import campaigning
from carbon_credits.programme import campaign_terms, campaign_themes, campaigns
from carbon_credits.programme.campaign_checks import contradictions
from carbon_credits.programme.campaign_models import Campaign
from tests.database import Cleaner
from tests.factories.campaigns import a_document, approved
from tests.factories.programme import a_fund, two_staff

EVE = date(2027, 4, 19)
LATER = {"code": "later", "starts_on": "2027-05-20", "ends_on": "2027-05-26"}


@pytest.fixture
def people(session: Session) -> tuple[int, int]:
    people = two_staff(session)
    a_fund(session, people, 100_000)
    session.commit()
    return people


def pointers(refused: "pytest.ExceptionInfo[Invalid]") -> list[str]:
    return [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"ends_on": "2027-04-19"}, ["/ends_on"]),
        ({"ends_on": "2028-04-20"}, ["/ends_on"]),
        ({"starts_on": "2027-02-30"}, ["/starts_on"]),
        ({"cap_day": 50, "cap_week": 40, "cap_total": 45}, ["/cap_week", "/cap_total"]),
        ({"cap_total": 10_001}, ["/budget_points"]),
        ({"budget_points": 0}, ["/budget_points"]),
        ({"budget_points": 1.5}, ["/budget_points"]),
        ({"multiplier": "1"}, ["/multiplier"]),
        ({"multiplier": 1.5}, ["/multiplier"]),
        ({"multiplier": "NaN"}, ["/multiplier"]),
        ({"multiplier": "10.001"}, ["/multiplier"]),
        ({"multiplier": "1.5001"}, ["/multiplier"]),
        ({"bonus_points": 5}, ["/bonus_points"]),
        ({"reward": "bonus", "multiplier": None, "bonus_points": 5}, ["/cap_day"]),
        ({"reward": "bonus", "multiplier": None, "bonus_points": 5, "cap_day": 4}, ["/cap_day"]),
        ({"reward": "gift"}, ["/reward"]),
        ({"audience": "streets"}, ["/streets"]),
        ({"audience": "streets", "streets": ["paris"]}, ["/streets"]),
        ({"audience": "group", "group_id": 0}, ["/group_id"]),
        ({"audience": "new", "streets": ["zumiao"]}, ["/streets", "/audience_days"]),
        ({"methodologies": []}, ["/methodologies"]),
        ({"methodologies": ["travel.bus", "travel.rocket"]}, ["/methodologies/1"]),
        ({"holdout_ppm": 500_001}, ["/holdout_ppm"]),
        ({"name_zh": " "}, ["/name_zh"]),
        ({"text_en": "\0"}, ["/text_en"]),
        ({"theme": "may_day"}, ["/theme"]),
        ({"colour": "green"}, ["/colour"]),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_said_at_its_field(changed: dict[str, Any], at: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        campaign_terms.read(a_document(**changed))
    assert pointers(refused) == at


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        campaign_terms.read({})
    assert (
        len(pointers(refused)) == len(a_document()) - 1
    )  # the reward's own number is asked for with the reward


def test_terms_are_written_as_they_were_read(session: Session, people: tuple[int, int]) -> None:
    given = a_document(audience="streets", streets=["zumiao", "shiwan"], cap_week=70, holdout_ppm=100_000)
    drafted = campaigns.draft(session, given, people[0])
    told = campaigns.terms_of(session, drafted).as_document()
    assert {name: told[name] for name in given} == {
        **given,
        "multiplier": "1.500",
        "streets": ["shiwan", "zumiao"],
    }
    assert campaign_terms.read(told).as_document() == told


def test_unknown_funds_and_groups_and_a_fund_too_small(session: Session, people: tuple[int, int]) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.draft(session, a_document(source_fund="nobodys", audience="group", group_id=77), people[0])
    assert pointers(refused) == ["/group_id", "/source_fund"]
    drafted = campaigns.draft(session, a_document(budget_points=100_001), people[0])
    with pytest.raises(Invalid) as refused:
        campaigns.propose(session, drafted.campaign_id, 1, "r", people[0], date(2027, 4, 20))
    assert pointers(refused) == ["/starts_on", "/budget_points"]
    with pytest.raises(Conflict, match="code_taken"):
        campaigns.draft(session, a_document(), people[0])


def test_another_campaign_for_the_same_acts_is_named(session: Session, people: tuple[int, int]) -> None:
    approved(session, people, audience="streets", streets=["zumiao"], methodologies=["travel.metro"])
    same = campaigns.draft(
        session, a_document(code="same", starts_on="2027-04-26", ends_on="2027-04-26"), people[0]
    )
    with pytest.raises(Invalid) as refused:
        campaigns.propose(session, same.campaign_id, 1, "r", people[0], EVE)
    (fault,) = refused.value.faults
    assert fault.pointer == "/methodologies"
    assert "earth" in fault.detail.zh
    assert "Earth Day" in fault.detail.en
    # another street, other acts, other days: no overlap
    others: tuple[dict[str, Any], ...] = (
        {"audience": "streets", "streets": ["shiwan"]},
        {"methodologies": ["travel.bus"]},
        {"starts_on": "2027-04-27", "ends_on": "2027-04-27"},
    )
    for number, other in enumerate(others):
        approved(session, people, code=f"other{number}", **other)


def test_of_two_proposed_at_once_one_has_the_acts(
    bare_app: Flask, session: Session, people: tuple[int, int], cleaner: Cleaner
) -> None:
    """Neither sees the other when it checks; the table does."""
    numbers = [
        campaigns.draft(session, a_document(code=code), people[0]).campaign_id for code in ("one", "two")
    ]
    session.commit()
    checked, outcomes = threading.Barrier(2), []

    def propose(number: int) -> None:
        turns = count()

        def work(mine: Session) -> None:
            # who is asked to do it again sees the other
            if next(turns) == 0:
                assert contradictions(mine, campaigns.held(mine, number), EVE) == []
                checked.wait(timeout=10)
            campaigns.propose(mine, number, 1, "r", people[0], EVE)

        with bare_app.app_context():
            try:
                in_transaction(work)
                outcomes.append("proposed")
            except Invalid as refused:
                outcomes.append(refused.faults[0].code)

    threads = [threading.Thread(target=propose, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["overlaps", "proposed"]


def test_of_two_who_change_a_draft_the_second_is_told(session: Session, people: tuple[int, int]) -> None:
    drafted = campaigns.draft(session, a_document(), people[0])
    campaigns.change(session, drafted.campaign_id, 1, a_document(multiplier="2"), people[0])
    with pytest.raises(Conflict, match="changed_meanwhile"):
        campaigns.change(session, drafted.campaign_id, 1, a_document(multiplier="3"), people[1])
    with pytest.raises(Conflict, match="changed_meanwhile"):
        campaigns.propose(session, drafted.campaign_id, 1, "r", people[0], EVE)
    assert campaigns.by_code(session, "earth").multiplier == 2


def proposed(session: Session, people: tuple[int, int]) -> tuple[Campaign, approvals.Approval]:
    drafted = campaigns.draft(session, a_document(), people[0])
    return drafted, campaigns.propose(session, drafted.campaign_id, 1, "r", people[0], EVE)


def test_nobody_approves_their_own(session: Session, people: tuple[int, int]) -> None:
    _, asked = proposed(session, people)
    session.commit()
    with pytest.raises(NotAllowed, match="wrong_person"):
        approving.decide(session, asked.approval_id, "陈提", approve=True)
    session.rollback()
    approving.decide(session, asked.approval_id, "李批", approve=True)
    assert campaigns.by_code(session, "earth").state == "approved"
    with pytest.raises(Conflict, match="decided_already"):
        approving.decide(session, asked.approval_id, "李批", approve=True)


CHANGES = [
    ("update campaign set budget_points = budget_points + 1", DBAPIError),
    ("update campaign set multiplier = 9", DBAPIError),
    ("update campaign set ends_on = ends_on + 1", DBAPIError),
    ("update campaign set holdout_ppm = 1", DBAPIError),
    ("update campaign set salt = decode(md5('x'), 'hex')", DBAPIError),
    ("update campaign set state = 'approved', fund_id = 1", DBAPIError),
    ("update campaign set state = 'running', launched_at = now()", DBAPIError),
    ("delete from campaign_scope", DBAPIError),
    ("update approval set payload = jsonb_set(payload, '{terms,budget_points}', '9')", DBAPIError),
    ("update approval set proposed_by = 2", DBAPIError),
]


@pytest.mark.parametrize(("change", "refusal"), CHANGES)
def test_nothing_of_what_was_proposed_can_be_changed(
    session: Session, people: tuple[int, int], change: str, refusal: type[Exception]
) -> None:
    """Not by the application's own hand either."""
    proposed(session, people)
    session.commit()
    with pytest.raises(refusal):
        session.execute(text(change))
    session.rollback()


def test_what_was_changed_behind_every_guard_is_not_enacted(
    session: Session, people: tuple[int, int], cleaner: Cleaner
) -> None:
    _, asked = proposed(session, people)
    session.commit()
    cleaner.connection.execute("set session_replication_role = replica")
    cleaner.connection.execute("update campaign set budget_points = budget_points + 1")
    with pytest.raises(Conflict, match="not_what_was_approved"):
        approving.decide(session, asked.approval_id, "李批", approve=True)
    session.rollback()
    cleaner.connection.execute(
        "update approval set payload = jsonb_set(payload, '{terms,budget_points}', '10001')"
    )
    cleaner.connection.execute("set session_replication_role = origin")
    with pytest.raises(InvariantBroken):
        approving.decide(session, asked.approval_id, "李批", approve=True)
    session.rollback()
    # a proposal of the same words that no campaign was put forward with
    forged = approving.propose(session, "campaign", asked.payload, "r", "陈提")
    with pytest.raises(Conflict, match="not_what_was_approved"):
        approving.decide(session, forged.approval_id, "李批", approve=True)


def test_a_rejected_campaign_is_a_draft_again_and_a_withdrawn_one_gives_back_its_money(
    session: Session, people: tuple[int, int]
) -> None:
    campaign, asked = proposed(session, people)
    approving.decide(session, asked.approval_id, "李批", approve=False)
    campaigns.reopen(session, campaign.campaign_id, people[0])
    campaigns.change(session, campaign.campaign_id, 1, a_document(budget_points=40_000), people[0])
    again = campaigns.propose(session, campaign.campaign_id, 2, "r", people[0], EVE)
    approving.decide(session, again.approval_id, "李批", approve=True)
    rest = "select unallocated from fund where code = 'base'"
    assert session.execute(text(rest)).scalar_one() == 60_000
    with pytest.raises(Conflict, match="wrong_state"):
        campaigns.pause(session, campaign.campaign_id, "r", people[0], approvals_instant(session))
    campaigning.withdraw(session, campaign.campaign_id, "不办了", people[1], approvals_instant(session))
    assert session.execute(text(rest)).scalar_one() == 100_000
    moves = session.execute(text("select points, amount_fen from fund_transfer order by transfer_id")).all()
    assert [tuple(row) for row in moves] == [(40_000, 40_000), (40_000, 40_000)]
    assert session.execute(text("select count(*) from campaign_scope")).scalar_one() == 0
    with pytest.raises(NotFound):
        campaigns.held(session, 10**6)


def approvals_instant(session: Session) -> Any:
    return session.execute(text("select clock_timestamp()")).scalar_one()


def test_money_that_went_meanwhile_stops_the_approval(session: Session, people: tuple[int, int]) -> None:
    _, asked = proposed(session, people)
    approved(session, people, **LATER, budget_points=95_000)
    session.commit()
    with pytest.raises(Invalid) as refused:
        approving.decide(session, asked.approval_id, "李批", approve=True)
    assert pointers(refused) == ["/budget_points"]
    session.rollback()
    assert session.execute(text("select count(*) from fund where kind = 'campaign'")).scalar_one() == 1


def test_nobody_buys_for_a_campaigns_fund_and_no_rate_pays_out_of_it(
    session: Session, people: tuple[int, int]
) -> None:
    fund_id = approved(session, people).fund_id
    deposit = {"fund_id": fund_id, "points": 5, "amount_fen": 5}
    rate = {
        "family": "*",
        "evidence_class": "A",
        "points_per_mg": "0.1",
        "mature_days": 0,
        "in_force": "2026-01-01",
    }
    for kind, payload in (("fund.deposit", deposit), ("programme.rate", {**rate, "fund_id": fund_id})):
        asked = approving.propose(session, kind, payload, "r", "陈提")
        session.commit()
        with pytest.raises(NotFound, match="fund_unknown"):
            approving.decide(session, asked.approval_id, "李批", approve=True)
        session.rollback()


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2028])
def test_the_nine_themes_have_their_days(session: Session, people: tuple[int, int], year: int) -> None:
    assert len(campaign_themes.CALENDAR) == 9
    days = {theme.code: theme.days(year) for theme in campaign_themes.CALENDAR}
    monday, sunday = days["energy_week"]
    assert (monday.weekday(), (sunday - monday).days) == (0, 6)
    assert days["low_carbon_day"][0].weekday() == 2
    assert days["water_week"] == (date(year, 3, 22), date(year, 3, 28))
    assert days["green_travel_month"] == (date(year, 9, 1), date(year, 9, 30))
    is_known = year in campaign_themes.ENERGY_WEEKS
    assert (campaign_themes.theme("energy_week").assumed(year) is None) == is_known
    for theme in campaign_themes.CALENDAR:
        rest = {
            "reward": "multiplier",
            "multiplier": "2",
            "audience": "everyone",
            "budget_points": 9,
            "source_fund": "base",
        }
        assert campaign_terms.read({**theme.document(year), **rest}).theme == theme.code
