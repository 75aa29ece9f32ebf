"""Offers of all merchants as staff look through them, and who of the staff says no to one or ends it."""

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.rewards import offers
from carbon_credits.rewards.offer_models import Offer
from carbon_credits.staff.service import Role, require_role

_COLUMNS = """
select o.*, m.code as merchant_code, m.name_zh as merchant_zh, m.name_en as merchant_en, m.state as merchant_state,
       p.code as purse_code, p.name_zh as purse_zh, p.name_en as purse_en, p.kind as purse_kind,
       coalesce((select sum(s.left_n) from offer_stock s where s.offer_id = o.offer_id), 0)::bigint as left_n,
       (select max(a.approval_id) from approval a where a.kind = 'offer.approve' and a.state = 'proposed'
          and a.payload ->> 'offer_id' = o.offer_id::text) as waits_as
from offer o join merchant m using (merchant_id) left join purse p using (purse_id)
"""
_LISTED = text(
    _COLUMNS
    + """
where o.state <> 'draft' and (cast(:state as text) is null or o.state = :state)
  and (cast(:merchant as int) is null or o.merchant_id = :merchant)
  and (cast(:before as bigint) is null or o.offer_id < :before)
  and (cast(:streets as text[]) is null or m.street = any(:streets))
order by o.offer_id desc limit :most
"""
)
_ONE = text(
    _COLUMNS
    + """
where o.offer_id = :offer and o.state <> 'draft'
  and (cast(:streets as text[]) is null or m.street = any(:streets))
"""
)


def listed(
    session: Session,
    state: str | None = None,
    merchant_id: int | None = None,
    before: int | None = None,
    streets: Collection[str] | None = None,
    most: int = 50,
) -> list[Row[Any]]:
    """Offers that merchants of these streets, or of any, have put forward, the newest first; drafts are their own."""
    given = {"state": state, "merchant": merchant_id, "before": before, "most": most}
    return list(session.execute(_LISTED, {**given, "streets": _listed(streets)}))


def one(session: Session, offer_id: int, streets: Collection[str] | None = None) -> Row[Any]:
    """One offer with its merchant and purse; raises NotFound, for a draft and outside of these streets as well."""
    row = session.execute(_ONE, {"offer": offer_id, "streets": _listed(streets)}).one_or_none()
    if row is None:
        raise offers.unknown()
    return row


def stop(session: Session, offer_id: int, step: Literal["refuse", "end"], reason: str, by: int) -> Offer:
    """A member of staff says no to what was put forward, or ends what is live; the merchant reads why.

    Raises NotAllowed without the role merchant, NotFound, Conflict where its state does not allow it.
    """
    require_role(session, by, Role.MERCHANT)
    before = {"state": offers.offer(session, offer_id).state}
    after = (offers.refuse if step == "refuse" else offers.end)(session, offer_id, reason)
    told = {"state": after.state, "reason": reason}
    deed = "offer.refused" if step == "refuse" else "offer.ended"
    audit.record(session, f"staff:{by}", deed, f"offer:{offer_id}", before, told)
    return after


def _listed(streets: Collection[str] | None) -> list[str] | None:
    return None if streets is None else sorted(streets)
