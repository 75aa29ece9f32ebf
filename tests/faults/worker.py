"""What a worker's process is to the tests of jobs: an application of its own, in the thread that asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from carbon_credits.config import Settings
from carbon_credits.core.db import connect, database
from carbon_credits.jobs import surroundings


@contextmanager
def surrounded(settings: Settings) -> Iterator[None]:
    """An application with its own connections and nobody to deliver to, current until the block ends."""
    app = Flask("worker")
    connect(app, settings.database_url)
    app.config[surroundings.SETTINGS] = settings
    app.config[surroundings.HANDLERS] = {}
    with app.app_context():
        try:
            yield
        finally:
            database.session.remove()
            database.engine.dispose()
