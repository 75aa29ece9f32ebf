"""The console's own files, and those it draws with: nothing is asked of any other origin."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, request

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text

STATIC: Final = Path(__file__).parent / "static"
VENDOR: Final = STATIC / "vendor"
TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
YEAR: Final = "public, max-age=31536000, immutable"
MINUTES: Final = "public, max-age=300"
NO_FILE: Final = Text("没有这个文件", "There is no such file")

blueprint = Blueprint("assets", __name__, url_prefix="/assets")


@blueprint.get("/<name>")
def show(name: str) -> Response:
    """One file; under the digest of its bytes it may be kept for a year."""
    path = _known().get(name)
    if path is None:
        raise NotFound("no_file", NO_FILE)
    content, tag = _content(path, path.stat().st_mtime_ns)
    response = Response(content, content_type=TYPES[path.suffix] + "; charset=utf-8")
    response.headers["Cache-Control"] = YEAR if request.args.get("v") == tag else MINUTES
    response.set_etag(tag)
    response.make_conditional(request)
    return response


def version(name: str) -> str:
    """The digest of a file's bytes, for its address; empty while it has not been fetched."""
    path = _known().get(name)
    return "" if path is None else _content(path, path.stat().st_mtime_ns)[1]


def _known() -> dict[str, Path]:
    return {
        path.name: path
        for folder in (VENDOR, STATIC)
        if folder.is_dir()
        for path in folder.iterdir()
        if path.suffix in TYPES and not path.name.startswith(".")
    }


@cache
def _content(path: Path, changed_ns: int) -> tuple[bytes, str]:  # noqa: ARG001 - part of the key
    """`changed_ns` makes a file that was fetched anew another one."""
    content = path.read_bytes()
    return content, sha256(content).hexdigest()[:16]
