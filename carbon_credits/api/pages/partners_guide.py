"""The page for an engineer of a new partner: credentials, formats, signing, schemas, samples, checks of one's own."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from flask import Blueprint, Response, request

from carbon_credits.api.answers import encode
from carbon_credits.api.house import house
from carbon_credits.api.pages import rendering
from carbon_credits.api.pages.words import CLASSES
from carbon_credits.api.partner import feeds as push_door
from carbon_credits.api.partner import files, records, schemas
from carbon_credits.api.problems import Problem
from carbon_credits.core import clock
from carbon_credits.core.i18n import Language, Text
from carbon_credits.jobs.surroundings import feeds
from carbon_credits.partners import inbox
from carbon_credits.partners.contract import Feed, Operation

PATH: Final = "/docs/partners"
OURS: Final[Mapping[str, Text]] = {
    "records": Text("记录门的请求体", "the body of the records door"),
    "record": Text("一条规范记录", "one canonical record"),
    "manifest": Text("文件清单", "the manifest of a file"),
    "ack": Text("文件回执", "the ack of a file"),
}
KINDS: Final = {"csv": "text/csv", "json": "application/json"}

blueprint = Blueprint("guide", __name__)


@blueprint.get(PATH)
def page() -> Response:
    """The page."""
    reader = rendering.page_language()
    return rendering.public(_page(reader, clock.today(), house().settings.public_url), reader)


@blueprint.get(f"{PATH}/schemas/<name>.json")
def schema(name: str) -> Response:
    """A schema by name."""
    if name not in schemas.names():
        raise _nothing()
    response = Response(encode(schemas.schema(name)), mimetype="application/schema+json")
    return _kept(response)


@blueprint.get(f"{PATH}/samples/<feed>/<name>")
def sample(feed: str, name: str) -> Response:
    """A sample file, as if written yesterday, so that it is not too old to be sent."""
    known = next((one for one in feeds() if one.code == feed), None)
    if known is None or name not in known.samples:
        raise _nothing()
    response = Response(known.samples[name](_yesterday()), mimetype=KINDS[name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f'attachment; filename="{feed}-{name}"'
    return _kept(response)


@lru_cache(maxsize=8)
def _page(reader: Language, today: date, base: str) -> str:
    del base  # in the page's own links, so a page is kept for one address alone
    yesterday = today - timedelta(days=1)
    view = {
        "feeds": [_feed(feed, reader, yesterday) for feed in feeds()],
        "ours": [{"name": name, "words": words.in_language(reader)} for name, words in OURS.items()],
        "record": _pretty(records.EXAMPLE),
        "manifest": _pretty(json.loads(files.EXAMPLE["manifest"])),
        "most": {
            "records": records.MOST_RECORDS,
            "records_kb": records.MOST_BYTES // 1000,
            "push_kb": push_door.MOST_BYTES // 1000,
            "file_gb": round(inbox.MOST_BYTES / 10**9, 1),
        },
    }
    return rendering.written("partners.html", reader, PATH, **view)


def _feed(feed: Feed, reader: Language, day: date) -> Mapping[str, Any]:
    said = feed.formats or feed.names
    return {
        "code": feed.code,
        "partner": feed.partner,
        "partner_name": feed.partner_names.in_language(reader),
        "title": feed.names.in_language(reader),
        "formats": said.in_language(reader),
        "evidence_class": feed.evidence_class,
        "class_words": CLASSES[feed.evidence_class].in_language(reader),
        "late_days": feed.late_days,
        "methodologies": feed.methodologies,
        "samples": list(feed.samples),
        "schemes": [_scheme(feed, name, reader, day) for name in feed.schemes],
    }


def _scheme(feed: Feed, name: str, reader: Language, day: date) -> Mapping[str, Any]:
    way = feed.schemes[name]
    return {
        "name": name,
        "how": way.how.in_language(reader),
        "values": list(way.forms),
        "operations": [
            _operation(operation, reader, day)
            for operation in feed.operations.values()
            if operation.scheme == name
        ],
    }


def _operation(operation: Operation, reader: Language, day: date) -> Mapping[str, Any]:
    return {
        "code": operation.code,
        "title": operation.names.in_language(reader),
        "example": _pretty(operation.example(day)),
    }


def _pretty(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _yesterday() -> date:
    return clock.today() - timedelta(days=1)


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = rendering.FRESH
    response.add_etag()
    response.make_conditional(request)
    return response


def _nothing() -> Problem:
    return Problem("not_found", Text("没有这个文件", "There is no such file"))
