"""Databases of the bench's own, on the server it was given: made from one template, dropped at the end."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from flask import Flask
from psycopg import sql
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from carbon_credits.config import Settings
from carbon_credits.core.db import connect, database

MIGRATIONS: Final = Path(__file__).parents[3] / "migrations"
STATED: Final = (
    "server_version", "shared_buffers", "max_wal_size", "checkpoint_timeout", "fsync", "synchronous_commit",
    "full_page_writes", "wal_compression", "autovacuum",
)  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """One database: its owner's address, the application's, and the settings that name it."""

    name: str
    owner_url: str
    settings: Settings

    def owner(self) -> "psycopg.Connection[Any]":
        """A connection of the owner, each statement its own transaction."""
        return psycopg.connect(plain(self.owner_url), autocommit=True)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What a service needs around it: a database with the patience that a bulk load needs, and nothing else.

        No connection is left behind, so that the database can be copied.
        """
        app = Flask("bench")
        connect(app, self.settings.database_url, pool_size=2, statement_timeout_ms=300_000)
        with app.app_context():
            try:
                yield
            finally:
                database.session.remove()
                database.engine.dispose()


def plain(url: str) -> str:
    """An address as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def fresh(owner_url: str, settings: Settings, template: Ground | None = None) -> Iterator[Ground]:
    """A database of our own, migrated or copied from another, dropped however the block ends.

    Copying ends with a checkpoint, so every measurement begins right after one.
    """
    name = f"bench_{secrets.token_hex(4)}"
    copied = sql.SQL("template {} strategy file_copy").format(
        sql.Identifier(template.name if template else "template1")
    )
    with psycopg.connect(plain(owner_url), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} {}").format(sql.Identifier(name), copied))
    ground = Ground(
        name, _named(owner_url, name), replace(settings, database_url=_named(settings.database_url, name))
    )
    try:
        if template is None:
            _migrate(ground.owner_url)
        yield ground
    finally:
        with psycopg.connect(plain(owner_url), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def server_settings(owner_url: str) -> dict[str, str]:
    """The settings a rate depends on, as the server has them."""
    with psycopg.connect(plain(owner_url), autocommit=True) as connection:
        asked = "select current_setting(name) from unnest(%s::text[]) with ordinality as s (name, place) order by place"
        values = connection.execute(asked, (list(STATED),)).fetchall()
    return dict(zip(STATED, (str(value) for (value,) in values), strict=True))


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _migrate(owner_url: str) -> None:
    # not through the migrations' own door: that reads the environment, which names the demonstration's database
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"), poolclass=NullPool)

    def upgrade(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(config, script, fn=upgrade) as context, engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        context.run_migrations()
        assert context.get_head_revision() is not None
