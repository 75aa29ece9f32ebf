"""What only one act may have, decided by the claim tables' own constraints before any wallet is touched.

Keys are inserted in sorted order, so that batches of different shards wait for one another and never in a ring.
Within a batch the best evidence comes first, then the oldest act.
"""

from dataclasses import dataclass

from psycopg import Connection

FIRST = "evidence_class, occurred_from, activity_id"


@dataclass(frozen=True)
class Basis:
    """One exclusivity basis: its column of the act, its table, and the reason a loser is given."""

    column: str
    table: str
    reason: str
    is_period: bool

    @property
    def claim(self) -> str:
        """Insert what can be claimed; a constraint refuses the rest in silence."""
        if self.is_period:
            return f"""
insert into {self.table} ({self.column}, span, activity_id, resident_id)
select {self.column}, tstzrange(occurred_from, occurred_to), activity_id, resident_id
from batch_act
where verdict is null and {self.column} is not null
order by {self.column}, {FIRST}
on conflict do nothing"""
        return f"""
insert into {self.table} ({self.column}, activity_id, resident_id)
select {self.column}, activity_id, resident_id
from batch_act
where verdict is null and {self.column} is not null
order by {self.column}, {FIRST}
on conflict do nothing"""

    @property
    def mark_losers(self) -> str:
        """Acts that hold no claim of their own are rejected against the act that does."""
        meets = " and c.span && tstzrange(b.occurred_from, b.occurred_to)" if self.is_period else ""
        return f"""
update batch_act b
set verdict = 'rejected', why = '{self.reason}',
    against = (select min(c.activity_id) from {self.table} c where c.{self.column} = b.{self.column}{meets})
where b.verdict is null and b.{self.column} is not null
  and not exists (select from {self.table} c where c.activity_id = b.activity_id)"""

    @property
    def give_back(self) -> str:
        """An act that came to nothing claims nothing."""
        return f"""
delete from {self.table} c
using batch_act b
where b.{self.column} is not null and b.verdict in ('rejected', 'replaced') and c.activity_id = b.activity_id"""


BASES = (
    Basis("item_key", "item_claim", "item_already_claimed", is_period=False),
    Basis("meter_key", "meter_claim", "meter_already_claimed", is_period=True),
    Basis("transaction_key", "transaction_claim", "transaction_already_claimed", is_period=False),
    Basis("vehicle_key", "vehicle_claim", "vehicle_already_claimed", is_period=True),
)
PRESENT = "select " + ", ".join(f"count({basis.column}) > 0" for basis in BASES) + " from batch_act"


def decide(connection: Connection[tuple[object, ...]]) -> tuple[Basis, ...]:
    """Claim what the batch's acts claim and reject the losers; returns the bases that occurred."""
    present = connection.execute(PRESENT).fetchone()
    assert present is not None
    occurring = tuple(basis for basis, occurs in zip(BASES, present, strict=True) if occurs)
    for basis in occurring:
        connection.execute(basis.claim)
        connection.execute(basis.mark_losers)
    return occurring


def give_back(connection: Connection[tuple[object, ...]], occurring: tuple[Basis, ...]) -> None:
    """Release the claims of acts that were rejected for another reason."""
    for basis in occurring:
        connection.execute(basis.give_back)


def release(connection: Connection[tuple[object, ...]], activity_id: int) -> None:
    """Give back everything one act claimed, when it is reversed."""
    for basis in BASES:
        connection.execute(f"delete from {basis.table} where activity_id = %s", (activity_id,))
