"""What only one act may have, decided by the claim tables' own constraints before any wallet is touched.

Keys are inserted in sorted order, so that batches of different shards wait for one another and never in a ring.
The best evidence comes first, then the oldest act, whoever arrived first: an act that finds its key with a lesser one
takes it over, and the other goes back on its work list.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from psycopg import Connection
from sqlalchemy.orm import Session

from carbon_credits.core.db import raw_connection
from carbon_credits.core.inserting import ASKING, insert_new

FIRST = "evidence_class, occurred_from, act_order"


@dataclass(frozen=True)
class Once:
    """What only one act may ever have: the column of the act is the claim's own primary key."""

    column: str
    table: str
    reason: str
    # by an exclusion constraint two who do not ask before they write would wait for one another in a ring
    by_key: ClassVar[bool] = True

    @property
    def claim(self) -> str:
        """Insert what can be claimed; a constraint refuses the rest in silence."""
        return f"""
insert into {self.table} ({self.column}, activity_id, resident_id)
select {self.column}, activity_id, resident_id
from batch_act
where verdict is null and {self.column} is not null
order by {self.column}, {FIRST}
{ASKING}"""

    def take(self, session: Session, new: int) -> int:
        """Claim what can be claimed, by so many acts of which none holds it yet; returns how many did."""
        return insert_new(session, self.claim, {}, new if self.by_key else 0).rowcount

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
    def lay_open(self) -> str:
        """Release what acts decided before hold, where another act of the batch asks for the same."""
        return f"""
delete from {self.table}
where activity_id = any(array(
  select b.activity_id from batch_act b join batch_standing s using (activity_id)
  where b.{self.column} in (select {self.column} from batch_act where {self.column} is not null
                            group by 1 having count(*) > 1)))"""

    @property
    def lesser(self) -> str:
        """For each loser whose every rival has decided elsewhere and comes after it: the loser and its rivals."""
        return f"""
select b.activity_id, array_agg(c.activity_id)
from batch_act b
join {self.table} c on {self.meets}
join lateral (
  select (b.evidence_class, b.occurred_from, b.act_order)
         < (d.evidence_class, a.occurred_from, int2send(a.source_id) || coalesce(a.ext_key, int8send(a.activity_id)))
         and not exists (select from batch_act own where own.activity_id = c.activity_id) as lesser
  from activity a join decision d using (resident_id, occurred_on, activity_id)
  where a.resident_id = c.resident_id and a.activity_id = c.activity_id
  order by d.generation desc limit 1
) rival on true
where b.verdict = 'rejected' and b.why = '{self.reason}'
group by b.activity_id
having bool_and(rival.lesser)"""

    @property
    def give_back(self) -> str:
        """An act that came to nothing claims nothing. By a list of numbers, so that each is looked up."""
        return f"""
delete from {self.table}
where activity_id = any(array(
  select activity_id from batch_act where {self.column} is not null and verdict is not null))"""


@dataclass(frozen=True)
class OneAtATime(Once):
    """What only one act may have at a time. An exclusion constraint compares numbers at half the price of digests,
    so the claim keeps the first eight bytes of the keyed digest: two vehicles in a million million million collide.
    """

    number: str
    by_key: ClassVar[bool] = False

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
{ASKING}"""

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
# For each basis: how many acts of the batch have it, how many ask for it, how many of these were brought back and may
# hold it already.
_PRESENT = """array[count({0}), count({0}) filter (where verdict is null),
  count({0}) filter (where verdict is null and queue_row is null)]"""
PRESENT = f"select {', '.join(_PRESENT.format(basis.column) for basis in BASES)} from batch_act"


SEND_BACK = """
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
select distinct on (d.activity_id) d.activity_id, d.resident_id, d.occurred_on, d.generation + 1, d.shard_id
from {table} c
join decision d on d.resident_id = c.resident_id and d.activity_id = c.activity_id
where c.activity_id = any(%(rivals)s)
order by d.activity_id, d.generation desc
on conflict do nothing
"""
ASK_AGAIN = """
update batch_act set verdict = null, why = null, against = null where activity_id = any(%(better)s)
"""


def decide(session: Session, *, reopened: bool) -> None:
    """Claim what the batch's acts claim and reject the losers; what is refused by now gives back what it had."""
    connection = raw_connection(session)
    present: tuple[list[int], ...] = connection.execute(PRESENT).fetchone() or ()
    for basis, (occur, ask, hold) in zip(BASES, present, strict=True):
        if occur and reopened:
            connection.execute(basis.give_back)
            connection.execute(basis.lay_open)
        taken = basis.take(session, 0 if hold else ask) if ask else 0
        if taken < ask and connection.execute(basis.mark_losers).rowcount:
            _take_over(connection, basis)


def _take_over(connection: Connection[tuple[Any, ...]], basis: Once) -> None:
    """Give the key to who comes first in the order of acts, and its holder another passage, which it will lose."""
    found: list[tuple[int, list[int]]] = connection.execute(basis.lesser).fetchall()
    if not found:
        return
    rivals = sorted({rival for _, of_one in found for rival in of_one})
    connection.execute(SEND_BACK.format(table=basis.table), {"rivals": rivals})
    connection.execute(f"delete from {basis.table} where activity_id = any(%s)", (rivals,))
    connection.execute(ASK_AGAIN, {"better": [better for better, _ in found]})
    connection.execute(basis.claim)
    connection.execute(basis.mark_losers)


def release(connection: Connection[tuple[object, ...]], activity_id: int) -> None:
    """Give back everything one act claimed, when it is reversed."""
    for basis in BASES:
        connection.execute(f"delete from {basis.table} where activity_id = %s", (activity_id,))
