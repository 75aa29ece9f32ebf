"""What a merchant is owed for a day: made once, the day after, from every capture and reversal booked until then.

Amounts are micro-fen (a millionth of a fen); whole fen are paid, the rest is carried to the merchant's next statement. A
day is the programme's. What came in too late for its day's statement stands in the next one, so that nothing is left out.
"""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.rewards.purse_spending import book_spent
from carbon_credits.rewards.settlement_digest import ADJUSTMENTS_DIGEST, LINES_DIGEST, SETTLEMENT_DIGEST

SETTLING: Final = 0x5E77
# a capture that began before midnight is committed by then
REST: Final = timedelta(minutes=30)
# how long before the last statement something may lie that was committed after it
LOOK_BACK: Final = timedelta(days=7)

_UNSETTLED = """
unsettled as materialized (
  select c.merchant_id, c.capture_id, 'capture' as kind, c.booked_on,
         c.paid_micro_fen as micro_fen, c.subsidy_fen, c.purse_id
  from capture c
  where c.booked_on between :since and :until
    and not exists (select from settlement_line l where l.capture_id = c.capture_id and l.kind = 'capture')
  union all
  select c.merchant_id, c.capture_id, 'reversal', r.booked_on, -c.paid_micro_fen, -c.subsidy_fen, c.purse_id
  from capture_reversal r join capture c using (capture_id)
  where r.booked_on between :since and :until
    and not exists (select from settlement_line l where l.capture_id = r.capture_id and l.kind = 'reversal')
),
adjusting as materialized (
  select merchant_id, adjustment_id, fen, booked_on from settlement_adjustment a
  where booked_on <= :until and not exists (select from settlement_adjusted d where d.adjustment_id = a.adjustment_id)
),
latest as materialized (
  select distinct on (merchant_id) merchant_id, settlement_id, day, carried_out, digest
  from settlement order by merchant_id, day desc
)
"""

# The first day that a statement is still to be made of; one merchant's day has one statement.
_NEXT_DAY = text(f"""
with {_UNSETTLED},
waiting as (
  select merchant_id, booked_on from unsettled union select merchant_id, booked_on from adjusting
)
select min(greatest(w.booked_on, l.day + 1)) from waiting w left join latest l using (merchant_id)
""")  # noqa: S608 - composed of constants

# Promises: a line for each capture and reversal, once (its key), and carried_in is what the one before carried on.
_MAKE = text(f"""
with {_UNSETTLED},
of_captures as (
  select merchant_id, count(*) filter (where kind = 'capture')::int as captures,
         count(*) filter (where kind = 'reversal')::int as reversals,
         sum(micro_fen)::bigint as micro_fen, {LINES_DIGEST} as of_lines
  from unsettled group by merchant_id
),
of_returns as (
  select merchant_id, sum(fen)::bigint as fen, {ADJUSTMENTS_DIGEST} as of_adjustments from adjusting group by merchant_id
),
sums as (
  select merchant_id, cast(:until as date) as day, coalesce(c.captures, 0) as captures,
         coalesce(c.reversals, 0) as reversals, coalesce(l.carried_out, 0) as carried_in,
         coalesce(c.micro_fen, 0) as lines_micro_fen, coalesce(r.fen, 0) as adjusted_fen,
         coalesce(c.of_lines, sha256(''::bytea)) as of_lines,
         coalesce(r.of_adjustments, sha256(''::bytea)) as of_adjustments,
         l.settlement_id as follows, l.digest as digest_before
  from of_captures c full join of_returns r using (merchant_id) left join latest l using (merchant_id)
  where l.day is null or l.day < :until
),
whole as (
  select *, greatest(div(carried_in + lines_micro_fen + adjusted_fen * 1000000::numeric, 1000000), 0)::bigint
              as amount_fen
  from sums
),
carried as (
  select *, carried_in + lines_micro_fen + (adjusted_fen - amount_fen) * 1000000 as carried_out from whole
),
made as (
  insert into settlement (merchant_id, day, captures, reversals, carried_in, lines_micro_fen, adjusted_fen, amount_fen,
                          carried_out, state, digest, follows)
  select merchant_id, day, captures, reversals, carried_in, lines_micro_fen, adjusted_fen, amount_fen, carried_out,
         case when amount_fen > 0 then 'frozen' else 'carried' end, {SETTLEMENT_DIGEST}, follows
  from carried order by merchant_id
  returning settlement_id, merchant_id
),
lines as (
  insert into settlement_line (settlement_id, capture_id, kind, micro_fen, subsidy_fen, purse_id)
  select m.settlement_id, u.capture_id, u.kind, u.micro_fen, u.subsidy_fen, u.purse_id
  from unsettled u join made m using (merchant_id)
),
adjusted as (
  insert into settlement_adjusted (adjustment_id, settlement_id)
  select a.adjustment_id, m.settlement_id from adjusting a join made m using (merchant_id)
)
select settlement_id from made order by settlement_id
""")  # noqa: S608 - composed of constants


def last_day(now: datetime) -> date:
    """The last day whose statements may be made: over since so long that whoever had begun a capture is done."""
    return clock.day_of(now - REST) - timedelta(days=1)


def make_next(session: Session, now: datetime) -> list[int]:
    """Make the statements of the earliest day that is over and wants one; returns their numbers, none when all are made.

    Subsidies in them are booked as spent in their purses. Two that ask at once make them one after the other.
    """
    session.execute(text("select pg_advisory_xact_lock(:kind, 0)"), {"kind": SETTLING})
    last = last_day(now)
    given = {"since": _looked_back_to(session), "until": last}
    day = session.execute(_NEXT_DAY, given).scalar()
    if day is None or day > last:
        return []
    made = list(session.execute(_MAKE, {**given, "until": day}).scalars())
    book_spent(session, made)
    return made


def _looked_back_to(session: Session) -> date:
    """From which day on something may be without a line: a week before the last statements, or the beginning."""
    newest: date | None = session.execute(text("select max(day) from settlement")).scalar()
    return date.min if newest is None else newest - LOOK_BACK
