"""Quantify one act: the exact reading of a methodology, and the record a receipt is printed from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from typing import NamedTuple

from carbon_credits.methodologies.base import Methodology, Source, Text
from carbon_credits.methodologies.formula import Expr, plain
from carbon_credits.methodologies.readings import exact, number, text
from carbon_credits.methodologies.releases import Release, release_on, values_on

MONITORED_MISSING = "monitored_missing"
OUT_OF_RANGE = "out_of_range"
NOT_IN_FORCE = "not_in_force"

REASONS: Mapping[str, Text] = {
    MONITORED_MISSING: Text("缺少必需的监测数据", "Monitored data are missing"),
    OUT_OF_RANGE: Text("监测数据超出合理范围", "Monitored data lie outside the plausible range"),
    NOT_IN_FORCE: Text("行为发生当日方法学未生效", "The methodology was not in force on that day"),
}


class Step(NamedTuple):
    """One sub-expression as people read it, and its value."""

    text: str
    value: Decimal | bool


class Used(NamedTuple):
    """A parameter value a quantification leaned on."""

    name: str
    value: Decimal
    unit: str
    since: date
    source: Source


@dataclass(frozen=True, slots=True)
class Quantification:
    """Milligrams of CO2e with everything needed to explain them. Any reason means that no grams are credited.

    `raw_mg` is the formula's floor before negatives become zero, for statistics; 0 where it was not asked.
    """

    reduction_mg: int
    raw_mg: int
    reasons: tuple[str, ...]
    release: Release | None
    values: tuple[Used, ...] = ()
    steps: tuple[Step, ...] = ()


def quantify(methodology: Methodology, monitored: Mapping[str, int], on: date) -> Quantification:
    """Quantify one act of a day. `monitored` also holds the derived numbers; other names are ignored.

    Order: in force, present, in range, conditions (all of them), formula, one rounding down; where that leaves nothing,
    the methodology's own reason if it has one (`no_grams`). Raises TypeError
    for a number that is not an int: fractions and floats never come this far.
    """
    release = release_on(methodology, on)
    if release is None:
        return Quantification(0, 0, (NOT_IN_FORCE,), None)
    given = dict(_whole(methodology, monitored))
    used = _used(methodology, release.since)
    if unfit := tuple(_unfit(methodology, given)):
        return Quantification(0, 0, unfit, release, used)
    known: dict[str, Decimal | int] = {**given, **release.parameters}
    steps: dict[str, Decimal | bool] = {}

    def record(node: Expr, value: Decimal | bool) -> None:
        steps.setdefault(_shown(node), value)

    tests = zip(methodology.conditions, methodology.tests, strict=True)
    if unmet := tuple(condition.reason for condition, test in tests if not exact(test, known, record)):
        return Quantification(0, 0, unmet, release, used, _steps(steps))
    raw_mg = int(number(methodology.tree, known, record).to_integral_value(ROUND_FLOOR))
    nothing = (methodology.no_grams.reason,) if methodology.no_grams and raw_mg <= 0 else ()
    return Quantification(max(0, raw_mg), raw_mg, nothing, release, used, _steps(steps))


def explain(methodology: Methodology, reason: str, release: Release | None) -> Text:
    """The plain words of a reason code, with the release's numbers. Raises KeyError for an unknown code."""
    if reason in REASONS:
        return REASONS[reason]
    texts = {condition.reason: condition.text for condition in methodology.conditions}
    if methodology.no_grams is not None:
        texts[methodology.no_grams.reason] = methodology.no_grams.text
    numbers = {} if release is None else {name: plain(value) for name, value in release.parameters.items()}
    return Text(*(line.format_map(numbers) for line in texts[reason]))


@cache
def _used(methodology: Methodology, since: date) -> tuple[Used, ...]:
    return tuple(
        Used(parameter.name, value.amount, parameter.unit, value.since, value.source)
        for parameter, value in values_on(methodology, since)
    )


@cache
def _shown(node: Expr) -> str:
    """The text of a node of the catalogue; nodes are few, live for ever and are known by identity."""
    return text(node)


def _whole(methodology: Methodology, monitored: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for quantity in methodology.quantities:
        value = monitored.get(quantity.name)
        if value is None:
            continue
        if type(value) is not int:
            raise TypeError(f"{quantity.name} is {value!r}: monitored data are whole numbers")
        yield quantity.name, value


def _unfit(methodology: Methodology, given: Mapping[str, int]) -> Iterator[str]:
    if len(given) < len(methodology.quantities):
        yield MONITORED_MISSING
    if any(not q.least <= given[q.name] <= q.most for q in methodology.quantities if q.name in given):
        yield OUT_OF_RANGE


def _steps(steps: Mapping[str, Decimal | bool]) -> tuple[Step, ...]:
    return tuple(Step(shown, value) for shown, value in steps.items())
