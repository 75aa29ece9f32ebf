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
