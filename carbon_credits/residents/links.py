"""A link lent by a resident to whoever it is shown to: sealed, good for one thing, over by itself or when they leave.

The token is sealed under a key of its own purpose, not signed for anybody to read: it shows neither whose it is nor what
it opens. Nothing is stored for it, it is no access token, and no door takes it for anything else.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.models import Resident

LONGEST: Final = 100


class LinkExpired(Exception):
    """The link was good and is over."""


class Borrowed(NamedTuple):
    """Who lent a link, what it names, and until when."""

    resident_id: int
    told: tuple[Any, ...]
    expires_at: datetime


@dataclass(frozen=True)
class Link:
    """A kind of link. `told` are the codes (`struct`) of what one names; `unknown` answers what opens nothing."""

    purpose: str
    place: str
    told: str
    life: timedelta
    code: str
    unknown: Text

    def lend(
        self, vault: Vault, resident_id: int, told: tuple[Any, ...], now: datetime
    ) -> tuple[str, datetime]:
        """A token and the minute it ends."""
        expires_at = (now + self.life).replace(second=0, microsecond=0)
        plain = self._layout.pack(resident_id, *told, int(expires_at.timestamp()) // 60)
        return _spelt(vault.seal(self.purpose, plain, self.place)), expires_at

    def borrowed(self, session: Session, vault: Vault, token: str, now: datetime) -> Borrowed:
        """What a token names. Raises LinkExpired when it is over, NotFound for any other reason not to show it.

        A resident who has left or is frozen lends nothing, so that leaving takes effect at once.
        """
        resident_id, *told, minutes = self._layout.unpack(self._opened(vault, token))
        expires_at = datetime.fromtimestamp(minutes * 60, UTC)
        if expires_at <= now:
            raise LinkExpired
        status = select(Resident.status).where(Resident.resident_id == resident_id)
        if session.execute(status).scalar_one_or_none() != "active":
            raise self._no_such_link()
        return Borrowed(resident_id, tuple(told), expires_at)

    @cached_property
    def _layout(self) -> struct.Struct:
        """Resident, what is told, expiry in minutes since 1970."""
        return struct.Struct(f">q{self.told}i")

    def _opened(self, vault: Vault, token: str) -> bytes:
        """The sealed bytes, from the one spelling that we give out."""
        if len(token) > LONGEST or not token.isascii():
            raise self._no_such_link()
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if _spelt(sealed) != token:
                raise self._no_such_link()
            return vault.unseal(self.purpose, sealed, self.place)
        except (binascii.Error, ValueError, CannotOpen) as error:
            raise self._no_such_link() from error

    def _no_such_link(self) -> NotFound:
        return NotFound(self.code, self.unknown)


def _spelt(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
