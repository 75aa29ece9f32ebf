"""A statement lent to whoever holds its paper: a sealed link to one month as it was, for thirty days.

The token is sealed under a key of its own purpose, as a receipt's is: it shows neither whose month it is nor which, opens
nothing else, and ends by itself, or at once when the resident leaves.
"""

import base64
import binascii
import struct
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.statements import Statement
from carbon_credits.residents.models import Resident

LIFE: Final = timedelta(days=30)
PURPOSE: Final = "statement-link"
PLACE: Final = "statement-link|token|v1"
LAYOUT: Final = struct.Struct(
    ">qiii"
)  # resident, first day as an ordinal, last posting, expiry in minutes since 1970
LONGEST: Final = 100


class Lent(NamedTuple):
    """Whose month a link shows, up to which posting, and until when."""

    resident_id: int
    month: date
    upto: int
    expires_at: datetime


class StatementLinkExpired(Exception):
    """The link was good and is over."""


def lend(vault: Vault, resident_id: int, shown: Statement, now: datetime) -> tuple[str, datetime]:
    """A token for a statement, and the minute it ends."""
    expires_at = (now + LIFE).replace(second=0, microsecond=0)
    minutes = int(expires_at.timestamp()) // 60
    told = LAYOUT.pack(resident_id, shown.month.toordinal(), shown.upto, minutes)
    return base64.urlsafe_b64encode(vault.seal(PURPOSE, told, PLACE)).decode().rstrip("="), expires_at


def borrowed(session: Session, vault: Vault, token: str, now: datetime) -> Lent:
    """What a token shows. Raises StatementLinkExpired when it is over, NotFound for any other reason not to show it."""
    resident_id, month, upto, minutes = LAYOUT.unpack(_opened(vault, token))
    expires_at = datetime.fromtimestamp(minutes * 60, UTC)
    if expires_at <= now:
        raise StatementLinkExpired
    status = select(Resident.status).where(Resident.resident_id == resident_id)
    if session.execute(status).scalar_one_or_none() != "active":
        raise _no_such_link()
    return Lent(resident_id, date.fromordinal(month), upto, expires_at)


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
    return NotFound("statement_link_unknown", Text("没有这个链接", "There is no such link"))
