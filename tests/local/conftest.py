"""Homes for the local servers' own tests: each with its own cluster, all erased afterwards."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carbon_credits.local import erase

CHECKOUT = Path(__file__).resolve().parents[2]
Local = Callable[..., subprocess.CompletedProcess[str]]


def run_local(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "carbon_credits.local", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "CARBON_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def local() -> Local:
    """One verb of the command line, as an operator gives it."""
    return run_local


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder every account can reach."""
    with tempfile.TemporaryDirectory(prefix="carbon-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(autouse=True)
def no_outside_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's own servers may be named in the environment; here the embedded ones are the subject."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def home(open_folder: Path) -> Iterator[Path]:
    """The module's home; its name has a blank, a per cent sign and Chinese characters in it."""
    path = open_folder / "家 50% var"
    yield path
    erase(path)
