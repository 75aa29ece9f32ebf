"""Who takes part: residents active of every thousand, by month and street, and what their acts are made of."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final

from flask import Blueprint, Response

from admin import charts, guard, pages
from admin.approvals import may_read
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.reporting import dashboard, indicators_official
from carbon_credits.reporting.cell_tables import FEWEST
from carbon_credits.reporting.dashboard import Active, ActiveMonths, Line
from carbon_credits.reporting.numbers import grouped
from carbon_credits.reporting.suppression import line_hidden

DISTRICT: Final = Text("全区", "District")
HIDDEN: Final = "—"
Shown = Mapping[tuple[date, str | None], Active | None]

blueprint = Blueprint("participation", __name__, url_prefix="/participation")


@blueprint.get("/")
def show() -> Response:
    """Twelve months by street, and this year by methodology and street."""
    today, streets = clock.today(), guard.member().streets
    with reading() as session:
        found = dashboard.active_months(session, today, streets)
        grams = dashboard.grams(session, today, streets)
    shown = _shown(found)
    months = sorted({month for month, _ in shown})
    lines: list[str | None] = [None] if found.district else []
    lines += sorted({street for _, street in shown if street is not None})
    return pages.render(
        "participation.html",
        months=months,
        headings=[_name(line) for line in lines],
        rows=[(month, [_told(shown[month, line]) for line in lines]) for month in reversed(months)],
        drawn=charts.active(_drawn(shown, lines, months), [f"{month:%Y-%m}" for month in months]),
        text=[
            (f"{month:%Y-%m}", *(_told(shown[month, line])[0] for line in lines))
            for month in reversed(months)
        ],
        composition=charts.composition(grams.methodologies, pages.language()),
        by_methodology=_texts(grams.methodologies),
        by_street=_texts(grams.streets),
        year=today.year,
        populations=[(_name(one.street), one) for one in found.populations],
        assumed=any(one.official is None for one in found.populations),
        fewest=FEWEST,
        may_read=may_read(indicators_official.KIND),
    )


def _shown(found: ActiveMonths) -> Shown:
    """What may be shown of each month: nothing of fewer than ten, nor what would give them away beside the total."""
    shown: dict[tuple[date, str | None], Active | None] = {}
    for month in {one.month for one in found.streets}:
        line = {one.street or "": one for one in found.streets if one.month == month}
        whole = next((one for one in found.district if one.month == month), None)
        people = {street: one.active for street, one in line.items()}
        few = whole is not None and 0 < whole.active < FEWEST
        away = line_hidden(people, total_hidden=few)
        if whole is None:
            # without the total beside them nothing is given away by the others
            away = frozenset(street for street in people if 0 < people[street] < FEWEST)
        shown |= {(month, street): None if street in away else one for street, one in line.items()}
        if whole is not None:
            shown[month, None] = None if few else whole
    return shown


def _drawn(
    shown: Shown, lines: Sequence[str | None], months: Collection[date]
) -> Mapping[str, Sequence[int | None]]:
    return {
        _name(line): [None if (one := shown[month, line]) is None else one.per_100_000 for month in months]
        for line in lines
    }


def _told(one: Active | None) -> tuple[str, str]:
    """Active per thousand, and of how many how many."""
    if one is None or one.per_100_000 is None:
        return HIDDEN, "" if one is None else f"{grouped(one.active)} / {grouped(one.of)}"
    return f"{one.per_100_000 / 100:.2f}", f"{grouped(one.active)} / {grouped(one.of)}"


def _texts(lines: Sequence[Line]) -> Sequence[Sequence[str]]:
    """This year of each line, as text."""
    return [
        (
            pages.told(line.name),
            pages.grams(line.year.verified_mg),
            pages.grams(line.year.claimed_mg),
            pages.grams(line.year.removal_mg),
            grouped(line.year.acts),
        )
        for line in lines
    ]


def _name(street: str | None) -> str:
    return pages.told(DISTRICT if street is None else dashboard.street_name(street))
