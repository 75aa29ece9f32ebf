"""Access tokens: short, signed, for one audience, and never believed for more than who is asking.

What a token names is looked up on each request by the room it belongs to, so that an end is an end at once.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import jwt
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotAuthenticated
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import TOKEN_LIFE, Keyring

Audience = Literal["resident", "partner", "merchant"]
ALGORITHM: Final = "ES256"
TYPE: Final = "at+jwt"
LONGEST: Final = 2_048
CLOCK_DIFFERENCE_S: Final = 5
REQUIRED: Final = ["iss", "aud", "sub", "iat", "exp", "jti"]


@dataclass(frozen=True)
class Principal:
    """Who is asking: a resident (with the session), a partner or a merchant (by one of its clients).

    A merchant's client has scopes, and its merchant a state; both are as they were when the request came.
    """

    kind: Audience
    id: int
    subject: str
    session_id: UUID | None = None
    language: str | None = None
    scopes: frozenset[str] = frozenset()
    state: str | None = None

    @property
    def actor(self) -> str:
        """How the audit and the idempotency keys name it."""
        return f"resident:{self.id}" if self.kind == "resident" else f"client:{self.subject}"


def issue(
    session: Session,
    keyring: Keyring,
    audience: Audience,
    subject: str,
    now: datetime,
    more: Mapping[str, str] | None = None,
) -> str:
    """A token for TOKEN_LIFE, signed with the key whose turn it is (RFC 9068 header and claims)."""
    keys = keyring.keys(session)
    claims: dict[str, Any] = {
        "iss": keyring.issuer,
        "aud": audience,
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFE).timestamp()),
        "jti": secrets.token_urlsafe(16),
        **(more or {}),
    }
    headers = {"kid": keys.signing_kid, "typ": TYPE}
    return jwt.encode(claims, keys.signing_key, algorithm=ALGORITHM, headers=headers)


def read(session: Session, keyring: Keyring, token: str, audience: Audience) -> Mapping[str, Any]:
    """The claims of a token of ours for this audience; raises NotAuthenticated for anything else.

    The algorithm is ours, not the token's; the key comes from our own list; a header may hold nothing but the
    three members that we write.
    """
    if len(token) > LONGEST or not token.isascii():
        raise refused()
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise refused() from error
    kid = header.get("kid")
    if set(header) != {"alg", "typ", "kid"} or header["typ"] != TYPE or not isinstance(kid, str):
        raise refused()
    key = keyring.public_key(session, kid)
    if key is None:
        raise refused()
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=keyring.issuer,
            leeway=CLOCK_DIFFERENCE_S,
            options={"require": REQUIRED, "strict_aud": True},
        )
    except jwt.PyJWTError as error:
        raise refused() from error
    return claims


def refused() -> NotAuthenticated:
    """The one answer to a token that does not count, whatever is wrong with it."""
    return NotAuthenticated(
        "token_refused", Text("登录已失效，请重新登录", "The token is not valid, or no longer")
    )
