"""Where one arrives: the dashboard; and what is said of an address that is not there."""

from typing import NoReturn

from flask import Blueprint, Response

from admin import pages
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text

NO_PAGE = Text("没有这个页面，它可能已移走", "There is no such page; it may have moved")

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def show() -> Response:
    """The dashboard."""
    return pages.render("home.html")


@blueprint.get("/<path:anything>")
def elsewhere(anything: str) -> NoReturn:  # noqa: ARG001 - what was typed is not repeated
    """Any other address under the console."""
    raise NotFound("no_page", NO_PAGE)
