"""Calls to Stripe that end: a deadline for each, a breaker for all, and an answer that is yes, a definite no, or neither.

A definite no is one that Stripe gives of the thing asked for. All else – silence, a reset, 5xx, a proxy's page, our own
key refused, a key known with other numbers – says nothing about the money and is Unknown: it is asked again later.
"""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, TypeVar
from urllib.parse import SplitResult, urlsplit

import stripe

from carbon_credits.rewards.payment_contract import Refused, Unknown

# from the first byte sent to the last one read: a job that asks Stripe never hangs on it
DEADLINE_S: Final = 3.0
MOST_BYTES: Final = 8 * 1024 * 1024
# after so many calls without an answer nothing is asked for a while; then one call tries
FAILURES: Final = 5
REST_S: Final = 30.0
CURRENCY: Final = "cny"
PAGE: Final = 100
SHORT: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
T = TypeVar("T")

# else the SDK sends which machine this is, how long calls took and an id that it keeps in a file
stripe.enable_telemetry = False


class NoSense(Exception):
    """An answer that is not what was asked for."""


class DeadlineClient(stripe.HTTPClient):
    """The SDK's socket. Unlike its own it bounds the whole call, follows no redirect and reads no proxy or .netrc."""

    name = "deadline"

    def __init__(self) -> None:
        super().__init__()
        self._context = ssl.create_default_context(cafile=stripe.ca_bundle_path)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One exchange; raises APIConnectionError for whatever is not a whole answer of Stripe's in time."""
        parts = urlsplit(url)
        connection = self._connection(parts)
        watch = threading.Timer(DEADLINE_S, _cut, (connection,))
        watch.daemon = True
        watch.start()
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method.upper(), path, body=post_data, headers=dict(headers or {}))
            answer = connection.getresponse()
            body, status, told = answer.read(MOST_BYTES + 1), answer.status, dict(answer.getheaders())
            written = body.decode()
        except (OSError, HTTPException, ValueError) as error:
            raise _lost(type(error).__name__) from None
        finally:
            watch.cancel()
            connection.close()
        if len(body) > MOST_BYTES or not _makes_sense(status, written):
            raise _lost("answer_makes_no_sense")
        return written, status, told

    def close(self) -> None:
        """Nothing is kept open."""

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "https":
            return HTTPSConnection(host, parts.port, timeout=DEADLINE_S, context=self._context)
        return HTTPConnection(host, parts.port, timeout=DEADLINE_S)


def _cut(connection: HTTPConnection) -> None:
    """End whatever a connection waits for; under TLS too, where only the socket below may be touched from outside."""
    if connection.sock is not None:
        try:
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        except OSError:
            return


def _lost(why: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why)  # type: ignore[no-untyped-call]


def _makes_sense(status: int, body: str) -> bool:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(told, dict):
        return False
    if 200 <= status < 300:
        return isinstance(told.get("object"), str) and "error" not in told
    return status >= 400 and isinstance(told.get("error"), dict)


class Breaker:
    """Stops asking after FAILURES calls in a row without an answer, for REST_S; kept by each process for itself."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures = 0
        self._rests_until = 0.0

    def admit(self) -> None:
        """Let a call through; raises Unknown while resting. Of those that come after the rest one goes first."""
        with self._lock:
            if self._failures < FAILURES:
                return
            if self._now() < self._rests_until:
                raise Unknown("resting")
            self._rests_until = self._now() + REST_S

    def heard(self) -> None:
        """There was an answer."""
        with self._lock:
            self._failures = 0

    def missed(self) -> None:
        """There was none."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._rests_until = self._now() + REST_S


class Calls:
    """A client of Stripe's, and what its answers mean."""

    def __init__(self, key: str, url: str | None = None, breaker: Breaker | None = None) -> None:
        self.client = stripe.StripeClient(
            key,
            base_addresses={"api": url} if url else None,
            # a repeat is a row's business, with the row's key and the row's patience
            max_network_retries=0,
            http_client=DeadlineClient(),
        )
        self._breaker = breaker or Breaker()

    def ask(self, call: Callable[[], T]) -> T:
        """Make a call and read its answer. Raises Refused for a definite no, Unknown for anything that is not one."""
        self._breaker.admit()
        try:
            told = call()
        except stripe.StripeError as error:
            if isinstance(error, stripe.APIConnectionError | stripe.APIError | stripe.RateLimitError):
                self._breaker.missed()
            else:
                self._breaker.heard()
            raise _meaning(error) from None
        except NoSense as error:
            self._breaker.missed()
            raise Unknown(str(error)) from None
        self._breaker.heard()
        return told


def _meaning(error: stripe.StripeError) -> Refused | Unknown:
    """What an error says of the thing asked for; never with Stripe's own words, which may name people."""
    code = _code(error)
    if isinstance(error, stripe.CardError | stripe.InvalidRequestError):
        return Refused(code or "invalid_request")
    if isinstance(error, stripe.PermissionError) and code == "account_invalid":
        return Refused(code)
    if isinstance(error, stripe.IdempotencyError):
        # this key has been used, so something may have moved under it
        return Unknown("key_known_with_other_numbers")
    if isinstance(error, stripe.APIConnectionError):
        return Unknown(str(error.user_message))
    return Unknown(code or f"status_{error.http_status}")


def _code(error: stripe.StripeError) -> str:
    body = error.json_body
    told = body.get("error") if isinstance(body, dict) else None
    code = told.get("code") if isinstance(told, dict) else None
    return code if isinstance(code, str) and SHORT.fullmatch(code) else ""


def instant(seconds: int) -> datetime:
    """Stripe's time, in seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


class Answer:
    """An object of Stripe's, read with suspicion: what is missing or of another kind raises NoSense."""

    def __init__(self, told: Any, kind: str) -> None:
        self._told: Mapping[str, Any] = told.to_dict() if isinstance(told, stripe.StripeObject) else told
        if not isinstance(self._told, Mapping) or self._told.get("object") != kind:
            raise NoSense(f"not_a_{kind}")

    def text(self, name: str) -> str:
        """A text that is there."""
        found = self._told.get(name)
        if not isinstance(found, str) or not 1 <= len(found) <= 2_000:
            raise NoSense(f"no_{name}")
        return found

    def text_or_none(self, name: str) -> str | None:
        """A text, where there is one."""
        return None if self._told.get(name) is None else self.text(name)

    def whole(self, name: str) -> int:
        """A whole number."""
        found = self._told.get(name)
        if type(found) is not int:
            raise NoSense(f"no_{name}")
        return found

    def is_true(self, name: str) -> bool:
        """Whether a flag is set."""
        return self._told.get(name) is True

    def part(self, name: str) -> Mapping[str, Any]:
        """What is inside, empty where there is nothing."""
        found = self._told.get(name)
        return found if isinstance(found, Mapping) else {}

    def reference(self, name: str) -> str | None:
        """The id of another object, expanded or not."""
        found = self._told.get(name)
        return found.get("id") if isinstance(found, Mapping) else found if isinstance(found, str) else None
