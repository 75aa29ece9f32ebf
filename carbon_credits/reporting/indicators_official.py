"""Official values of the plan's indicators: entered by one, approved by another, each with where it is written.

Nothing of ours is in them and they change nothing of ours. A correction is another row; of values for one day the one
entered last counts, and all of them stay to be seen.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import RowMapping, insert, text
from sqlalchemy.orm import Session

from carbon_credits.core import audit, clock
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.indicators_declared import Official
from carbon_credits.reporting.indicators_models import IndicatorValue
from carbon_credits.reporting.indicators_own import POPULATION
from carbon_credits.reporting.indicators_plan import BY_CODE
from carbon_credits.residents.service import Street

KIND: Final = "indicator.official"
NAMES: Final = frozenset(
    {"indicator", "street", "value", "as_of", "source_title", "source_address", "source_page"}
)
STREETS: Final = frozenset(street.value for street in Street)
_ADDRESS: Final = re.compile(r"https?://\S{1,490}")
_ROWS: Final = """
select v.*, e.name as entered_by, d.name as approved_by
from indicator_value v
join approval a using (approval_id)
join staff e on e.staff_id = a.proposed_by
join staff d on d.staff_id = a.decided_by
"""
_NEWEST: Final = text(f"""
select distinct on (indicator) * from ({_ROWS}) v
where street is not distinct from :street and as_of >= :first and as_of <= :last
order by indicator, as_of desc, value_id desc
""")  # noqa: S608 - made of constants
_HISTORY: Final = text(f"""
select * from ({_ROWS}) v where indicator = :code order by as_of desc, value_id desc
""")  # noqa: S608 - made of constants


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid with every fault of a proposed value: what it is of, which day's, and where it is written."""
    faults = tuple(_faults(payload))
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=faults)


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Write down a value that two people saw, in the unit of its indicator."""
    unit = BY_CODE[payload["indicator"]].unit
    row = {**payload, "as_of": date.fromisoformat(payload["as_of"]), "unit": unit, "approval_id": approval_id}
    session.execute(insert(IndicatorValue).values(row))
    told = {"value": payload["value"], "unit": unit, "as_of": payload["as_of"]}
    actor = f"approval:{approval_id}"
    audit.record(session, actor, "indicator.stated", f"indicator:{payload['indicator']}", None, told)


def of_year(session: Session, year: int, street: str | None = None) -> dict[str, Official]:
    """The value that counts for each indicator in a year: the last day's, and of that day the last one entered."""
    asked = {"street": street, "first": date(year, 1, 1), "last": date(year, 12, 31)}
    return {row["indicator"]: _told(row) for row in session.execute(_NEWEST, asked).mappings()}


def history(session: Session, code: str) -> Sequence[tuple[str | None, Official]]:
    """Every value ever entered for an indicator, with its street: newest day first, corrections before the corrected."""
    rows = session.execute(_HISTORY, {"code": code}).mappings()
    return [(row["street"], _told(row)) for row in rows]


def _told(row: RowMapping) -> Official:
    return Official(
        row["value_id"],
        row["value"],
        row["unit"],
        row["as_of"].isoformat(),
        row["source_title"],
        row["source_address"],
        row["source_page"],
        row["approval_id"],
        row["entered_by"],
        row["approved_by"],
    )


def _faults(payload: Mapping[str, Any]) -> Iterator[FieldFault]:
    if set(payload) != NAMES:
        yield FieldFault("", "wrong_form", Text("字段不符", f"its fields are {', '.join(sorted(NAMES))}"))
        return
    code, street, value = payload["indicator"], payload["street"], payload["value"]
    if code not in BY_CODE:
        yield FieldFault("/indicator", "not_an_indicator", Text("没有此指标", "There is no such indicator"))
    if street is not None and (street not in STREETS or code != POPULATION):
        yield FieldFault(
            "/street", "not_by_street", Text("仅人口可按镇街填报", "By street only the population is stated")
        )
    if type(value) is not int or not -(2**53) < value < 2**53:
        yield FieldFault("/value", "out_of_range", Text("应为整数", "a whole number"))
    elif code == POPULATION and value < 1:
        yield FieldFault("/value", "out_of_range", Text("人口应大于 0", "more people than none"))
    yield from _faults_of_day(payload["as_of"])
    yield from _faults_of_source(payload)


def _faults_of_day(given: Any) -> Iterator[FieldFault]:
    try:
        day = date.fromisoformat(given)
    except (TypeError, ValueError):
        yield FieldFault("/as_of", "not_a_day", Text("应为日期，如 2026-12-31", "a day, such as 2026-12-31"))
        return
    if not day.year >= 2015 or day > clock.today():
        yield FieldFault(
            "/as_of", "out_of_range", Text("日期不得晚于今天", "a day since 2015 that is not ahead")
        )


def _faults_of_source(payload: Mapping[str, Any]) -> Iterator[FieldFault]:
    for name, most, needed in (("source_title", 200, True), ("source_page", 40, False)):
        given = payload[name]
        if given is None and not needed:
            continue
        if not isinstance(given, str) or not 1 <= len(given.strip()) <= most or not given.isprintable():
            yield FieldFault(
                "/" + name, "wrong_length", Text(f"应为 1–{most} 个字", f"1 to {most} characters")
            )
    address = payload["source_address"]
    if address is not None and not (isinstance(address, str) and _ADDRESS.fullmatch(address)):
        yield FieldFault(
            "/source_address", "not_an_address", Text("应为网址", "an address that begins with https://")
        )
