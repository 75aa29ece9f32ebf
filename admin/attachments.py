"""A file that a browser is handed: to be kept and never shown in place, never kept by anything on the way."""

from collections.abc import Iterable

from flask import Response
from werkzeug.http import dump_options_header


def attached(
    content: bytes | Iterable[bytes], name: str, content_type: str, size: int | None = None
) -> Response:
    """A file of so many bytes under a plain name; whoever gives it piece by piece says its size."""
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": name})
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    if size is not None:
        response.content_length = size
    return response
