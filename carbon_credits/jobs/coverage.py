"""What stands behind the points is read once an hour; pages show the newest reading."""

from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.rewards import coverage


def read_coverage() -> int:
    """Read once; 0 while no value is in force."""
    return in_transaction(lambda session: int(coverage.read(session, clock.now())))
