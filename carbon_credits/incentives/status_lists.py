"""Which statements were revoked, as anybody may read it: a Token Status List (IETF draft, one bit a statement).

All banks' statements share a list of fixed size, at places drawn by chance, so that who fetches it says nothing of whose
statement is looked at, and a place nothing of when it was given. A list is signed, and the same until something in it
changes or REFRESHED has passed.
"""

import base64
import secrets
import threading
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring
from carbon_credits.core.tokens import ALGORITHM
from carbon_credits.incentives.models import IncentiveStatement, StatusList

TYPE: Final = "statuslist+jwt"
MEDIA_TYPE: Final = "application/statuslist+jwt"
PATH: Final = "/public/v1/status/"
SIZE: Final = 131_072
# a list whose places are taken this many times in a row is full enough
DRAWS: Final = 8
# how long a reader may keep a copy, how long a copy counts at all, when an unchanged list is signed anew
TTL: Final = timedelta(minutes=5)
LIFE: Final = timedelta(days=1)
REFRESHED: Final = timedelta(hours=1)
_LOCK: Final = 440_631


@dataclass(frozen=True)
class SignedList:
    """A list as it was signed."""

    token: str
    signed_at: datetime


class StatusLists:
    """Signed lists kept in the process; each request asks the database whether they still hold. Threads may share one."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[tuple[int, str], SignedList]] = {}
        self._lock = threading.Lock()

    def signed(self, session: Session, keyring: Keyring, list_id: int, now: datetime) -> SignedList:
        """The list, signed; raises NotFound. What was revoked before the call is in it."""
        asked = select(StatusList.revision).where(StatusList.list_id == list_id)
        revision = session.execute(asked).scalar_one_or_none()
        if revision is None:
            raise NotFound("status_list_unknown", Text("没有此状态列表", "There is no such status list"))
        state = (revision, keyring.of("statement").keys(session).signing_kid)
        with self._lock:
            kept = self._kept.get(list_id)
        if kept is not None and kept[0] == state and timedelta(0) <= now - kept[1].signed_at < REFRESHED:
            return kept[1]
        made = _sign(session, keyring, list_id, now)
        with self._lock:
            self._kept[list_id] = (state, made)
        return made


def address(keyring: Keyring, list_id: int) -> str:
    """Where a list is published: what a statement refers to it by."""
    return f"{keyring.issuer.rstrip('/')}{PATH}{list_id}"


def newest(session: Session) -> int:
    """The list that new statements go to; the first is opened when it is needed."""
    found = _newest(session)
    return open_after(session, 0) if found is None else found


def open_after(session: Session, full: int) -> int:
    """Open a list after one that is full, unless somebody else just has; its number."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    found = _newest(session)
    if found is not None and found > full:
        return found
    return session.execute(insert(StatusList).returning(StatusList.list_id)).scalar_one()


def draw() -> int:
    """A place in a list, by chance."""
    return secrets.randbelow(SIZE)


def changed(session: Session, list_ids: Iterable[int]) -> None:
    """Say that something in these lists has changed; in order, so that two who say it do not meet crosswise."""
    for list_id in sorted(set(list_ids)):
        moved = update(StatusList).where(StatusList.list_id == list_id)
        session.execute(moved.values(revision=StatusList.revision + 1))


def compressed(places: Iterable[int]) -> str:
    """The list with these places revoked: bits, the lowest first in each byte, zlib, base64url without padding."""
    bits = bytearray(SIZE // 8)
    for place in places:
        bits[place // 8] |= 1 << place % 8
    return base64.urlsafe_b64encode(zlib.compress(bytes(bits), 9)).rstrip(b"=").decode()


def _newest(session: Session) -> int | None:
    return session.execute(select(func.max(StatusList.list_id))).scalar_one()


def _sign(session: Session, keyring: Keyring, list_id: int, now: datetime) -> SignedList:
    revoked = select(IncentiveStatement.idx).where(
        IncentiveStatement.list_id == list_id, IncentiveStatement.revoked_at.is_not(None)
    )
    keys = keyring.of("statement").keys(session)
    claims = {
        "iss": keyring.issuer,
        "sub": address(keyring, list_id),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFE).timestamp()),
        "ttl": int(TTL.total_seconds()),
        "status_list": {"bits": 1, "lst": compressed(session.scalars(revoked))},
    }
    headers = {"kid": keys.signing_kid, "typ": TYPE}
    return SignedList(jwt.encode(claims, keys.signing_key, algorithm=ALGORITHM, headers=headers), now)
