"""A merchant's settled day for tests of the doors: captures of yesterday by SQL, the statement by the room itself."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.jobs.coverage import read_coverage
from carbon_credits.rewards.settlement import make_next
from tests.api.conftest import Caller
from tests.factories.redemptions import an_approval, an_offer
from tests.rewards.till_ground import Shop, take


def settled(app: Flask, merchant: Caller, many: int = 3, days_ago: int = 1) -> str:
    """The number of the statement of that day: `many` captures, the last of them undone."""
    day = clock.today() - timedelta(days=days_ago)
    with app.app_context(), transaction() as session:
        offer = an_offer(session, merchant.id)
        take(session, Shop(merchant.id, offer, 10, 0, None), day, many, undone=1)
    with app.app_context(), transaction() as session:
        # as if it were the day after that day, an hour past its rest
        (made,) = make_next(session, clock.now() - timedelta(days=days_ago - 1) + timedelta(hours=1))
    return str(made)


def a_reading(app: Flask) -> None:
    """A value of a point so low that no deposit is below it, and what stands behind the points at it."""
    with app.app_context(), transaction() as session:
        session.execute(
            text("insert into point_value values (:day, 1, 'a test', :approval)"),
            {"day": clock.today() - timedelta(days=400), "approval": an_approval(session)},
        )
    with app.app_context():
        assert read_coverage() == 1
