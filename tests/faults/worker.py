"""What a worker's process is to the tests of jobs: an application of its own, in the thread that asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from carbon_credits.config import Settings
from carbon_credits.core.db import connect, database
from carbon_credits.jobs import surroundings
from carbon_credits.rewards.payment_contract import Ways
from tests.database import PATIENCE


@contextmanager
def surrounded(settings: Settings, ways: Ways | None = None) -> Iterator[None]:
    """An application with its own connections, nobody to deliver to and these ways of paying, until the block ends."""
    app = Flask("worker")
    connect(app, settings.database_url, **PATIENCE)
    app.config[surroundings.SETTINGS] = settings
    app.config[surroundings.HANDLERS] = {}
    app.config[surroundings.WAYS] = Ways() if ways is None else ways
    with app.app_context():
        try:
            yield
        finally:
            database.session.remove()
            database.engine.dispose()
