"""Residents and a till, in threads that keep their connections: reserve, show the code, capture, and again."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

THREADS: Final = 16
MADE: Final = 201
REDEEM, CAPTURE = "/v1/redemptions", "/merchant/v1/captures"


@dataclass(frozen=True)
class Pairs:
    """Who redeems what and for how long; a rate is of pairs a second, none is as fast as they are answered."""

    port: int
    residents: Sequence[str]
    till: str
    offer_id: int
    headers: Mapping[str, str]
    seconds: float = 0.0
    rate: float | None = None


@dataclass(frozen=True)
class Redeemed:
    """How many pairs in so many seconds, and how long each request of them took, with its repeats."""

    pairs: int
    seconds: float
    waits: Sequence[float]

    @property
    def rate(self) -> float:
        """Pairs a second."""
        return self.pairs / self.seconds


def drive(load: Pairs) -> Redeemed:
    """Redeem for a while from another process, so that its work does not hold up our own."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_obey, args=(theirs, load), daemon=True)
    process.start()
    theirs.close()
    done: Redeemed = ours.recv()
    process.join()
    return done


def keep_on(load: Pairs, over: threading.Event) -> Redeemed:
    """Redeem in this process until told that it is over."""
    return _redeem(load, over.is_set)


def _obey(pipe: Connection, load: Pairs) -> None:
    """The other process's whole life."""
    ends = time.perf_counter() + load.seconds
    pipe.send(_redeem(load, lambda: time.perf_counter() >= ends))


def _redeem(load: Pairs, is_over: Callable[[], bool]) -> Redeemed:
    numbers = count()
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        heard = list(threads.map(lambda place: _one(load, place, numbers, is_over), range(THREADS)))
    waits = [wait for told in heard for wait in told]
    return Redeemed(len(waits) // 2, time.perf_counter() - began, waits)


def _one(load: Pairs, place: int, numbers: "count[int]", is_over: Callable[[], bool]) -> list[float]:
    """One thread's pairs; `next` of a count is one step of the interpreter, so threads may share it."""
    waits: list[float] = []
    connection = HTTPConnection("127.0.0.1", load.port, timeout=30)
    step = 0.0 if load.rate is None else THREADS / load.rate
    at = time.perf_counter() + step * place / THREADS
    while not is_over():
        time.sleep(max(0.0, at - time.perf_counter()))
        at += step
        resident = load.residents[next(numbers) % len(load.residents)]
        told, wait = _post(connection, load, REDEEM, resident, {"offer_id": str(load.offer_id), "points": 10})
        waits.append(wait)
        _, wait = _post(connection, load, CAPTURE, load.till, {"code": told["code"]})
        waits.append(wait)
    connection.close()
    return waits


def _post(
    connection: HTTPConnection, load: Pairs, path: str, token: str, body: Mapping[str, Any]
) -> tuple[dict[str, Any], float]:
    """The answer and how long it took. Whoever is told that it is still running asks again with the same key."""
    asked = time.perf_counter()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": secrets.token_hex(16),
        **load.headers,
    }
    while True:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        told = json.loads(response.read())
        if response.status == MADE:
            return told, time.perf_counter() - asked
        if told.get("code") not in ("still_running", "busy"):
            raise RuntimeError(f"{path}: {response.status} {told.get('code')}")
