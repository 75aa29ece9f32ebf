"""The page for partners: every link answers, every sample is taken, every schema says what the door does."""

import copy
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from carbon_credits.api import strict_json
from carbon_credits.api.partner import records
from carbon_credits.core import clock
from carbon_credits.core.errors import Invalid
from carbon_credits.partners.contract import FileFault, Operation, ParseOptions, Record
from carbon_credits.partners.manifest import canonical_bytes, read_manifest
from carbon_credits.partners.manifest_keys import KEYS
from carbon_credits.partners.shapes import first_fault
from integrations import PROVIDERS
from tests.api.conftest import FEED, Caller
from tests.factories.partner_files import Sender, a_ride, a_table

YESTERDAY = clock.today() - timedelta(days=1)
OPERATIONS = [operation for feed in PROVIDERS for operation in feed.operations.values()]
EVERY = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.code)
SAMPLES = [(feed, name) for feed in PROVIDERS for name in feed.samples]
# what may stand where something else stood
STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    7,
    10**15,
    1.5,
    "",
    "x",
    "长" * 101,
    "2026-13-01 00:00:00",
    "2026-11-22T00:00:00Z",
    "2026-11-22 00:00:00",
    "12.5",
    [],
    [1],
    {},
)


def mutants(document: Any, path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """The document with each of its parts left out, or standing as each strange thing; an extra name beside each."""
    here = document
    for step in path:
        here = here[step]
    places: list[Any] = []
    if isinstance(here, dict):
        places = list(here)
        yield _changed(document, path, lambda holder: holder.update({"x_more": 1}))
    elif isinstance(here, list):
        places = list(range(len(here)))
    for place in places:
        yield _changed(document, path, lambda holder, place=place: holder.pop(place))
        for strange in STRANGE:
            yield _changed(
                document,
                path,
                lambda holder, place=place, strange=strange: holder.__setitem__(place, strange),
            )
        yield from mutants(document, (*path, place))


def _changed(document: Any, path: tuple[Any, ...], change: Any) -> Any:
    copied = copy.deepcopy(document)
    holder = copied
    for step in path:
        holder = holder[step]
    change(holder)
    return copied


def strictly(document: Any) -> Any:
    """As the door decodes it."""
    return strict_json.decode(json.dumps(document).encode())


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_needs_no_script_and_every_link_of_it_answers(client: FlaskClient, lang: str) -> None:
    page = client.get(f"/docs/partners?lang={lang}")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "script" not in page.headers["Content-Security-Policy"]
    html = page.get_data(as_text=True)
    assert "<script" not in html
    assert "style=" not in html
    assert ("合作方接入" in html) is (lang == "zh")
    links = set(re.findall(r'href="(/[^"]*)"', html))
    for link in links:
        told = client.get(link.replace("&amp;", "&"))
        assert told.status_code == 200, link
        told.close()
    anchors = set(re.findall(r'href="#([^"]*)"', html))
    assert anchors <= set(re.findall(r'id="([^"]*)"', html))
    for feed in PROVIDERS:
        assert {f"/docs/partners/samples/{feed.code}/{name}" for name in feed.samples} <= links
        assert {f"/docs/partners/schemas/{feed.code}.{code}.json" for code in feed.operations} <= links


def test_nothing_else_is_served(client: FlaskClient) -> None:
    for path in (
        "schemas/nothing.json",
        "schemas/ev_charging.nothing.json",
        "schemas/..%2fmodels.json",
        "samples/metro_taps/__init__.py",
        "samples/nobody/tides.csv",
        "samples/metro_taps/..%2f..%2fcarpool%2fjourneys.json",
    ):
        assert client.get(f"/docs/partners/{path}").status_code == 404, path


@pytest.mark.parametrize(("feed", "name"), SAMPLES, ids=lambda given: getattr(given, "code", given))
def test_a_sample_holds_good_rows_of_yesterday(client: FlaskClient, feed: Any, name: str) -> None:
    served = client.get(f"/docs/partners/samples/{feed.code}/{name}")
    assert served.headers["Content-Disposition"] == f'attachment; filename="{feed.code}-{name}"'
    items = list(feed.parse_file(BytesIO(served.data), ParseOptions()))
    assert items
    for item in items:
        if isinstance(item, Record):
            age = clock.now() - item.occurred_to
            assert timedelta(0) < age < timedelta(days=feed.late_days)
        else:
            # taps wait for the table of distances, which comes from GTFS
            assert item.reasons == ("distance_unknown",)


def test_every_schema_is_one(client: FlaskClient) -> None:
    html = client.get("/docs/partners").get_data(as_text=True)
    schemas = set(re.findall(r'href="(/docs/partners/schemas/[^"]*)"', html))
    assert len(schemas) == 4 + len(OPERATIONS)
    for address in schemas:
        told = client.get(address)
        assert told.mimetype == "application/schema+json"
        Draft202012Validator.check_schema(told.get_json())


@EVERY
def test_a_push_schema_takes_exactly_what_the_door_takes(operation: Operation) -> None:
    validator = Draft202012Validator(dict(operation.schema))
    example = json.loads(json.dumps(operation.example(YESTERDAY)))
    assert first_fault(operation.schema, strictly(example)) is None
    tried = {True: 0, False: 0}
    for mutant in mutants(example):
        ours = first_fault(operation.schema, strictly(mutant)) is None
        theirs = validator.is_valid(mutant)
        assert ours == theirs, mutant
        tried[ours] += 1
        if ours:
            # what is of the shape can be read: it never trips its reader
            _reasons(operation, mutant)
    assert min(tried.values()) > 5


@EVERY
def test_what_is_of_the_shape_is_readable(operation: Operation) -> None:
    for mutant in mutants(json.loads(json.dumps(operation.example(YESTERDAY)))):
        decoded = strictly(mutant)
        if first_fault(operation.schema, decoded) is None:
            # what only some kinds of event have cannot be demanded of all of them
            is_partial = operation.code == "capture" and not _has_all(decoded["epcisBody"]["eventList"])
            assert ("not_readable",) not in _reasons(operation, mutant) or is_partial, mutant


def test_the_schema_of_a_manifest_takes_exactly_what_is_taken(client: FlaskClient) -> None:
    validator = Draft202012Validator(client.get("/docs/partners/schemas/manifest.json").get_json())
    totals = {"amount": "3.00", "kwh": 7}
    good = Sender().send(a_table([a_ride(1)]), totals=totals, by_type={"Ride": 1}).told
    assert validator.is_valid(good)
    tried = {True: 0, False: 0}
    for mutant in mutants(good):
        if _has_fraction(mutant):
            continue
        try:
            read_manifest(canonical_bytes(mutant))
            ours = True
        except Invalid as refused:
            # what keys demand of one another is said in words
            ours = {fault.code for fault in refused.faults} <= {"wrong_name", "by_type_differs"} or _is_order(
                refused
            )
        assert ours == validator.is_valid(mutant), mutant
        tried[ours] += 1
    assert min(tried.values()) > 5
    assert set(KEYS) == set(good)


def test_the_schema_of_records_takes_exactly_what_the_door_takes(
    client: FlaskClient, partner: Caller
) -> None:
    validator = Draft202012Validator(client.get("/docs/partners/schemas/records.json").get_json())
    good = {**copy.deepcopy(records.EXAMPLE), "feed": FEED.code}
    for mutant in mutants(good):
        if _has_fraction(mutant):
            continue
        told = partner.call("POST", "/partner/v1/records", key=str(uuid4()), json=mutant)
        refused = told.status_code == 422 and told.get_json()["code"] == "wrong_fields"
        assert told.status_code in (200, 404, 422) or told.get_json()["code"] == "number_too_large"
        assert refused != validator.is_valid(mutant), (mutant, told.data)


def test_the_schema_of_an_ack_is_that_of_the_door(application: Flask, client: FlaskClient) -> None:
    told = client.get("/docs/partners/schemas/ack.json").get_json()
    assert set(told["required"]) == set(told["properties"])
    assert {"FileReason", "Rejected", "Reason", "Watermark", "Links"} <= set(told["$defs"])


def test_a_word_of_a_schema_that_is_not_known_is_a_fault() -> None:
    with pytest.raises(ValueError, match="multipleOf"):
        first_fault({"multipleOf": 2}, 3)
    assert first_fault({"type": "integer"}, Decimal("5.0")) is None
    assert first_fault({"type": "integer"}, Decimal("5.5")) is not None


def test_the_end_of_a_form_is_the_end() -> None:
    shape = {"type": "string", "pattern": "^[a-z]+$"}
    assert first_fault(shape, "abc") is None
    assert first_fault(shape, "abc\n") is not None


def _reasons(operation: Operation, document: Any) -> list[tuple[str, ...]]:
    """Why each item is no act; totals that disagree refuse the whole, and are no fault of the shape."""
    try:
        return [getattr(item, "reasons", ()) for item in operation.read(strictly(document))]
    except FileFault as fault:
        return [(fault.code,)] if fault.code != "totals_disagree" else []


def _has_all(events: list[Any]) -> bool:
    return all({"readPoint", "quantityList"} <= set(event) for event in events)


def _has_fraction(value: Any) -> bool:
    """A number written with a fraction, which our doors never take where a whole one stands."""
    if isinstance(value, dict | list):
        return any(map(_has_fraction, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float)


def _is_order(refused: Invalid) -> bool:
    words = {fault.detail.en for fault in refused.faults if fault.code == "wrong_value"}
    others = {f.code for f in refused.faults} - {"wrong_value", "wrong_name", "by_type_differs"}
    return not others and words <= {"It ends before it starts", "A first version replaces nothing"}
