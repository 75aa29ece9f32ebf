"""Money that came in, by the approval it came in under, with what it is said to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import money_tags
from carbon_credits.ledger.money_tags import MONEY, MoneyTag

NO_MONEY: Final = Text("没有此笔资金", "No money came in under that approval")
_MONEY: Final = text("""
select approval_id, kind, (payload ->> 'amount_fen')::bigint as amount_fen, payload ->> 'sponsor' as sponsor, decided_at
from approval
where state = 'approved' and kind = any(:kinds) and (cast(:before as bigint) is null or approval_id < :before)
  and (cast(:one as bigint) is null or approval_id = :one)
order by approval_id desc limit :most
""")


@dataclass(frozen=True)
class Money:
    """Some money: the approval it came in under, fen that were approved, what it is said to be, where that is said."""

    approval_id: int
    kind: str
    amount_fen: int
    sponsor: str | None
    approved_at: datetime
    tag: MoneyTag | None


def listed(session: Session, most: int, before: int | None = None) -> Sequence[Money]:
    """Money, the newest approval first; those below `before`."""
    return _found(session, most, before, None)


def one(session: Session, approval_id: int) -> Money:
    """Some money; raises NotFound where none came in under that approval."""
    found = _found(session, 1, None, approval_id)
    if not found:
        raise NotFound("money_unknown", NO_MONEY)
    return found[0]


def _found(session: Session, most: int, before: int | None, approval_id: int | None) -> Sequence[Money]:
    asked = {"kinds": list(MONEY), "most": most, "before": before, "one": approval_id}
    tags = money_tags.newest(session)
    return [_money(row, tags.get(row.approval_id)) for row in session.execute(_MONEY, asked)]


def _money(row: Row[Any], tag: MoneyTag | None) -> Money:
    return Money(row.approval_id, row.kind, row.amount_fen, row.sponsor, row.decided_at, tag)
