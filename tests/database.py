"""A migrated database for a test run, and a broom for it."""

import os
from typing import Any, Final

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Engine, event, make_url

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
    "campaign_state",
    "group_state",
    "export_state",
    "drive",
    "drive_criterion",
    "source",
)

MANY = 2_000
# limits of a session, in milliseconds, that a standstill reaches and a machine that stalls does not
PATIENCE: Final = {"statement_timeout_ms": 60_000, "lock_timeout_ms": 5_000}


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


def be_patient(engine: Engine) -> None:
    """Have an application's engine give its sessions PATIENCE instead of what they have in production."""

    @event.listens_for(engine, "connect")
    def with_patience(connection: Any, _: object) -> None:
        for name, limit in PATIENCE.items():
            connection.execute(f"set {name.removesuffix('_ms')} = {limit}")
        connection.commit()


def forget_sequences(engine: Engine) -> None:
    """Have the connections that an engine keeps draw anew: numbers that one had drawn ahead are older than another's."""
    held = [engine.pool.connect() for _ in range(engine.pool.checkedin())]  # type: ignore[attr-defined]
    for connection in held:
        connection.cursor().execute("discard sequences")
        connection.close()


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
        self.cleaned_at: Any = None
        self.kept: list[str] = []

    def keep(self) -> None:
        """Copy aside what the tables hold now, beside `source`: whatever a test begins with."""
        self.kept = [name for name, _ in self.connection.execute(self.probe).fetchall()] + ["source"]
        for name in self.kept:
            self.connection.execute(f'create temporary table "kept_{name}" as table "{name}"')

    def put_back(self) -> bool:
        """Write what was kept into the empty tables; false when nothing was kept yet."""
        if not self.kept:
            return False
        written = [f'insert into "{name}" overriding system value table "kept_{name}"' for name in self.kept]
        with self.connection.transaction():
            self.connection.execute("set local session_replication_role = replica; delete from source")
            self.connection.execute("; ".join(written))
        return True

    def clean(self) -> None:
        """Remove every row but those the migrations wrote; nothing to do where nothing was written since."""
        if self._written() == self.cleaned_at:
            return
        full = self.connection.execute(self.probe).fetchall()
        if full:
            self._empty(full)
        self.cleaned_at = self._written()

    def _written(self) -> Any:
        """How far the servers' log goes: whatever is written anywhere, by whomever, moves it."""
        return self.connection.execute("select pg_current_wal_insert_lsn()").fetchone()

    def _empty(self, full: list[tuple[str, int]]) -> None:
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
