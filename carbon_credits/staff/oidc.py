"""Single sign-on by OpenID Connect: the code flow with PKCE, and a look at the ID token that believes nothing.

The provider says who somebody is there (`sub`); whom of ours that is, is in `identities`. Nothing else of its answer is
used: no name, no e-mail, no role. State, nonce and verifier are made here and come back in the door's sealed cookie.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import jwt
import requests

from carbon_credits.core.crypto import same
from carbon_credits.core.errors import NotAuthenticated, Unavailable
from carbon_credits.core.i18n import Text

ALGORITHMS: Final = ("ES256", "RS256", "PS256")
REQUIRED: Final = ["iss", "aud", "sub", "iat", "exp", "nonce"]
CLOCK_DIFFERENCE_S: Final = 30
KEPT_FOR_S: Final = 600.0
ASKED_AGAIN_AFTER_S: Final = 10.0
_TIMEOUT: Final = (3.0, 5.0)
_PATIENCE_S: Final = 1.0
_MOST_BYTES: Final = 200_000
_LONGEST_SUBJECT: Final = 255
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Flow:
    """What one attempt is recognised by when it comes back."""

    state: str
    nonce: str
    verifier: str


@dataclass
class Provider:
    """The provider, as its own document describes it; document and keys are kept for ten minutes."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    asked_again_after_s: float = ASKED_AGAIN_AFTER_S
    _kept: dict[str, tuple[float, Mapping[str, Any]]] = field(default_factory=dict, repr=False)
    _away_until: float = float("-inf")
    _lock: Lock = field(default_factory=Lock, repr=False)

    def begin(self, redirect_uri: str) -> tuple[Flow, str]:
        """A new attempt, and where the browser is sent. Raises Unavailable."""
        flow = Flow(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return flow, endpoint + ("&" if "?" in endpoint else "?") + urlencode(asked)

    def finish(self, flow: Flow, state: str, code: str, redirect_uri: str) -> str:
        """Who somebody is at the provider: the ID token's `sub`. Raises NotAuthenticated, Unavailable."""
        if not same(state.encode(), flow.state.encode()) or not code:
            raise refused()
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.verifier,
        }
        answer = _call(
            "POST", self._endpoint("token_endpoint"), data=given, auth=(self.client_id, self.client_secret)
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise refused()
        return self._subject_of(token, flow.nonce)

    def _subject_of(self, token: str, nonce: str) -> str:
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self.client_id,
                issuer=self.issuer,
                leeway=CLOCK_DIFFERENCE_S,
                options={"require": REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise refused() from error
        subject, audience = claims["sub"], claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if several and claims.get("azp") != self.client_id:
            raise refused()
        if not same(str(claims["nonce"]).encode(), nonce.encode()):
            raise refused()
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise refused()
        return subject

    def _key(self, kid: str) -> jwt.PyJWK:
        """The provider's key of this name; one that is not known yet is asked for once more. Raises PyJWTError."""
        for kept_for in (KEPT_FOR_S, self.asked_again_after_s):
            keys = jwt.PyJWKSet.from_dict(dict(self._document(self._endpoint("jwks_uri"), kept_for)))
            for key in keys.keys:
                if key.key_id == kid and key.key_type in ("RSA", "EC"):
                    return key
        raise jwt.PyJWTError("no such key")

    def _endpoint(self, name: str) -> str:
        told = self._document(self.issuer.rstrip("/") + "/.well-known/openid-configuration", KEPT_FOR_S)
        if told.get("issuer") != self.issuer:
            raise away()
        return _called(told.get(name))

    def _document(self, url: str, kept_for: float) -> Mapping[str, Any]:
        """One that is kept, or asked for by one caller at a time; who was away is left alone for a while."""
        if not self._lock.acquire(timeout=_PATIENCE_S):
            raise away()
        try:
            at, kept = self._kept.get(url, (float("-inf"), {}))
            if time.monotonic() - at <= kept_for:
                return kept
            if time.monotonic() < self._away_until:
                raise away()
            self._away_until = time.monotonic() + ASKED_AGAIN_AFTER_S
            kept = _call("GET", _called(url))
            self._away_until = float("-inf")
            self._kept[url] = (time.monotonic(), kept)
            return kept
        finally:
            self._lock.release()


def refused() -> NotAuthenticated:
    """The one answer to whatever does not hold of what came back."""
    return NotAuthenticated(
        "single_sign_on_refused", Text("统一登录未通过", "The single sign-on did not hold")
    )


def away() -> Unavailable:
    """The provider cannot be asked, or answers what it should not."""
    return Unavailable(
        "single_sign_on_away",
        Text("统一登录暂不可用", "The single sign-on cannot be reached"),
        retry_after_s=30,
    )


def _called(url: object) -> str:
    """An address that may be called: https, or loopback; raises Unavailable."""
    parts = urlsplit(url if isinstance(url, str) else "")
    if not isinstance(url, str) or not (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    ):
        raise away()
    return url


def _call(method: str, url: str, **options: Any) -> Mapping[str, Any]:
    try:
        with requests.request(
            method, url, timeout=_TIMEOUT, allow_redirects=False, stream=True, **options
        ) as answer:
            content = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        raise away() from error
    if 400 <= status < 500 and method == "POST":
        raise refused()
    try:
        told = json.loads(content) if status == 200 and len(content) <= _MOST_BYTES else None
    except ValueError as error:
        raise away() from error
    if not isinstance(told, dict):
        raise away()
    return told
