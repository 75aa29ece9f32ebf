"""What a methodology must satisfy before the programme starts: names, units, sources, dates, kinds, bounds.

Everything here runs at import and stops the programme with the name of what is wrong.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from carbon_credits.methodologies import readings
from carbon_credits.methodologies.formula import (
    NAME,
    Expr,
    FormulaError,
    Number,
    Truth,
    constant,
    names,
    read,
)

if TYPE_CHECKING:
    from carbon_credits.methodologies.base import Methodology, Parameter, Value

BASES = ("person_motion", "vehicle", "item", "transaction", "meter_interval")
REFERENCES = ("order_no", "trip_id", "vehicle", "meter", "item")
BIGINT = 2**63 - 1
# Bits 28 to 30 of the mask of unmet conditions say why no condition was asked; the sign bit stays free.
MOST_CONDITIONS = 28
RESERVED_REASONS = ("monitored_missing", "out_of_range", "not_in_force", "no_reduction")
_CODE = re.compile(r"[a-z]+\.[a-z0-9]+(_[a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class DeclarationError(ValueError):
    """A methodology or factor contradicts itself; the message says which and where."""


def ends_in_unit(name: str, unit: str) -> bool:
    """Whether a name says its unit: distance_m in m, saving_kg_per_kg in kg/kg, count in count."""
    suffix = unit.replace("/", "_per_")
    return name == suffix or name.endswith("_" + suffix)


def read_trees(methodology: "Methodology") -> tuple[Expr, tuple[Expr, ...]]:
    """Call the formula and each condition once with symbols; a fault is raised with its place."""
    known = {q.name for q in methodology.quantities} | {p.name for p in methodology.parameters}
    place = f"{methodology.code} v{methodology.version} formula"
    formula = methodology.formula
    tree = constant(0) if formula is None else _read(place, formula, known, Number)
    tests = (
        _read(f"{methodology.code} v{methodology.version} condition {c.reason}", c.holds, known, Truth)
        for c in methodology.conditions
    )
    return tree, tuple(tests)


def _read(place: str, function: object, known: set[str], kind: type[Expr]) -> Expr:
    try:
        tree = read(function, known)  # type: ignore[arg-type]
    except TypeError as error:  # FormulaError, and whatever else Python refuses to do with a symbol
        raise DeclarationError(f"{place}: {error}") from error
    if not isinstance(tree, kind):
        raise DeclarationError(f"{place}: gives a {type(tree).__name__}, a {kind.__name__} is needed")
    return tree


def check(methodology: "Methodology") -> None:
    """Everything that can be known before the first act arrives."""
    faults = [
        *_identity(methodology),
        *_quantities(methodology),
        *_parameters(methodology),
        *_conditions(methodology),
        *_no_grams(methodology),
        *_exclusivity(methodology),
        *_examples(methodology),
    ]
    if not faults:
        faults = list(_bounds(methodology))
    if faults:
        raise DeclarationError(f"{methodology.code} v{methodology.version}: " + "; ".join(faults))


def _identity(m: "Methodology") -> Iterable[str]:
    if not _CODE.fullmatch(m.code):
        yield f"code {m.code!r} is not family.name"
    if not 0 < m.number < 2**15:
        yield f"number {m.number} is not a small positive integer"
    if m.version < 1:
        yield f"version {m.version} is below 1"
    if m.until is not None and m.until <= m.in_force:
        yield f"until {m.until} does not lie after in_force {m.in_force}"
    for place, text in (("title", m.title), ("summary", m.summary)):
        if not (text.zh.strip() and text.en.strip()):
            yield f"{place} lacks one of its languages"
    if m.cap_quantity is not None and m.cap_quantity not in {q.name for q in m.monitored}:
        yield f"cap_quantity {m.cap_quantity} is not monitored"


def _quantities(m: "Methodology") -> Iterable[str]:
    used = names(m.tree).union(*(names(test) for test in m.tests), _told(m))
    listed = [q.name for q in m.quantities] + [p.name for p in m.parameters]
    for name in sorted({name for name in listed if listed.count(name) > 1}):
        yield f"{name} is declared twice"
    for name in listed:
        if name not in used and not (m.formula is None and name in {q.name for q in m.quantities}):
            yield f"{name} is declared and used by neither the formula nor a condition"
    for q in m.quantities:
        if not NAME.fullmatch(q.name) or not ends_in_unit(q.name, q.unit):
            yield f"monitored {q.name} does not end in its unit {q.unit!r}"
        if q.least > q.most:
            yield f"monitored {q.name}: {q.least} to {q.most} is empty"


def _parameters(m: "Methodology") -> Iterable[str]:
    for parameter in m.parameters:
        yield from value_faults(parameter)
        if parameter.on(m.in_force) is None:
            yield f"{parameter.name} has no value on {m.in_force}, when the methodology comes into force"
        unread = sorted({v.source.confidence for v in parameter.values if v.source.confidence != "VERIFIED"})
        if m.status == "filed" and unread:
            yield f"{parameter.name} is {', '.join(unread)}: only a trial may use it"


def value_faults(parameter: "Parameter") -> Iterable[str]:
    """What is wrong with a parameter's dated values, one sentence each."""
    name = parameter.name
    if not NAME.fullmatch(name) or not parameter.unit or not ends_in_unit(name, parameter.unit):
        yield f"{name} does not end in its unit {parameter.unit!r}"
    if not (parameter.description.zh.strip() and parameter.description.en.strip()):
        yield f"{name} lacks a description in one of its languages"
    if not parameter.values:
        yield f"{name} has no value"
    dates = [value.since for value in parameter.values]
    if any(later <= earlier for earlier, later in pairwise(dates)):
        yield f"{name}: dates do not rise"
    for value in parameter.values:
        yield from (f"{name} from {value.since}: {fault}" for fault in _citation_faults(value))


