"""One OpenAPI 3.1 document for each audience, put together from the same declarations that check the requests."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import flask
import flask_smorest
from flask import Flask, Response
from flask_smorest.utils import prepare_response
from marshmallow import Schema

from carbon_credits.api.access import Who
from carbon_credits.api.answers import encode
from carbon_credits.api.errors import DETAILS
from carbon_credits.api.fields import Checked
from carbon_credits.api.idempotency import HEADER, REPLAYED
from carbon_credits.api.problems import BY_STATUS, MEDIA_TYPE, PROBLEMS, TYPE_PREFIX, Problem
from carbon_credits.api.reading import StrictParser
from carbon_credits.core.i18n import Text

VERSION: Final = "1.0.0"
# where an application keeps its documents for others that read them
EXTENSION: Final = "carbon_credits.documents"
SCHEMES: Final[Mapping[Who, Mapping[str, Any]]] = {
    Who.RESIDENT: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "由 /v1/auth/token 取得。\n\nFrom /v1/auth/token.",
    },
    Who.PARTNER: {
        "type": "oauth2",
        "description": "由 /oauth/token 取得。\n\nFrom /oauth/token.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
    },
    Who.MERCHANT: {
        "type": "oauth2",
        "description": "由 /oauth/token 取得。\n\nFrom /oauth/token.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
    },
    Who.FEED: {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "合作方格式自有的认证，见 /docs/partners。\n\nThe format's own means, see /docs/partners.",
    },
}
PROBLEM_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "RFC 9457。`code` 稳定，文字供人阅读。\n\nRFC 9457. `code` is stable; texts are for people.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "additionalProperties": False,
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901)"},
                    "parameter": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
INTEGER_HEADER: Final = {"schema": {"type": "integer", "minimum": 0}}
TEXT_HEADER: Final = {"schema": {"type": "string"}}
HEADERS: Final[Mapping[int, Mapping[str, Any]]] = {
    401: {"WWW-Authenticate": TEXT_HEADER},
    429: {"Retry-After": INTEGER_HEADER},
    503: {"Retry-After": INTEGER_HEADER},
}
KEY_PARAMETER: Final = {
    "in": "header",
    "name": HEADER,
    "required": True,
    "description": "客户端为本次操作选定的值；重试时不变。\n\nThe client's own value for this act; the same on a retry.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    "example": "6f1b0c0e-8d51-4a5e-9a55-2f4d6f0b7f10",
}


class Document(flask_smorest.Api):
    """flask-smorest's, speaking problem+json and leaving errors to api/errors.py."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Errors have one home, and it is not here."""

    def _register_etag_headers(self) -> None:
        """We have none."""

    def _register_pagination_header(self) -> None:
        """Pages say where they go on in their own body."""

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", dict(PROBLEM_SCHEMA))
        for status in HTTPStatus:
            if status < 400:
                continue
            code = BY_STATUS.get(int(status), "bad_request")
            title = PROBLEMS[code].title
            told: dict[str, Any] = {
                "description": f"{title.zh}。\n\n{title.en}." if int(status) in BY_STATUS else status.phrase,
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": _example_of(int(status), code),
            }
            if int(status) in HEADERS:
                told["headers"] = dict(HEADERS[int(status)])
            prepare_response(told, self.spec, MEDIA_TYPE)
            self.spec.components.response(status.name, told, lazy=True)

    def show(self, blueprint: "Blueprint") -> None:
        """Tell also of routes that another document has brought in."""
        blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
        self.spec.tag({"name": blueprint.name, "description": blueprint.description})


