"""Bags: what was put into a station between one emptying and the next, against what the weighbridge says it weighed.

A bag of a station and material begins after an emptying and ends with the next. Its deposits are all that the station
told, also of people who are not bound; its residual is deposits less net, in grams and per mille of the net. Everything
is recomputed from what was told, so a late deposit or ticket gives what it would have given in time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.methodologies.catalogue import BY_NUMBER

# Scales of boxes and bridges, moisture and what falls beside: a bag may be off by a tenth before its sessions are held
# (our choice, docs/decisions/0022).
TOLERANCE_PM: Final = 100
# A feed that says by watermark how far it is complete is believed; of one that does not, a bag is judged a day later.
GRACE: Final = timedelta(hours=24)

STAGE = """
create temp table if not exists bag (
  source_id smallint not null, methodology smallint not null, station text not null,
  since timestamptz, emptied_at timestamptz not null, document_no text,
  deposits bigint not null, deposited_g bigint not null, net_g bigint, state text not null,
  primary key (source_id, station, methodology, emptied_at)
) on commit delete rows
"""
# Every bag that was emptied in the time asked for. `first`: when it began is not known; `unweighed`, `weighed_twice`:
# there is no ticket, or two that stand; `early`: deposits may still come; `balanced` and `out` are judged. One instant,
# told as an emptying and as a weighing, is one bag.
FILL = text("""
insert into bag
with emptying as (
  select source_id, station, methodology, emptied_at, max(net_g) as net_g, count(net_g) as tickets,
         min(document_no) filter (where net_g is not null) as document_no
  from weighing
  where withdrawn_at is null
    and (cast(:source as smallint) is null or source_id = :source)
  group by 1, 2, 3, 4
), bounded as (
  select *, lag(emptied_at) over (partition by source_id, station, methodology order by emptied_at) as since
  from emptying
)
select b.source_id, b.methodology, b.station, b.since, b.emptied_at, b.document_no, put.deposits, put.mass_g, b.net_g,
       case when b.since is null then 'first'
            when b.tickets = 0 then 'unweighed'
            when b.tickets > 1 then 'weighed_twice'
            when b.emptied_at > coalesce(m.complete_through, cast(:believed as timestamptz)) then 'early'
            when abs(put.mass_g - b.net_g) * 1000 > b.net_g * :tolerance then 'out'
            else 'balanced' end
from bounded b
left join feed_watermark m using (source_id)
cross join lateral (
  select count(*) as deposits, coalesce(sum(d.mass_g), 0) as mass_g
  from station_deposit d
  where d.source_id = b.source_id and d.station = b.station and d.methodology = b.methodology
    and d.at > b.since and d.at <= b.emptied_at and d.withdrawn_at is null
) put
where b.emptied_at >= :first and b.emptied_at < :until
""")
READ = text("""
select s.feed, b.* from bag b join source s using (source_id)
order by b.source_id, b.methodology, b.station, b.emptied_at
""")


@dataclass(frozen=True)
class Bag:
    """One bag, masses in grams. `residual_pm`: per mille of the net, None where it was not judged or weighed nothing."""

    feed: str
    source_id: int
    material: str
    methodology: int
    station: str
    since: datetime | None
    emptied_at: datetime
    document_no: str | None
    deposits: int
    deposited_g: int
    net_g: int | None
    state: str

    @property
    def is_judged(self) -> bool:
        """Whether deposits and weighing could be held against each other."""
        return self.state in ("balanced", "out")

    @property
    def residual_g(self) -> int | None:
        """Deposits less net: above zero where more was told than weighed."""
        return self.deposited_g - self.net_g if self.is_judged and self.net_g is not None else None

    @property
    def residual_pm(self) -> int | None:
        """The residual per mille of the net, towards zero."""
        return None if self.residual_g is None or not self.net_g else per_mille(self.residual_g, self.net_g)


def per_mille(part: int, whole: int) -> int:
    """So many thousandths of the whole, towards zero; the whole is above zero."""
    return (abs(part) * 1000 // whole) * (1 if part >= 0 else -1)


def fill(
    session: Session, now: datetime, first: datetime, until: datetime, source_id: int | None = None
) -> None:
    """Put the bags emptied from `first` to before `until` into the temporary table `bag`, judged as of `now`."""
    session.execute(text(STAGE))
    session.execute(text("truncate bag"))
    given = {
        "source": source_id,
        "first": first,
        "until": until,
        "believed": now - GRACE,
        "tolerance": TOLERANCE_PM,
    }
    session.execute(FILL, given)
    session.execute(text("analyze bag"))


def bags(session: Session) -> list[Bag]:
    """The bags of the temporary table, by feed, material and station, in the order of time."""
    return [_bag(row) for row in session.execute(READ)]


def _bag(row: Any) -> Bag:
    return Bag(
        row.feed,
        row.source_id,
        BY_NUMBER[row.methodology][-1].code,
        row.methodology,
        row.station,
        row.since,
        row.emptied_at,
        row.document_no,
        row.deposits,
        row.deposited_g,
        row.net_g,
        row.state,
    )
