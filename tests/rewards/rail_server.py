"""A rail to pay over: a real HTTP server on loopback that keeps accounts, and may refuse, break off, or lose its answer.

It remembers keys as providers do: the same key is the same transfer. `Faults` says what goes wrong for a call; a test may
also stop a call at a gate, before or after it had its effect, and let it go or kill who waits.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import quote

from carbon_credits.rewards.payment_contract import (
    Instruction,
    Outcome,
    Refused,
    StatementLine,
    Told,
    Unknown,
)

# before: nothing happened and the connection breaks; after: it happened and the answer is lost; else a refusal's code
Fault = str | None
Faults = Callable[[str, str, int], Fault]


@dataclass
class Transfer:
    """One transfer as the rail keeps it, in fen."""

    reference: str
    key: str
    group: str
    destination: str
    amount_fen: int
    reversed_fen: int = 0


@dataclass
class Books:
    """What the rail knows: transfers by key, balances of accounts, and every movement of ours."""

    transfers: dict[str, Transfer] = field(default_factory=dict)
    take_backs: dict[str, int] = field(default_factory=dict)
    balances: Counter[str] = field(default_factory=Counter)
    lines: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def line(self, kind: str, amount_fen: int, source: str | None, fee_fen: int = 0) -> None:
        """One movement on our account."""
        number = f"line-{len(self.lines) + 1:06d}"
        at = datetime.now(UTC).isoformat()
        self.lines.append(
            {"id": number, "kind": kind, "amount": amount_fen, "fee": fee_fen, "source": source, "at": at}
        )

    def pay(self, asked: dict[str, Any]) -> Transfer:
        """The transfer under a key, made at the first call."""
        with self.lock:
            if asked["key"] not in self.transfers:
                made = Transfer(f"tr_{len(self.transfers) + 1}", **asked)
                self.transfers[asked["key"]] = made
                self.balances[made.destination] += made.amount_fen
                self.line("transfer", -made.amount_fen, made.reference)
            return self.transfers[asked["key"]]

    def give_back(self, reference: str, amount_fen: int) -> None:
        """Money comes back to us, as a bank's return does."""
        with self.lock:
            transfer = self.by_reference(reference)
            transfer.reversed_fen += amount_fen
            self.balances[transfer.destination] -= amount_fen
            self.line("return", amount_fen, reference)

    def by_reference(self, reference: str) -> Transfer:
        """The transfer of this reference; raises KeyError."""
        for transfer in self.transfers.values():
            if transfer.reference == reference:
                return transfer
        raise KeyError(reference)


class RailServer(ThreadingHTTPServer):
    """The server with its books; `stop_at` names the calls that wait at a gate: (verb, before or after)."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, faults: Faults) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.books = Books()
        self.faults = faults
        self.stop_at: tuple[str, Literal["before", "after"]] | None = None
        self.reached = threading.Event()
        self.go_on = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def gate(self, verb: str, when: Literal["before", "after"]) -> None:
        """Wait here if a test asked for it."""
        if self.stop_at == (verb, when):
            self.stop_at = None
            self.reached.set()
            self.go_on.wait(30)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who called was killed: nothing to say."""


@contextmanager
def running(faults: Faults = lambda _verb, _key, _nth: None) -> Iterator[RailServer]:
    """A rail until the block ends."""
    server = RailServer(faults)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Door(BaseHTTPRequestHandler):
    server: RailServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Silent."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        verb = self.path.strip("/")
        key = asked.get("key") or asked.get("reference") or ""
        with self.server.books.lock:
            self.server.books.calls[verb, key] += 1
            nth = self.server.books.calls[verb, key]
        self.server.gate(verb, "before")
        fault = self.server.faults(verb, key, nth)
        if fault == "before":
            self.close_connection = True
            return
        if fault not in (None, "after"):
            self._answer(402, {"code": fault})
            return
        status, told = getattr(self, f"_{verb}")(asked)
        self.server.gate(verb, "after")
        if fault == "after":
            self.close_connection = True
            return
        self._answer(status, told)

    def _pay(self, asked: dict[str, Any]) -> tuple[int, Any]:
        return 200, vars(self.server.books.pay(asked))

    def _find(self, asked: dict[str, Any]) -> tuple[int, Any]:
        found = self.server.books.transfers.get(asked["key"])
        return 200, None if found is None else vars(found)

    def _look(self, asked: dict[str, Any]) -> tuple[int, Any]:
        try:
            return 200, vars(self.server.books.by_reference(asked["reference"]))
        except KeyError:
            return 404, {"code": "resource_missing"}

    def _take(self, asked: dict[str, Any]) -> tuple[int, Any]:
        books = self.server.books
        with books.lock:
            transfer = books.by_reference(asked["reference"])
            if asked["key"] not in books.take_backs:
                if books.balances[transfer.destination] < asked["amount_fen"]:
                    return 402, {"code": "insufficient_funds"}
                books.take_backs[asked["key"]] = asked["amount_fen"]
                books.give_back(transfer.reference, asked["amount_fen"])
            return 200, vars(transfer)

    def _statement(self, asked: dict[str, Any]) -> tuple[int, Any]:
        del asked
        return 200, list(self.server.books.lines)

    def _answer(self, status: int, told: Any) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class LoopbackRail:
    """The rail's client, written as one for a provider would be: a time-out, no guess where there is no answer."""

    name: Literal["stripe"] = "stripe"

    def __init__(self, port: int, patience_s: float = 5.0) -> None:
        self.port = port
        self.patience_s = patience_s

    def pay(self, instruction: Instruction) -> Told:
        """Send it."""
        told = self._ask(
            "pay",
            {
                "key": instruction.key,
                "group": instruction.group,
                "destination": instruction.destination,
                "amount_fen": instruction.amount_fen,
            },
        )
        return _told(told)

    def find(self, instruction: Instruction) -> Told | None:
        """By its key."""
        found = self._ask("find", {"key": instruction.key})
        return None if found is None else _told(found)

    def look_up(self, reference: str) -> Told:
        """By the rail's reference."""
        return _told(self._ask("look", {"reference": reference}))

    def take_back(self, reference: str, amount_fen: int, key: str) -> Told:
        """Ask it back."""
        return _told(self._ask("take", {"reference": reference, "amount_fen": amount_fen, "key": key}))

    def statement(self, since: datetime, until: datetime) -> Iterator[StatementLine]:
        """Every movement of the period."""
        for line in self._ask("statement", {"key": f"{since.isoformat()}"}):
            at = datetime.fromisoformat(line["at"])
            if since <= at < until:
                yield StatementLine(
                    line["id"], line["kind"], line["amount"], line["fee"], line["source"], at, line
                )

    def _ask(self, verb: str, asked: dict[str, Any]) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=self.patience_s)
        try:
            connection.request("POST", "/" + quote(verb), json.dumps(asked).encode())
            response = connection.getresponse()
            told = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise Unknown from error
        finally:
            connection.close()
        if response.status >= 500:
            raise Unknown
        if response.status >= 400:
            raise Refused(told["code"])
        return told


def _told(found: dict[str, Any]) -> Told:
    back = found["reversed_fen"]
    outcome = Outcome.REVERSED if back == found["amount_fen"] else Outcome.PAID
    return Told(found["reference"], outcome, back)
