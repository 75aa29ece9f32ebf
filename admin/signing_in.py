"""Signing in and out."""

from flask import Blueprint, Response

from admin import pages

blueprint = Blueprint("signing_in", __name__)


@blueprint.get("/sign-in")
def form() -> Response:
    """Where one signs in."""
    return pages.render("signing_in.html", kept=(), kept_path="", name="", fault=None)
