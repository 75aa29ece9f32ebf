"""Addresses that others give us to call: which of them we call at all. Pure; `jobs/outgoing` does the calling.

An address names a public host by https, in one spelling. What a name resolves to is judged apart, when it is called,
and every answer must be public: whoever names a host may answer for it differently each time.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import SplitResult, urlsplit

LONGEST: Final = 500
PORTS: Final = frozenset({443, 8443})
DEFAULT_PORT: Final = {"https": 443, "http": 80}
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
# names that no public resolver knows, or that every machine answers for itself
_LOCAL: Final = (".localhost", ".local", ".internal", ".home.arpa", ".test", ".invalid", ".onion", ".alt")
# everything that is routed in public, less what carries an IPv4 address inside or is kept for documentation
_ROUTED_6: Final = IPv6Network("2000::/3")
_NOT_ROUTED_6: Final = tuple(
    IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_RELAY_4: Final = IPv4Network("192.88.99.0/24")
Number = IPv4Address | IPv6Address


class NotCalled(Exception):
    """An address that is not called. `reason` is a short code, the same for merchants and the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Rules:
    """What may be called. The rules of the house are `PUBLIC`; there is no setting that changes them."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] | None = PORTS
    names: re.Pattern[str] = _NAME
    is_only_public: bool = True


PUBLIC: Final = Rules()


@dataclass(frozen=True)
class Address:
    """An address that was read: `target` is the path with its query, `number` the host where it is one."""

    scheme: str
    host: str
    port: int
    target: str
    number: Number | None

    @property
    def authority(self) -> str:
        """The host as a Host header names it."""
        host = f"[{self.host}]" if isinstance(self.number, IPv6Address) else self.host
        return host if self.port == DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"


def read_address(url: str, rules: Rules = PUBLIC) -> Address:
    """An address as it may be called. Raises NotCalled for any other scheme, port, host or spelling."""
    if len(url) > LONGEST or _VISIBLE.fullmatch(url) is None or "\\" in url:
        raise NotCalled("address_malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotCalled("address_malformed") from error
    if parts.scheme not in rules.schemes:
        raise NotCalled("scheme_not_called")
    if "@" in parts.netloc or "#" in url or not parts.hostname or parts.netloc.endswith(":"):
        raise NotCalled("address_malformed")
    port = DEFAULT_PORT[parts.scheme] if port is None else port
    if rules.ports is not None and port not in rules.ports:
        raise NotCalled("port_not_called")
    host, number = _host(parts, rules)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, host, port, target, number)


def judge(number: Number, rules: Rules = PUBLIC) -> None:
    """Raise NotCalled for a number that is not a public host's."""
    if rules.is_only_public and not is_public(number):
        raise NotCalled("address_not_public")


def is_public(number: Number) -> bool:
    """Whether a number is routed in public and stands for itself: no private, shared, local, multicast or kept range,
    and no IPv6 form that carries an IPv4 address.
    """
    if isinstance(number, IPv4Address):
        return number.is_global and not (number.is_multicast or number.is_reserved or number in _RELAY_4)
    if number.scope_id is not None:
        return False
    return number.is_global and number in _ROUTED_6 and not any(number in kept for kept in _NOT_ROUTED_6)


def _host(parts: SplitResult, rules: Rules) -> tuple[str, Number | None]:
    """The host in its one spelling: a number in its usual form, or a name that cannot be taken for a number."""
    host = (parts.hostname or "").lower()
    number: Number | None = None
    try:
        number = IPv6Address(host) if "[" in parts.netloc else IPv4Address(host)
    except ValueError as error:
        if "[" in parts.netloc:
            raise NotCalled("address_malformed") from error
    if number is not None:
        judge(number, rules)
        return str(number), number
    if rules.names.fullmatch(host) is None:
        raise NotCalled("host_malformed")
    if rules.is_only_public and host.endswith(_LOCAL):
        raise NotCalled("address_not_public")
    return host, None
