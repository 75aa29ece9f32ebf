"""Drawings of campaigns: what a simulation would cost by day, what a campaign gave by day, how sure its effect is."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from admin import pages
from admin.charts import Option
from carbon_credits.core.i18n import Language, Text
from carbon_credits.crediting.bonus_figures import OfDay
from carbon_credits.reporting.effects import Compared, Extra
from carbon_credits.reporting.numbers import grouped
from carbon_credits.reporting.simulated import DayLine, Shown

MICRO_YUAN: Final = 100_000_000
COLOURS: Final = ("#1f5c45", "#b58a2a")
POINTS: Final = Text("积分", "Points")
YUAN: Final = Text("元", "Yuan")
_GRID: Final = {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True}
# the drawing of intervals, in its own units: wide as a phone
WIDTH: Final = 320
MARGIN: Final = 12

MEASURES: Final[Mapping[str, Text]] = {
    "avoided": Text("活动行为的减排量", "Avoided by the campaign's acts"),
    "verified": Text("其中已核实", "Verified of these"),
    "avoided_in_all": Text("全部行为的减排量", "Avoided by all that people do"),
    "removal": Text("树木吸收", "Removed by trees"),
}


def costs(outcomes: Sequence[Shown], sides: Sequence[Text], reader: Language) -> Option:
    """What each definition would cost by day: in yuan where its fund has a price, else in points."""
    days = _days(outcomes)
    in_money = all(one.cost_micro_fen is not None for one in outcomes)
    unit = (YUAN if in_money else POINTS).in_language(reader)
    series = [
        {
            "name": side.in_language(reader),
            "type": "bar",
            "barMaxWidth": 26,
            "color": colour,
            "data": [_height(one.get(day), in_money=in_money) for day in days],
        }
        for one, side, colour in zip(map(_by_day, outcomes), sides, COLOURS, strict=False)
    ]
    return _bars(days, unit, series)


def cost_rows(outcomes: Sequence[Shown]) -> list[tuple[str, ...]]:
    """The same as text: a day, then points and yuan of each definition."""
    found = [_by_day(one) for one in outcomes]
    return [
        (day.isoformat(), *(cell for one in found for cell in _cells(one.get(day))))
        for day in _days(outcomes)
    ]


def given(days: Sequence[OfDay], reader: Language) -> Option:
    """Points a campaign gave by day."""
    bars = {"type": "bar", "barMaxWidth": 26, "color": COLOURS[0], "data": [day.points for day in days]}
    return _bars([day.day for day in days], POINTS.in_language(reader), [bars])


class Interval(NamedTuple):
    """One finding as it is drawn: where it begins, lies, ends, in units of the drawing."""

    words: Text
    span: Text
    extra: Extra
    low: float
    middle: float
    high: float


class Drawn(NamedTuple):
    """Findings one beneath another, and where nothing is."""

    nought: float
    rows: Sequence[Interval]


def intervals(effect: Compared) -> Drawn:
    """Every finding of a report on one scale."""
    found = [
        (MEASURES[one.measure], span, extra)
        for one in effect.measures
        for span, extra in (
            (Text("活动期间", "during"), one.during),
            (Text("其后 28 天", "28 days after"), one.after),
        )
        if extra is not None
    ]
    least = min([0, *(extra.low_mg for *_, extra in found)])
    most = max([0, *(extra.high_mg for *_, extra in found)])

    def at(milligrams: int) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (milligrams - least) / max(most - least, 1), 1)

    rows = [
        Interval(words, span, one, at(one.low_mg), at(one.extra_mg), at(one.high_mg))
        for words, span, one in found
    ]
    return Drawn(at(0), rows)


def _bars(days: Sequence[date], unit: str, series: Sequence[Mapping[str, Any]]) -> Option:
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"type": "scroll", "top": 0, "right": 0, "show": len(series) > 1},
        "grid": _GRID,
        "xAxis": {"type": "category", "data": [day.isoformat() for day in days]},
        "yAxis": {"type": "value", "name": unit},
        "series": list(series),
    }


def _by_day(outcome: Shown) -> dict[date, DayLine]:
    return {line.day: line for line in outcome.days}


def _days(outcomes: Sequence[Shown]) -> list[date]:
    return sorted({line.day for one in outcomes for line in one.days})


def _height(line: DayLine | None, *, in_money: bool) -> float:
    if line is None:
        return 0
    return (line.cost_micro_fen or 0) / MICRO_YUAN if in_money else line.points


def _cells(line: DayLine | None) -> tuple[str, str]:
    if line is None:
        return "0", "—"
    cost = line.cost_micro_fen
    return grouped(line.points), "—" if cost is None else pages.FILTERS["yuan"](-(-cost // 1_000_000))
