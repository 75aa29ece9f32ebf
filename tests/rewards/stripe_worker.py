"""A worker to be killed: `python -m tests.rewards.stripe_worker DATABASE_URL STRIPE_URL pay|collect`."""

import sys

from flask import Flask

from carbon_credits.core.db import connect
from carbon_credits.jobs import inbox, surroundings
from carbon_credits.jobs.settlement import pay_all
from integrations import stripe_connect
from tests.stripe_server.ground import HOME
from tests.stripe_server.server import KEY

WORK = {"pay": pay_all, "collect": inbox.collect}


def main(database_url: str, stripe_url: str, what: str) -> None:
    """Do one round of work over this Stripe."""
    app = Flask("worker")
    connect(app, database_url)
    app.config[surroundings.WAYS] = stripe_connect.ways_of(KEY, (), stripe_url, HOME)
    with app.app_context():
        WORK[what]()


if __name__ == "__main__":
    main(*sys.argv[1:])
