"""Sealing, blinding and comparing secrets: one master key, one derived key per purpose.

A sealed value is AES-256-GCM with its place in the database (table, column, row) as associated data, so that a
ciphertext cannot be moved to another row. A blind index is an HMAC under another key: equal inputs can be found
without being readable. Keys carry a one-byte number inside the ciphertext, so that a new key can be brought in
while old values still open.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
BLIND_BYTES: Final = 16


class CannotOpen(Exception):
    """The value was sealed under another key or for another place, or was altered."""


def derive(key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose; knowing it says nothing of the others."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"carbon-credits/" + purpose.encode()).derive(key)


class Blinder:
    """HMAC-SHA256 (RFC 2104) under one key, cut to 16 bytes: the same input can be found, not read.

    What depends on the key alone is hashed once, for a file asks for millions of these.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        padded = key.ljust(sha256().block_size, b"\0")
        self._inner, self._outer = (sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))

    def __call__(self, value: str | bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value.encode() if isinstance(value, str) else value)
        outer.update(inner.digest())
        return outer.digest()[:BLIND_BYTES]

    def __reduce__(self) -> tuple[type["Blinder"], tuple[bytes]]:
        """Another process hashes for itself."""
        return Blinder, (self._key,)


def blind(key: bytes, value: str | bytes) -> bytes:
    """A 16-byte keyed digest under a derived 32-byte key: the same input can be found, not read."""
    return Blinder(key)(value)


def same(left: bytes, right: bytes) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(left, right)


def digest(kind: str, *parts: bytes) -> bytes:
    """sha256 over a domain and length-prefixed parts, so that no two lists of parts collide."""
    h = _of_domain(kind).copy()
    for part in parts:
        h.update(len(part).to_bytes(4, "big") + part)
    return h.digest()


@lru_cache(maxsize=64)
def _of_domain(kind: str) -> "Hash":
    """A domain's own bytes are hashed once; what hashes further copies it."""
    return sha256(b"cc/" + kind.encode() + b"/v1\n")


def seal(key: bytes, key_number: int, plain: bytes, place: str) -> bytes:
    """Encrypt under a 32-byte key; `place` (table|column|row) is bound to the ciphertext."""
    (sealed,) = seal_all(key, key_number, [(plain, place)])
    return sealed


def seal_all(key: bytes, key_number: int, told: Sequence[tuple[bytes, str]]) -> list[bytes]:
    """As `seal`, of each (plain, place): for many of them the system is asked for chance once."""
    box, chance = AESGCM(key), secrets.token_bytes(NONCE_BYTES * len(told))
    nonces = (chance[at : at + NONCE_BYTES] for at in range(0, len(chance), NONCE_BYTES))
    return [
        bytes([key_number]) + nonce + box.encrypt(nonce, plain, place.encode())
        for nonce, (plain, place) in zip(nonces, told, strict=True)
    ]


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """Decrypt what `seal` made for the same place; raises CannotOpen."""
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, place.encode())
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(place) from error


@dataclass(frozen=True)
class Vault:
    """The master keys by number; the highest seals, all of them open."""

    masters: Mapping[int, bytes] = field(repr=False)
    _derived: dict[tuple[int, str], bytes] = field(default_factory=dict, repr=False, compare=False)
    _blinders: dict[str, Blinder] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.masters or any(len(key) != KEY_BYTES for key in self.masters.values()):
            raise ValueError("a master key is 32 bytes, and there is at least one")

    @cached_property
    def current(self) -> int:
        """The number of the key that seals."""
        return max(self.masters)

    def key(self, purpose: str, number: int | None = None) -> bytes:
        """The derived key of a purpose, by default under the first master.

        Indexes must stay findable, so they are derived from the lowest-numbered master until re-indexed.
        """
        at = min(self.masters) if number is None else number
        if (at, purpose) not in self._derived:
            self._derived[at, purpose] = derive(self.masters[at], purpose)
        return self._derived[at, purpose]

    def seal(self, purpose: str, plain: bytes, place: str) -> bytes:
        """Seal under the newest master."""
        return seal(self.key(purpose, self.current), self.current, plain, place)

    def seal_all(self, purpose: str, told: Sequence[tuple[bytes, str]]) -> list[bytes]:
        """Seal each (plain, place) under the newest master."""
        return seal_all(self.key(purpose, self.current), self.current, told)

    def unseal(self, purpose: str, sealed: bytes, place: str) -> bytes:
        """Open whatever any of our masters sealed; raises CannotOpen."""
        if not sealed or sealed[0] not in self.masters:
            raise CannotOpen(place)
        return unseal(self.key(purpose, sealed[0]), sealed, place)

    def blind(self, purpose: str, value: str | bytes) -> bytes:
        """The blind index of a value for one purpose; never comparable across purposes."""
        return self.blinder(purpose)(value)

    def blinder(self, purpose: str) -> Blinder:
        """What makes the blind indexes of one purpose: for whoever makes many."""
        blinder = self._blinders.get(purpose)
        if blinder is None:
            blinder = self._blinders[purpose] = Blinder(self.key("blind:" + purpose))
        return blinder
