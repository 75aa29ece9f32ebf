"""Waiting for what another process or thread does: no longer than it takes, and never for ever."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(find: Callable[[], Found], what: str = "it", within_s: float = 20) -> Found:
    """Ask until something true is found, and give it. Raises AssertionError when it does not come in time."""
    ends = time.monotonic() + within_s
    while not (found := find()):
        assert time.monotonic() < ends, f"{what} did not come about within {within_s:.0f} s"
        time.sleep(0.01)
    return found
