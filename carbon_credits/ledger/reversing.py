"""Undoing a capture on its day: the points go back to exactly the lots they came from."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.ledger.holds import lock_owner
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting import Line, post, post_selected


class NotReversible(Conflict):
    """The hold was never captured, or its capture has been reversed."""

    def __init__(self) -> None:
        super().__init__("not_reversible", Text("无可撤销的核销", "There is no capture to reverse"))


@dataclass(frozen=True)
class Reversed:
    """A capture that was undone, and the journal that says so."""

    hold_id: UUID
    resident_id: int
    points: int
    journal_id: int


# Promises: each bucket gets back what the hold took of it, after debt; what lapsed meanwhile passes through `held`, for
# it may not be spent again. A capture is reversed once: the journal's unique key says so.
_GIVEN_BACK = """
bucket as (
  select h.resident_id, h.merchant_id, l.expires_on, l.fund_id, l.points, l.expires_on < :today as lapsed
  from hold h join hold_lot l using (hold_id, shard_id)
  where hold_id = :hold and shard_id = :shard and h.journal_id = :reverses
),
settled as (
  select b.*, case when lapsed then 0 else
           least(points, greatest(w.debt - (sum(points) filter (where not lapsed) over earlier - points), 0))
         end::bigint as repaid
  from bucket b join wallet w on w.resident_id = b.resident_id and w.shard_id = :shard
  window earlier as (order by expires_on, fund_id)
),
refilled as (
  update lot l set earned = l.earned - s.repaid, remaining = l.remaining + s.points - s.repaid
  from settled s
  where not lapsed and l.resident_id = s.resident_id and l.shard_id = :shard
    and l.expires_on = s.expires_on and l.fund_id = s.fund_id
),
ordered as (
  select resident_id, cast(:merchant_kind as smallint) as contra_kind, merchant_id as contra_ref,
         cast(:today as date) as effective_on,
         case when lapsed then 0 else points - repaid end as available, case when lapsed then points else 0 end as held,
         0::bigint as pending, -repaid as debt,
         0::bigint as verified_mg, 0::bigint as claimed_mg, 0::bigint as removal_mg,
         null::bigint as activity_id, 0::smallint as generation, expires_on as lot_on,
         row_number() over (order by expires_on, fund_id) as place
  from settled
),
"""


def reverse(session: Session, hold_id: UUID, shard_id: int, today: date) -> Reversed:
    """Give back what a captured hold had spent: debt first, lots as they were, lapsed buckets into breakage.

    Raises NotFound for an unknown hold, NotReversible when it is not captured or was reversed before.
    """
    resident_id = lock_owner(session, hold_id, shard_id)
    captured = session.execute(
        text("""
            select journal_id, points from hold h
            where hold_id = :hold and shard_id = :shard and state = 'captured'
              and not exists (select from journal j where j.reverses = h.journal_id and j.shard_id = :shard)
        """),
        {"hold": hold_id, "shard": shard_id},
    ).one_or_none()
    if captured is None:
        raise NotReversible
    given = {"hold": hold_id, "merchant_kind": int(ContraKind.MERCHANT), "today": today}
    journal_id = post_selected(
        session, _GIVEN_BACK, given, JournalKind.REVERSAL, shard_id, today, captured.journal_id
    ).journal_id
    assert journal_id is not None
    _lapse_late(session, hold_id, shard_id, resident_id, today)
    return Reversed(hold_id, resident_id, captured.points, journal_id)


def _lapse_late(session: Session, hold_id: UUID, shard_id: int, resident_id: int, today: date) -> None:
    """Buckets whose life ended while their points were spent leave the held pocket as breakage."""
    late = session.execute(
        text("""
            select expires_on, fund_id, points from hold_lot
            where hold_id = :hold and shard_id = :shard and expires_on < :today order by expires_on, fund_id
        """),
        {"hold": hold_id, "shard": shard_id, "today": today},
    )
    lines = [
        Line(
            resident_id,
            ContraKind.BREAKAGE,
            row.fund_id,
            effective_on=today,
            held=-row.points,
            lot_on=row.expires_on,
        )
        for row in late
    ]
    post(session, JournalKind.EXPIRY, shard_id, today, lines)
