"""Two-phase spending: points are held for a merchant, then captured, voided or lapsed. One winner each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, InvariantBroken, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.expiry import LAPSED, expire_resident
from carbon_credits.ledger.locks import lock_wallets
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting import Line, post, post_selected


class InsufficientPoints(Conflict):
    """The wallet cannot spare that many points now."""

    def __init__(self) -> None:
        super().__init__("insufficient_points", Text("可用积分不足", "There are not enough points available"))


class HoldOver(Conflict):
    """The hold was captured, voided or has lapsed: someone else was first, or it is too late."""

    def __init__(self) -> None:
        super().__init__("hold_over", Text("该预留已失效或已使用", "This hold has been used or is over"))


@dataclass(frozen=True)
class Reserved:
    """A hold as it was made."""

    hold_id: UUID
    resident_id: int
    shard_id: int
    points: int
    expires_at: datetime


@dataclass(frozen=True)
class Captured:
    """A hold that was spent, and the journal that says so."""

    hold_id: UUID
    resident_id: int
    journal_id: int


# Promises: the wallet had enough, nothing in it had lapsed, and exactly that is split over its lots, oldest first; or
# nothing moves.
_RESERVE = text(f"""
with lapsed as materialized (
  select exists ({LAPSED} and resident_id = :resident) as any_lapsed
),
enough as (
  update wallet set available = available - :points, held = held + :points
  where resident_id = :resident and shard_id = :shard and status = 1 and available >= :points
    and not (select any_lapsed from lapsed)
  returning resident_id
),
made as (
  insert into hold (resident_id, points, merchant_id, expires_at, shard_id)
  select resident_id, :points, :merchant, :expires_at, :shard from enough
  returning hold_id
),
queue as (
  select expires_on, fund_id, remaining, sum(remaining) over (order by expires_on, fund_id) as run
  from lot where resident_id = :resident and shard_id = :shard and remaining > 0
),
share as (
  select expires_on, fund_id, least(remaining, :points - (run - remaining))::bigint as points
  from queue where run - remaining < :points
),
taken as (
  update lot l set remaining = l.remaining - share.points, held = l.held + share.points
  from share cross join enough
  where l.resident_id = :resident and l.shard_id = :shard
    and l.expires_on = share.expires_on and l.fund_id = share.fund_id
  returning l.expires_on, l.fund_id, share.points
),
split as (
  insert into hold_lot (hold_id, expires_on, fund_id, points, shard_id)
  select made.hold_id, expires_on, fund_id, points, :shard from taken cross join made
  returning points
)
select any_lapsed, hold_id, (select coalesce(sum(points), 0) from split) as split from lapsed left join made on true
""")  # noqa: S608 - made of constants


def reserve(
    session: Session, resident_id: int, points: int, merchant_id: int, expires_at: datetime, today: date
) -> Reserved:
    """Hold points for a merchant, taken from the lots that expire first.

    Raises InsufficientPoints when the wallet is short, closed or not there, ValueError unless points > 0.
    """
    lock_wallets(session, shard_of(resident_id), [resident_id])
    return reserve_locked(session, resident_id, points, merchant_id, expires_at, today)


def reserve_locked(
    session: Session, resident_id: int, points: int, merchant_id: int, expires_at: datetime, today: date
) -> Reserved:
    """Hold points as `reserve` does, where an earlier statement of this transaction has locked the wallet."""
    if points <= 0:
        raise ValueError("a hold is of at least one point")
    shard_id = shard_of(resident_id)
    what = {"points": points, "merchant": merchant_id, "expires_at": expires_at}
    given = {"resident": resident_id, "shard": shard_id, "today": today, **what}
    row = session.execute(_RESERVE, given).one()
    if row.any_lapsed:
        expire_resident(session, resident_id, today)
        row = session.execute(_RESERVE, given).one()
    if row.hold_id is None:
        raise InsufficientPoints
    if row.split != points:
        raise InvariantBroken(f"hold {row.hold_id}: {points} points over lots holding {row.split}")
    return Reserved(row.hold_id, resident_id, shard_id, points, expires_at)


# Promises: what leaves is what was held, bucket by bucket, and only out of a hold that is still good.
_SPENT = """
live as (
  select merchant_id from hold
  where hold_id = :hold and shard_id = :shard and state = 'held' and expires_at > clock_timestamp()
),
spent as (
  update lot l set held = l.held - h.points
  from hold_lot h cross join live
  where h.hold_id = :hold and h.shard_id = :shard and l.resident_id = :resident and l.shard_id = :shard
    and l.expires_on = h.expires_on and l.fund_id = h.fund_id
  returning l.resident_id, l.expires_on, l.fund_id, h.points, live.merchant_id
),
ordered as (
  select resident_id, cast(:merchant_kind as smallint) as contra_kind, merchant_id as contra_ref,
         cast(:today as date) as effective_on,
         0::bigint as available, -points as held, 0::bigint as pending, 0::bigint as debt,
         0::bigint as verified_mg, 0::bigint as claimed_mg, 0::bigint as removal_mg,
         null::bigint as activity_id, 0::smallint as generation, expires_on as lot_on,
         row_number() over (order by expires_on, fund_id) as place
  from spent
),
"""


_CAPTURED = """
resolved as (
  update hold set state = 'captured', resolved_at = clock_timestamp(), journal_id = written.journal_id
  from written where hold_id = :hold and hold.shard_id = :shard and state = 'held' returning hold_id
)
"""


def capture(session: Session, hold_id: UUID, shard_id: int, today: date) -> Captured:
    """Spend a hold at its merchant. A bucket that lapsed while it was held is still good.

    Raises NotFound for an unknown hold, HoldOver when it is no longer held or its time is up.
    """
    return capture_locked(session, hold_id, shard_id, lock_owner(session, hold_id, shard_id), today)


def capture_locked(session: Session, hold_id: UUID, shard_id: int, resident_id: int, today: date) -> Captured:
    """Spend a hold as `capture` does, where an earlier statement of this transaction has locked its wallet."""
    given = {
        "hold": hold_id,
        "resident": resident_id,
        "merchant_kind": int(ContraKind.MERCHANT),
        "today": today,
    }
    posted = post_selected(session, _SPENT, given, JournalKind.CAPTURE, shard_id, today, resolved=_CAPTURED)
    if posted.journal_id is None:
        raise HoldOver
    if posted.resolved != 1:
        raise InvariantBroken(f"hold {hold_id} was resolved under its wallet's lock")
    return Captured(hold_id, resident_id, posted.journal_id)


def void(session: Session, hold_id: UUID, shard_id: int, today: date) -> None:
    """Give a hold back to its resident: lapsed buckets become breakage, the rest repays debt first.

    Raises NotFound for an unknown hold, HoldOver when it is no longer held.
    """
    lock_owner(session, hold_id, shard_id)
    if not _release(session, shard_id, [hold_id], "voided", today):
        raise HoldOver


def void_locked(session: Session, shard_id: int, holds: Sequence[UUID], today: date) -> list[UUID]:
    """Give back, as `void` does, those of these holds that are still held; their wallets are locked. Says which."""
    return _release(session, shard_id, holds, "voided", today)


def lapse_due(session: Session, today: date, limit: int) -> list[UUID]:
    """Release up to `limit` holds whose time is up, in any shard; says which, none when none is left."""
    due = session.execute(
        text("""
            select shard_id, resident_id, hold_id from hold
            where state = 'held' and expires_at <= clock_timestamp() order by expires_at limit :limit
        """),
        {"limit": limit},
    ).all()
    lapsed: list[UUID] = []
    # shards and residents ascend together, so wallets are locked in one order
    for shard_id, rows in groupby(sorted(due), key=lambda row: int(row.shard_id)):
        holds = list(rows)
        lock_wallets(session, shard_id, [row.resident_id for row in holds])
        lapsed += _release(session, shard_id, [row.hold_id for row in holds], "lapsed", today)
    return lapsed


_LOCK_OWNER = text("""
select resident_id from wallet
where shard_id = :shard and resident_id = (select resident_id from hold where hold_id = :hold and shard_id = :shard)
for no key update
""")


def lock_owner(session: Session, hold_id: UUID, shard_id: int) -> int:
    """Lock the wallet a hold belongs to; whoever resolves a hold does this first, so one of them wins.

    Raises NotFound for an unknown hold.
    """
    resident_id = session.execute(_LOCK_OWNER, {"hold": hold_id, "shard": shard_id}).scalar()
    if resident_id is None:
        raise NotFound("hold_unknown", Text("没有该预留", "There is no such hold"))
    return int(resident_id)


# Promises: one caller releases a hold; what it held goes back to its lots, after debt, unless they lapsed.
_RELEASE = text("""
with won as (
  update hold set state = :state, resolved_at = clock_timestamp()
  where shard_id = :shard and hold_id = any(cast(:holds as uuid[])) and state = 'held'
  returning hold_id, resident_id
),
bucket as (
  select resident_id, expires_on, fund_id, sum(points)::bigint as points, expires_on < :today as lapsed
  from won join hold_lot using (hold_id) where shard_id = :shard
  group by resident_id, expires_on, fund_id
),
settled as (
  select b.*, case when lapsed then 0 else
           least(points, greatest(w.debt - (sum(points) filter (where not lapsed) over earlier - points), 0))
         end::bigint as repaid
  from bucket b join wallet w on w.resident_id = b.resident_id and w.shard_id = :shard
  window earlier as (partition by b.resident_id order by expires_on, fund_id)
),
freed as (
  update lot l
  set held = l.held - s.points, earned = l.earned - s.repaid,
      remaining = l.remaining + case when lapsed then 0 else s.points - s.repaid end
  from settled s
  where l.resident_id = s.resident_id and l.shard_id = :shard
    and l.expires_on = s.expires_on and l.fund_id = s.fund_id
),
moved as (
  update wallet w
  set held = w.held - s.points, debt = w.debt - s.repaid, available = w.available + s.points - s.repaid
  from (select resident_id, sum(points)::bigint as points, sum(repaid)::bigint as repaid
        from settled where not lapsed group by resident_id) s
  where w.resident_id = s.resident_id and w.shard_id = :shard
)
select (select coalesce(array_agg(hold_id), '{}') from won) as released, resident_id, expires_on, fund_id, points
from (select 1) one left join settled on lapsed
order by resident_id, expires_on, fund_id
""")


def _release(
    session: Session, shard_id: int, holds: Sequence[UUID], state: Literal["voided", "lapsed"], today: date
) -> list[UUID]:
    """Release holds whose wallets are locked; buckets that lapsed leave the held pocket as breakage. Says which."""
    rows = session.execute(
        _RELEASE, {"shard": shard_id, "holds": list(holds), "state": state, "today": today}
    ).all()
    lines = [
        Line(
            row.resident_id,
            ContraKind.BREAKAGE,
            row.fund_id,
            effective_on=today,
            held=-row.points,
            lot_on=row.expires_on,
        )
        for row in rows
        if row.resident_id is not None
    ]
    post(session, JournalKind.EXPIRY, shard_id, today, lines)
    return list(rows[0].released)
