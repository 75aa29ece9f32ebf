"""Where the points of an act that is taken back are found: where they hurt least, and never below zero.

Order: own pending bucket, own lot, breakage if that lot lapsed, latest-expiring free lots, debt.
"""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import shard_of


@dataclass(frozen=True)
class Recovered:
    """Where the points of one act were found; the five add up to what the act had earned."""

    journal_id: int | None = None
    from_pending: int = 0
    from_lot: int = 0
    from_other: int = 0
    from_breakage: int = 0
    to_debt: int = 0


@dataclass(frozen=True)
class Bucket:
    """The bucket an act was paid into."""

    fund_id: int
    lot_on: date
    points: int


def recover(
    session: Session, resident_id: int, credited: list[RowMapping], matures_on: date | None, today: date
) -> tuple[Recovered, list[Bucket]]:
    """Find the points; also the lapsed buckets whose breakage is undone, and by how much."""
    pending = lots = breakage = rest = 0
    undone = []
    for bucket in _buckets(credited):
        wanted = bucket.points
        if matures_on is not None:
            found = _from_pending(session, resident_id, bucket, matures_on, wanted)
            pending, wanted = pending + found, wanted - found
        found = _from_own_lot(session, resident_id, bucket, wanted)
        lots, wanted = lots + found, wanted - found
        if bucket.lot_on < today and wanted:
            found = _from_breakage(session, resident_id, bucket, wanted)
            breakage, wanted = breakage + found, wanted - found
            undone.append(replace(bucket, points=found))
        rest += wanted
    other = _from_other_lots(session, resident_id, rest) if rest else 0
    found_all = Recovered(None, pending, lots, other, breakage, rest - other)
    return found_all, [bucket for bucket in undone if bucket.points]


def _buckets(credited: list[RowMapping]) -> list[Bucket]:
    """Grant and bonus out of one fund lie in one bucket and are looked for together."""
    points: dict[tuple[date, int], int] = {}
    for credit in credited:
        if credit["points"]:
            key = (credit["lot_on"], credit["contra_ref"])
            points[key] = points.get(key, 0) + credit["points"]
    return [Bucket(fund_id, lot_on, points[lot_on, fund_id]) for lot_on, fund_id in sorted(points)]


def _from_pending(session: Session, resident_id: int, bucket: Bucket, matures_on: date, wanted: int) -> int:
    """Take from the pending bucket what is there; an emptied one goes."""
    given = {**_bucket_names(resident_id, bucket), "matures_on": matures_on, "wanted": wanted}
    found = session.execute(
        text("""
            update pending_lot set points = points - least(points, :wanted)
            where resident_id = :resident and matures_on = :matures_on and expires_on = :lot_on
              and fund_id = :fund and shard_id = :shard
            returning old.points - new.points
        """),
        given,
    ).scalar()
    session.execute(
        text("""
            delete from pending_lot
            where resident_id = :resident and matures_on = :matures_on and expires_on = :lot_on
              and fund_id = :fund and shard_id = :shard and points = 0
        """),
        given,
    )
    return int(found or 0)


def _from_own_lot(session: Session, resident_id: int, bucket: Bucket, wanted: int) -> int:
    """Take from the lot the act was paid into what is free there."""
    found = session.execute(
        text("""
            update lot
            set remaining = remaining - least(remaining, :wanted), earned = earned - least(remaining, :wanted)
            where resident_id = :resident and expires_on = :lot_on and fund_id = :fund and shard_id = :shard
            returning old.remaining - new.remaining
        """),
        {**_bucket_names(resident_id, bucket), "wanted": wanted},
    ).scalar()
    return int(found or 0)


def _from_breakage(session: Session, resident_id: int, bucket: Bucket, wanted: int) -> int:
    """The lapsed points left the resident already: undo that, as far as the bucket has breakage."""
    found = session.execute(
        text("""
            update lot l set earned = l.earned - least(b.points, :wanted)
            from (select -sum(points)::bigint as points from posting
                  where resident_id = :resident and shard_id = :shard and contra_kind = 5
                    and contra_ref = :fund and lot_on = :lot_on having sum(points) < 0) b
            where l.resident_id = :resident and l.shard_id = :shard
              and l.expires_on = :lot_on and l.fund_id = :fund
            returning old.earned - new.earned
        """),
        {**_bucket_names(resident_id, bucket), "wanted": wanted},
    ).scalar()
    return int(found or 0)


def _from_other_lots(session: Session, resident_id: int, wanted: int) -> int:
    """Take free points that expire last, so that the resident loses the least."""
    return int(
        session.execute(
            text("""
                with queue as (
                  select expires_on, fund_id, remaining,
                         sum(remaining) over (order by expires_on desc, fund_id desc) as run
                  from lot where resident_id = :resident and shard_id = :shard and remaining > 0
                ),
                taken as (
                  update lot l
                  set remaining = l.remaining - least(q.remaining, :wanted - (run - q.remaining))::bigint,
                      earned = l.earned - least(q.remaining, :wanted - (run - q.remaining))::bigint
                  from queue q
                  where run - q.remaining < :wanted and l.resident_id = :resident and l.shard_id = :shard
                    and l.expires_on = q.expires_on and l.fund_id = q.fund_id
                  returning old.remaining - new.remaining as points
                )
                select coalesce(sum(points), 0) from taken
            """),
            {"resident": resident_id, "shard": shard_of(resident_id), "wanted": wanted},
        ).scalar_one()
    )


def _bucket_names(resident_id: int, bucket: Bucket) -> dict[str, object]:
    return {
        "resident": resident_id,
        "shard": shard_of(resident_id),
        "lot_on": bucket.lot_on,
        "fund": bucket.fund_id,
    }
