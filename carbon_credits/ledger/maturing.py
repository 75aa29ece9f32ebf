"""Pending points become spendable. The wallet's sum does not change, so nothing is posted."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.ledger.expiry import expire_residents
from carbon_credits.ledger.locks import lock_wallets

# Promises: every due pending bucket is moved once (it is deleted by the statement that moves it),
# and repays debt, oldest bucket first, before anything becomes spendable.
_MATURE = text("""
with due as (
  delete from pending_lot
  where shard_id = :shard and resident_id = any(cast(:residents as bigint[])) and matures_on <= :today
  returning resident_id, expires_on, fund_id, points
),
bucket as (
  select resident_id, expires_on, fund_id, sum(points)::bigint as points from due group by 1, 2, 3
),
settled as (
  select b.*, least(points, greatest(w.debt - (sum(points) over earlier - points), 0))::bigint as repaid
  from bucket b join wallet w on w.resident_id = b.resident_id and w.shard_id = :shard
  window earlier as (partition by b.resident_id order by expires_on, fund_id)
),
filled as (
  insert into lot as l (resident_id, expires_on, fund_id, earned, remaining, shard_id)
  select resident_id, expires_on, fund_id, points - repaid, points - repaid, :shard
  from settled where points > repaid order by resident_id, expires_on, fund_id
  on conflict (resident_id, expires_on, fund_id, shard_id)
  do update set earned = l.earned + excluded.earned, remaining = l.remaining + excluded.remaining
),
moved as (
  update wallet w
  set pending = w.pending - s.points, debt = w.debt - s.repaid, available = w.available + s.points - s.repaid
  from (select resident_id, sum(points)::bigint as points, sum(repaid)::bigint as repaid
        from settled group by resident_id) s
  where w.resident_id = s.resident_id and w.shard_id = :shard
)
select count(*), coalesce(bool_or(expires_on < :today), false) from settled
""")


def mature_due(session: Session, shard_id: int, today: date, limit: int) -> int:
    """Mature up to about `limit` pending buckets of a shard; returns how many lots were filled or repaid.

    A bucket whose life ended while it waited becomes breakage at once. Running it again changes nothing.
    """
    residents = session.scalars(
        text("""
            select distinct resident_id from (
              select resident_id from pending_lot
              where shard_id = :shard and matures_on <= :today and points > 0
              order by matures_on limit :limit
            ) due
        """),
        {"shard": shard_id, "today": today, "limit": limit},
    ).all()
    return _mature(session, shard_id, residents, today) if residents else 0


def _mature(session: Session, shard_id: int, residents: Sequence[int], today: date) -> int:
    lock_wallets(session, shard_id, residents)
    matured, some_lapsed = session.execute(
        _MATURE, {"shard": shard_id, "residents": list(residents), "today": today}
    ).one()
    if some_lapsed:
        expire_residents(session, shard_id, residents, today)
    return int(matured)
