"""What goes wrong next: a fault waits for a call it fits, and happens before it or after its effect."""

import threading
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "silent",  # no answer at all, until the caller gives up
    "slow",  # an answer after `seconds`
    "drip",  # a byte of the answer now and then
    "reset",  # the connection is cut
    "error_500",
    "error_429",
    "garbage",  # a page of some proxy
    "error_in_200",
    "other_answer",  # a 200 that is another object
    "redirect",
    "refuse",  # a definite no with `code`
]


@dataclass
class Fault:
    """One kind of failure: of which calls, before the effect or after it, how many times."""

    kind: Kind
    call: str = ""
    after: bool = False
    times: int = 1
    code: str = "account_closed"
    # the wrong answer is what the key is answered from now on, as Stripe does with a 500
    kept: bool = False
    seconds: float = 1.0

    def fits(self, call: str, *, after: bool) -> bool:
        """Whether it happens to a call such as `POST /v1/transfers`."""
        return self.times > 0 and self.after == after and call.startswith(self.call)


@dataclass
class Faults:
    """The faults that wait, and a way to end all waiting."""

    waiting: list[Fault] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> Fault:
        """Let something go wrong."""
        with self._lock:
            self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Let all go well again."""
        with self._lock:
            self.waiting.clear()

    def take(self, call: str, *, after: bool) -> Fault | None:
        """The fault that happens to this call, if one does."""
        with self._lock:
            for fault in self.waiting:
                if fault.fits(call, after=after):
                    fault.times -= 1
                    return fault
        return None
