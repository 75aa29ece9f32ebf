"""What waits for a person, queue by queue."""

from flask import Blueprint, Response

from admin import pages, queue_words
from admin.guard import member
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.reporting import queues

blueprint = Blueprint("queue", __name__, url_prefix="/queues")


@blueprint.get("/")
def show() -> Response:
    """How many wait, and since when."""
    now = clock.now()
    with reading() as session:
        found = queues.counts(session, now, member().streets)
    return pages.render("queue/show.html", queues=found, now=now, words=queue_words)
