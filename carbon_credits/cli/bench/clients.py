"""Residents' apps in a process of their own: threads that keep their connection and send one request after another."""

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

THREADS: Final = 16
SLOT: Final = timedelta(minutes=20)
ACCEPTED: Final = 202


@dataclass(frozen=True)
class Load:
    """What the clients need: where to send, as whom, since when residents have ridden, and where to start numbering."""

    port: int
    path: str
    tokens: Sequence[str]
    headers: Mapping[str, str]
    since: datetime
    first: int
    seconds: float
    rate: float | None = None


@dataclass(frozen=True)
class Heard:
    """Answers by status, in so many seconds; `sent` is where the next load should start numbering, `waits` how many
    seconds each answer took.
    """

    statuses: Mapping[int, int]
    seconds: float
    sent: int
    waits: Sequence[float] = ()

    @property
    def rate(self) -> float:
        """Accepted answers a second. Anything but an acceptance makes the measurement worthless and raises."""
        if set(self.statuses) != {ACCEPTED}:
            raise RuntimeError(f"not every request was accepted: {dict(self.statuses)}")
        return self.statuses[ACCEPTED] / self.seconds


def drive(load: Load) -> Heard:
    """Send the load from another process, so that its work does not hold up our own; what was heard."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_obey, args=(theirs, load), daemon=True)
    process.start()
    theirs.close()
    heard: Heard = ours.recv()
    process.join()
    return heard


def _obey(pipe: Connection, load: Load) -> None:
    """The other process's whole life."""
    pipe.send(_drive(load))


def _drive(load: Load) -> Heard:
    numbers = count(load.first)
    guard = threading.Lock()

    def next_number() -> int:
        with guard:
            return next(numbers)

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        heard = list(threads.map(lambda place: _one(load, place, began, next_number), range(THREADS)))
    seconds = time.perf_counter() - began
    answers = [answer for told in heard for answer in told]
    return Heard(
        Counter(status for status, _ in answers), seconds, next_number(), [wait for _, wait in answers]
    )


def _one(load: Load, place: int, began: float, next_number: Callable[[], int]) -> list[tuple[int, float]]:
    answers: list[tuple[int, float]] = []
    connection = HTTPConnection("127.0.0.1", load.port, timeout=30)
    for at in _moments(load, place, began):
        time.sleep(max(0.0, at - time.perf_counter()))
        number, asked = next_number(), time.perf_counter()
        connection.request("POST", load.path, _body(load, number), _headers(load, number))
        response = connection.getresponse()
        response.read()
        answers.append((response.status, time.perf_counter() - asked))
    connection.close()
    return answers


def _moments(load: Load, place: int, began: float) -> Iterator[float]:
    """When to send: as soon as there is an answer, or at this thread's share of the offered rate."""
    ends = began + load.seconds
    if load.rate is None:
        while time.perf_counter() < ends:
            yield 0.0
        return
    step = THREADS / load.rate
    at = began + step * place / THREADS
    while at < ends:
        yield at
        at += step


def _body(load: Load, number: int) -> bytes:
    slot = number // len(load.tokens)
    begins = load.since + SLOT * slot
    ride = {
        "methodology": "travel.cycling",
        "occurred_from": begins.astimezone(UTC).isoformat(),
        "occurred_to": (begins + timedelta(minutes=16)).astimezone(UTC).isoformat(),
        "monitored": {"distance_m": 3200},
    }
    return json.dumps(ride).encode()


def _headers(load: Load, number: int) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {load.tokens[number % len(load.tokens)]}",
        "Content-Type": "application/json",
        "Idempotency-Key": secrets.token_hex(16),
        **load.headers,
    }
