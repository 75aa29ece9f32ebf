"""The HTTP side: who asks, under which key, with which parameters; what was answered before; what goes wrong."""

import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from integrations import stripe_calls
from tests.stripe_server import calls
from tests.stripe_server.books import API_VERSION, OURS, Books, Refusal, shown
from tests.stripe_server.faults import Fault, Faults
from tests.stripe_server.params import WrongParameter, checked, decoded
from tests.stripe_server.people import People
from tests.stripe_server.webhooks import Webhooks

KEY = "sk_test_of_the_tests"
# how long an answer of this server is waited for, on a machine that may stall
PATIENCE_S = 30.0
LIMIT = 1_000_000


class StripeServer:
    """A Stripe on loopback. `start` and `stop` may be called again; with a path it remembers."""

    def __init__(self, path: Path | None = None, port: int = 0) -> None:
        self.books = Books(path)
        self.people = People(self.books)
        self.faults = Faults()
        self.webhooks = Webhooks(self.books)
        self.asked: list[tuple[str, str | None]] = []
        self._port = port
        self._under_way: set[str] = set()
        self._http: _Http | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        assert self._http is not None
        return f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> "StripeServer":
        """Begin to answer."""
        self.faults.stopped.clear()
        self._http = _Http(("127.0.0.1", self._port), _Request)
        self._http.stripe = self
        self._port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Answer nothing more; connections that wait are cut."""
        self.faults.stopped.set()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def fail(self, kind: Any, call: str = "", **how: Any) -> Fault:
        """Let the next call that fits go wrong: `fail("silent", "POST /v1/transfers", after=True)`."""
        return self.faults.add(Fault(kind, call, **how))

    def answer(
        self, method: str, address: str, form: str, key: str | None, account: str
    ) -> tuple[int, dict[str, Any]]:
        """What a call is answered, and its effect."""
        self.asked.append((f"{method} {address}", key))
        try:
            call, ids = calls.find(method, address)
            told = decoded(form)
            params = checked(told, call.params)
        except WrongParameter as wrong:
            error = {"type": "invalid_request_error", "code": wrong.code, "message": str(wrong)}
            return 400, {"error": error | {"param": wrong.param}}
        except Refusal as no:
            return no.status, no.body
        if method != "POST" or key is None:
            return self._done(call, params, ids, account)[:2]
        return self._once(call, params, ids, account, key, f"{address}?{json.dumps(told, sort_keys=True)}")

    def keep_wrong(self, key: str, account: str, fault: Fault) -> None:
        """What went wrong is the answer under this key from now on."""
        with self.books.lock:
            status, body = _WRONG[fault.kind](fault)
            self.books.answers[f"{account}|{key}"].update(status=status, body=body)
            self.books.save()

    def _once(
        self,
        call: calls.Call,
        params: Mapping[str, Any],
        ids: tuple[str, ...],
        account: str,
        key: str,
        what: str,
    ) -> tuple[int, dict[str, Any]]:
        """The same key and the same words: the same answer. Other words: a no that says nothing of the first."""
        digest = hashlib.sha256(what.encode()).hexdigest()
        place = f"{account}|{key}"
        with self.books.lock:
            if place in self._under_way:
                return 409, _error(
                    "idempotency_error", "idempotency_key_in_use", "Another request is under way."
                )
            before = self.books.answers.get(place)
            if before is not None:
                if before["digest"] == digest:
                    return before["status"], before["body"]
                message = "Keys for idempotent requests can only be used with the same parameters."
                return 400, _error("idempotency_error", None, message)
            self._under_way.add(place)
        try:
            with self.books.lock:
                status, body, kept = self._done(call, params, ids, account)
                if kept:
                    self.books.answers[place] = {"digest": digest, "status": status, "body": body}
                    self.books.save()
            return status, body
        finally:
            self._under_way.discard(place)

    def _done(
        self, call: calls.Call, params: Mapping[str, Any], ids: tuple[str, ...], account: str
    ) -> tuple[int, dict[str, Any], bool]:
        with self.books.lock:
            try:
                if account:
                    self.books.of("account", account)
                told = call.does(self.books, params, *ids, account=account)
            except Refusal as no:
                return no.status, no.body, no.kept
            self.books.save()
            return 200, json.loads(json.dumps(shown(told))), True


def _error(kind: str, code: str | None, message: str) -> dict[str, Any]:
    told = {"type": kind, "message": message}
    return {"error": told | ({"code": code} if code else {})}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    stripe: StripeServer


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._take(urlsplit(self.path).query)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LIMIT:
            self._say(413, _error("invalid_request_error", None, "Too large."))
            return
        self._take(self.rfile.read(length).decode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _take(self, form: str) -> None:
        self.close_connection = True
        stripe = cast(_Http, self.server).stripe
        address = urlsplit(self.path).path
        call = f"{self.command} {address}"
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._say(401, _error("invalid_request_error", None, "Invalid API Key provided."))
            return
        if self.headers.get("Stripe-Version") != API_VERSION:
            self._say(400, _error("invalid_request_error", None, "Another version of the API."))
            return
        before = stripe.faults.take(call, after=False)
        if before is not None and not self._go_wrong(stripe, before):
            return
        key, account = self.headers.get("Idempotency-Key"), self.headers.get("Stripe-Account", OURS)
        status, body = stripe.answer(self.command, address, form, key, account)
        after = stripe.faults.take(call, after=True)
        if after is not None and after.kept and key is not None:
            stripe.keep_wrong(key, account, after)
        if after is None or self._go_wrong(stripe, after, body):
            self._say(status, body)

    def _go_wrong(self, stripe: StripeServer, fault: Fault, body: Mapping[str, Any] | None = None) -> bool:
        """Let it happen; whether the call goes on."""
        if fault.kind == "slow":
            return not stripe.faults.stopped.wait(fault.seconds)
        if fault.kind == "silent":
            stripe.faults.stopped.wait(30)
        elif fault.kind == "reset":
            self._reset()
        elif fault.kind == "drip":
            self._drip(stripe, json.dumps(body or {}).encode())
        elif fault.kind == "redirect":
            self.send_response(302)
            self.send_header("Location", f"{stripe.url}/stolen")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._say(*_WRONG[fault.kind](fault))
        return False

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        # there is nothing left to flush into
        self.wfile = cast(Any, open("/dev/null", "wb"))  # noqa: SIM115

    def _drip(self, stripe: StripeServer, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + 1_000))
        self.end_headers()
        for byte in body:
            if stripe.faults.stopped.wait(0.4):
                return
            try:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            except OSError:
                return

    def _say(self, status: int, body: Mapping[str, Any] | bytes) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body, indent=2).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, bytes) else "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("Request-Id", "req_test")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            return


_WRONG: Mapping[str, Callable[[Fault], tuple[int, Mapping[str, Any] | bytes]]] = {
    "error_500": lambda _: (500, _error("api_error", None, "Something went wrong on Stripe's end.")),
    "error_429": lambda _: (429, _error("invalid_request_error", "rate_limit", "Too many requests.")),
    "garbage": lambda _: (502, b"<html><body>Bad Gateway</body></html>"),
    "error_in_200": lambda _: (200, _error("api_error", None, "All is well, and it is not.")),
    "other_answer": lambda _: (200, {"object": "balance", "livemode": False}),
    "refuse": lambda fault: (400, _error("invalid_request_error", fault.code, "No.")),
}


@contextmanager
def running(path: Path | None = None) -> Iterator[StripeServer]:
    """A Stripe for one block."""
    server = StripeServer(path).start()
    with pytest.MonkeyPatch.context() as patience:
        # who tests what is given up says so itself
        patience.setattr(stripe_calls, "DEADLINE_S", PATIENCE_S)
        try:
            yield server
        finally:
            server.webhooks.stop()
            server.stop()
