"""Draft, trial, filed, superseded: what may follow what stands here and nowhere else.

A draft is listed and its impact can be seen, but it credits nothing and its bytes may still change. The first day a
version is no draft its releases are published and frozen, so going on to another status takes a version of its own.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from carbon_credits.methodologies.base import Methodology, Status


class Stage(StrEnum):
    """Where a version stands on a day: as declared, or superseded once its last day is over."""

    DRAFT = "draft"
    TRIAL = "trial"
    FILED = "filed"
    SUPERSEDED = "superseded"


FOLLOWS: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.DRAFT: (Stage.TRIAL, Stage.FILED),
    Stage.TRIAL: (Stage.FILED, Stage.SUPERSEDED),
    Stage.FILED: (Stage.SUPERSEDED,),
    Stage.SUPERSEDED: (),
}


def stage_on(methodology: Methodology, day: date) -> Stage:
    """The stage of a version on a day."""
    if methodology.until is not None and methodology.until <= day and methodology.status is not Status.DRAFT:
        return Stage.SUPERSEDED
    return Stage(methodology.status)


def may_succeed(earlier: Methodology, later: Methodology) -> bool:
    """Whether a version may take over from another: on the same footing or a firmer one, never a weaker."""
    before, after = Stage(earlier.status), Stage(later.status)
    return after is before or after in FOLLOWS[before]


def may_credit(methodology: Methodology) -> bool:
    """Whether acts may be credited under this version: a draft never credits."""
    return methodology.status is not Status.DRAFT
