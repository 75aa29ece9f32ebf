"""The documents as a page, served whole from here: nothing is fetched from anywhere else, no script is inline."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from flask import Blueprint, Response

from carbon_credits.api.assets import asset as own
from carbon_credits.api.problems import Problem
from carbon_credits.core.i18n import Text

HERE: Final = Path(__file__).parent
DIST: Final = Path(find_spec("flask_swagger_ui").origin or "").parent / "dist"  # type: ignore[union-attr]
# the only files that are served, by the name they are asked for
FILES: Final = {
    "start.js": HERE / "start.js",
    "page.css": HERE / "page.css",
    "swagger-ui.css": DIST / "swagger-ui.css",
    "swagger-ui-bundle.js": DIST / "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js": DIST / "swagger-ui-standalone-preset.js",
    "favicon-32x32.png": DIST / "favicon-32x32.png",
}
# icons come from data: addresses; everything else is a file of ours. One empty style sheet of Swagger UI's own
# making is refused by this, and nothing is missing without it.
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FRESH: Final = "public, max-age=300"

blueprint = Blueprint("docs", __name__)


@blueprint.get("/docs")
def page() -> Response:
    """The page."""
    return own(HERE / "page.html", CSP, FRESH)


@blueprint.get("/docs/<name>")
def asset(name: str) -> Response:
    """What the page is made of."""
    if name not in FILES:
        raise Problem("not_found", Text("没有这个文件", "There is no such file"))
    return own(FILES[name], CSP, FRESH)
