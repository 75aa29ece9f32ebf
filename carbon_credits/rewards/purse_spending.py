"""Subsidies in settlements are booked in their purses: reserved until a statement says that they were used."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

# Promises: one entry a settlement and purse (its key), and the purse moves by exactly the entries that are new.
_BOOK = text("""
with used as (
  select purse_id, settlement_id, sum(subsidy_fen)::bigint as fen from settlement_line
  where settlement_id = any(:settlements) and purse_id is not null
  group by purse_id, settlement_id having sum(subsidy_fen) <> 0
),
entered as (
  insert into purse_entry (purse_id, kind, amount_fen, cause)
  select purse_id, case when fen > 0 then 'spent' else 'returned' end, abs(fen), 'settlement:' || settlement_id
  from used order by purse_id, settlement_id
  on conflict do nothing
  returning purse_id, case kind when 'spent' then amount_fen else -amount_fen end as fen
),
moved as (select purse_id, sum(fen)::bigint as fen from entered group by purse_id),
locked as (
  select p.purse_id, m.fen from purse p join moved m using (purse_id) order by p.purse_id for no key update of p
)
update purse p set reserved_fen = p.reserved_fen - locked.fen, spent_fen = p.spent_fen + locked.fen
from locked where p.purse_id = locked.purse_id
""")


def book_spent(session: Session, settlements: Sequence[int]) -> None:
    """Book the subsidies of these settlements, once: reserved becomes spent, and what was undone goes back, in fen."""
    if settlements:
        session.execute(_BOOK, {"settlements": list(settlements)})
