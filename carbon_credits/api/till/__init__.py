"""The till in a browser: files of ours as they are, no build step, nothing from elsewhere.

It calls the merchant's API like any other client, with a client of its own that it was paired for.
"""

from pathlib import Path
from typing import Final

from flask import Blueprint, Response

from carbon_credits.api.assets import asset as own
from carbon_credits.api.problems import Problem
from carbon_credits.core.i18n import Text

HERE: Final = Path(__file__).parent / "static"
PAGE: Final = "index.html"
WORKER: Final = "worker.js"
FILES: Final = {path.name: path for path in sorted(HERE.iterdir()) if path.name != PAGE}
# no markup is ever made from text: the browser itself refuses it
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types till"
)
# asked again each time, so that the modules of one page are always of one version
FRESH: Final = "no-cache"

blueprint = Blueprint("till", __name__)


@blueprint.get("/till")
def page() -> Response:
    """The page."""
    response = own(HERE / PAGE, CSP, FRESH)
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return response


@blueprint.get("/till/<name>")
def asset(name: str) -> Response:
    """What the page is made of."""
    if name not in FILES:
        raise Problem("not_found", Text("没有这个文件", "There is no such file"))
    response = own(FILES[name], CSP, FRESH)
    if name == WORKER:
        # it lies beside the other files and keeps the page above them
        response.headers["Service-Worker-Allowed"] = "/till"
    return response
