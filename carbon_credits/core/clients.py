"""Systems sign in with OAuth 2 client credentials (RFC 6749 §4.4): a secret buys a short token, no refresh.

Partners and merchants alike. Each room keeps its own clients and says which of them are live; what a client is called,
how its secret is kept and compared, and what a token is, stands here.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.core import tokens
from carbon_credits.core.crypto import BLIND_BYTES, Vault, same
from carbon_credits.core.errors import NotAuthenticated
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import TOKEN_LIFE, Keyring
from carbon_credits.core.tokens import Audience

_CLIENT_ID: Final = re.compile(r"[a-z0-9_-]{4,60}")
_NO_SECRET: Final = bytes(BLIND_BYTES)

# the kept digest of a live client's secret, from the room whose clients these are; None when it has no such client
SecretOf = Callable[[Session, str], bytes | None]


@dataclass(frozen=True)
class NewClient:
    """Shown once, to whoever asked for it; the secret is kept nowhere."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class AccessToken:
    """An access token for a client; `expires_in` is in seconds."""

    access_token: str = field(repr=False)
    expires_in: int = int(TOKEN_LIFE.total_seconds())
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name


def new_client(code: str) -> NewClient:
    """A name that begins with its owner's code, and a secret of 256 bits."""
    return NewClient(f"{code.replace('_', '-')}-{secrets.token_hex(5)}", secrets.token_urlsafe(32))


def secret_mac(vault: Vault, client: NewClient) -> bytes:
    """What is kept of a secret: a keyed digest of it with its client's name."""
    return vault.blind("client-secret", f"{client.client_id}:{client.client_secret}")


def issue_token(
    session: Session,
    vault: Vault,
    keyring: Keyring,
    rooms: Mapping[Audience, SecretOf],
    given: NewClient,
    now: datetime,
) -> AccessToken:
    """A token for the right secret of a live client of one of the rooms, for that room's audience.

    Raises NotAuthenticated (`invalid_client`), the same for an unknown client and a wrong secret: every room is asked,
    and a secret is compared also when there is nothing to compare it with, so both take as long.
    """
    known: dict[Audience, bytes] = {}
    if _CLIENT_ID.fullmatch(given.client_id):
        for audience, secret_of in rooms.items():
            mac = secret_of(session, given.client_id)
            if mac is not None:
                known[audience] = mac
    audience, mac = next(iter(known.items()), ("partner", _NO_SECRET))
    # a name that stood in two rooms would be nobody's
    right = same(mac, secret_mac(vault, given)) and len(known) == 1
    if not right:
        raise NotAuthenticated("invalid_client", Text("客户端凭证无效", "The client or its secret is wrong"))
    return AccessToken(tokens.issue(session, keyring, audience, given.client_id, now))
