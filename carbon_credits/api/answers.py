"""How answers are written: UTC times end in Z, decimals are strings, Chinese stays Chinese."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from flask import Response
from flask.json.provider import JSONProvider

from carbon_credits.api import strict_json

encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode


class StrictJson(JSONProvider):
    """Flask's own calls go through the same writer and the same strict reader."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Write."""
        return encode(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Read strictly; raises NotStrictJson."""
        return strict_json.decode(s.encode() if isinstance(s, str) else s)


def answer(told: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; what it holds was put together by hand, never a row as a whole."""
    response = Response(encode(told), status, mimetype="application/json")
    if headers:
        response.headers.extend(headers)
    return response


def empty() -> Response:
    """204: done, nothing to say."""
    return Response(status=204)
