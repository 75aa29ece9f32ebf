"""The books on one page: what residents have, what funds gave, what merchants are owed. One statement, one moment.

Sums are those of the seals, which never change, and of the journals that are not sealed yet: a rollup and its tail. The
two sides are added up from different tables by different routes, so that a page which balances says something.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class BalanceSheet:
    """Points, all as they were at one moment. Owed points are what residents have less their debt."""

    available: int
    held: int
    pending: int
    debt: int
    lots: int
    open_holds: int
    sealed: int
    unsealed: int
    budget: int
    unallocated: int
    in_slots: int
    granted: int
    broken: int
    spent: int
    captured: int
    reversed: int

    @property
    def owed(self) -> int:
        """What residents have, less what they owe."""
        return self.available + self.held + self.pending - self.debt

    def faults(self) -> list[str]:
        """What does not balance, in words; none when the books do."""
        said = {
            "wallets and journals": (self.owed, self.sealed + self.unsealed),
            "wallets and lots": (self.available + self.held + self.pending, self.lots),
            "held and open holds": (self.held, self.open_holds),
            "budgets and where they are": (self.budget, self.unallocated + self.in_slots + self.granted),
            "granted and what became of it": (self.granted, self.owed + self.broken + self.spent),
            "spent and what merchants took": (self.spent, self.captured - self.reversed),
        }
        return [f"{what}: {left} and {right}" for what, (left, right) in said.items() if left != right]


# Promises: one statement, so one snapshot, whoever writes meanwhile.
_SHEET = text("""
with wallets as (
  select coalesce(sum(available), 0) as available, coalesce(sum(held), 0) as held,
         coalesce(sum(pending), 0) as pending, coalesce(sum(debt), 0) as debt from wallet
),
posted as (
  select coalesce(sum(points) filter (where contra_kind in (1, 2, 6, 7)), 0) as granted,
         coalesce(-sum(points) filter (where contra_kind = 5), 0) as broken,
         coalesce(-sum(points) filter (where contra_kind = 3), 0) as spent
  from posting
)
select w.*,
       (select coalesce(sum(remaining + held), 0) from lot)
         + (select coalesce(sum(points), 0) from pending_lot) as lots,
       (select coalesce(sum(points), 0) from hold where state = 'held') as open_holds,
       (select coalesce(sum(points_sum), 0) from seal) as sealed,
       (select coalesce(sum(points_sum), 0) from journal j
        where not exists (select from seal_member m
                          where m.journal_id = j.journal_id and m.shard_id = j.shard_id)) as unsealed,
       (select coalesce(sum(budget), 0) from fund) as budget,
       (select coalesce(sum(unallocated), 0) from fund) as unallocated,
       (select coalesce(sum(remaining), 0) from fund_slot) as in_slots,
       p.granted, p.broken, p.spent,
       (select coalesce(sum(points), 0) from hold where state = 'captured') as captured,
       (select coalesce(sum(points_sum), 0) from journal where kind = 7) as reversed
from wallets w cross join posted p
""")


def balance_sheet(session: Session) -> BalanceSheet:
    """The page as it is at this moment."""
    row = session.execute(_SHEET).one()
    return BalanceSheet(**{name: int(amount) for name, amount in row._mapping.items()})
