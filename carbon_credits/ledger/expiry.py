"""Points that were not used in time become breakage: shard by shard, or on demand for one resident."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.locks import lock_wallets
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting import post_selected

# Promises: every lapsed bucket of these residents is emptied, and exactly what was in it is posted.
_LAPSED = """
emptied as (
  update lot set remaining = 0
  where shard_id = :shard and resident_id = any(cast(:residents as bigint[]))
    and expires_on < :today and remaining > 0
  returning resident_id, expires_on, fund_id, old.remaining as points
),
ordered as (
  select resident_id, cast(:breakage as smallint) as contra_kind, fund_id as contra_ref,
         cast(:today as date) as effective_on,
         -points as available, 0::bigint as held, 0::bigint as pending, 0::bigint as debt,
         0::bigint as verified_mg, 0::bigint as claimed_mg, 0::bigint as removal_mg,
         null::bigint as activity_id, 0::smallint as generation, expires_on as lot_on,
         row_number() over (partition by resident_id order by expires_on, fund_id) as place
  from emptied
),
"""
# lots of a shard in which something has lapsed; the caller says whose
LAPSED = "select from lot where shard_id = :shard and expires_on < :today and remaining > 0"
_ANY_LAPSED = text(f"select exists ({LAPSED} and resident_id = any(cast(:residents as bigint[])))")


def expire_due(session: Session, shard_id: int, today: date, limit: int) -> int:
    """Expire up to `limit` lapsed buckets of a shard, oldest first; returns how many, 0 when none is left.

    A bucket is usable through its `expires_on`, a day of the programme.
    """
    residents = session.scalars(
        text("""
            select distinct resident_id from (
              select resident_id from lot
              where shard_id = :shard and expires_on < :today and remaining > 0
              order by expires_on limit :limit
            ) due
        """),
        {"shard": shard_id, "today": today, "limit": limit},
    ).all()
    return expire_residents(session, shard_id, residents, today)


def expire_resident(session: Session, resident_id: int, today: date) -> int:
    """Lock one resident's wallet and expire what has lapsed; returns how many buckets."""
    return expire_residents(session, shard_of(resident_id), [resident_id], today)


def expire_residents(session: Session, shard_id: int, residents: Sequence[int], today: date) -> int:
    """Lock these residents' wallets in order and expire what has lapsed; returns how many buckets."""
    if not residents:
        return 0
    lock_wallets(session, shard_id, residents)
    given = {"shard": shard_id, "residents": list(residents), "today": today}
    # most wallets have nothing to expire: ask before writing
    if not session.execute(_ANY_LAPSED, given).scalar_one():
        return 0
    given["breakage"] = int(ContraKind.BREAKAGE)
    return post_selected(session, _LAPSED, given, JournalKind.EXPIRY, shard_id, today).n
