"""The push door: partners that push in their own format are known by their format's own means and answered in it.

What is not the partner's, or not of its shape, is refused in the partner's words and nothing of it is stored. A feed
without `authenticate`, and an operation that it does not have, are not there at all.
"""

from functools import partial
from typing import Any, Final

import structlog
from flask import Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from carbon_credits.activities import pushes
from carbon_credits.activities.pushes import Push
from carbon_credits.api import strict_json
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.errors import DETAILS
from carbon_credits.api.house import house
from carbon_credits.api.problems import Problem
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import feeds
from carbon_credits.partners import feed_secrets
from carbon_credits.partners.contract import Authentic, Feed, Operation, PushAnswer, PushRefusal, PushRequest

MOST_BYTES: Final = 1_000_000
ANY_JSON: Final = {"application/json": {"schema": {"type": "object"}}}
DOCUMENTED: Final = "/docs/partners"
TOLD: Final = {
    status: {
        "description": f"合作方格式的应答，见 / in the partner's own format, see {DOCUMENTED}",
        "content": ANY_JSON,
    }
    for status in ("200", "201", "202", "400", "401", "409", "413", "415", "422")
}
log = structlog.stdlib.get_logger("carbon_credits.api")

blueprint = Blueprint(
    "feeds", __name__, who=Who.FEED, description="合作方以自有格式推送。\n\nPushes in partners' own formats."
)


@blueprint.before_request
def allow_more() -> None:
    """A day's check of a charging operator is larger than anything a phone sends."""
    request.max_content_length = MOST_BYTES


@blueprint.route("/partner/v1/feeds/<feed>/<operation>", methods=["POST"])
@blueprint.doc(requestBody={"required": True, "content": ANY_JSON}, responses=TOLD)
@blueprint.refuses(404)
def push(feed: str, operation: str) -> Response:
    """以自有格式推送 / Push in the partner's own format

    认证、内容与应答均为合作方格式（如 T/CEC 102、OCPI、EPCIS），说明见 /docs/partners。重复推送不重复计入。

    Authentication, content and answer are those of the partner's format (T/CEC 102, OCPI, EPCIS …); /docs/partners has
    them with JSON Schemas. What is pushed twice counts once.
    """
    known, wanted = _asked_for(feed, operation)
    told, refusal = _taken(known, wanted)
    if refusal is not None:
        g.problem = refusal.code
    return answer(told.document, told.status)


def _asked_for(code: str, operation: str) -> tuple[Feed, Operation]:
    """Raises Problem alike for an unknown feed, one without this door, and an operation it does not have."""
    known = next((feed for feed in feeds() if feed.code == code), None)
    if known is None or known.authenticate is None or operation not in known.operations:
        raise Problem("not_found", DETAILS[404])
    return known, known.operations[operation]


def _taken(feed: Feed, operation: Operation) -> tuple[PushAnswer, PushRefusal | None]:
    """The answer to the request at hand, and why it was refused where it was."""
    came = PushRequest(
        operation.code,
        {name.lower(): value for name, value in request.headers.items()},
        b"",
        clock.now(),
    )
    try:
        came = PushRequest(came.operation, came.headers, _body(), came.at)
        found = _known(feed, operation, came)
        done = found if isinstance(found, PushRefusal) else _read_and_land(found)
    except _Unreadable as unreadable:
        done = unreadable.refusal
    except Conflict as conflict:
        done = PushRefusal(conflict.code, conflict.detail)
    if isinstance(done, PushRefusal):
        log.warning("push refused", feed=feed.code, operation=operation.code, code=done.code)
        return operation.refuse(came, done), done
    return done, None


def _known(feed: Feed, operation: Operation, came: PushRequest) -> Push | PushRefusal:
    """The push, where the feed's own `authenticate` knows it to be the partner's."""
    assert feed.authenticate is not None
    with reading() as session:
        secrets = feed_secrets.in_force(session, house().vault, feed.code, operation.scheme, came.at)
    authentic = feed.authenticate(came, secrets)
    if isinstance(authentic, PushRefusal):
        return authentic
    return Push(feed, operation, came, authentic, _decoded(authentic))


def _read_and_land(found: Push) -> PushAnswer | PushRefusal:
    items = pushes.read(found)
    if isinstance(items, PushRefusal):
        return items
    ours = house()
    landed = partial(pushes.land, vault=ours.vault, push=found, items=items, now=found.request.at)
    try:
        pushed, shards = in_transaction(landed)
    except Conflict as conflict:
        return PushRefusal(conflict.code, conflict.detail, authentic=found.authentic)
    if shards:
        ours.ringer.ring(shards)
    return found.operation.accept(pushed)


class _Unreadable(Exception):
    """Bytes that are not what this door reads."""

    def __init__(self, code: str, detail: Text, authentic: Authentic | None = None) -> None:
        super().__init__(code)
        self.refusal = PushRefusal(code, detail, authentic=authentic)


def _body() -> bytes:
    if "Content-Encoding" in request.headers:
        raise _Unreadable("unsupported_media_type", Text("请勿压缩", "Send it without Content-Encoding"))
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise _Unreadable("too_large", DETAILS[413]) from error


def _decoded(authentic: Authentic) -> Any:
    try:
        return strict_json.decode(authentic.content)
    except strict_json.NotStrictJson as error:
        raise _Unreadable(error.code, error.detail, authentic) from error
