"""Cursors: a place in one caller's own list, signed, so that it cannot be made up or lent to another."""

import base64
import binascii
import hmac
import json
from hashlib import sha256
from typing import Any, Final

from carbon_credits.api.problems import Problem
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text

MAC_BYTES: Final = 12
LONGEST: Final = 200


def cursor_to(vault: Vault, actor: str, operation: str, position: list[Any]) -> str:
    """An opaque cursor to a position (integers and texts) of the actor's list."""
    told = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(vault, actor, operation, told) + told).decode().rstrip("=")


def position_of(vault: Vault, actor: str, operation: str, cursor: str) -> list[Any]:
    """The position in a cursor made for the same actor and operation; raises Problem bad_cursor."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad() from error
    mac, told = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(vault, actor, operation, told)):
        raise _bad()
    position: list[Any] = json.loads(told)
    return position


def _mac(vault: Vault, actor: str, operation: str, told: bytes) -> bytes:
    place = f"{actor}|{operation}|".encode()
    return hmac.new(vault.key("cursor"), place + told, sha256).digest()[:MAC_BYTES]


def _bad() -> Problem:
    return Problem(
        "bad_cursor", Text("翻页标记不是由此列表给出的", "The cursor was not given out for this list")
    )
