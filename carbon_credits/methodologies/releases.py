"""A release: one version of a methodology with one set of parameter values, a content-addressed document."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from carbon_credits.methodologies.base import DERIVED, Methodology, Monitored, Parameter, Value
from carbon_credits.methodologies.declaration import starts
from carbon_credits.methodologies.formula import plain
from carbon_credits.methodologies.readings import as_json, canonical, canonical_json, sha256

KIND = "carbon-credits/methodology-release/1"


@dataclass(frozen=True, slots=True)
class Release:
    """In force for acts from `since` up to, not including, `until` (None: open).

    `document` holds all that decides a number: formula, conditions, parameters with sources, monitored data.
    It says nothing of `until`, so a later release leaves the bytes of this one alone.
    """

    methodology: str
    number: int
    version: int
    since: date
    until: date | None
    parameters: Mapping[str, Decimal]
    formula_digest: str
    parameters_digest: str
    document: bytes
    digest: str


@cache
def releases(methodology: Methodology) -> tuple[Release, ...]:
    """Every release of one version, oldest first; each ends where the next begins."""
    days = starts(methodology)
    ends = [*days[1:], methodology.until]
    return tuple(_release(methodology, since, until) for since, until in zip(days, ends, strict=True))


def release_on(methodology: Methodology, day: date) -> Release | None:
    """The release that decides acts of a day; None when this version is not in force then."""
    if not methodology.in_force_on(day):
        return None
    return next(release for release in reversed(releases(methodology)) if release.since <= day)


def values_on(methodology: Methodology, day: date) -> list[tuple[Parameter, Value]]:
    """Each parameter with the value in force on a day on which the methodology is."""
    found = [(parameter, parameter.on(day)) for parameter in methodology.parameters]
    return [(parameter, value) for parameter, value in found if value is not None]


def _release(methodology: Methodology, since: date, until: date | None) -> Release:
    values = values_on(methodology, since)
    listed = [_parameter(parameter, value) for parameter, value in values]
    document = canonical_json(
        {
            "kind": KIND,
            "code": methodology.code,
            "number": methodology.number,
            "version": methodology.version,
            "status": methodology.status.value,
            "pool": methodology.pool.value,
            "since": since.isoformat(),
            "unit": "mg CO2e",
            "rounding": "floor(max(0, formula)), once",
            "monitored": [_monitored(quantity) for quantity in methodology.quantities],
            "parameters": listed,
            "conditions": [
                {"reason": condition.reason, "holds": as_json(test)}
                for condition, test in zip(methodology.conditions, methodology.tests, strict=True)
            ],
            "formula": as_json(methodology.tree),
        }
        | _nothing(methodology)
    )
    return Release(
        methodology=methodology.code,
        number=methodology.number,
        version=methodology.version,
        since=since,
        until=until,
        parameters=MappingProxyType({parameter.name: value.amount for parameter, value in values}),
        formula_digest=sha256(canonical(methodology.tree)),
        parameters_digest=sha256(canonical_json(listed)),
        document=document,
        digest=sha256(document),
    )


def _nothing(methodology: Methodology) -> dict[str, object]:
    """Why an act comes to nothing; the key stands only where there is something to say."""
    if methodology.no_grams is None:
        return {}
    reason, text = methodology.no_grams.reason, methodology.no_grams.text
    return {"no_grams": {"reason": reason, "zh": text.zh, "en": text.en}}


def _monitored(quantity: Monitored) -> dict[str, object]:
    return {
        "name": quantity.name,
        "unit": quantity.unit,
        "least": quantity.least,
        "most": quantity.most,
        "derived": quantity.name in DERIVED,
    }


def _parameter(parameter: Parameter, value: Value) -> dict[str, object]:
    source = value.source
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "value": plain(value.amount),
        "since": value.since.isoformat(),
        "uncertainty": plain(value.uncertainty),
        "correlation": value.correlation,
        "source": {
            "title": source.title,
            "address": source.address,
            "grade": source.grade.value,
            "confidence": source.confidence.value,
            "note": source.note,
        },
    }
