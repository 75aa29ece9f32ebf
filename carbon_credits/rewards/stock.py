"""What is left of an offer, and how often somebody has had it: taken one at a time, never below zero, put back once.

Lock order: shares before stock, each in the order of their keys; one slot at a time is waited for.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.rewards.refusals import refusal

SLOTS: Final = 8


class Taken(Protocol):
    """What one redemption had taken."""

    @property
    def offer_id(self) -> int: ...
    @property
    def resident_id(self) -> int: ...
    @property
    def shard_id(self) -> int: ...
    @property
    def slot(self) -> int: ...


_TAKE = text("""
update offer_stock set left_n = left_n - 1
where offer_id = :offer and slot = :slot and left_n > 0 returning slot
""")


def own_slot(resident_id: int) -> int:
    """Where a resident looks first, so that those who want the same thing do not queue for one row."""
    return resident_id % SLOTS


def take_elsewhere(session: Session, offer_id: int, resident_id: int) -> int:
    """Take one of an offer whose own slot for this resident is empty, out of the next that has any; says which slot.

    Raises `sold_out`. Enough is decided by the row itself, so nothing is sold twice, whoever comes at once.
    """
    own = own_slot(resident_id)
    filled = text("select slot from offer_stock where offer_id = :offer and left_n > 0 and slot <> :own")
    others = {int(other) for other in session.scalars(filled, {"offer": offer_id, "own": own})}
    for step in range(1, SLOTS):
        other = (own + step) % SLOTS
        if (
            other in others
            and session.execute(_TAKE, {"offer": offer_id, "slot": other}).scalar() is not None
        ):
            return other
    raise refusal("sold_out")


# Promises: as many as came back are put back, and rows are locked in the order of their keys.
_SHARES_BACK = text("""
with back as (
  select offer_id, resident_id, shard_id, count(*) as n
  from unnest(cast(:offers as bigint[]), cast(:residents as bigint[]), cast(:shards as smallint[]))
       as b (offer_id, resident_id, shard_id)
  group by 1, 2, 3
),
locked as materialized (
  select offer_id, resident_id, shard_id, n from offer_share join back using (offer_id, resident_id, shard_id)
  order by 1, 2, 3 for no key update of offer_share
)
update offer_share s set taken = s.taken - l.n
from locked l
where s.offer_id = l.offer_id and s.resident_id = l.resident_id and s.shard_id = l.shard_id
""")
_STOCK_BACK = text("""
with back as (
  select offer_id, slot, count(*)::int as n
  from unnest(cast(:offers as bigint[]), cast(:slots as smallint[])) as b (offer_id, slot) group by 1, 2
),
locked as materialized (
  select offer_id, slot, n from offer_stock join back using (offer_id, slot)
  order by 1, 2 for no key update of offer_stock
)
update offer_stock s set left_n = s.left_n + l.n from locked l where s.offer_id = l.offer_id and s.slot = l.slot
""")


def put_back(session: Session, taken: Sequence[Taken]) -> None:
    """Give back what these redemptions had taken: shares, then stock. The caller has just ended them, once."""
    if not taken:
        return
    offers = [one.offer_id for one in taken]
    people = {"residents": [one.resident_id for one in taken], "shards": [one.shard_id for one in taken]}
    session.execute(_SHARES_BACK, {"offers": offers, **people})
    session.execute(_STOCK_BACK, {"offers": offers, "slots": [one.slot for one in taken]})
