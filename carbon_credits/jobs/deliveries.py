"""What is due in the outbox leaves the house."""

from carbon_credits.core import clock
from carbon_credits.core.outbox import deliver_due
from carbon_credits.jobs.surroundings import begin, handlers


def deliver() -> None:
    """RQ's entry: deliver everything that is due."""
    begin()
    deliver_due(handlers(), clock.now)
