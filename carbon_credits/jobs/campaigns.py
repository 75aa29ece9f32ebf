"""What takes minutes about campaigns: simulations that staff ask for, and each night's reports.

Simulations are worked on one after the other; how far one is can be read while it goes on.
"""

import logging
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import beside, in_transaction, is_away, reading, sqlstate
from carbon_credits.core.errors import ProgrammeError
from carbon_credits.crediting import simulations
from carbon_credits.crediting.simulating import Simulated, simulate
from carbon_credits.jobs.doorbell import REPORTS, SIMULATIONS, hear, ring_bell
from carbon_credits.jobs.surroundings import begin, redis_of
from carbon_credits.reporting.kept_effects import compute_next

log = logging.getLogger(__name__)


def work_on_simulations() -> None:
    """RQ's entry: work on simulations until none waits."""
    begin()
    hear(redis_of(), SIMULATIONS)
    simulate_all()


def report_on_all() -> None:
    """RQ's entry: report on every campaign that has no report of today."""
    begin()
    hear(redis_of(), REPORTS)
    while in_transaction(lambda session: compute_next(session, clock.now())):
        pass


def ring_for_reports() -> int:
    """Have the reports made where a job may take its time; the night's task."""
    ring_bell(redis_of(), REPORTS)
    return 1


def simulate_all() -> int:
    """Work on simulations until none waits; returns how many ended."""
    done = 0
    while (number := in_transaction(simulations.take)) is not None:
        in_transaction(_ended(number))
        done += 1
    return done


def _ended(number: int) -> Callable[[Session], None]:
    """How it ended, to be written down: with what it came to, or with why it came to nothing."""
    try:
        return partial(simulations.finish, simulation_id=number, outcomes=_simulate(number))
    except ProgrammeError as error:
        failure = error.code
    except DBAPIError as error:
        if is_away(error):
            raise
        failure = f"database {sqlstate(error)}"
    log.warning("a simulation failed", extra={"simulation": number, "failure": failure})
    return partial(simulations.fail, simulation_id=number, failure=failure)


def _simulate(number: int) -> list[Simulated]:
    def tell(done: int, acts: int) -> None:
        with beside() as session:
            simulations.note_progress(session, number, done, acts)

    with reading() as session:
        trials, weeks = simulations.trials_of(session, number)
        return simulate(session, trials, weeks, clock.today(), tell)
