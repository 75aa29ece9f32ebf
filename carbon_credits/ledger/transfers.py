"""Points that move between funds: a campaign's fund is filled out of another, and what is left goes back.

The money behind them moves along, at the mean price of the fund they leave, so that what stands behind every point is
known wherever it is. Lock order as everywhere: funds ascending, a fund's row before its slots.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import InvariantBroken
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import funds

_LOCK: Final = text(
    "select fund_id from fund where fund_id in (:one, :other) order by fund_id for no key update"
)
_PRICE: Final = """
with price as (
  select f.budget, coalesce((select sum(amount_fen) from fund_deposit d where d.fund_id = f.fund_id), 0)
           + coalesce((select sum(amount_fen) from fund_transfer t where t.to_fund = f.fund_id), 0)
           - coalesce((select sum(amount_fen) from fund_transfer t where t.from_fund = f.fund_id), 0) as fen
  from fund f where f.fund_id = :from
)
"""
# Promises: nothing moves that the first fund has granted or dealt out; the two updates sum to zero.
_MOVE: Final = text(f"""
{_PRICE}, taken as (
  update fund set budget = budget - :points, unallocated = unallocated - :points
  where fund_id = :from and unallocated >= :points returning fund_id
), given as (
  update fund set budget = budget + :points, unallocated = unallocated + :points
  where fund_id = :to and exists (select from taken) returning fund_id
)
insert into fund_transfer (from_fund, to_fund, points, amount_fen, why, campaign_id)
select :from, :to, :points, floor(price.fen * :points / price.budget)::bigint, :why, :campaign
from price cross join taken cross join given
returning 1
""")  # noqa: S608 - made of constants
_QUOTE: Final = text(f"""
{_PRICE} select floor(price.fen * :points / price.budget)::bigint from price where price.budget > 0
""")  # noqa: S608 - made of constants
_SOURCES: Final = text("""
select f.fund_id, f.code, f.name_zh, f.name_en, f.budget, f.unallocated,
       (coalesce((select sum(amount_fen) from fund_deposit d where d.fund_id = f.fund_id), 0)
        + coalesce((select sum(amount_fen) from fund_transfer t where t.to_fund = f.fund_id), 0)
        - coalesce((select sum(amount_fen) from fund_transfer t where t.from_fund = f.fund_id), 0))::bigint as fen
from fund f where f.kind = 'general' order by f.fund_id
""")
_GATHER: Final = text("""
with slots as (
  update fund_slot set remaining = 0 where fund_id = :fund and remaining > 0 returning old.remaining
), rest as (
  select coalesce(sum(remaining), 0)::bigint as points from slots
)
update fund set unallocated = unallocated + rest.points from rest where fund_id = :fund returning unallocated
""")
_LEFT: Final = text("""
select unallocated + coalesce((select sum(remaining) from fund_slot s where s.fund_id = f.fund_id), 0)::bigint
from fund f where fund_id = :fund
""")


@dataclass(frozen=True)
class Source:
    """A fund that a campaign may be paid from: points not dealt out yet, and the fen behind its whole budget."""

    fund_id: int
    code: str
    name: Text
    budget: int
    unallocated: int
    fen: int

    def cost_fen(self, points: int) -> int | None:
        """The fen that would move along with so many points, as `quote` says; None where it has never had any."""
        return self.fen * points // self.budget if self.budget else None


def fill(session: Session, source: int, code: str, name: Text, points: int, campaign_id: int) -> int | None:
    """A fund of a campaign's own with these points out of the unallocated rest of `source`; None where it has fewer."""
    fund_id = funds.create_fund(session, code, name.zh, name.en, "campaign")
    session.execute(_LOCK, {"one": source, "other": fund_id})
    return fund_id if _move(session, source, fund_id, points, "campaign_approved", campaign_id) else None


def give_back(session: Session, fund_id: int, source: int, campaign_id: int) -> int:
    """Move what a campaign's fund still has, in its slots too, back where it came from; returns the points."""
    session.execute(_LOCK, {"one": source, "other": fund_id})
    points = int(session.execute(_GATHER, {"fund": fund_id}).scalar_one())
    if points and not _move(session, fund_id, source, points, "campaign_left_over", campaign_id):
        raise InvariantBroken(f"fund {fund_id} did not have the {points} points that were counted in it")
    return points


def sources(session: Session) -> list[Source]:
    """Every fund that a campaign may be paid from, by number."""
    return [
        Source(row.fund_id, row.code, Text(row.name_zh, row.name_en), row.budget, row.unallocated, row.fen)
        for row in session.execute(_SOURCES)
    ]


def quote(session: Session, source: int, points: int) -> int | None:
    """The fen that would move along with so many points of a fund today; None where it has never had any."""
    fen = session.execute(_QUOTE, {"from": source, "points": points}).scalar()
    return None if fen is None else int(fen)


def cost_micro_fen(points: int, of_points: int, of_fen: int) -> int:
    """Micro-fen of so many points where `of_points` were moved with `of_fen`, rounded up."""
    return -(-points * of_fen * funds.MICRO // of_points)


def left(session: Session, fund_id: int) -> int:
    """What a fund can still give: its unallocated rest and what lies in slots, in points."""
    return int(session.execute(_LEFT, {"fund": fund_id}).scalar_one())


def _move(session: Session, source: int, to: int, points: int, why: str, campaign_id: int) -> bool:
    given = {"from": source, "to": to, "points": points, "why": why, "campaign": campaign_id}
    return session.execute(_MOVE, given).scalar() is not None
