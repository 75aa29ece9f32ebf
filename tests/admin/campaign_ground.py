"""A district in which a campaign can be simulated, approved and run: money, a rate, people, and what they did of late."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger import funds
from carbon_credits.programme.campaign_terms import TEXTS
from tests.factories.acts import a_claimed_act, a_partner_source
from tests.factories.district import claim_acts, enrol
from tests.factories.ledger import months_of
from tests.factories.programme import a_rate, approved, two_staff

PEOPLE: Final = 60
MARKUP: Final = "<b onclick=alert(1)>地球日</b>"
FORMULA: Final = "=HYPERLINK(1)"


def money(session: Session) -> tuple[int, int]:
    """Two who may approve for each other, and a fund whose points cost four fen a thousand."""
    people = two_staff(session)
    fund = funds.create_fund(session, "base", "基础资金池", "Base fund")
    payload = {"fund_id": fund, "points": 1_000_000, "amount_fen": 4_000}
    funds.deposit(session, fund, 1_000_000, 4_000, approved(session, people, "fund.deposit", payload))
    for evidence_class in ("A", "D"):
        a_rate(session, people, fund, evidence_class, "0.0001")
    return people


def some_life(app: Flask, first: date, last: date) -> None:
    """People who rode and travelled between two days, credited."""
    with app.app_context(), transaction() as session:
        a_partner_source(session)
        months_of(session, first, clock.today())
        people = enrol(session, PEOPLE, first - timedelta(days=100))
        claim_acts(session, people, first, last, often=300)
    credit(app)


def a_ride_at(app: Flask, resident: int, at: datetime) -> None:
    """Somebody rides at an instant, and the ride is credited."""
    with app.app_context(), transaction() as session:
        end = at + timedelta(minutes=20)
        assert a_claimed_act(session, resident, "travel.cycling", at, end, {"distance_m": 5_000}) is not None
    credit(app)


def credit(app: Flask) -> None:
    """Run the batch until nothing waits."""
    with app.app_context(), transaction() as session:
        shards = session.execute(text("select distinct shard_id from wallet order by 1")).scalars().all()
    for shard in shards:
        picked = 1
        while picked:
            with app.app_context(), transaction() as session:
                picked = credit_batch(session, shard, clock.today()).picked


def a_form(**given: Any) -> dict[str, Any]:
    """The wizard as somebody filled it in."""
    today = clock.today()
    return {
        "campaign_code": "earth",
        "theme": "earth_day",
        **{name: f"{name} 的内容" for name in TEXTS},
        "name_zh": "世界地球日",
        "name_en": "Earth Day",
        "starts_on": (today + timedelta(days=10)).isoformat(),
        "ends_on": (today + timedelta(days=16)).isoformat(),
        "methodologies": ["travel.cycling", "travel.metro"],
        "audience": "everyone",
        "reward": "multiplier",
        "multiplier": "1.5",
        "budget_points": "10,000",
        "source_fund": "base",
        "holdout_percent": "10",
        **given,
    }
