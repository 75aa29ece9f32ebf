"""What only one act may have, decided by the claim tables' own constraints before any wallet is touched.

Keys are inserted in sorted order, so that batches of different shards wait for one another and never in a ring.
Within a batch the best evidence comes first, then the oldest act.
"""

from dataclasses import dataclass

from psycopg import Connection

FIRST = "evidence_class, occurred_from, activity_id"


@dataclass(frozen=True)
class Once:
    """What only one act may ever have: the column of the act is the claim's own primary key."""

    column: str
    table: str
    reason: str

    @property
    def claim(self) -> str:
        """Insert what can be claimed; a constraint refuses the rest in silence."""
        return f"""
insert into {self.table} ({self.column}, activity_id, resident_id)
select {self.column}, activity_id, resident_id
from batch_act
where verdict is null and {self.column} is not null
order by {self.column}, {FIRST}
on conflict do nothing"""

    @property
    def meets(self) -> str:
        """Whether claim c stands in the way of act b."""
        return f"c.{self.column} = b.{self.column}"

    @property
    def mark_losers(self) -> str:
        """Acts that hold no claim of their own are rejected against the act that does."""
        return f"""
update batch_act b
set verdict = 'rejected', why = '{self.reason}',
    against = (select min(c.activity_id) from {self.table} c where {self.meets})
where b.verdict is null and b.{self.column} is not null
  and not exists (select from {self.table} c where c.activity_id = b.activity_id)"""

    @property
    def give_back(self) -> str:
        """An act that came to nothing claims nothing. By a list of numbers, so that each is looked up."""
        return f"""
delete from {self.table}
where activity_id = any(array(
  select activity_id from batch_act where {self.column} is not null and verdict in ('rejected', 'replaced')))"""


@dataclass(frozen=True)
class OneAtATime(Once):
    """What only one act may have at a time. An exclusion constraint compares numbers at half the price of digests,
    so the claim keeps the first eight bytes of the keyed digest: two vehicles in a million million million collide.
    """

    number: str

    @property
    def _number(self) -> str:
        return f"substr({self.column}, 1, 8)::bigint"

    @property
    def claim(self) -> str:
        """The act's whole time, from its beginning up to its end."""
        return f"""
insert into {self.table} ({self.number}, span, activity_id, resident_id)
select {self._number}, tstzrange(occurred_from, occurred_to), activity_id, resident_id
from batch_act
where verdict is null and {self.column} is not null
order by 1, {FIRST}
on conflict do nothing"""

    @property
    def meets(self) -> str:
        """The same number, and some of the same time."""
        same_number = f"c.{self.number} = substr(b.{self.column}, 1, 8)::bigint"
        return f"{same_number} and c.span && tstzrange(b.occurred_from, b.occurred_to)"


BASES: tuple[Once, ...] = (
    Once("item_key", "item_claim", "item_already_claimed"),
    OneAtATime("meter_key", "meter_claim", "meter_already_claimed", "meter_no"),
    Once("transaction_key", "transaction_claim", "transaction_already_claimed"),
    OneAtATime("vehicle_key", "vehicle_claim", "vehicle_already_claimed", "vehicle_no"),
)
PRESENT = "select " + ", ".join(f"count({basis.column}) > 0" for basis in BASES) + " from batch_act"


def decide(connection: Connection[tuple[object, ...]]) -> tuple[Once, ...]:
    """Claim what the batch's acts claim and reject the losers; returns the bases that occurred."""
    present = connection.execute(PRESENT).fetchone()
    assert present is not None
    occurring = tuple(basis for basis, occurs in zip(BASES, present, strict=True) if occurs)
    for basis in occurring:
        connection.execute(basis.claim)
        connection.execute(basis.mark_losers)
    return occurring


def give_back(connection: Connection[tuple[object, ...]], occurring: tuple[Once, ...]) -> None:
    """Release the claims of acts that were rejected for another reason."""
    for basis in occurring:
        connection.execute(basis.give_back)


def release(connection: Connection[tuple[object, ...]], activity_id: int) -> None:
    """Give back everything one act claimed, when it is reversed."""
    for basis in BASES:
        connection.execute(f"delete from {basis.table} where activity_id = %s", (activity_id,))
