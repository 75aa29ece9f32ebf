"""Merchants as staff look through them, and who of the staff stops one."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.rewards import leaving, merchants
from carbon_credits.rewards.merchant_models import Merchant
from carbon_credits.staff.service import Role, require_role

Step = Literal["refuse", "suspend", "close"]
_STEPS: Final[Mapping[Step, tuple[str, Callable[[Session, int, str, datetime], None]]]] = {
    "refuse": ("merchant.refused", leaving.refuse),
    "suspend": ("merchant.suspended", leaving.suspend),
    "close": ("merchant.closing", leaving.begin_closing),
}
_LISTED = text("""
select m.merchant_id, m.code, m.name_zh, m.name_en, m.category, m.street, m.state, m.applied_at, m.changed_at,
       (select count(*) from offer o where o.merchant_id = m.merchant_id and o.state = 'live') as live_offers,
       (select count(*) from merchant_client c
        where c.merchant_id = m.merchant_id and c.kind = 'till' and c.ended_at is null) as tills,
       exists (select from merchant_account a
               where a.merchant_id = m.merchant_id and a.state = 'proposed') as account_waits
from merchant m
where (cast(:state as text) is null or m.state = :state) and m.code > :after
  and (cast(:streets as text[]) is null or m.street = any(:streets))
order by m.code limit :most
""")
_WAITING = text("""
select a.approval_id, a.kind from approval a
where a.state = 'proposed' and a.kind = any(:kinds) and a.payload ->> 'merchant_id' = cast(:merchant as text)
order by a.approval_id
""")


def listed(
    session: Session, state: str | None, after: str = "", streets: list[str] | None = None, most: int = 50
) -> list[Row[Any]]:
    """Merchants by code, in one state or all, of these streets or all, with what they have live."""
    given = {"state": state, "after": after, "streets": streets, "most": most}
    return list(session.execute(_LISTED, given))


def within(session: Session, code: str, streets: Collection[str] | None) -> Merchant:
    """A merchant of these streets, or of any where they are None; raises NotFound for all others."""
    known = merchants.by_code(session, code)
    if streets is not None and known.street not in streets:
        raise merchants.unknown()
    return known


def proposals_of(session: Session, merchant_id: int, kinds: list[str]) -> list[Row[Any]]:
    """What about a merchant waits for a second person: `approval_id` and `kind`."""
    return list(session.execute(_WAITING, {"merchant": merchant_id, "kinds": kinds}))


def stop(session: Session, code: str, step: Step, reason: str, by: int, now: datetime) -> Merchant:
    """A member of staff refuses, suspends or closes a merchant, and says why: the merchant reads it.

    Raises NotAllowed without the role merchant, NotFound, Conflict where its state does not allow it.
    """
    require_role(session, by, Role.MERCHANT)
    known = merchants.by_code(session, code)
    before = {"state": known.state}
    deed, move = _STEPS[step]
    move(session, known.merchant_id, reason, now)
    after = merchants.by_code(session, code)
    told = {"state": after.state, "reason": reason}
    audit.record(session, f"staff:{by}", deed, f"merchant:{known.merchant_id}", before, told)
    return after
