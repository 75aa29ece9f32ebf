"""Verdicts on made-up journeys."""

from datetime import UTC, datetime

import numpy as np

from carbon_credits.activities.trips.features import measure
from carbon_credits.activities.trips.judging import Surroundings, TripClaim, Verdict, judge, payable_m
from carbon_credits.activities.trips.trace import Trace, epoch_ms
from carbon_credits.cli.demo.journeys import BEGAN

ALONE = Surroundings()


def claimed(
    trace: Trace,
    methodology: str = "travel.walking",
    around: Surroundings = ALONE,
    *,
    distance_m: int | None = None,
    steps: int | None = None,
) -> Verdict:
    """The verdict on a trace claimed for exactly its time, with the distance it supports unless told otherwise."""
    times = trace.t_ms if len(trace) else np.array([epoch_ms(BEGAN), epoch_ms(BEGAN) + 60_000])
    began, ended = int(times.min()), int(times.max())
    features = measure(trace, began, ended)
    told = (payable_m(features) if features else 0) if distance_m is None else distance_m
    return judge(trace, TripClaim(methodology, moment(began), moment(ended), told, steps), around)


def moment(milliseconds: int) -> datetime:
    """A moment with its zone."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def codes(verdict: Verdict) -> set[str]:
    """The codes of its reasons."""
    return {code for code, _ in verdict.reasons}
