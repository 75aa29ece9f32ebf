"""A worker of its own process, to be killed: `python -m tests.rewards.payer STEP PORT` does one step of settlement."""

import os
import sys

from flask import Flask

from carbon_credits.core.db import connect, in_transaction
from carbon_credits.jobs import settlement, surroundings
from carbon_credits.rewards.payment_contract import Ways
from tests.rewards.rail_server import LoopbackRail


def main(step: str, port: int) -> None:
    """Make statements, pay, or read what the rail says; patient with locks, so that it is where the test wants it."""
    app = Flask("payer")
    patience = 60_000
    connect(
        app,
        os.environ["PAYER_DATABASE"],
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


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
