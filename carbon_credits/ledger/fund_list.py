"""Funds as finance looks at them: what was bought, what is granted of it, what is still free, and every purchase."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text


@dataclass(frozen=True)
class FundRow:
    """A fund in points; `granted` are those of its budget that left it, `in_slots` those dealt out to shards and not yet
    granted. `paid_fen` is what its budget was bought for.
    """

    fund_id: int
    code: str
    name_zh: str
    name_en: str
    budget: int
    unallocated: int
    in_slots: int
    paid_fen: int
    last_bought_at: datetime | None

    @property
    def granted(self) -> int:
        """Points of the budget that are with residents, spent or lapsed."""
        return self.budget - self.unallocated - self.in_slots

    @property
    def free(self) -> int:
        """Points that can still be granted."""
        return self.unallocated + self.in_slots


_FUNDS = text("""
select f.fund_id, f.code, f.name_zh, f.name_en, f.budget, f.unallocated,
       coalesce((select sum(remaining) from fund_slot s where s.fund_id = f.fund_id), 0)::bigint as in_slots,
       coalesce((select sum(amount_fen) from fund_deposit d where d.fund_id = f.fund_id), 0)::bigint as paid_fen,
       (select max(at) from fund_deposit d where d.fund_id = f.fund_id) as last_bought_at
from fund f where cast(:fund as int) is null or f.fund_id = :fund order by f.fund_id
""")
_DEPOSITS = text("""
select d.deposit_id, d.points, d.amount_fen, d.at, d.approval_id, p.name as proposer, a.name as approver
from fund_deposit d join approval using (approval_id)
left join staff p on p.staff_id = proposed_by left join staff a on a.staff_id = decided_by
where d.fund_id = :fund and (cast(:before as bigint) is null or d.deposit_id < :before)
order by d.deposit_id desc limit :most
""")


def funds(session: Session) -> list[FundRow]:
    """Every fund, by number."""
    return [FundRow(**row) for row in session.execute(_FUNDS, {"fund": None}).mappings()]


def fund(session: Session, fund_id: int) -> FundRow:
    """One fund; raises NotFound."""
    row = session.execute(_FUNDS, {"fund": fund_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("fund_unknown", Text(f"没有资金池 {fund_id}", f"There is no fund {fund_id}"))
    return FundRow(**row)


def deposits(session: Session, fund_id: int, before: int | None = None, most: int = 50) -> list[Row[Any]]:
    """A fund's purchases and what was taken back of them, the newest first, with who proposed and who approved."""
    return list(session.execute(_DEPOSITS, {"fund": fund_id, "before": before, "most": most}))
