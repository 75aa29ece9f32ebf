"""The whole programme, and an operator beside it who types commands."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stack import Stack, running_stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """The programme in demonstration mode, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="carbon-cli-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with running_stack(Path(folder) / "home") as running:
            yield running


@pytest.fixture(scope="package")
def played(stack: Stack) -> str:
    """What the operator saw when the district played its day; there are credited acts from then on."""
    done = stack.command("demo", "play", "--residents", "40", "--seed", "14")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