class Blueprint(flask_smorest.Blueprint):
    """A group of routes for one audience; what every such route may answer is added to its document."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, *, who: Who, description: str) -> None:
        super().__init__(name, import_name, description=description)
        self.who = who
        self._prepare_doc_cbks.append(self._add_what_any_may_answer)

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[..., Any]:
        """flask-smorest's, with one instance for all requests: making one costs more than a whole check."""
        declare: Callable[..., Any] = super().arguments(schema(), **options)
        return declare

    def keyed(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Declare that a route needs an Idempotency-Key, and what that brings."""
        declared = self.doc(parameters=[dict(KEY_PARAMETER)])(view)
        for status in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            declared = self.alt_response(int(status), status.name)(declared)
        result: Callable[..., Any] = declared
        return result

    def refuses(self, *statuses: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare refusals beyond those that any route may give."""

        def declare(view: Callable[..., Any]) -> Callable[..., Any]:
            for status in statuses:
                view = self.alt_response(status, HTTPStatus(status).name)(view)
            return view

        return declare

    def _add_what_any_may_answer(
        self, doc: dict[str, Any], doc_info: Mapping[str, Any], **_: Any
    ) -> dict[str, Any]:
        statuses = [400, 429, 500, 503]
        if self.who in SCHEMES:
            statuses += [401, 403] if self.who is Who.MERCHANT else [401]
            doc["security"] = [{self.who.value: []}]
        else:
            doc["security"] = []
        if "requestBody" in doc:
            statuses += [413, 415]
        responses = doc.setdefault("responses", {})
        for status in statuses:
            responses.setdefault(status, HTTPStatus(status).name)
        if "manual_doc" in doc_info and any(
            p is not None for p in doc_info["manual_doc"].get("parameters", ())
        ):
            for status, told in responses.items():
                if int(status) < 400 and isinstance(told, dict):
                    told.setdefault("headers", {})[REPLAYED] = TEXT_HEADER
        return doc


def make(
    app: Flask, name: str, title: Text, description: Text, schemes: tuple[Who, ...], **more: Mapping[str, Any]
) -> Document:
    """An empty document; blueprints register in it. `more` stands at its top as it is."""
    prefix = name.upper()
    app.config[f"{prefix}_API_TITLE"] = f"{title.zh} / {title.en}"
    app.config[f"{prefix}_API_VERSION"] = VERSION
    app.config[f"{prefix}_OPENAPI_VERSION"] = "3.1.0"
    info = {"description": f"{description.zh}\n\n{description.en}"}
    options = {"info": info, "servers": [{"url": "/"}], **more}
    made = Document(app, config_prefix=prefix, spec_kwargs=options)
    # its own metadata say what a field is; the base class alone stands for any value
    made.register_field(Checked, None, None)
    made.ma_plugin.converter.add_attribute_function(_left_out)
    for who in schemes:
        made.spec.components.security_scheme(who.value, dict(SCHEMES[who]))
    return made


def _example_of(status: int, code: str) -> dict[str, Any]:
    """What a problem of this status may look like."""
    return {
        "type": TYPE_PREFIX + code,
        "title": PROBLEMS[code].title.zh,
        "status": status,
        "detail": DETAILS.get(status, PROBLEMS[code].title).zh,
        "code": code,
        "request_id": "kqzvvhtwcmopbyexrdja",
    }


def _left_out(_converter: object, field: object, *, ret: Mapping[str, Any], **_: object) -> dict[str, Any]:
    """What a field says of itself in words of JSON Schema that apispec does not know."""
    return {name: told for name, told in getattr(field, "told", {}).items() if name not in ret}


def serve(app: Flask, documents: Mapping[str, Document]) -> None:
    """Publish each document at /openapi/NAME.json, written once."""
    told = {name: document.spec.to_dict() for name, document in documents.items()}
    app.extensions[EXTENSION] = told
    written = {name: encode(document) for name, document in told.items()}
    blueprint = flask.Blueprint("documents", __name__)

    @blueprint.get("/openapi/<name>.json")
    def show(name: str) -> Response:
        if name not in written:
            raise Problem("not_found", Text("没有这份文档", "There is no such document"))
        response = Response(written[name], mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    app.register_blueprint(blueprint)
