"""The JSON Schemas that partners are given: taken from what checks their requests, written nowhere else."""

import json
from collections.abc import Mapping
from typing import Any, Final

from flask import current_app

from carbon_credits.api.documents import EXTENSION
from carbon_credits.jobs.surroundings import feeds
from carbon_credits.partners import manifest_keys

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
# ours by the name they have on the page: the component of the partner document that says it
COMPONENTS: Final[Mapping[str, str]] = {"records": "RecordsBody", "record": "RecordBody", "ack": "Ack"}
MANIFEST: Final = "manifest"


def names() -> list[str]:
    """Every schema by name; those of pushes are FEED.OPERATION."""
    pushes = [f"{feed.code}.{code}" for feed in feeds() for code in feed.operations]
    return [*COMPONENTS, MANIFEST, *pushes]


def schema(name: str) -> Mapping[str, Any]:
    """A schema by its name; raises KeyError."""
    if name in COMPONENTS:
        return _component(COMPONENTS[name])
    if name == MANIFEST:
        return manifest_keys.schema()
    code, _, operation = name.partition(".")
    return {feed.code: feed for feed in feeds()}[code].operations[operation].schema


def _component(name: str) -> Mapping[str, Any]:
    """A component of the partner document, with those that it refers to beside it."""
    components: Mapping[str, Any] = current_app.extensions[EXTENSION]["partner"]["components"]["schemas"]
    needed: dict[str, Any] = {}
    wanted = [name]
    while wanted:
        one = wanted.pop()
        if one not in needed:
            needed[one] = components[one]
            wanted += [
                other
                for other in components
                if f'"#/components/schemas/{other}"' in json.dumps(components[one])
            ]
    moved = json.loads(json.dumps(needed).replace("#/components/schemas/", "#/$defs/"))
    return {"$schema": DRAFT, "title": name, **moved.pop(name), "$defs": moved}