def _citation_faults(value: "Value") -> Iterable[str]:
    source = value.source
    if not isinstance(value.amount, Decimal) or not value.amount.is_finite():
        yield f"{value.amount!r} is not a finite Decimal"
    if not source.title.strip() or not source.address.strip():
        yield "no source title or address"
    if source.confidence == "VERIFIED" and not source.address.startswith(("https://", "http://")):
        yield f"a verified value needs a web address, not {source.address!r}"
    if source.confidence == "PROPOSAL" and not source.note.strip():
        yield "a proposal needs a note that says why"
    if value.uncertainty < 0 or (value.uncertainty > 0 and not value.correlation):
        yield "an uncertainty is not negative and names its correlation group"


def _conditions(m: "Methodology") -> Iterable[str]:
    reasons = [c.reason for c in m.conditions]
    parameters = {p.name for p in m.parameters}
    if len(reasons) > MOST_CONDITIONS:
        yield f"{len(reasons)} conditions, at most {MOST_CONDITIONS} fit the mask"
    for condition in m.conditions:
        if not NAME.fullmatch(condition.reason) or condition.reason in RESERVED_REASONS:
            yield f"condition {condition.reason!r}: the reason code is reserved or not in snake case"
        if reasons.count(condition.reason) > 1:
            yield f"condition {condition.reason} is declared twice"
        for name in (n for text in condition.text for n in _PLACEHOLDER.findall(text)):
            if name not in parameters:
                yield f"condition {condition.reason}: its text names {name!r}, which is not a parameter"


def _no_grams(m: "Methodology") -> Iterable[str]:
    if m.no_grams is None:
        if m.formula is None:
            yield "it has neither a formula nor a reason why it earns no grams"
        return
    reason, text = m.no_grams.reason, m.no_grams.text
    if not NAME.fullmatch(reason) or reason in (*RESERVED_REASONS, *(c.reason for c in m.conditions)):
        yield f"no_grams {reason!r}: the reason code is taken or not in snake case"
    if not (text.zh.strip() and text.en.strip()):
        yield f"no_grams {reason} lacks one of its languages"
    for name in sorted(_told(m) - {parameter.name for parameter in m.parameters}):
        yield f"no_grams {reason}: its text names {name!r}, which is not a parameter"


def _told(m: "Methodology") -> set[str]:
    """What the text of no_grams names: a number shown for information is used, too."""
    return (
        set() if m.no_grams is None else {n for text in m.no_grams.text for n in _PLACEHOLDER.findall(text)}
    )


def _exclusivity(m: "Methodology") -> Iterable[str]:
    for basis in m.bases:
        fed = [r for r in m.references if r.basis == basis]
        if basis not in BASES:
            yield f"basis {basis!r} is unknown"
        elif basis != "person_motion" and len(fed) != 1:
            yield f"basis {basis} needs exactly one reference, it has {len(fed)}"
        elif basis == "person_motion" and "duration_s" not in m.derived:
            yield "person_motion needs duration_s, whose range bounds how long a motion lasts"
    for reference in m.references:
        if reference.basis not in m.bases or reference.name not in REFERENCES:
            yield f"reference {reference.name} feeds {reference.basis!r}, which is not among the bases"


def _examples(m: "Methodology") -> Iterable[str]:
    titles = [example.title for example in m.examples]
    for example in m.examples:
        if titles.count(example.title) > 1:
            yield f"example {example.title.en!r} appears twice"


def _bounds(m: "Methodology") -> Iterable[str]:
    """The interval reading over the declared ranges, for every period of parameter values."""
    for since in starts(m):
        ranges = {q.name: readings.Interval(Decimal(q.least), Decimal(q.most)) for q in m.quantities}
        values = {parameter.name: parameter.on(since) for parameter in m.parameters}
        ranges |= {name: readings.point(value.amount) for name, value in values.items() if value is not None}
        try:
            result, *_ = (readings.bounds(tree, ranges) for tree in (m.tree, *m.tests))
        except FormulaError as error:
            yield f"from {since}: {error}"
            continue
        if result.most > BIGINT or result.least < -BIGINT:
            yield f"from {since}: {result.least} to {result.most} mg does not fit a bigint"


def starts(m: "Methodology") -> list[date]:
    """The first day of each period over which every parameter keeps its value, oldest first."""
    changes = {value.since for parameter in m.parameters for value in parameter.values}
    later = {day for day in changes if m.in_force < day and (m.until is None or day < m.until)}
    return sorted({m.in_force} | later)
