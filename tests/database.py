"""A migrated database for a test run, and a broom for it."""

import os
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import make_url

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# what migrations write and programmes only read
KEPT = (
    "alembic_version",
    "monthly_table",
    "contra_kind",
    "journal_kind",
    "activity_state",
    "partner_file_state",
    "reward_state",
    "recon_case_kind",
    "recon_case_state",
    "station_alarm_state",
    "reward_state",
    "campaign_state",
    "group_state",
    "export_state",
    "drive",
    "drive_criterion",
    "source",
)

MANY = 2_000


def create_database(owner_url: str, name: str) -> None:
    """A fresh database of the given name."""
    plain = make_url(owner_url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} strategy wal_log").format(sql.Identifier(name)))


def alembic_config() -> Config:
    """Alembic pointed at this checkout's migrations."""
    return Config(os.path.join(ROOT, "migrations", "alembic.ini"))


def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring a database to a revision, as its owner."""
    before = os.environ.get("DATABASE_OWNER_URL")
    os.environ["DATABASE_OWNER_URL"] = owner_url
    try:
        command.upgrade(alembic_config(), revision)
    finally:
        os.environ.pop("DATABASE_OWNER_URL")
        if before is not None:
            os.environ["DATABASE_OWNER_URL"] = before


class Cleaner:
    """Empties the tables that hold something; as the owner, for many of them refuse it to everyone else."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        rows = connection.execute(
            """select relname from pg_class
               where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition"""
        ).fetchall()
        self.tables = [name for (name,) in rows if name not in KEPT]
        self.probe = " union all ".join(
            f"select '{name}', count(*) from (select from \"{name}\" limit {MANY}) t having count(*) > 0"
            for name in self.tables
        )

    def clean(self) -> None:
        """Remove every row but those the migrations wrote."""
        full = self.connection.execute(self.probe).fetchall()
        if not full:
            return
        # a table that is truncated has new files, each of which has to reach the disk: what holds little is deleted
        emptied = [f'delete from "{name}"' for name, rows in full if rows < MANY]
        many = ", ".join(f'"{name}"' for name, rows in full if rows == MANY)
        if many:
            emptied.append(f"truncate {many} cascade")
        with self.connection.transaction():
            self.connection.execute("set local session_replication_role = replica")
            self.connection.execute("set local lock_timeout = '10s'")
            self.connection.execute("; ".join(emptied))
            self.connection.execute("delete from source where source_id > 0")
            self.connection.execute("delete from drive_criterion where approval_id is not null")
            self.connection.execute(
                "insert into source (source_id, feed, evidence_class, methodologies, late_days)"
                " values (0, 'app', 'D', '{}', 7) on conflict do nothing"
            )
