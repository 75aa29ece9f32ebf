"""The Merkle tree of RFC 6962 §2.1, over leaves that are hashed already."""

from collections.abc import Sequence
from hashlib import sha256


def leaf_hash(journal_id: int, shard_id: int, content_hash: bytes) -> bytes:
    """A journal as a leaf: its number, its shard and what it says."""
    return sha256(
        b"\x00" + journal_id.to_bytes(8, "big") + shard_id.to_bytes(2, "big") + content_hash
    ).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over at least one leaf; a node without a neighbour rises a level as it is."""
    if not leaves:
        raise ValueError("a tree has at least one leaf")
    level = list(leaves)
    while len(level) > 1:
        paired = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]
