"""Simulations are worked on one after the other; how far one is can be read while it goes on."""

import logging
from functools import partial

from sqlalchemy.exc import DBAPIError

from carbon_credits.core import clock
from carbon_credits.core.db import beside, in_transaction, is_away, reading, sqlstate
from carbon_credits.crediting import simulations
from carbon_credits.crediting.simulating import Simulated, simulate
from carbon_credits.jobs.doorbell import SIMULATIONS, hear
from carbon_credits.jobs.surroundings import begin, redis_of

log = logging.getLogger(__name__)


def work() -> None:
    """RQ's entry: work on what waits until nothing is left."""
    begin()
    hear(redis_of(), SIMULATIONS)
    work_on_all()


def work_on_all() -> int:
    """Work on what waits until nothing is left; returns how many ended."""
    done = 0
    while (number := in_transaction(simulations.take)) is not None:
        try:
            outcomes = _simulate(number)
        except DBAPIError as error:
            if is_away(error):
                raise
            log.warning("a simulation failed", extra={"simulation": number, "sqlstate": sqlstate(error)})
            in_transaction(
                partial(simulations.fail, simulation_id=number, failure=f"database {sqlstate(error)}")
            )
        else:
            in_transaction(partial(simulations.finish, simulation_id=number, outcomes=outcomes))
        done += 1
    return done


def _simulate(number: int) -> list[Simulated]:
    def tell(done: int, acts: int) -> None:
        with beside() as session:
            simulations.note_progress(session, number, done, acts)

    with reading() as session:
        trials, weeks = simulations.trials_of(session, number)
        return simulate(session, trials, weeks, clock.today(), tell)
