"""Residents at their phones: each claim is sent with one key until there is a definite answer, and all are kept."""

import http.client
import json
import queue
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from carbon_credits.core import clock

DAYS: Final = 6  # one less than residents may be late, lest midnight fall into the run
RIDES: Final = 30  # of a resident on a day; at 660 m at most they stay under the daily cap of 20 km
SHORTEST_M, LONGEST_M = 500, 660
PAUSE_S: Final = (0.05, 0.35)
LONGEST_WAIT_S: Final = 1.0
PATIENCE_S: Final = 300.0
TIMEOUT_S: Final = 15.0
TRACE: Final = {
    "crs": "WGS84",
    "polyline6": "ooq|j@wdlvvE_|Bg{C",
    "dt_ms": [0, 170_000],
    "accuracy_m": [5, 5],
}
# what belongs in a log and never in an answer: stacks, SQL, places on the disk
LEAK: Final = re.compile(
    rb"Traceback|File \"|psycopg|sqlalchemy|redis\.|\bselect \b.*\bfrom\b|insert into|/site-packages/|\.py\b(?!-)|/tmp/",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Ride:
    """One act of one resident; who and when make it the act it is."""

    phone: str
    begins: datetime
    distance_m: int

    def body(self) -> bytes:
        """The claim as the phone sends it."""
        ends = self.begins + timedelta(minutes=3)
        told: dict[str, Any] = {
            "methodology": "travel.cycling",
            "occurred_from": self.begins.isoformat(),
            "occurred_to": ends.isoformat(),
            "monitored": {"distance_m": self.distance_m},
        }
        if self.is_traced:
            told["evidence"] = {"trace": TRACE}
        return json.dumps(told).encode()

    @property
    def is_traced(self) -> bool:
        """Every fourth brings a trace of two points: it waits for a look, which can tell nothing from it."""
        return self.distance_m % 4 == 0


@dataclass(frozen=True)
class Claim:
    """A ride under a key. The same ride under another key is another claim of the same act."""

    ride: Ride
    key: str


@dataclass(frozen=True)
class Answer:
    """What finally came back, and how long that took from the first attempt."""

    status: int
    body: bytes
    seconds: float

    def told(self) -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass
class Log:
    """What was sent and what was said. `wrong` holds every answer that no answer should be."""

    answers: dict[Claim, Answer] = field(default_factory=dict)
    retries: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accepted(self) -> dict[Claim, Answer]:
        """The claims that were acknowledged."""
        with self.lock:
            return {claim: answer for claim, answer in self.answers.items() if answer.status == 202}

    def by_ride(self) -> dict[Ride, list[Answer]]:
        """The acknowledgements of each act."""
        found = defaultdict(list)
        for claim, answer in self.accepted().items():
            found[claim.ride].append(answer)
        return found


class Phone:
    """One connection that is kept alive, and opened again when it breaks."""

    def __init__(self, port: int, log: Log) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._log = log

    def definite(self, send: tuple[str, str, bytes | None, dict[str, str]]) -> Answer:
        """Send until the answer settles the matter. Raises AssertionError when none does for PATIENCE_S."""
        began = time.monotonic()
        cause = "nothing yet"
        while time.monotonic() - began < PATIENCE_S:
            try:
                status, headers, body = self._send(*send)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                cause, wait = f"no answer: {type(error).__name__}", 0.1
            else:
                self._judge(status, headers, body)
                if status not in (409, 429) and status < 500:
                    return Answer(status, body, time.monotonic() - began)
                cause = f"{status} {json.loads(body)['code']}"
                wait = min(float(headers.get("retry-after", "0.1")), LONGEST_WAIT_S)
            with self._log.lock:
                self._log.retries[cause] += 1
            time.sleep(wait)
        raise AssertionError(f"no definite answer within {PATIENCE_S:.0f} s; the last was {cause}")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def _judge(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Whatever happens, an answer is one of ours: a problem document, no insides, and when to come back."""
        faults = []
        if LEAK.search(body):
            faults.append("shows its insides")
        if status >= 400 and headers.get("content-type", "").split(";")[0] != "application/problem+json":
            faults.append(f"is {headers.get('content-type')}")
        if status in (429, 503) and "retry-after" not in headers:
            faults.append("does not say when to come back")
        if status >= 500 and status != 503:
            faults.append("is a fault of ours")
        if faults:
            with self._log.lock:
                self._log.wrong.append(f"{status} {', '.join(faults)}: {body[:300]!r}")


class Clients:
    """So many phones at once. Each rides for residents of its own; repeated claims are anybody's."""

    def __init__(self, port: int, tokens: dict[str, str], seed: int, many: int = 16) -> None:
        self.log = Log()
        self.sent: set[Claim] = set()
        self._port, self._tokens, self._seed = port, tokens, seed
        self._repeats: queue.SimpleQueue[Claim] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads = ThreadPoolExecutor(many)
        phones = list(tokens)
        self._work: list[Future[None]] = [
            self._threads.submit(self._live, number, phones[number::many]) for number in range(many)
        ]

    def accepted(self) -> int:
        """How many claims have been acknowledged so far."""
        for work in self._work:
            if work.done():
                work.result()
        return len(self.log.accepted())

    def finish(self) -> None:
        """Let every claim on its way have its answer, then hang up. Raises what went wrong in a client."""
        self._stop.set()
        for work in self._work:
            work.result()
        self._threads.shutdown()

    def again(self, claims: Sequence[Claim]) -> dict[Claim, Answer]:
        """The same claims once more, each under the key it had."""
        with ThreadPoolExecutor(8) as threads:
            return dict(part for some in threads.map(self._resend, _dealt(claims, 8)) for part in some)

    def wallet(self, phone: str) -> dict[str, Any]:
        """A resident's wallet."""
        own = Phone(self._port, self.log)
        answer = own.definite(("GET", "/v1/wallet", None, self._authority(phone)))
        own.close()
        return answer.told()

    def _live(self, number: int, phones: Sequence[str]) -> None:
        chance = random.Random(f"{self._seed} client {number}")
        own = Phone(self._port, self.log)
        for place, ride in enumerate(_rides(phones, chance)):
            if self._stop.is_set():
                break
            if chance.random() < 0.1:
                self._repeats.put(Claim(ride, f"again-{number}-{place}"))
            self._claim(own, Claim(ride, f"first-{number}-{place}"))
            if chance.random() < 0.15:
                self._repeat(own)
            time.sleep(chance.uniform(*PAUSE_S))
        own.close()

    def _repeat(self, own: Phone) -> None:
        try:
            self._claim(own, self._repeats.get_nowait())
        except queue.Empty:
            return

    def _claim(self, own: Phone, claim: Claim) -> None:
        with self.log.lock:
            self.sent.add(claim)
        answer = own.definite(self._request(claim))
        with self.log.lock:
            self.log.answers[claim] = answer

    def _resend(self, claims: Sequence[Claim]) -> list[tuple[Claim, Answer]]:
        own = Phone(self._port, self.log)
        answers = [(claim, own.definite(self._request(claim))) for claim in claims]
        own.close()
        return answers

    def _request(self, claim: Claim) -> tuple[str, str, bytes, dict[str, str]]:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": claim.key,
            **self._authority(claim.ride.phone),
        }
        return "POST", "/v1/activities", claim.ride.body(), headers

    def _authority(self, phone: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[phone]}"}


def _rides(phones: Sequence[str], chance: random.Random) -> Iterator[Ride]:
    """Rides that touch no other, over the past days. One in fifty is told too early: it lies ahead."""
    midnight = clock.now().astimezone(clock.PROGRAMME_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    for place in range(DAYS * RIDES):
        day, ride = place % DAYS + 1, place // DAYS
        for phone in phones:
            begins = midnight - timedelta(days=day) + timedelta(minutes=40 * ride)
            ahead = timedelta(days=60) if chance.random() < 0.02 else timedelta()
            yield Ride(phone, begins + ahead, chance.randint(SHORTEST_M, LONGEST_M))


def _dealt(claims: Sequence[Claim], hands: int) -> list[Sequence[Claim]]:
    return [claims[hand::hands] for hand in range(hands)]
