"""How many grams a programme counts for a resident, and which tier they reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import shard_of
from carbon_credits.incentives.terms import Terms, Tier
from carbon_credits.methodologies.catalogue import BY_NUMBER

MG: Final = 1_000
# what stands in the books now, corrections and what was taken back included; an act is never booked before its day
SUMS: Final = text("""
select a.methodology, sum(p.verified_mg) as verified_mg, sum(p.claimed_mg) as claimed_mg
from posting p
join activity a on a.resident_id = p.resident_id and a.occurred_on = p.effective_on and a.activity_id = p.activity_id
where p.resident_id = :resident and p.shard_id = :shard
  and p.booked_on >= :first and p.effective_on between :first and :last
group by a.methodology
""")


@dataclass(frozen=True)
class Window:
    """The days whose acts count, both included."""

    first: date
    last: date


def window(last: date, months: int) -> Window:
    """The `months` months up to and with a day."""
    year, month = divmod(last.year * 12 + last.month - 1 - months, 12)
    after = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    # the same day of the month, or its last; the day after it is the first that counts
    same = date(year, month + 1, min(last.day, (after - timedelta(days=1)).day))
    return Window(same + timedelta(days=1), last)


def counted(session: Session, resident_id: int, terms: Terms, days: Window) -> int:
    """Milligrams of CO2e avoided that the terms count: of their grade and families, in these days; never below zero.

    Removals by trees are another pool and do not count.
    """
    given = {"resident": resident_id, "shard": shard_of(resident_id), "first": days.first, "last": days.last}
    total = 0
    for row in session.execute(SUMS, given):
        if BY_NUMBER[row.methodology][-1].family in terms.families:
            total += int(row.verified_mg)
            total += int(row.claimed_mg) if terms.grade == "verified_and_claimed" else 0
    return max(total, 0)


def reached(tiers: Sequence[Tier], milligrams: int) -> Tier | None:
    """The highest tier that these milligrams reach; `tiers` in order of their grams."""
    return next((tier for tier in reversed(tiers) if tier.from_g * MG <= milligrams), None)


def following(tiers: Sequence[Tier], milligrams: int) -> tuple[Tier, int] | None:
    """The next tier and how many whole grams it is away, rounded up."""
    coming = next((tier for tier in tiers if tier.from_g * MG > milligrams), None)
    return None if coming is None else (coming, coming.from_g - milligrams // MG)
