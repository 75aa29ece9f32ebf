"""What stands behind the points: the money reserved for those outstanding over what they cost at the value in force.

A fund bought its points at frozen prices. What is not granted keeps the share of the price it was bought with, what was
spent at tills cost its value then; the rest is reserved for the points people have. A fund that sold points below their
value shows here as less than whole; points that moved to a campaign took their price along. Ratios are whole parts per
million, floored; nothing is a float.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.ledger.models import ContraKind, Fund
from carbon_credits.rewards.coverage_models import CoverageFund, CoverageReading

WINDOW_DAYS: Final = 28

# One statement, so that it sees one moment while others write. Points that a debt ate belong to no fund; those of lots
# and pending lots do. What was spent is known by fund through the lots its hold was taken from.
_READ = text("""
with value as (select point_value_on(:today) as micro_fen),
whole as (
  select coalesce(sum(available + held + pending - debt), 0)::bigint as points from wallet
),
reading as (
  insert into coverage_reading (read_at, value_micro_fen, points, owed_micro_fen)
  select :now, micro_fen, points, greatest(points, 0) * micro_fen from whole cross join value where micro_fen is not null
  returning reading_id
),
free as (
  select f.fund_id, f.budget,
         f.unallocated + coalesce((select sum(remaining) from fund_slot s where s.fund_id = f.fund_id), 0)::bigint
           as not_granted
  from fund f
),
lots as (select fund_id, sum(remaining + held)::bigint as points from lot group by fund_id),
pending as (select fund_id, sum(points)::bigint as points from pending_lot group by fund_id),
bought as (
  select fund_id, sum(fen)::bigint as fen from (
    select fund_id, amount_fen as fen from fund_deposit
    union all select to_fund, amount_fen from fund_transfer
    union all select from_fund, -amount_fen from fund_transfer
  ) m group by fund_id
),
spent as (
  select h.fund_id, sum(h.points * r.value_micro_fen)::bigint as micro_fen
  from capture c
  join redemption r on r.redemption_id = c.redemption_id and r.shard_id = c.shard_id
  join hold_lot h on h.hold_id = r.redemption_id and h.shard_id = r.shard_id
  where not exists (select from capture_reversal v where v.capture_id = c.capture_id)
  group by h.fund_id
),
granted as (
  select contra_ref as fund_id, sum(points)::bigint as points from posting
  where contra_kind = any(:kinds) and booked_on > :since and booked_on <= :today group by contra_ref
)
insert into coverage_fund (reading_id, fund_id, points, not_granted, deposits_fen, spent_micro_fen, reserved_micro_fen,
                           granted_28)
select reading_id, fund_id, coalesce(lots.points, 0) + coalesce(pending.points, 0), not_granted, coalesce(bought.fen, 0),
       coalesce(spent.micro_fen, 0),
       (coalesce(bought.fen, 0) * 1000000::numeric - coalesce(spent.micro_fen, 0)
        - case when budget = 0 then 0
               else ceil(coalesce(bought.fen, 0) * 1000000::numeric * not_granted / budget) end)::bigint,
       coalesce(granted.points, 0)
from free cross join reading
left join lots using (fund_id) left join pending using (fund_id) left join bought using (fund_id)
left join spent using (fund_id) left join granted using (fund_id)
returning 1
""")


@dataclass(frozen=True)
class OfFund:
    """What stands behind one fund's points. `coverage_ppm` is None where it has none outstanding."""

    code: str
    name_zh: str
    name_en: str
    points: int
    not_granted: int
    reserved_micro_fen: int
    owed_micro_fen: int
    coverage_ppm: int | None
    granted_28: int
    days_left: int | None
    runs_out_on: date | None


@dataclass(frozen=True)
class Coverage:
    """One reading: points outstanding (available + held + pending − debt), money reserved for them, and each fund."""

    read_at: datetime
    value_micro_fen: int
    points: int
    reserved_micro_fen: int
    owed_micro_fen: int
    coverage_ppm: int | None
    funds: tuple[OfFund, ...]


def read(session: Session, now: datetime) -> bool:
    """Read the whole district once; False while no value of a point is in force."""
    # every wallet and lot is read: the limits of doors do not apply
    session.execute(text("select set_config('statement_timeout', '0', true)"))
    today = clock.day_of(now)
    given = {
        "now": now,
        "today": today,
        "since": today - timedelta(days=WINDOW_DAYS),
        "kinds": [int(kind) for kind in (ContraKind.GRANT, ContraKind.BONUS, ContraKind.CLAWBACK)],
    }
    session.execute(_READ, given)
    return newest(session) is not None


def newest(session: Session) -> Coverage | None:
    """The newest reading; None before the first."""
    asked = select(CoverageReading).order_by(CoverageReading.reading_id.desc()).limit(1)
    reading = session.execute(asked).scalar_one_or_none()
    if reading is None:
        return None
    rows = session.execute(
        select(CoverageFund, Fund)
        .join(Fund, Fund.fund_id == CoverageFund.fund_id)
        .where(CoverageFund.reading_id == reading.reading_id)
        .order_by(CoverageFund.fund_id)
    ).all()
    day = clock.day_of(reading.read_at)
    funds = tuple(_fund(of, fund, reading.value_micro_fen, day) for of, fund in rows)
    reserved = sum(fund.reserved_micro_fen for fund in funds)
    return Coverage(
        read_at=reading.read_at,
        value_micro_fen=reading.value_micro_fen,
        points=reading.points,
        reserved_micro_fen=reserved,
        owed_micro_fen=reading.owed_micro_fen,
        coverage_ppm=ppm(reserved, reading.owed_micro_fen),
        funds=funds,
    )


def ppm(reserved: int, owed: int) -> int | None:
    """Parts per million, floored, never below zero; None over nothing."""
    return None if owed <= 0 else max(reserved, 0) * 1_000_000 // owed


def days_left(not_granted: int, granted_28: int) -> int | None:
    """How many whole days a fund lasts at the pace of the last 28; None where it is not being granted."""
    return None if granted_28 <= 0 else not_granted * WINDOW_DAYS // granted_28


def _fund(of: CoverageFund, fund: Fund, value: int, day: date) -> OfFund:
    left = days_left(of.not_granted, of.granted_28)
    # a forecast beyond a lifetime says only that there is no end in sight
    runs_out = day + timedelta(days=left) if left is not None and left <= 36_500 else None
    return OfFund(
        code=fund.code,
        name_zh=fund.name_zh,
        name_en=fund.name_en,
        points=of.points,
        not_granted=of.not_granted,
        reserved_micro_fen=of.reserved_micro_fen,
        owed_micro_fen=of.points * value,
        coverage_ppm=ppm(of.reserved_micro_fen, of.points * value),
        granted_28=of.granted_28,
        days_left=left,
        runs_out_on=runs_out,
    )
