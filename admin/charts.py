"""Drawings as ECharts reads them: plain values in its own format, no functions, nothing from outside.

Masses are drawn in kilograms and are for looking at; the table beneath each drawing has the same numbers as text.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from admin.measures import MEASURES
from carbon_credits.core.i18n import Language, Text
from carbon_credits.reporting.dashboard import Line, TrendDay
from carbon_credits.reporting.funnel import Funnel
from carbon_credits.reporting.indicators_declared import Indicator, Official, Own, Unit

Option = dict[str, Any]
KG: Final = 1_000_000
# one colour for each pool, held everywhere; they differ in lightness too, for who sees few colours
COLOURS: Final = {"verified": "#1f5c45", "claimed": "#8ccfae", "removal": "#b58a2a"}
POOLS: Final = {
    "verified": Text("已核实", "Verified"),
    "claimed": Text("自行申报", "Declared"),
    "removal": Text("树木吸收", "Removed by trees"),
}
PEOPLE: Final = Text("参与人数", "People")
STATED: Final = Text("官方数值", "Official value")
WANTED: Final = Text("方案目标", "What the plan wants")
TO_KG: Final = Text("千克", "kg")
_GRID: Final = {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True}
_LEGEND: Final = {"type": "scroll", "top": 0}


def trend(days: Sequence[TrendDay], reader: Language) -> Option:
    """Kilograms a day by pool, piled up, and the people who did it."""
    people = {
        "name": PEOPLE.in_language(reader),
        "type": "line",
        "yAxisIndex": 1,
        "symbol": "none",
        "color": "#4a5568",
        "lineStyle": {"type": "dashed", "width": 1.5},
        "data": [day.people for day in days],
    }
    heads = {
        "type": "value",
        "name": PEOPLE.in_language(reader),
        "splitLine": {"show": False},
        "minInterval": 1,
    }
    line = {"type": "line", "areaStyle": {"opacity": 0.7}, "symbol": "none"}
    return {
        "tooltip": {"trigger": "axis"},
        "legend": _LEGEND,
        "grid": _GRID,
        "xAxis": {"type": "category", "data": [day.on.isoformat() for day in days]},
        "yAxis": [{"type": "value", "name": TO_KG.in_language(reader)}, heads],
        "series": [*_by_pool([day.sums for day in days], line, reader), people],
    }


def composition(lines: Sequence[Line], reader: Language, most: int = 10) -> Option:
    """This year's kilograms of each methodology by pool, the greatest on top."""
    shown = list(reversed(lines[:most]))
    named = {"name": TO_KG.in_language(reader), "nameLocation": "middle", "nameGap": 26}
    return {
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "legend": _LEGEND,
        "grid": {**_GRID, "bottom": 28},
        "xAxis": {"type": "value", **named},
        "yAxis": {"type": "category", "data": [line.name.in_language(reader) for line in shown]},
        "series": _by_pool([line.year for line in shown], {"type": "bar", "barMaxWidth": 22}, reader),
    }


def funnel_steps(found: Funnel) -> Sequence[tuple[Text, int]]:
    """The steps residents come along, in order."""
    return (
        (Text("已注册", "Registered"), found.registered),
        (Text("有行为", "Told of an act"), found.acted),
        (Text("有计入", "Had one credited"), found.credited),
        (Text("有兑换", "Redeemed points"), found.redeemed),
        (Text("近 30 天活跃", "Active in 30 days"), found.active),
    )


def funnel(found: Funnel, reader: Language) -> Option:
    """How many came how far, each step beneath the one it is part of."""
    steps = list(reversed(funnel_steps(found)))
    bars = {
        "type": "bar",
        "color": COLOURS["verified"],
        "barMaxWidth": 26,
        "label": {"show": True, "position": "right"},
        "data": [count for _, count in steps],
    }
    return {
        "tooltip": {"trigger": "item"},
        "grid": {**_GRID, "top": 8, "right": 48},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "data": [words.in_language(reader) for words, _ in steps]},
        "series": [bars],
    }


def calendar(
    days: Sequence[TrendDay], themes: Sequence[tuple[date, str]], year: int, reader: Language
) -> Option:
    """A year of days, the darker the more people took part, themed days marked."""
    shown = [day for day in days if day.on.year == year]
    most = max((day.people for day in shown), default=0) or 1
    counted = {
        "type": "heatmap",
        "coordinateSystem": "calendar",
        "data": [[day.on.isoformat(), day.people] for day in shown],
    }
    marked = {
        "type": "scatter",
        "coordinateSystem": "calendar",
        "symbol": "diamond",
        "symbolSize": 9,
        "color": "#b3261e",
        "data": [{"name": name, "value": [on.isoformat(), 1]} for on, name in themes],
    }
    return {
        "tooltip": {"trigger": "item"},
        "visualMap": {**_SCALE, "max": most, "text": [PEOPLE.in_language(reader), ""]},
        "calendar": {**_YEAR, "range": str(year), **_named("ZH" if reader == "zh" else "EN")},
        "series": [counted, marked],
    }


