"""The methodologies as anyone may read and recompute them: formula, parameters with their sources, examples."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

from flask import Response

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.core import clock
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.base import Condition, Methodology, Monitored, Parameter
from carbon_credits.methodologies.catalogue import BY_CODE, VERSIONS
from carbon_credits.methodologies.formula import plain
from carbon_credits.methodologies.lifecycle import Stage, may_credit, stage_on
from carbon_credits.methodologies.quantification import explain
from carbon_credits.methodologies.readings import as_json, text
from carbon_credits.methodologies.releases import Release, releases

BOTH: Final = {
    "type": "object",
    "required": ["zh", "en"],
    "additionalProperties": False,
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
}
SUMMARY_PROPERTIES: Final[Mapping[str, Any]] = {
    "code": {"type": "string"},
    "version": {"type": "integer", "minimum": 1},
    "title": BOTH,
    "summary": BOTH,
    "status": {"type": "string", "enum": [stage.value for stage in Stage]},
    "family": {"type": "string"},
    "in_force": {"type": "string", "format": "date"},
    "until": {"type": ["string", "null"], "format": "date"},
    "superseded_by": {"type": ["integer", "null"]},
    "pool": {"type": "string", "enum": ["avoided", "removal"]},
    "needs_partner": {"type": "boolean"},
    "verifiable": {"type": "boolean"},
    "no_grams": {"type": ["object", "null"]},
    "monitored": {"type": "array", "items": {"type": "object"}},
}
VERSION_PROPERTIES: Final[Mapping[str, Any]] = {
    **SUMMARY_PROPERTIES,
    "boundary": {"type": "object"},
    "formula": {
        "type": "object",
        "required": ["text", "json"],
        "properties": {"text": {"type": "string"}, "json": {"type": "array"}},
    },
    "conditions": {"type": "array", "items": {"type": "object"}},
    "parameters": {"type": "array", "items": {"type": "object"}},
    "references": {"type": "array", "items": {"type": "object"}},
    "exclusivity": {"type": "array", "items": {"type": "string"}},
    "examples": {"type": "array", "items": {"type": "object"}},
    "releases": {"type": "array", "items": {"type": "object"}},
}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


def _ok(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}


LISTED: Final = _object({"items": {"type": "array", "items": _object(SUMMARY_PROPERTIES)}})
SHOWN: Final = _object(
    {"code": {"type": "string"}, "versions": {"type": "array", "items": _object(VERSION_PROPERTIES)}}
)
FRESH: Final = {"Cache-Control": "public, max-age=300"}

blueprint = Blueprint("methodologies", __name__, who=Who.ANYONE, description="方法学。\n\nMethodologies.")


@blueprint.route("/v1/methodologies", methods=["GET"])
@blueprint.doc(responses=_ok(LISTED))
def index() -> Response:
    """方法学目录 / The catalogue"""
    return answer(
        {"items": [_summary(versions[-1], clock.today()) for versions in BY_CODE.values()]}, headers=FRESH
    )


@blueprint.route(
    "/v1/methodologies/<code>",
    methods=["GET"],
    parameters=[
        {
            "in": "path",
            "name": "code",
            "schema": {"type": "string", "minLength": 1, "maxLength": 60},
            "example": "travel.cycling",
        }
    ],
)
@blueprint.doc(responses=_ok(SHOWN))
@blueprint.refuses(404)
def show(code: str) -> Response:
    """一种方法学的全部版本 / Every version of one methodology

    含公式（文字与 JSON）、每个参数的取值与来源、适用条件、算例，以及每次发布的摘要。

    With the formula as text and as JSON, each parameter's values and sources, conditions, examples, and the
    digest of every release.
    """
    if code not in VERSIONS:
        raise NotFound("methodology_not_found", Text("没有这个方法学", "There is no such methodology"))
    return answer(_whole(code, clock.today()), headers=FRESH)


@lru_cache(maxsize=256)
def _whole(code: str, day: date) -> dict[str, Any]:
    return {"code": code, "versions": [_version(methodology, day) for methodology in VERSIONS[code]]}


def _summary(methodology: Methodology, day: date) -> dict[str, Any]:
    later = [
        m.version for m in VERSIONS[methodology.code] if m.version > methodology.version and may_credit(m)
    ]
    return {
        "code": methodology.code,
        "version": methodology.version,
        "title": _both(methodology.title),
        "summary": _both(methodology.summary),
        "status": stage_on(methodology, day),
        "family": methodology.family,
        "in_force": methodology.in_force,
        "until": methodology.until,
        "superseded_by": min(later, default=None),
        "pool": methodology.pool,
        "needs_partner": methodology.needs_partner,
        "verifiable": methodology.verifiable,
        "no_grams": _no_grams(methodology),
        "monitored": [_monitored(quantity) for quantity in methodology.monitored],
    }


def _version(methodology: Methodology, day: date) -> dict[str, Any]:
    boundary = methodology.boundary
    tests = zip(methodology.conditions, methodology.tests, strict=True)
    return {
        **_summary(methodology, day),
        "boundary": {name: _both(getattr(boundary, name)) for name in ("baseline", "project", "leakage")},
        "formula": {"text": text(methodology.tree), "json": as_json(methodology.tree)},
        "conditions": [_condition(condition, text(test), as_json(test)) for condition, test in tests],
        "parameters": [_parameter(parameter) for parameter in methodology.parameters],
        "references": [
            {"name": reference.name, "basis": reference.basis, "required": reference.required}
            for reference in methodology.references
        ],
        "exclusivity": list(methodology.bases),
        "examples": [
            {
                "title": _both(example.title),
                "on": example.on,
                "monitored": dict(example.monitored),
                "reduction_mg": example.reduction_mg,
                "reasons": list(example.reasons),
            }
            for example in methodology.examples
        ],
        "releases": [_release(release) for release in releases(methodology)],
    }


def _no_grams(methodology: Methodology) -> dict[str, Any] | None:
    """Why an act comes to nothing: `always`, or only where the formula gives nothing."""
    if methodology.no_grams is None:
        return None
    words = explain(methodology, methodology.no_grams.reason, releases(methodology)[-1])
    always = methodology.formula is None
    return {"reason": methodology.no_grams.reason, "always": always, "description": _both(words)}


def _both(pair: tuple[str, str]) -> dict[str, str]:
    zh, en = pair
    return {"zh": zh, "en": en}


def _monitored(quantity: Monitored) -> dict[str, Any]:
    return {
        "name": quantity.name,
        "description": _both(quantity.description),
        "unit": quantity.unit,
        "least": quantity.least,
        "most": quantity.most,
    }


def _condition(condition: Condition, shown: str, tree: list[object]) -> dict[str, Any]:
    return {"reason": condition.reason, "description": _both(condition.text), "text": shown, "json": tree}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "description": _both(parameter.description),
        "values": [
            {
                "since": value.since,
                "amount": plain(value.amount),
                "uncertainty": plain(value.uncertainty),
                "source": {
                    "title": value.source.title,
                    "address": value.source.address,
                    "grade": value.source.grade,
                    "confidence": value.source.confidence,
                    "note": value.source.note,
                },
            }
            for value in parameter.values
        ],
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "since": release.since,
        "until": release.until,
        "digest": release.digest,
        "formula_digest": release.formula_digest,
        "parameters_digest": release.parameters_digest,
    }
