"""Closing journals into blocks that are chained, so that nothing written can be altered unseen.

Journals are chosen because they lie in no seal, never by number: one that commits late is in the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.ledger.locks import SEALER_LOCK
from carbon_credits.ledger.merkle import leaf_hash, root

NO_SEAL_BEFORE = bytes(32)

# Two days bound the search; the invariant about seals reports anything older that was left out.
_UNSEALED = text("""
    select journal_id, shard_id, content_hash, n, points_sum, verified_sum, claimed_sum, removal_sum
    from journal j
    where created_at > clock_timestamp() - interval '2 days'
      and not exists (select from seal_member m where m.journal_id = j.journal_id and m.shard_id = j.shard_id)
    order by journal_id limit :at_most
""")

_SEAL = text("""
    insert into seal (seal_no, prev_hash, merkle_root, hash, n_journals, n_postings,
                      points_sum, verified_sum, claimed_sum, removal_sum)
    values (:seal_no, :prev_hash, :merkle_root, :hash, :n_journals, :n_postings,
            :points_sum, :verified_sum, :claimed_sum, :removal_sum)
""")

_MEMBERS = text("""
    insert into seal_member (journal_id, shard_id, seal_no, leaf)
    select journal_id, shard_id, :seal_no, place - 1
    from unnest(cast(:journals as bigint[]), cast(:shards as smallint[]))
         with ordinality as m(journal_id, shard_id, place)
""")


@dataclass(frozen=True)
class SealHead:
    """What is published of a seal: whoever keeps it can prove later what the books said."""

    seal_no: int
    hash: bytes
    n_journals: int


def seal_once(session: Session, at_most: int) -> SealHead | None:
    """Seal up to `at_most` journals that lie in no seal yet; None when there are none."""
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": SEALER_LOCK})
    journals = session.execute(_UNSEALED, {"at_most": at_most}).all()
    if not journals:
        return None
    before = session.execute(
        text("select seal_no, hash from seal order by seal_no desc limit 1")
    ).one_or_none()
    seal_no, prev_hash = (1, NO_SEAL_BEFORE) if before is None else (before.seal_no + 1, bytes(before.hash))
    leaves = [leaf_hash(j.journal_id, j.shard_id, bytes(j.content_hash)) for j in journals]
    sums = _sums(journals)
    head = _seal_hash(seal_no, prev_hash, root(leaves), len(journals), sums)
    session.execute(
        _SEAL,
        {
            "seal_no": seal_no,
            "prev_hash": prev_hash,
            "merkle_root": root(leaves),
            "hash": head,
            "n_journals": len(journals),
            **sums,
        },
    )
    session.execute(
        _MEMBERS,
        {
            "seal_no": seal_no,
            "journals": [j.journal_id for j in journals],
            "shards": [j.shard_id for j in journals],
        },
    )
    return SealHead(seal_no, head, len(journals))


def _sums(journals: Sequence[Row[Any]]) -> dict[str, int]:
    return {
        "n_postings": sum(j.n for j in journals),
        "points_sum": sum(j.points_sum for j in journals),
        "verified_sum": sum(j.verified_sum for j in journals),
        "claimed_sum": sum(j.claimed_sum for j in journals),
        "removal_sum": sum(j.removal_sum for j in journals),
    }


def _seal_hash(
    seal_no: int, prev_hash: bytes, merkle_root: bytes, n_journals: int, sums: dict[str, int]
) -> bytes:
    """The chain: number, the seal before, the tree, and the control totals as decimal text."""
    totals = "|".join(str(total) for total in (n_journals, *sums.values()))
    return sha256(b"\x01" + seal_no.to_bytes(8, "big") + prev_hash + merkle_root + totals.encode()).digest()
