"""The plan's figures in the units that people use: written and typed so, kept as whole numbers of a smaller unit.

A share is typed in per cent, a mass in tonnes, a length in kilometres; what was typed is taken exactly or refused.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from admin.forms import REQUIRED, Form
from carbon_credits.core.errors import FieldFault
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.indicators_declared import Unit
from carbon_credits.reporting.numbers import grouped


class Measure(NamedTuple):
    """What people say instead of a unit: one of it is 10 to the `places` of the unit."""

    words: Text
    places: int = 0


MEASURES: Final[Mapping[Unit, Measure]] = {
    Unit.PPM: Measure(Text("%", "%"), 4),
    Unit.GRAM: Measure(Text("吨", "t"), 6),
    Unit.METRE: Measure(Text("公里", "km"), 3),
    Unit.METRES_PER_10000: Measure(Text("公里/万人", "km per 10,000 people"), 3),
    Unit.PEOPLE: Measure(Unit.PEOPLE.text),
    Unit.TRIPS: Measure(Unit.TRIPS.text),
    Unit.GROUPS: Measure(Unit.GROUPS.text),
    Unit.ITEMS: Measure(Unit.ITEMS.text),
    Unit.WATT: Measure(Text("千瓦", "kW"), 3),
    Unit.WATT_HOUR: Measure(Text("千瓦时", "kWh"), 3),
}
NUMBER: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,12}))?")


def plain(value: int, unit: Unit | str) -> str:
    """A value in the measure of its unit, without it: as it may be typed again."""
    return f"{Decimal(value).scaleb(-MEASURES[Unit(unit)].places).normalize():f}"


def quantity(value: int | None, unit: Unit | str | None) -> Text:
    """A value with its measure, every digit; a dash where it is not known or not shown."""
    if value is None or unit is None:
        return Text("—", "—")
    told, words = grouped(plain(value, unit)), MEASURES[Unit(unit)].words
    return Text(f"{told} {words.zh}", f"{told} {words.en}")


def read(form: Form, name: str, unit: Unit) -> int:
    """What was typed in the measure of a unit, exactly, in the unit; a fault of the form where it cannot be."""
    places = MEASURES[unit].places
    typed = re.sub(r"[\s,，%]", "", form.typed[name])
    found = NUMBER.fullmatch(typed)
    if found is None or len((found[3] or "").rstrip("0")) > places:
        wrong = Text("应为整数", "A whole number")
        if places:
            wrong = Text(f"应为数字，至多 {places} 位小数", f"A number with {places} places at most")
        form.faults.append(FieldFault("/" + name, "not_a_number", wrong if typed else REQUIRED))
        return 0
    return int(Decimal(typed).scaleb(places))
