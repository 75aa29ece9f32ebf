"""A job that dies at an export: a process of its own, killed while it waits for a table that is held from it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.db import alone
from carbon_credits.jobs import exports as job

CHILD = """
import sys
from pathlib import Path
from types import SimpleNamespace
from flask import Flask
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import alone, connect
from carbon_credits.jobs import exports
from carbon_credits.jobs.surroundings import SETTINGS
app = Flask("child")
home = Path(sys.argv[2])
app.config[SETTINGS] = SimpleNamespace(home=home, vault=Vault({1: b"k" * 32}), font=home / "none.ttf")
connect(app, sys.argv[1], lock_timeout_ms=60_000)
with app.app_context(), alone(exports.EXPORT_LOCK, int(sys.argv[3])) as ours:
    assert ours
    exports.write(int(sys.argv[3]))
"""


def kill_at(session: Session, number: int, table: str, places: tuple[str, str, Path]) -> None:
    """Kill whoever writes an export at a table; meanwhile nobody else begins. `places`: database, owner's, scratch."""
    database_url, owner_url, scratch = places
    with psycopg.connect(owner_url.replace("+psycopg", "")) as owner:
        owner.execute(f"lock table {table} in access exclusive mode")
        child = subprocess.Popen([sys.executable, "-c", CHILD, database_url, str(scratch), str(number)])
        waits = text(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like :table"
        )
        while session.execute(waits, {"table": f"%{table}%"}).scalar_one() == 0:
            assert child.poll() is None
            session.rollback()
        with alone(job.EXPORT_LOCK, number) as ours:
            assert not ours
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        owner.rollback()
