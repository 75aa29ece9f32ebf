"""What providers tell us unasked: the raw body is known by its signature, kept once, and followed later.

The answer waits for nothing but one row, so a provider is told 200 at once, as often as it says the same thing. What is
forged, altered or old is a 400 and leaves nothing behind.
"""

from functools import partial
from typing import Final

import flask
import structlog
from flask import Response, request

from carbon_credits.api.answers import answer
from carbon_credits.api.errors import DETAILS
from carbon_credits.api.house import house
from carbon_credits.api.problems import Problem
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.doorbell import INBOX
from carbon_credits.jobs.surroundings import ways
from carbon_credits.rewards import inbox
from carbon_credits.rewards.payment_contract import Refused

MOST_BYTES: Final = 262_144
FORGED: Final = Text("签名无效或已过期", "The signature is wrong, or too old")
log = structlog.stdlib.get_logger("carbon_credits.api")

blueprint = flask.Blueprint("webhooks", __name__)


@blueprint.before_request
def allow_more() -> None:
    """An event holds a whole object of the provider's."""
    request.max_content_length = MOST_BYTES


@blueprint.post("/webhooks/<provider>")
def hear(provider: str) -> Response:
    """Keep a notice and answer; the body is read raw, since that is what was signed."""
    notices = ways().notices.get(provider)
    if notices is None:
        raise Problem("not_found", DETAILS[404])
    if "Content-Encoding" in request.headers:
        raise Problem("unsupported_media_type", Text("请勿压缩", "Send it without Content-Encoding"))
    raw = request.get_data(cache=False)
    try:
        notice = notices.read(raw, dict(request.headers.items()), clock.now())
    except Refused as no:
        log.warning("webhook refused", provider=provider, why=no.code)
        raise Problem("webhook_refused", FORGED) from None
    kept = partial(inbox.take_in, provider=notices.provider, told=notice, raw=raw)
    if in_transaction(kept):
        house().ringer.ring(bells=[INBOX])
    return answer({"received": True}, 200)
