"""The dossier of a hub or a pilot: where it began, where it wants to be, each with its source, and what was measured.

A figure is a whole number in its own unit. One that bears the name of a figure of ours gets what we have in the year of
its target beside it: what members did (`verified_mg`, …), or the trips counted at its stations (`hub_trips`, …). The
rest has none, and says so by having none.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups import figures, hubs, service
from carbon_credits.groups.drive_models import DossierFigure

KINDS: Final = hubs.KINDS
MEASURED: Final = ("verified_mg", "claimed_mg", "travel_mg", "recycling_mg")
UNITS: Final[Mapping[str, str]] = {**dict.fromkeys(MEASURED, "mg"), **dict.fromkeys(hubs.COUNTED, hubs.UNIT)}
Role = Literal["baseline", "target"]


@dataclass(frozen=True)
class Stated:
    """A figure as somebody states it."""

    role: Role
    code: str
    unit: str
    year: int
    value: int
    source: str


@dataclass(frozen=True)
class DossierLine:
    """One figure of a dossier. `measured` is ours, of `measured_year`; None where we measure nothing, or of too few.

    `months` are those of the year that a count is of; None where nothing is counted.
    """

    code: str
    unit: str
    baseline: DossierFigure | None
    target: DossierFigure | None
    measured: int | None
    measured_year: int
    months: int | None = None


def state(session: Session, group_id: int, told: Stated, by: int) -> None:
    """Note a figure; a later one of the same role and code takes its place. Raises NotFound, Invalid."""
    known = service.held(session, group_id)
    if known.kind not in KINDS:
        raise Invalid("no_dossier", Text("仅枢纽与试点有档案", "Hubs and pilots alone have a dossier"))
    if not told.source.strip() or not told.code.isidentifier() or not told.code.islower():
        said = Text("须有代码（小写字母）和来源", "A code in small letters, and a source")
        raise Invalid("wrong_figure", said)
    unit = UNITS.get(told.code, told.unit)
    if told.unit != unit:
        raise Invalid("wrong_unit", Text(f"该指标单位为 {unit}", f"The unit of this figure is {unit}"))
    row = {"group_id": group_id, "kind": known.kind, "said_by": by, **vars(told)}
    session.execute(insert(DossierFigure).values(row))


def dossier(session: Session, group_id: int, this_year: int) -> list[DossierLine]:
    """Every figure of a group's dossier, by code, with what was measured in the target's year or so far in this one."""
    newest = (
        select(DossierFigure)
        .where(DossierFigure.group_id == group_id)
        .ext(distinct_on(DossierFigure.code, DossierFigure.role))
        .order_by(DossierFigure.code, DossierFigure.role, DossierFigure.figure_id.desc())
    )
    stated: dict[str, dict[str, DossierFigure]] = defaultdict(dict)
    for row in session.scalars(newest):
        stated[row.code][row.role] = row
    return [_line(session, group_id, code, roles, this_year) for code, roles in stated.items()]


def _line(
    session: Session, group_id: int, code: str, roles: dict[str, DossierFigure], this_year: int
) -> DossierLine:
    baseline, target = roles.get("baseline"), roles.get("target")
    year = this_year if target is None else min(target.year, this_year)
    unit = next(figure.unit for figure in (target, baseline) if figure is not None)
    if code in hubs.COUNTED and unit == hubs.UNIT:
        trips, months = hubs.of_year(session, group_id, year).get(code, (None, None))
        return DossierLine(code, unit, baseline, target, trips, year, months)
    ours = figures.of_year(session, group_id, year) if code in MEASURED else {}
    return DossierLine(code, unit, baseline, target, ours.get(code), year)
