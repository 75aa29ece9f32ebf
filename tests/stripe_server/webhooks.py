"""What this Stripe tells unasked: signed over the raw body, again until it is taken, or how and when a test wants it."""

import hashlib
import hmac
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

from tests.stripe_server.books import Books

WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


def signature(body: bytes, secrets: Iterable[str], at: int) -> str:
    """The header: the time, and one signature for each secret."""
    macs = (hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest() for secret in secrets)
    return f"t={at}," + ",".join(f"v1={mac}" for mac in macs)


class Webhooks:
    """One endpoint. `begin` tells every event by itself; without it a test delivers what it likes in any order."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.url: str | None = None
        self.secrets = ["whsec_test"]
        self.heard: list[tuple[str, int]] = []
        self._due: queue.PriorityQueue[tuple[float, int, str, int]] = queue.PriorityQueue()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self, url: str, *, copies: int = 1) -> None:
        """Tell each event from now on, `copies` times, and again until a 2xx."""
        self.url = url
        self._stopped.clear()

        def told(event: dict[str, Any]) -> None:
            for copy in range(copies):
                self._due.put((time.monotonic(), copy, event["id"], 0))

        self.books.told = told
        for _ in range(4):
            thread = threading.Thread(target=self._work, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Tell nothing more."""
        self.books.told = lambda _: None
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def signed(
        self, event: Mapping[str, Any], *, at: int | None = None, secrets: Iterable[str] | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """An event as it goes over the wire: raw body and headers."""
        body = json.dumps(event, indent=2).encode()
        moment = int(time.time()) if at is None else at
        given = self.secrets if secrets is None else secrets
        return body, {
            "Stripe-Signature": signature(body, given, moment),
            "Content-Type": "application/json; charset=utf-8",
        }

    def deliver(self, event: Mapping[str, Any]) -> int:
        """Tell one event once; the status of the answer, 0 where there was none."""
        body, headers = self.signed(event)
        assert self.url is not None
        asked = urllib.request.Request(self.url, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                status = int(answer.status)
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
        except OSError:
            status = 0
        self.heard.append((str(event["id"]), status))
        return status

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                due, copy, event_id, attempt = self._due.get(timeout=0.05)
            except queue.Empty:
                continue
            if self._stopped.wait(max(0.0, due - time.monotonic())):
                return
            with self.books.lock:
                event = next(event for event in self.books.events if event["id"] == event_id)
            status = self.deliver(event)
            if not 200 <= status < 300 and attempt < len(WAITS_S):
                self._due.put((time.monotonic() + WAITS_S[attempt], copy, event_id, attempt + 1))
