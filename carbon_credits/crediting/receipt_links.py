"""A receipt lent to somebody: a sealed link to one act for a day, good for nothing else.

The token is sealed under a key of its own purpose, not signed for anybody to read: it shows neither whose act it is nor
which. It is no access token, none of the doors takes it, and it ends by itself.
"""

import base64
import binascii
import struct
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.activities.views import activity_of
from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.models import Resident

LIFE: Final = timedelta(hours=24)
PURPOSE: Final = "receipt-link"
PLACE: Final = "receipt-link|token|v1"
LAYOUT: Final = struct.Struct(">qqii")  # resident, act, its day as an ordinal, expiry in minutes since 1970
LONGEST: Final = 100


class Lent(NamedTuple):
    """Whose act a link shows, and until when."""

    resident_id: int
    activity: str
    expires_at: datetime


class LinkExpired(Exception):
    """The link was good and is over."""


def lend(session: Session, vault: Vault, resident_id: int, name: str, now: datetime) -> tuple[str, datetime]:
    """A token for one of the resident's acts and the minute it ends. Raises NotFound for another's act as for none."""
    day, number = activity_of(session, resident_id, name).position
    expires_at = (now + LIFE).replace(second=0, microsecond=0)
    told = LAYOUT.pack(resident_id, number, day.toordinal(), int(expires_at.timestamp()) // 60)
    return base64.urlsafe_b64encode(vault.seal(PURPOSE, told, PLACE)).decode().rstrip("="), expires_at


def borrowed(session: Session, vault: Vault, token: str, now: datetime) -> Lent:
    """What a token shows. Raises LinkExpired when it is over, NotFound for any other reason not to show it.

    A resident who has left or is frozen lends nothing, so that leaving takes effect at once.
    """
    resident_id, number, day, minutes = LAYOUT.unpack(_opened(vault, token))
    expires_at = datetime.fromtimestamp(minutes * 60, UTC)
    if expires_at <= now:
        raise LinkExpired
    status = session.execute(
        select(Resident.status).where(Resident.resident_id == resident_id)
    ).scalar_one_or_none()
    if status != "active":
        raise _no_such_link()
    return Lent(resident_id, public_id(date.fromordinal(day), number), expires_at)


def _opened(vault: Vault, token: str) -> bytes:
    """The sealed bytes, from the one spelling that we give out."""
    if len(token) > LONGEST or not token.isascii():
        raise _no_such_link()
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(sealed).decode().rstrip("=") != token:
            raise _no_such_link()
        return vault.unseal(PURPOSE, sealed, PLACE)
    except (binascii.Error, ValueError, CannotOpen) as error:
        raise _no_such_link() from error


def _no_such_link() -> NotFound:
    return NotFound("receipt_link_unknown", Text("没有这个链接", "There is no such link"))
