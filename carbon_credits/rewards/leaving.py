"""Merchants that stop: suspended at once by one person, taken back by two, or leaving in good order.

Who leaves takes nothing new and honours what is out. When no voucher of theirs is reserved and every capture is in a
settlement, the merchant closes by itself; what is settled is still paid.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import merchants
from carbon_credits.rewards.clients import State
from carbon_credits.rewards.merchant_models import Merchant

RESUME: Final = "merchant.resume"
# who saw an offer a moment ago may still be reserving; longer than any transaction lasts
QUIET: Final = timedelta(minutes=5)


def refuse(session: Session, merchant_id: int, reason: str, now: datetime) -> None:
    """Say no to an application, and why; it may be made again. Raises NotFound, Conflict."""
    _move(session, merchant_id, (State.APPLIED,), State.REFUSED, reason, now)


def suspend(session: Session, merchant_id: int, reason: str, now: datetime) -> None:
    """Stop a merchant from the next request on: no offers, no captures; it still reads. Raises NotFound, Conflict."""
    _move(session, merchant_id, (State.ACTIVE,), State.SUSPENDED, reason, now)


def check_resume(payload: Mapping[str, Any]) -> None:
    """Raise Invalid unless the proposal names one merchant by number and code."""
    if set(payload) != {"merchant_id", "code"} or type(payload["merchant_id"]) is not int:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"))


def resume(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Let a suspended merchant go on, which takes two people. Raises NotFound, Conflict."""
    values = {"state": State.ACTIVE, "state_reason": None, "approval_id": approval_id}
    statement = update(Merchant).where(
        Merchant.merchant_id == payload["merchant_id"], Merchant.state == State.SUSPENDED
    )
    moved = session.execute(
        statement.values(**values, changed_at=text("clock_timestamp()"))
        .returning(Merchant.merchant_id)
        .execution_options(synchronize_session=False)
    )
    if moved.scalar_one_or_none() is None:
        raise _not_so(session, payload["merchant_id"])


def begin_closing(session: Session, merchant_id: int, reason: str, now: datetime) -> None:
    """A merchant leaves: its offers end, what is out is honoured. Raises NotFound, Conflict."""
    _move(session, merchant_id, (State.ACTIVE, State.SUSPENDED), State.CLOSING, reason, now)
    given = {"merchant": merchant_id, "reason": reason, "now": now}
    session.execute(
        text("""
            update offer set state = case state when 'proposed' then 'refused' else 'ended' end,
                             state_reason = :reason, changed_at = :now
            where merchant_id = :merchant and state in ('proposed', 'live', 'paused')
        """),
        given,
    )


# Promises: nothing of a closed merchant is out, nothing that it took is unsettled, and nobody signs in for it.
_CLOSE = text("""
update merchant m set state = 'closed', changed_at = :now
where m.merchant_id in (
  select merchant_id from merchant
  where state = 'closing' and changed_at <= :quiet
    and not exists (select from redemption r where r.merchant_id = merchant.merchant_id and r.state = 'reserved')
    and not exists (select from capture c where c.merchant_id = merchant.merchant_id
                    and (c.booked_on >= :today or not exists (
                      select from settlement_line l where l.capture_id = c.capture_id and l.kind = 'capture')))
    and not exists (select from capture_reversal v where v.merchant_id = merchant.merchant_id and not exists (
                      select from settlement_line l where l.capture_id = v.capture_id and l.kind = 'reversal'))
  for no key update skip locked)
returning m.merchant_id
""")


def finish_closing(session: Session, now: datetime) -> int:
    """Close the merchants that have nothing out any more, and end their clients; says how many."""
    closed = list(session.scalars(_CLOSE, {"now": now, "today": clock.day_of(now), "quiet": now - QUIET}))
    if closed:
        session.execute(
            text("""
                update merchant_client set ended_at = :now where merchant_id = any(:closed) and ended_at is null
            """),
            {"now": now, "closed": closed},
        )
    return len(closed)


def _move(
    session: Session, merchant_id: int, before: tuple[State, ...], after: State, reason: str, now: datetime
) -> None:
    moved = session.execute(
        update(Merchant)
        .where(Merchant.merchant_id == merchant_id, Merchant.state.in_(before))
        .values(state=after, state_reason=reason, changed_at=now)
        .returning(Merchant.merchant_id)
        .execution_options(synchronize_session=False)
    )
    if moved.scalar_one_or_none() is None:
        raise _not_so(session, merchant_id)


def _not_so(session: Session, merchant_id: int) -> Conflict:
    state = merchants.merchant(session, merchant_id).state
    return Conflict("merchant_state", Text(f"商户当前状态为 {state}", f"The merchant is {state}"))