def readings(trend: Sequence[tuple[date, Own]], reader: Language) -> Option | None:
    """Our own value through each day that was read, a gap where it may not be shown; None while there is nothing."""
    unit = next((own.unit for _, own in trend if own.unit is not None), None)
    if unit is None or all(own.value is None for _, own in trend):
        return None
    line = {
        "type": "line",
        "symbolSize": 8,
        "color": COLOURS["verified"],
        "data": [None if own.value is None else _measured(own.value, unit) for _, own in trend],
    }
    return {
        "tooltip": {"trigger": "axis"},
        "grid": _GRID,
        "xAxis": {"type": "category", "data": [on.isoformat() for on, _ in trend]},
        "yAxis": {"type": "value", "name": MEASURES[unit].words.in_language(reader)},
        "series": [line],
    }


def stated(
    declared: Indicator, history: Sequence[tuple[str | None, Official]], reader: Language
) -> Option | None:
    """What bureaus stated for the district by its day, and where the plan wants to be; None where nothing is stated."""
    newest = {value.as_of: value.value for street, value in reversed(history) if street is None}
    if not newest:
        return None
    wanted = [
        [f"{target.year}-12-31", _measured(target.at_least, declared.unit)]
        for target in declared.targets
        if target.at_least is not None
    ]
    points = [[on, _measured(value, declared.unit)] for on, value in sorted(newest.items())]
    line: Option = {"type": "line", "symbolSize": 8, "color": "#4a5568", "name": STATED.in_language(reader)}
    goal: Option = {"type": "scatter", "symbol": "diamond", "symbolSize": 12, "color": "#b3261e"}
    goals = [{**goal, "name": WANTED.in_language(reader), "data": wanted}] if wanted else []
    return {
        "tooltip": {"trigger": "item"},
        "legend": _LEGEND,
        "grid": _GRID,
        "xAxis": {"type": "time"},
        "yAxis": {
            "type": "value",
            "scale": True,
            "name": MEASURES[declared.unit].words.in_language(reader),
        },
        "series": [{**line, "data": points}, *goals],
    }


def active(lines: Mapping[str, Sequence[int | None]], months: Sequence[str]) -> Option:
    """Residents active in each month of a thousand, by what each line is called; hundredths as they are kept."""
    drawn = [
        {
            "type": "line",
            "name": name,
            "symbolSize": 6,
            "data": [None if one is None else one / 100 for one in values],
        }
        for name, values in lines.items()
    ]
    return {
        "color": ["#182433", "#1f5c45", "#b58a2a", "#2f6fa8", "#8a3f7a", "#8a8f98"],
        "tooltip": {"trigger": "axis"},
        "legend": _LEGEND,
        "grid": _GRID,
        "xAxis": {"type": "category", "data": list(months)},
        "yAxis": {"type": "value", "name": "‰"},
        "series": drawn,
    }


def _measured(value: int, unit: Unit) -> float:
    return float(Decimal(value).scaleb(-MEASURES[unit].places))


_SCALE: Final[Mapping[str, Any]] = {
    "min": 0,
    "orient": "horizontal",
    "left": "center",
    "bottom": 0,
    "seriesIndex": 0,
    "inRange": {"color": ["#eef4f0", "#1f5c45"]},
}
_YEAR: Final[Mapping[str, Any]] = {
    "left": 40,
    "right": 8,
    "top": 28,
    "cellSize": ["auto", 24],
    "yearLabel": {"show": False},
}


def _named(names: str) -> Option:
    return {"dayLabel": {"firstDay": 1, "nameMap": names}, "monthLabel": {"nameMap": names}}


def _by_pool(sums: Sequence[Any], shape: Mapping[str, Any], reader: Language) -> list[Option]:
    """A series for each pool, in kilograms, piled upon one another."""
    return [
        {
            **shape,
            "name": POOLS[pool].in_language(reader),
            "stack": "kg",
            "color": COLOURS[pool],
            "data": [getattr(one, f"{pool}_mg") / KG for one in sums],
        }
        for pool in POOLS
    ]
