"""The plan's figures: what a bureau states, with its source, beside what our records support, never mixed."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from admin import charts, guard, measures, pages, words
from admin.approvals import may_read, put_before
from admin.forms import Form, faults_of
from admin.measures import MEASURES
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.reporting import indicators, indicators_official
from carbon_credits.reporting.cell_tables import FEWEST
from carbon_credits.reporting.indicators import Row
from carbon_credits.reporting.indicators_own import POPULATION
from carbon_credits.residents.service import Street
from carbon_credits.staff.service import Role

FIRST_YEAR: Final = 2020
FIELDS: Final = ("value", "as_of", "street", "source_title", "source_page", "source_address", "reason")
# of what each cell has, what is shown; the rest is in the evaluation's spreadsheet
KINDS: Final[Mapping[str, Text]] = {
    "street": Text("按镇街", "By street"),
    "methodology": Text("按方法学", "By methodology"),
    "month": Text("按月", "By month"),
}
STREETS: Final[Mapping[str, Text]] = {street.value: street.text for street in Street}

blueprint = Blueprint("indicators", __name__, url_prefix="/indicators")


@blueprint.get("/")
def show() -> Response:
    """Every figure in a year."""
    year = _year()
    with reading() as session:
        found = indicators.page(session, year)
    return pages.render(
        "indicators/list.html",
        rows=[line for line in found if not line.indicator.is_basis],
        wholes=[line for line in found if line.indicator.is_basis],
        quantity=measures.quantity,
        **_years(year),
    )


@blueprint.get("/<code>")
def one(code: str) -> Response:
    """One figure: its lineage, and what ours is made of."""
    return _page(code)


@blueprint.post("/<code>/official")
def propose(code: str) -> AnyResponse:
    """Propose what a bureau states; a second person holds it against its source."""
    declared = indicators.indicator_of(code)
    form = Form(*FIELDS)
    payload = {
        "indicator": code,
        "street": form.typed["street"] or None,
        "value": measures.read(form, "value", declared.unit),
        "as_of": form.day("as_of").isoformat(),
        "source_title": form.text("source_title", 200),
        "source_address": form.typed["source_address"] or None,
        "source_page": form.typed["source_page"] or None,
    }
    reason = form.reason()
    try:
        _check_all(form, payload)
        return put_before(indicators_official.KIND, payload, reason)
    except Invalid as refused:
        return _page(code, 422, form, faults_of(refused, FIELDS))
    except Conflict as refused:
        return _page(code, 409, form, {"": refused.detail})


def _check_all(form: Form, payload: Mapping[str, Any]) -> None:
    """Raises Invalid with what cannot be read and what the room refuses, at once."""
    try:
        indicators_official.check(payload)
    except Invalid as refused:
        known = {fault.pointer for fault in form.faults}
        form.faults += [fault for fault in refused.faults if fault.pointer not in known]
    form.check()


def _page(
    code: str, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    year = _year()
    with reading() as session:
        declared = indicators.indicator_of(code)
        line = next(line for line in indicators.page(session, year) if line.indicator is declared)
        stated = indicators_official.history(session, code)
        cells = indicators.drill_down(session, code, year)
        trend = indicators.trend(session, code, year)
    reader = pages.language()
    return pages.render(
        "indicators/one.html",
        status,
        one=declared,
        line=line,
        stated=[(None if street is None else STREETS[street], value) for street, value in stated],
        tables=_tables(cells),
        ours=charts.readings(trend, reader),
        ours_rows=[(on.isoformat(), _told(own.value, own.unit)) for on, own in trend],
        theirs=charts.stated(declared, stated, reader),
        theirs_rows=[
            (value.as_of, _told(value.value, value.unit)) for street, value in stated if street is None
        ],
        quantity=measures.quantity,
        measure=MEASURES[declared.unit].words,
        streets=STREETS if code == POPULATION else {},
        fewest=FEWEST,
        may_propose=Role.PROGRAMME in guard.member().roles,
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
        **_years(year),
    )


def _tables(cells: list[Row]) -> list[tuple[Text, list[Row]]]:
    found = [(told, [row for row in cells if row.kind == kind]) for kind, told in KINDS.items()]
    return [(told, rows) for told, rows in found if rows]


def _told(value: int | None, unit: Any) -> str:
    return pages.told(measures.quantity(value, unit))


def _year() -> int:
    """The year asked for; this year for none, or for one that is not there."""
    asked, this = request.args.get("year", type=int), clock.today().year
    return asked if asked is not None and FIRST_YEAR <= asked <= this else this


def _years(year: int) -> Mapping[str, Any]:
    may_read_it = may_read(indicators_official.KIND)
    return {"year": year, "may_read": may_read_it, "years": range(clock.today().year, FIRST_YEAR - 1, -1)}
