"""Points that lapsed, fund by fund: what was bought and never used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Breakage:
    """A fund's lapsed points of a period, and what they had cost at the fund's mean price, in whole fen, floored."""

    code: str
    granted: int
    lapsed: int
    cost_fen: int


def breakage(session: Session, first: date, last: date) -> Sequence[Breakage]:
    """What lapsed in each fund from one booking day through another, less what clawbacks undid of it."""
    rows = session.execute(
        text("""
            select f.code,
                   coalesce(sum(p.points) filter (where p.contra_kind in (1, 2, 6)), 0)::bigint as granted,
                   coalesce(-sum(p.points) filter (where p.contra_kind = 5), 0)::bigint as lapsed,
                   d.points as bought, d.amount_fen
            from fund f
            left join posting p on p.contra_ref = f.fund_id and p.contra_kind in (1, 2, 5, 6)
                               and p.booked_on between :first and :last
            left join (select fund_id, sum(points)::bigint as points, sum(amount_fen)::bigint as amount_fen
                       from (select fund_id, points, amount_fen from fund_deposit
                             union all select to_fund, points, amount_fen from fund_transfer
                             union all select from_fund, -points, -amount_fen from fund_transfer) m
                       group by fund_id) d using (fund_id)
            group by f.fund_id, f.code, d.points, d.amount_fen order by f.fund_id
        """),
        {"first": first, "last": last},
    )
    return [
        Breakage(row.code, row.granted, row.lapsed, row.lapsed * (row.amount_fen or 0) // (row.bought or 1))
        for row in rows
    ]
