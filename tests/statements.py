"""What the database is asked: how tests hold that a page or a service does not ask once for each row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, event

from carbon_credits.core.db import database


@contextmanager
def asked_of(bind: Engine | Connection) -> Iterator[list[str]]:
    """Every statement that an engine sends meanwhile, in order."""
    asked: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(bind.engine, "before_cursor_execute", hear)
    try:
        yield asked
    finally:
        event.remove(bind.engine, "before_cursor_execute", hear)


@contextmanager
def asked_by(app: Flask) -> Iterator[list[str]]:
    """Every statement that an application sends meanwhile."""
    with app.app_context():
        engine = database.engine
    with asked_of(engine) as asked:
        yield asked
