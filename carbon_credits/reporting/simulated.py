"""What a simulation came to, as it may be shown: without streets in which few would gain, or nearly one person alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from carbon_credits.crediting.bonus_figures import Cut, OfStreet
from carbon_credits.crediting.simulating import Simulated
from carbon_credits.incentives.report import suppressed
from carbon_credits.reporting.campaigns import points_shown


@dataclass(frozen=True)
class DayLine:
    """A day of the campaign: acts with a bonus, points paid, what they cost in micro-fen (None without a price)."""

    day: date
    acts: int
    points: int
    cost_micro_fen: int | None


@dataclass(frozen=True)
class GainLine:
    """A street (`none` for those who named none): people who would gain, and how many points; None is not shown."""

    street: str
    people: int | None
    points: int | None


@dataclass(frozen=True)
class Shown:
    """One definition's outcome in points and micro-fen, with days and streets as they may be shown."""

    acts: int
    people: int
    points: int
    left: int
    cost_micro_fen: int | None
    runs_out_on: date | None
    binds_most: str | None
    top_people: int
    top_share_ppm: int
    days: tuple[DayLine, ...]
    streets: tuple[GainLine, ...]
    cuts: tuple[Cut, ...]


def shown(outcome: Simulated) -> Shown:
    """An outcome as it may be shown."""
    found = outcome.bonuses
    return Shown(
        acts=outcome.acts,
        people=found.people,
        points=found.points,
        left=outcome.left,
        cost_micro_fen=outcome.cost_micro_fen(found.points),
        runs_out_on=outcome.runs_out_on,
        binds_most=found.binds_most,
        top_people=found.top_people,
        top_share_ppm=found.top_share_ppm,
        days=tuple(
            DayLine(line.day, line.acts, line.points, outcome.cost_micro_fen(line.points))
            for line in found.days
        ),
        streets=tuple(_streets(found.streets)),
        cuts=found.cuts,
    )


def _streets(lines: tuple[OfStreet, ...]) -> Iterable[GainLine]:
    people = suppressed({line.street: line.people for line in lines})
    points = points_shown(lines, people)
    for line in lines:
        yield GainLine(line.street, people[line.street], points[line.street])
