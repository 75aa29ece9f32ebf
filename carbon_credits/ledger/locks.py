"""What is locked before a balance moves, and in which order.

The order, everywhere: the shard (batch and clawback only), wallets ascending, hold, lots, funds ascending.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

# first key of the two-key advisory lock of a shard; the second is the shard
SHARD_LOCK = 440604
# whoever writes postings never takes this one
SEALER_LOCK = 440605


_WALLETS = text("""
select resident_id from wallet
where shard_id = :shard and resident_id = any(cast(:residents as bigint[]))
order by resident_id for no key update
""")


def lock_shard(session: Session, shard_id: int) -> None:
    """Be the only one who credits or claws back in this shard until the transaction ends."""
    session.execute(
        text("select pg_advisory_xact_lock(:lock, :shard)"), {"lock": SHARD_LOCK, "shard": shard_id}
    )


def lock_wallets(session: Session, shard_id: int, residents: Sequence[int]) -> int:
    """Lock the wallets of one shard in ascending order; returns how many there are.

    The next statement sees what the previous holder wrote, since each statement reads afresh.
    """
    return len(session.execute(_WALLETS, {"shard": shard_id, "residents": list(residents)}).all())
