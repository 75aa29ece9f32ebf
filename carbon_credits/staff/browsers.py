"""Browsers in which somebody has signed in with both factors.

Whoever knows a name may guess at its password until the account is closed for a while. A browser that is known has a
count of its own, so that strangers' guesses keep nobody from work: a device cookie, as OWASP describes it. It shows
neither factor and lets nobody in. A change of the password makes every browser unknown again, and so do 90 days.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.staff.models import KnownBrowser

KNOWN_FOR: Final = timedelta(days=90)
_TOKEN_BYTES: Final = 32
_LONGEST_TOKEN: Final = 64
_KNOWN_AGAIN: Final = text("""
update staff_browser b set known_at = :now, wrong = 0, locked_until = null
from staff_credential c
where b.browser_mac = :browser and b.staff_id = :staff and c.staff_id = b.staff_id
  and b.known_at >= c.password_set_at and b.known_at > :long_ago
returning b.staff_id
""")
_KNOWN_NOW: Final = text(
    "insert into staff_browser (browser_mac, staff_id, known_at) values (:browser, :staff, :now)"
)


def mac(vault: Vault, token: str) -> bytes:
    """By what a browser is found; nothing is found by a token that is too long to be ours."""
    return vault.blind("staff-browser", token) if len(token) <= _LONGEST_TOKEN else b""


def remember(session: Session, vault: Vault, staff_id: int, token: str, now: datetime) -> tuple[str, bool]:
    """Somebody has shown both factors in the browser of this token: what it holds from now on, whether it was known."""
    given = {"browser": mac(vault, token), "staff": staff_id, "now": now, "long_ago": now - KNOWN_FOR}
    if session.execute(_KNOWN_AGAIN, given).scalar_one_or_none() is not None:
        return token, True
    drawn = secrets.token_urlsafe(_TOKEN_BYTES)
    session.execute(_KNOWN_NOW, {**given, "browser": mac(vault, drawn)})
    return drawn, False


def forget_stale(session: Session, now: datetime) -> None:
    """Drop those that are not known any more."""
    session.execute(delete(KnownBrowser).where(KnownBrowser.known_at <= now - KNOWN_FOR))
