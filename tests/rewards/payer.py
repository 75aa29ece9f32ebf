"""What a worker in a process of its own does until it is killed: one step of settlement."""

from flask import Flask

from carbon_credits.core.db import connect, in_transaction
from carbon_credits.jobs import settlement, surroundings
from carbon_credits.rewards.payment_contract import Ways
from tests.rewards.rail_server import LoopbackRail


def main(step: str, database_url: str, port: int) -> None:
    """Make statements, pay, or read what the rail says; patient with locks, so that it is where the test wants it."""
    app = Flask("payer")
    patience = 60_000
    connect(
        app,
        database_url,
        pool_size=3,
        lock_timeout_ms=patience,
        statement_timeout_ms=patience,
    )
    app.config[surroundings.WAYS] = Ways({"stripe": LoopbackRail(port, patience_s=30)})
    with app.app_context():
        if step == "make":
            while in_transaction(settlement.make_statements):
                pass
        elif step == "pay":
            settlement.pay_all()
        else:
            settlement.read_statements()
