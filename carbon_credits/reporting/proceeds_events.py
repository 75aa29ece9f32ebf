"""What happened to money and points, as the books tell it, in the order in which it is traced."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.reporting.proceeds_tracing import Day, Move

# What a sponsor takes back is a deposit below zero under the refund's own approval, as is one that came back: both are of
# the money that the sponsor had paid. Funds' moves come in the order in which they were booked.
_MOVES: Final = text("""
select (m.at at time zone 'Asia/Shanghai')::date as day, m.at, m.money, m.source, m.target, m.points, m.amount_fen
from (
  select d.at, 0 as turn, d.deposit_id as number, coalesce(f.approval_id, d.approval_id)::int as money,
         case when d.points < 0 then d.fund_id end as source, case when d.points > 0 then d.fund_id end as target,
         abs(d.points) as points, abs(d.amount_fen) as amount_fen
  from fund_deposit d
  left join funding_refund r on r.approval_id = d.approval_id
  left join funding f on f.funding_id = r.funding_id
  union all
  select at, 1, transfer_id, null, from_fund, to_fund, points, 0 from fund_transfer
) m
where (m.at at time zone 'Asia/Shanghai')::date <= :until
order by m.at, m.turn, m.number
""")
# An act's grams are shared between the funds that paid for it, by points, rounded down cumulatively: base and bonus are
# for the same grams. Acts for which nothing was paid have no money behind them.
_DAYS: Final = text("""
with moved as (
  select contra_ref as fund, booked_on as day, sum(points) filter (where contra_kind in (1, 2, 6)) as granted,
         -sum(points) filter (where contra_kind = 5) as lapsed
  from posting where contra_kind in (1, 2, 5, 6) and points <> 0 and booked_on <= :until group by 1, 2
), spent as (
  select h.fund_id as fund, c.booked_on as day, sum(h.points) as points, sum(h.points * r.value_micro_fen) as micro_fen
  from capture c
  join redemption r on r.redemption_id = c.redemption_id and r.shard_id = c.shard_id
  join hold_lot h on h.hold_id = r.redemption_id and h.shard_id = r.shard_id
  where c.booked_on <= :until and not exists (select from capture_reversal v where v.capture_id = c.capture_id)
  group by 1, 2
), passage as (
  select resident_id, activity_id, generation, contra_ref as fund, min(booked_on) as day, sum(points) as points
  from posting where contra_kind in (1, 2, 6) and activity_id is not null and booked_on <= :until
  group by 1, 2, 3, 4 having sum(points) > 0
), grams as (
  select resident_id, activity_id, generation, sum(verified_mg) as verified_mg, sum(claimed_mg) as claimed_mg,
         sum(removal_mg) as removal_mg
  from posting where contra_kind in (1, 6, 7) and activity_id is not null and booked_on <= :until group by 1, 2, 3
), place as (
  select p.fund, p.day, p.points, g.verified_mg, g.claimed_mg, g.removal_mg,
         sum(p.points) over act as upto, sum(p.points) over whole as total
  from passage p join grams g using (resident_id, activity_id, generation)
  window whole as (partition by p.resident_id, p.activity_id, p.generation),
         act as (partition by p.resident_id, p.activity_id, p.generation order by p.fund)
), behind as (
  select fund, day,
         sum(div(verified_mg * upto, total) - div(verified_mg * (upto - points), total)) as verified_mg,
         sum(div(claimed_mg * upto, total) - div(claimed_mg * (upto - points), total)) as claimed_mg,
         sum(div(removal_mg * upto, total) - div(removal_mg * (upto - points), total)) as removal_mg
  from place group by 1, 2
)
select fund, day, coalesce(m.granted, 0)::bigint as granted, coalesce(s.points, 0)::bigint as spent,
       coalesce(m.lapsed, 0)::bigint as lapsed, coalesce(s.micro_fen, 0)::bigint as paid_micro_fen,
       coalesce(b.verified_mg, 0)::bigint as verified_mg, coalesce(b.claimed_mg, 0)::bigint as claimed_mg,
       coalesce(b.removal_mg, 0)::bigint as removal_mg
from moved m full join spent s using (fund, day) full join behind b using (fund, day)
order by day, fund
""")


@dataclass(frozen=True)
class Paid:
    """Money that came in, or went back to whoever paid it (below zero): points and fen, into which fund."""

    money: int
    fund: int
    points: int
    amount_fen: int


@dataclass(frozen=True)
class Told:
    """Everything through a day: what was paid, and the events in the order in which they are traced."""

    paid: tuple[Paid, ...]
    events: tuple[Move | Day, ...]


def told(session: Session, until: date) -> Told:
    """What the books tell. All postings are read: the limits of doors do not apply."""
    session.execute(text("select set_config('statement_timeout', '0', true), set_config('jit', 'off', true)"))
    moves = session.execute(_MOVES, {"until": until}).all()
    days = session.execute(_DAYS, {"until": until}).all()
    paid = tuple(
        Paid(row.money, row.target or row.source, row.points * sign, row.amount_fen * sign)
        for row in moves
        if row.money is not None
        for sign in (1 if row.source is None else -1,)
    )
    dated: list[tuple[date, int, int, Move | Day]] = [
        (row.day, 1, n, Move(row.money, row.source, row.target, row.points)) for n, row in enumerate(moves)
    ]
    # what comes back to a fund in a day may leave it the same day
    dated += [(row.day, 0 if row.granted < 0 else 2, n, _day(row)) for n, row in enumerate(days)]
    return Told(paid, tuple(event for *_, event in sorted(dated, key=lambda one: one[:3])))


def _day(row: Row[Any]) -> Day:
    return Day(
        row.fund,
        row.granted,
        row.spent,
        row.lapsed,
        row.paid_micro_fen,
        row.verified_mg,
        row.claimed_mg,
        row.removal_mg,
    )
