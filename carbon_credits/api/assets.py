"""Files of our own that pages in a browser are made of: sent with a policy, known by their digest."""

import mimetypes
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from flask import Response, request

# a type that a machine's own tables may not know, or know otherwise
TYPES: Final = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}


def asset(path: Path, policy: str, fresh: str) -> Response:
    """A file with its Content-Security-Policy and Cache-Control; 304 for who has it already."""
    content, tag = _content(path)
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    response = Response(content, mimetype=kind)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = fresh
    response.set_etag(tag)
    response.make_conditional(request)
    return response


@cache
def _content(path: Path) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, sha256(content).hexdigest()[:32]
