"""What the pages of the methodologies say, from their declarations alone: pure, one language at a time."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from carbon_credits.api.pages.formulas import Layout, lay_out, lines, pieces
from carbon_credits.api.pages.words import (
    BASES,
    CLASSES,
    FAMILIES,
    POOLS,
    REFERENCES,
    badge,
    cited,
    known,
    say,
    unit_in,
)
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.base import Example, Methodology, Monitored, Parameter, Pool, Source, Value
from carbon_credits.methodologies.lifecycle import stage_on
from carbon_credits.methodologies.quantification import Quantification, explain, quantify
from carbon_credits.methodologies.readings import text
from carbon_credits.methodologies.releases import Release, releases
from carbon_credits.reporting import numbers

View = dict[str, Any]
DERIVED_NOTE: Final = Text("由起止时间算出", "worked out from the times")


def index_view(catalogue: Mapping[str, Sequence[Methodology]], language: str, today: date) -> View:
    """The catalogue by family, in the order in which families first appear."""
    families: dict[str, list[View]] = {}
    for versions in catalogue.values():
        methodology = in_force_or_newest(versions, today)
        families.setdefault(methodology.family, []).append(_listed(methodology, language, today))
    return {
        "families": [
            {"key": family, "title": say(known(FAMILIES, family), language), "items": items}
            for family, items in families.items()
        ],
        "many": len(catalogue),
    }


def methodology_view(
    versions: Sequence[Methodology], methodology: Methodology, language: str, today: date
) -> View:
    """One version of a methodology, whole."""
    layout = lay_out(methodology.tree)
    release = releases(methodology)[-1]
    return {
        **_listed(methodology, language, today),
        "no_grams": _no_grams(methodology, language),
        "boundary": {
            name: say(getattr(methodology.boundary, name), language)
            for name in ("baseline", "project", "leakage")
        },
        "needs_partner": methodology.needs_partner,
        "verifiable": methodology.verifiable,
        "evidence": _evidence(methodology, language),
        "quantities": [_quantity(quantity, methodology, language) for quantity in methodology.quantities],
        "formula": formula_view(layout),
        "legend": legend(methodology, language, today),
        "conditions": [
            {
                "reason": condition.reason,
                "text": say(explain(methodology, condition.reason, release), language),
                "test": pieces(text(test)),
            }
            for condition, test in zip(methodology.conditions, methodology.tests, strict=True)
        ],
        "parameters": [_parameter(parameter, language, today) for parameter in methodology.parameters],
        "examples": [_example(methodology, example, layout, language) for example in methodology.examples],
        "exclusivity": [say(known(BASES, basis), language) for basis in methodology.bases],
        "references": [
            {"name": r.name, "title": say(known(REFERENCES, r.name), language), "required": r.required}
            for r in methodology.references
        ],
        "versions": [_version(one, language, today) for one in reversed(versions)],
        "try_with": dict(methodology.examples[0].monitored) if methodology.examples else {},
        "newest": _release(release),
    }


def in_force_or_newest(versions: Sequence[Methodology], today: date) -> Methodology:
    """The version a reader of today means."""
    return next((version for version in versions if version.in_force_on(today)), versions[-1])


def formula_view(layout: Layout) -> View:
    """The formula as one line, with its cases below."""
    return {
        "line": pieces(layout.line),
        "cases": [
            {
                "name": cases.name,
                "rows": [{"value": pieces(row.value), "test": pieces(row.test)} for row in cases.rows],
            }
            for cases in layout.cases
        ],
    }


def legend(methodology: Methodology, language: str, today: date) -> list[View]:
    """Every symbol of the formula with its human name; parameters with the value of the day."""
    used = [piece.text for piece in pieces(text(methodology.tree)) if piece.kind == "name"]
    measured = [
        {
            "name": q.name,
            "title": say(q.description, language),
            "unit": unit_in(q.unit, language),
            "value": None,
        }
        for q in methodology.quantities
        if q.name in used
    ]
    fixed = [
        {
            "name": p.name,
            "title": say(p.description, language),
            "unit": unit_in(p.unit, language),
            "value": numbers.grouped(_of_the_day(p, today).amount),
        }
        for p in methodology.parameters
        if p.name in used
    ]
    return measured + fixed


def source_view(source: Source, language: str) -> View:
    """Where a number comes from, its grade and confidence in words."""
    return cited(
        {
            "title": source.title,
            "address": source.address,
            "grade": source.grade.value,
            "confidence": source.confidence.value,
            "note": source.note,
        },
        language,
    )


def _listed(methodology: Methodology, language: str, today: date) -> View:
    return {
        "code": methodology.code,
        "version": methodology.version,
        "title": say(methodology.title, language),
        "summary": say(methodology.summary, language),
        "family": say(known(FAMILIES, methodology.family), language),
        "status": badge(stage_on(methodology, today), language),
        "in_force": methodology.in_force,
        "until": methodology.until,
        "newest_on": releases(methodology)[-1].since,
        "removal": methodology.pool is Pool.REMOVAL,
        "earns_none": methodology.formula is None,
    }


def _no_grams(methodology: Methodology, language: str) -> str | None:
    """Why acts of this kind come to nothing, always or where the formula gives nothing; None where they never do."""
    if methodology.no_grams is None:
        return None
    return say(explain(methodology, methodology.no_grams.reason, releases(methodology)[-1]), language)


def _evidence(methodology: Methodology, language: str) -> list[View]:
    return [
        {"key": key, "who": say(who, language), "earns": say(_earns(methodology, key), language)}
        for key, who in CLASSES.items()
    ]


def _earns(methodology: Methodology, evidence_class: str) -> Text:
    if evidence_class in "CD" and methodology.needs_partner:
        return Text("等待合作方的记录，此前不计", "waits for the partner's record and counts nothing before")
    if methodology.pool is Pool.REMOVAL:
        return POOLS["removal"]
    return POOLS["verified" if methodology.verifiable and evidence_class in "AB" else "claimed"]


def _quantity(quantity: Monitored, methodology: Methodology, language: str) -> View:
    derived = quantity.name in methodology.derived
    return {
        "name": quantity.name,
        "title": say(quantity.description, language),
        "unit": unit_in(quantity.unit, language),
        "least": numbers.grouped(quantity.least),
        "most": numbers.grouped(quantity.most),
        "note": say(DERIVED_NOTE, language) if derived else "",
        "is_capped": quantity.name == methodology.cap_quantity,
    }


def _parameter(parameter: Parameter, language: str, today: date) -> View:
    current = _of_the_day(parameter, today)
    return {
        "name": parameter.name,
        "title": say(parameter.description, language),
        "unit": unit_in(parameter.unit, language),
        "current": _value(current, language),
        "history": [_value(value, language) for value in reversed(parameter.values)],
    }


def _of_the_day(parameter: Parameter, today: date) -> Value:
    """The value in force, or the first that will be."""
    return parameter.on(today) or parameter.values[0]


def _value(value: Value, language: str) -> View:
    return {
        "since": value.since,
        "amount": numbers.grouped(value.amount),
        "uncertainty": numbers.percent(value.uncertainty) if value.uncertainty else None,
        "source": source_view(value.source, language),
    }


def _example(methodology: Methodology, example: Example, layout: Layout, language: str) -> View:
    found = quantify(methodology, example.monitored, example.on)
    known_numbers: dict[str, Decimal | int | str] = {
        **example.monitored,
        **({} if found.release is None else found.release.parameters),
    }
    return {
        "title": say(example.title, language),
        "on": example.on,
        "monitored": [
            {
                "title": say(q.description, language),
                "name": q.name,
                "unit": unit_in(q.unit, language),
                "amount": numbers.grouped(example.monitored[q.name]),
            }
            for q in methodology.quantities
            if q.name in example.monitored
        ],
        "steps": lines(layout, found.steps, known_numbers),
        "unrounded": _unrounded(methodology, found),
        "raw_mg": numbers.grouped(found.raw_mg),
        "negative": found.raw_mg < 0,
        "grams": numbers.grams(found.reduction_mg),
        "reasons": [say(explain(methodology, reason, found.release), language) for reason in found.reasons],
    }


def _unrounded(methodology: Methodology, found: Quantification) -> str | None:
    """What the formula came to before the one rounding; None where it was not reached."""
    if found.reasons or not found.steps:
        return None
    whole = text(methodology.tree)
    return next((numbers.grouped(step.value) for step in found.steps if step.text == whole), None)


def _version(methodology: Methodology, language: str, today: date) -> View:
    return {
        "version": methodology.version,
        "status": badge(stage_on(methodology, today), language),
        "in_force": methodology.in_force,
        "until": methodology.until,
        "releases": [_release(release) for release in reversed(releases(methodology))],
    }


def _release(release: Release) -> View:
    return {
        "since": release.since,
        "until": release.until,
        "digest": release.digest,
        "name": release.digest.removeprefix("sha256:"),
    }
