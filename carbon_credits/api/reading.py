"""How bodies, queries and forms are read, and how what is wrong with them is said."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from flask import Request, g, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from carbon_credits.api import strict_json
from carbon_credits.api.fields import NOT_OBJECT, WRONG_FORMAT, Fault
from carbon_credits.api.problems import Problem
from carbon_credits.core.errors import FieldFault
from carbon_credits.core.i18n import Text

WRONG: Final = Text("部分字段有误，未保存任何内容", "Some fields are wrong; nothing was stored")
MOST_FAULTS: Final = 50


class StrictParser(FlaskParser):
    """webargs with our reader, our refusals and no guessing."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": None, "query": RAISE}  # noqa: RUF012 - webargs' own way

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body as strict JSON; raises Problem."""
        del schema
        return read_body(req)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query, each name once."""
        del schema
        repeated = [name for name, values in req.args.lists() if len(values) > 1]
        if repeated:
            detail = Text("参数只能出现一次", "A parameter may stand only once")
            faults = tuple(FieldFault(f"?{name}", "duplicate_name", detail) for name in repeated)
            raise Problem("wrong_fields", WRONG, faults=faults)
        return req.args.to_dict()

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_: Any) -> NoReturn:
        """Field faults become a 422 with pointers."""
        del req, schema
        # webargs puts everything under the name of its place
        ((place, messages),) = error.normalized_messages().items()
        raise refuse(messages, in_query=place == "query") from error


def read_body(req: Request) -> dict[str, Any]:
    """The body of a JSON request, an object; raises Problem 400, 413 or 415."""
    charset = req.mimetype_params.get("charset", "utf-8").lower()
    if (
        req.mimetype != "application/json"
        or charset not in {"utf-8", "utf8"}
        or "Content-Encoding" in req.headers
    ):
        raise Problem("unsupported_media_type", Text("请使用 application/json", "Send application/json"))
    try:
        body = strict_json.decode(req.get_data(cache=False))
    except strict_json.NotStrictJson as error:
        raise Problem(error.code, error.detail) from error
    if not isinstance(body, dict):
        faults = (FieldFault("", str(NOT_OBJECT), NOT_OBJECT.detail),)
        raise Problem("wrong_fields", WRONG, faults=faults)
    g.body = body
    return body


def read_form(req: Request) -> dict[str, str]:
    """A form's fields, each once, in UTF-8; raises ValueError for anything else."""
    raw = req.get_data(cache=False).decode("utf-8")
    pairs = parse_qsl(
        raw, keep_blank_values=True, strict_parsing=bool(raw), errors="strict", max_num_fields=20
    )
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ValueError("a name stands twice")
    return form


def body_as_told() -> Any:
    """The decoded body of the request at hand, before any schema; what an idempotency key is bound to."""
    return g.get("body")


def no_body() -> None:
    """For a POST that takes none: one that is sent is refused rather than ignored; raises Problem."""
    if request.get_data(cache=False):
        detail = Text("此操作不接受请求体", "This takes no body")
        raise Problem("wrong_fields", WRONG, faults=(FieldFault("", "unexpected_body", detail),))


def refuse(messages: Any, *, in_query: bool = False) -> Problem:
    """The 422 of a validation's messages."""
    faults = []
    for path, fault in _walk(messages, ()):
        pointer = "?" + "/".join(path) if in_query else "".join("/" + _escape(step) for step in path)
        faults.append(FieldFault(pointer, str(fault), fault.detail))
    return Problem("wrong_fields", WRONG, faults=tuple(faults[:MOST_FAULTS]))


def _walk(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Fault]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            # marshmallow's word for faults of the object itself
            yield from _walk(inner, path if name == "_schema" else (*path, str(name)))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _walk(inner, path)
    else:
        yield path, messages if isinstance(messages, Fault) else WRONG_FORMAT


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
