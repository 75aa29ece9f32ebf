"""Acts that have been decided, under a rate and a cap, for looking at what is told of them afterwards."""

from typing import Any

from flask import Flask

from carbon_credits.activities.verification import judge_waiting
from carbon_credits.api.house import EXTENSION
from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.sealing import seal_once
from tests.api.conftest import Caller, a_ride
from tests.factories.programme import a_cap, a_fund, a_rate, two_staff


def policy(app: Flask, *, most_m: int = 20_000) -> None:
    """A funded rate for what phones tell, and a daily cap on metres cycled."""
    with app.app_context(), transaction() as session:
        people = two_staff(session)
        fund = a_fund(session, people, 100_000)
        a_rate(session, people, fund, "D", "0.0002", 7)
        a_rate(session, people, fund, "C", "0.0005", 7)
        a_cap(session, people, "travel.cycling", "quantity", most_m)


def decide(app: Flask, resident: Caller) -> None:
    """Run the batch of the resident's shard once, and close the books behind it."""
    with app.app_context(), transaction() as session:
        credit_batch(session, shard_of(resident.id), clock.today())
        seal_once(session, 1_000)


def a_decided_ride(app: Flask, resident: Caller, **changes: Any) -> str:
    """The id of a ride that has been claimed and decided."""
    told: str = resident.claim(a_ride(**changes)).get_json()["id"]
    decide(app, resident)
    return told


def look(app: Flask) -> None:
    """Look at the traces that wait, as the worker does."""
    vault = app.extensions[EXTENSION].vault
    with app.app_context(), transaction() as session:
        judge_waiting(session, vault, clock.now(), 20)
