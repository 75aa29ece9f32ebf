"""What Stripe tells unasked: believed when it is signed over the raw body with a secret of ours, and not long ago."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import stripe

from carbon_credits.rewards.payment_contract import Notice, Refused

HEADER: Final = "stripe-signature"
TOLERANCE_S: Final = 300
LONGEST: Final = 120
MOST_HEADER: Final = 2_000


class StripeNotices:
    """Knows Stripe's events by any of the endpoint's secrets: while one is changed for another, both sign."""

    provider: Literal["stripe"] = "stripe"

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets

    def read(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notice:
        """The event in a raw body. Raises Refused for one that is forged, altered, old, of the future, or no event."""
        signature = {name.lower(): value for name, value in headers.items()}.get(HEADER, "")
        # non-ASCII would be an error of the comparison, not a no
        if not signature.isascii() or len(signature) > MOST_HEADER:
            raise Refused("bad_signature")
        if not any(_is_signed(body, signature, secret) for secret in self._secrets):
            raise Refused("bad_signature")
        # the SDK's own check of the time reads its own clock and lets the future pass
        if abs(now.timestamp() - _signed_at(signature)) > TOLERANCE_S:
            raise Refused("too_old")
        return _event(body)


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, signature, secret, tolerance=None))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


def _signed_at(signature: str) -> int:
    """The time that was signed; the SDK has read it from the same place."""
    first = next(part for part in signature.split(",") if part.startswith("t="))
    return int(first.split("=", 2)[1])


def _event(body: bytes) -> Notice:
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("not_an_event") from None
    if not isinstance(told, dict) or told.get("object") != "event":
        raise Refused("not_an_event")
    data = told.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    reference = about.get("id") if isinstance(about, dict) else None
    return Notice(
        _short(told.get("id")),
        _short(told.get("type")),
        _reference(reference),
        _reference(told.get("account")),
    )


def _short(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST or not value.isprintable():
        raise Refused("not_an_event")
    return value


def _reference(value: Any) -> str | None:
    """The id of what an event is about; a balance, for one, has none."""
    return _short(value) if value is not None else None
