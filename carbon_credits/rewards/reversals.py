"""Undoing a capture on the day on which it was booked; later, a person of the programme must look."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.ledger import reversing
from carbon_credits.ledger.reversing import NotReversible
from carbon_credits.rewards import stock
from carbon_credits.rewards.captures import Capture, announced, one_of
from carbon_credits.rewards.looking import Till
from carbon_credits.rewards.refusals import refusal

_MAY_REVERSE: Final = ("owner", "manager")


def reverse(session: Session, till: Till, capture_id: UUID, reason: str) -> Capture:
    """Undo a capture on the programme's day on which it was booked: lots, stock and share are as before.

    Raises `capture_unknown`, `manager_needed` at a till without one, `too_late_to_reverse`, `reversed_already`.
    """
    known = one_of(session, till.merchant_id, capture_id)
    today = clock.today()
    member_id = _who_reverses(session, till)
    if known.booked_on != today:
        raise refusal("too_late_to_reverse")
    try:
        undone = reversing.reverse(session, known.redemption_id, known.shard_id, today)
    except NotReversible as error:
        raise refusal("reversed_already") from error
    given_back = session.execute(
        text("""
            update redemption set state = 'reversed', resolved_at = clock_timestamp()
            where redemption_id = :id and shard_id = :shard and state = 'captured'
            returning offer_id, resident_id, shard_id, slot
        """),
        {"id": known.redemption_id, "shard": known.shard_id},
    ).all()
    stock.put_back(session, given_back)
    session.execute(
        text("""
            insert into capture_reversal (capture_id, merchant_id, client_id, member_id, journal_id, booked_on, reason)
            values (:capture, :merchant, :client, :member, :journal, :today, :reason)
        """),
        {
            "capture": capture_id,
            "merchant": till.merchant_id,
            "client": till.client_id,
            "member": member_id,
            "journal": undone.journal_id,
            "today": today,
            "reason": reason,
        },
    )
    undone_one = one_of(session, till.merchant_id, capture_id)
    return announced(session, till.merchant_id, "redemption.reversed", undone_one)


def _who_reverses(session: Session, till: Till) -> int | None:
    """The manager on shift at a till; a merchant's own system answers for itself."""
    row = session.execute(
        text("""
            select c.kind, m.member_id, m.role from merchant_client c
            left join till_shift s on s.client_id = c.client_id and s.ended_at is null
            left join merchant_member m on m.member_id = s.member_id and m.ended_at is null
            where c.client_id = :client
        """),
        {"client": till.client_id},
    ).one()
    if row.kind == "till" and row.role not in _MAY_REVERSE:
        raise refusal("manager_needed")
    return int(row.member_id) if row.member_id is not None else None
