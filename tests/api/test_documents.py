"""The documents say what the door does, in a form that tools read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

NAMES = ("resident", "partner", "merchant", "public")
# a POST only because a code does not belong into an address
LOOKS = "/merchant/v1/captures/preview"
# RFC 6749 has its own errors, and so have the formats of partners
PUSHES = "/partner/v1/feeds/{feed}/{operation}"
# a secret that is shown once is kept nowhere, so neither is the answer: a lost one is ended or runs out by itself; who
# has no token has nobody to keep a key for, and a licence applies once
SHOWN_ONCE = (
    "/merchant/v1/applications",
    "/merchant/v1/clients",
    "/merchant/v1/tills",
    "/merchant/v1/tills/pairings",
    "/v1/groups/{group}/codes",
)
OWN_WORDS = ("/oauth/token", PUSHES)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield path, method, operation


@pytest.fixture(params=NAMES)
def document(request: pytest.FixtureRequest, client: FlaskClient) -> dict[str, Any]:
    """Each document in turn."""
    told: dict[str, Any] = client.get(f"/openapi/{request.param}.json").get_json()
    return told


def test_a_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_refusal_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        if path in OWN_WORDS:
            continue
        refusals = {status: told for status, told in operation["responses"].items() if int(status) >= 400}
        assert {"400", "429", "500", "503"} <= set(refusals), (method, path)
        assert ("401" in refusals) is bool(operation["security"]) or path.startswith("/v1/auth"), (
            method,
            path,
        )
        for told in refusals.values():
            name = told["$ref"].rpartition("/")[2]
            content = document["components"]["responses"][name]["content"]
            assert list(content) == ["application/problem+json"]
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(refusals), (method, path)


def test_operations_and_audiences_are_described_in_both_languages(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        zh, _, en = operation["summary"].partition(" / ")
        assert not zh.isascii(), (method, path)
        assert en.isascii(), (method, path)
        assert en, (method, path)
    assert all("\n\n" in tag["description"] for tag in document["tags"])


def test_bodies_are_closed_and_integers_have_bounds(document: dict[str, Any]) -> None:
    bodies = [
        content["schema"]["$ref"].rpartition("/")[2]
        for path, _, operation in _operations(document)
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
        if kind == "application/json" and path != PUSHES
    ]
    schemas = document["components"]["schemas"]
    assert all(schemas[name]["additionalProperties"] is False for name in bodies)
    for name, schema in schemas.items():
        for field, told in schema.get("properties", {}).items():
            if told.get("type") == "integer":
                assert {"minimum", "maximum"} <= set(told), (name, field)


def test_every_post_that_changes_something_asks_for_a_key(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        own = path.startswith(("/v1/auth/", "/oauth/", PUSHES, LOOKS)) or path in SHOWN_ONCE
        wanted = method == "post" and not own
        headers = [told for told in operation.get("parameters", []) if told["name"] == "Idempotency-Key"]
        assert bool(headers) is wanted, (method, path)
        assert all(header["required"] for header in headers)


def test_examples_of_bodies_fit_their_schemas(document: dict[str, Any]) -> None:
    for _, _, operation in _operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in content:
                schema = {**content["schema"], "components": document["components"]}
                assert list(Draft202012Validator(schema).iter_errors(content["example"])) == []


def test_an_unknown_document_is_404(client: FlaskClient) -> None:
    assert client.get("/openapi/till.json").status_code == 404


def test_the_page_is_made_of_our_own_files_under_a_strict_policy(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.mimetype == "text/html"
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    html = page.get_data(as_text=True)
    assert "http" not in html.replace("http-equiv", "")
    for name in (
        "start.js",
        "page.css",
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
    ):
        assert f"/docs/{name}" in html
        told = client.get(f"/docs/{name}")
        assert told.status_code == 200
        assert told.headers["Content-Security-Policy"] == policy
        told.close()
    page.close()


@pytest.mark.parametrize(
    "name", ["index.html", "..", "..%2f__init__.py", "__init__.py", "oauth2-redirect.html"]
)
def test_the_page_serves_no_other_file(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_documents_are_the_same_bytes_each_time(client: FlaskClient) -> None:
    first, second = (client.get("/openapi/resident.json").data for _ in range(2))
    assert first == second
    assert json.loads(first)["info"]["version"] == "1.0.0"
