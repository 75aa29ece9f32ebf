"""The one way in which this programme calls addresses that others chose: https to a public host, and nothing else.

The name is resolved once, every answer is judged, and that very number is called with the name in Host and in the
handshake, so that a second answer of the name server changes nothing. No redirect is followed, no proxy asked, no more
than the head of the answer is read and none of it is kept: whoever chose the address learns from us whether it was taken.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Final

from carbon_credits.core.addresses import PUBLIC, Address, NotCalled, Number, Rules, judge, read_address

CONNECT_S: Final = 5.0
WHOLE_S: Final = 15.0
MOST_ANSWER_BYTES: Final = 16_384
_HEAD: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r?\n(?:[^\r\n]+\r?\n)*\r?\n")
_HEADER: Final = re.compile(r"[\x20-\x7e]*")
Resolver = Callable[[str, int], Iterable[Number]]


class NoAnswer(Exception):
    """Called, and no answer that counts. `reason` is a short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def resolve(host: str, port: int) -> list[Number]:
    """Every number of a name, in the order in which they should be tried. Raises NoAnswer."""
    try:
        told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer("name_not_found") from error
    return list(dict.fromkeys(ip_address(str(place[0])) for *_, place in told))


@cache
def trust() -> ssl.SSLContext:
    """Whom the machine trusts; TLS 1.2 and newer, the name checked."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class Caller:
    """Posts to addresses under rules. The defaults are those of the house."""

    rules: Rules = PUBLIC
    resolver: Resolver = resolve
    context: Callable[[], ssl.SSLContext] = trust
    whole_s: float = WHOLE_S
    connect_s: float = field(default=CONNECT_S)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer to a POST; any status, a redirect's too. Raises NotCalled and NoAnswer.

        Takes no longer than `whole_s` seconds beside the look-up of the name, however slowly the other side speaks.
        """
        address = read_address(url, self.rules)
        numbers = self._judged(address)
        ends = time.monotonic() + self.whole_s
        request = _request(address, body, headers)
        try:
            with self._connected(address, numbers, ends) as link:
                link.settimeout(_left(ends))
                link.sendall(request)
                return _status(link, ends)
        except TimeoutError as error:
            raise NoAnswer("timed_out") from error
        except ssl.SSLError as error:
            raise NoAnswer("certificate_refused" if _is_certificate(error) else "tls_failed") from error
        except OSError as error:
            raise NoAnswer("not_connected") from error

    def _judged(self, address: Address) -> list[Number]:
        """The numbers to call: one that is not public makes all of them refused."""
        if address.number is not None:
            return [address.number]
        numbers = list(self.resolver(address.host, address.port))
        for number in numbers:
            judge(number, self.rules)
        if not numbers:
            raise NoAnswer("name_not_found")
        return numbers

    def _connected(self, address: Address, numbers: list[Number], ends: float) -> socket.socket:
        bare = _first_that_answers(numbers, address.port, self.connect_s, ends)
        if address.scheme != "https":
            return bare
        try:
            bare.settimeout(_left(ends))
            return self.context().wrap_socket(bare, server_hostname=address.host)
        except BaseException:
            bare.close()
            raise


def _first_that_answers(numbers: list[Number], port: int, connect_s: float, ends: float) -> socket.socket:
    refused: OSError | None = None
    for number in numbers:
        try:
            return socket.create_connection((str(number), port), timeout=min(connect_s, _left(ends)))
        except OSError as error:
            refused = error
    raise refused or TimeoutError


def _request(address: Address, body: bytes, headers: Mapping[str, str]) -> bytes:
    named = {"Host": address.authority, **headers, "Content-Length": str(len(body)), "Connection": "close"}
    for value in named.values():
        if _HEADER.fullmatch(value) is None:
            raise ValueError("a header holds visible ASCII alone")
    lines = [
        f"POST {address.target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in named.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("ascii") + body


def _status(link: socket.socket, ends: float) -> int:
    """The status of the first answer that is final; interim ones (1xx) are passed over."""
    told = b""
    while True:
        head = _HEAD.match(told)
        if head is not None and int(head[1]) >= 200:
            return int(head[1])
        if head is not None:
            told = told[head.end() :]
            continue
        if len(told) > MOST_ANSWER_BYTES:
            raise NoAnswer("answer_malformed")
        link.settimeout(_left(ends))
        more = link.recv(4_096)
        if not more:
            raise NoAnswer("answer_malformed" if told else "no_answer")
        told += more


def _left(ends: float) -> float:
    """Seconds until the end; raises TimeoutError when it has come."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_certificate(error: ssl.SSLError) -> bool:
    return isinstance(error, ssl.SSLCertVerificationError)


__all__ = ["Caller", "NoAnswer", "NotCalled", "resolve", "trust"]
