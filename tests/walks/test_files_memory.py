"""A large file never stays in memory: the rise of the process that takes it in is bounded, whatever the file's size.

The process is one of its own, for what a test run holds already would hide it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners import service
from tests.database import ROOT
from tests.factories.partner_files import FEED
from tests.factories.residents import a_bound_resident

MEGABYTE = 1 << 20
MOST_RISE = 150 * MEGABYTE
# columns nobody reads make the rows wide, so that the file is large and the landing of its rows does not take minutes
SIZES = (2_000, 100_000)
WIDE = 1_000


def taken(database_url: str, vault: Vault, home: Path, rows: int) -> dict[str, Any]:
    """Take a generated file in, in a process of its own; what it measured."""
    home.mkdir()
    told = {"url": database_url, "home": str(home), "rows": rows, "wide": WIDE, "key": vault.masters[1].hex()}
    command = (sys.executable, "-m", "tests.walks.taking_a_large_file", json.dumps(told))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


@pytest.fixture
def bound(session: Session, vault: Vault) -> None:
    """The feed, and a resident behind half of its riders."""
    service.install(session, [FEED])
    partner = service.partner_by_code(session, FEED.partner)
    open_wallet(session, a_bound_resident(session, vault, partner.partner_id, partner.code, "rider-1"))
    session.commit()


def test_memory_does_not_grow_with_the_file(
    bound: None, database_url: str, vault: Vault, tmp_path: Path
) -> None:
    small, large = (taken(database_url, vault, tmp_path / str(rows), rows) for rows in SIZES)
    assert large["bytes"] > 95 * MEGABYTE
    assert (small["state"], large["state"]) == ("applied", "applied")
    assert large["rise"] < MOST_RISE, (small, large)
    assert large["rise"] - small["rise"] < MOST_RISE // 2, (small, large)
