"""The daily rollup of credited acts, kept right while days long past go on changing.

Whatever changes a figure has a posting: a credit, a clawback, a restatement. So the journals written since the last time
name the residents and months that changed, and nothing else is looked at. Of those the acts are read twice, as they stood
when the shard was last rolled up and as they stand now, and the difference is added. A journal's number says which is
which; under the shard's lock nobody credits, so every number up to the newest is written. Done twice, it adds nothing.

A resident's street is that of the profile now: whoever moves takes all of their past along, at the next step.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import SHARD_SIZE
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.residents.service import Street

# where a resident named no street
UNSTATED: Final = "unstated"
STREETS: Final = (*(street.value for street in Street), UNSTATED)
# postings in a step: it holds its shard's lock, and the batch waits
STEP: Final = 5_000
MOVERS: Final = 200
KINDS: Final = [int(JournalKind.CREDIT), int(JournalKind.CLAWBACK), int(JournalKind.RESTATEMENT)]
GRANTING: Final = [int(ContraKind.GRANT), int(ContraKind.BONUS), int(ContraKind.CLAWBACK)]
TABLES: Final = (
    "rollup_day",
    "rollup_people",
    "rollup_resident",
    "rollup_fund",
    "rollup_registered",
    "rollup_shard",
)

_WORKING_TABLES: Final = """
create temp table if not exists rollup_touched (
  resident_id bigint, month date, street_was text, street text
) on commit delete rows;
create temp table if not exists rollup_change (
  kind text, starts_on date, methodology smallint, street text, pool char(1), acts int, people int, mg bigint,
  points bigint, reversals int
) on commit delete rows;
"""
_MARK: Final = text("select coalesce((select journal_id from rollup_shard where shard_id = :shard), 0)")
# Journals of other kinds change nothing here; when none are left the mark moves past them, so that none is read twice.
_NEXT: Final = text("""
select coalesce(array_agg(journal_id), '{}') as journals, max(journal_id) as upto
from (
  select journal_id, sum(n) over (order by journal_id) - n as before
  from (select journal_id, n from journal
        where shard_id = :shard and journal_id > :after and kind = any(:kinds) order by journal_id limit 1000) j
) k
where before < :most
""")
_NEWEST: Final = text("select coalesce(max(journal_id), 0) from journal")
# Whoever moved is counted anew in every month they were ever active in.
_TOUCH: Final = text("""
insert into rollup_touched
with posted as (
  select distinct p.resident_id, date_trunc('month', p.effective_on)::date as month
  from posting p
  where p.journal_id = any(cast(:journals as bigint[])) and p.shard_id = :shard and p.activity_id is not null
), elsewhere as materialized (
  select k.resident_id from rollup_resident k join resident r using (resident_id)
  where k.shard_id = :shard and r.resident_id between :first and :last and k.street <> coalesce(r.street, :unstated)
), moved as (
  select resident_id from elsewhere
  where resident_id in (select resident_id from posted)
     or resident_id in (select resident_id from elsewhere order by 1 limit :movers)
), touched as (
  select resident_id, month from posted
  union
  select m.resident_id, date_trunc('month', d.occurred_on)::date
  from moved m join decision d on d.resident_id = m.resident_id and d.journal_id is not null
)
select t.resident_id, t.month, coalesce(k.street, r.street, :unstated), coalesce(r.street, :unstated)
from touched t
left join rollup_resident k on k.resident_id = t.resident_id and k.shard_id = :shard
left join resident r on r.resident_id = t.resident_id
order by 1, 2
returning 1
""")
# An act is its newest passage that had moved something by then: credited, or taken back and nothing now. One that gave
# way to a partner's record is no reversal. Grams are as the newest restatement of the time has them.
_CHANGE: Final = text("""
insert into rollup_change
with side (sign, upto) as (values (-1, cast(:after as bigint)), (1, cast(:upto as bigint))),
fact as (
  select s.sign, t.resident_id, t.month, case s.sign when 1 then t.street else t.street_was end as street,
         d.occurred_on, d.methodology, d.pool, d.points + d.bonus as points, coalesce(r.new_mg, d.credited_mg) as mg,
         d.stands and (coalesce(r.new_mg, d.credited_mg) > 0 or d.points + d.bonus > 0) as counts,
         not d.stands and d.state = 'reversed' as is_reversed
  from rollup_touched t
  cross join side s
  cross join lateral (
    select distinct on (d.occurred_on, d.activity_id) d.*, coalesce(c.journal_id, s.upto + 1) > s.upto as stands
    from decision d
    left join lateral (
      select journal_id from clawback c
      where c.resident_id = d.resident_id and c.activity_id = d.activity_id and c.generation = d.generation
        and c.shard_id = :shard and d.state <> 'credited'
    ) c on true
    where d.resident_id = t.resident_id and d.occurred_on >= t.month
      and d.occurred_on < (t.month + interval '1 month')::date and d.journal_id <= s.upto
    order by d.occurred_on, d.activity_id, d.generation desc
    offset 0
  ) d
  left join lateral (
    select new_mg from restated r
    where r.resident_id = t.resident_id and r.activity_id = d.activity_id and r.generation = d.generation
      and r.shard_id = :shard and r.journal_id <= s.upto
    order by r.restatement_id desc limit 1
  ) r on true
), counted as (
  select case when grouping(methodology) = 0 then 'cell' when grouping(occurred_on) = 0 then 'day' else 'month' end
           as kind,
         sign, coalesce(occurred_on, month) as starts_on, methodology, street, pool,
         count(*) filter (where counts) as acts, count(distinct resident_id) filter (where counts) as people,
         coalesce(sum(mg) filter (where counts), 0) as mg, coalesce(sum(points) filter (where counts), 0) as points,
         count(*) filter (where is_reversed) as reversals
  from fact
  group by grouping sets (
    (sign, occurred_on, methodology, street, pool), (sign, occurred_on, street), (sign, month, street)
  )
)
select kind, starts_on, methodology, street, pool, sum(sign * acts), sum(sign * people), sum(sign * mg),
       sum(sign * points), sum(sign * reversals)
from counted
group by kind, starts_on, methodology, street, pool
having sum(sign * acts) <> 0 or sum(sign * people) <> 0 or sum(sign * mg) <> 0 or sum(sign * points) <> 0
    or sum(sign * reversals) <> 0
""")
# rows are made first and changed then, for a check is held against a difference too; in one order, for shards meet here
_APPLY: Final = tuple(
    text(statement)
    for statement in (
        """insert into rollup_day (occurred_on, methodology, street, pool)
           select starts_on, methodology, street, pool from rollup_change where kind = 'cell' order by 1, 2, 3, 4
           on conflict do nothing""",
        """update rollup_day r
           set acts = r.acts + c.acts, people = r.people + c.people, mg = r.mg + c.mg, points = r.points + c.points,
               reversals = r.reversals + c.reversals
           from rollup_change c
           where c.kind = 'cell' and r.occurred_on = c.starts_on and r.methodology = c.methodology
             and r.street = c.street and r.pool = c.pool""",
        """delete from rollup_day r using rollup_change c
           where c.kind = 'cell' and r.occurred_on = c.starts_on and r.methodology = c.methodology
             and r.street = c.street and r.pool = c.pool and r.acts = 0 and r.reversals = 0""",
        """insert into rollup_people (period, starts_on, street)
           select kind, starts_on, street from rollup_change where kind <> 'cell' order by 1, 2, 3
           on conflict do nothing""",
        """update rollup_people r set people = r.people + c.people
           from rollup_change c
           where c.kind <> 'cell' and r.period = c.kind and r.starts_on = c.starts_on and r.street = c.street""",
        """delete from rollup_people r using rollup_change c
           where c.kind <> 'cell' and r.period = c.kind and r.starts_on = c.starts_on and r.street = c.street
             and r.people = 0""",
        """insert into rollup_resident as k (resident_id, street, first_on, last_on, shard_id)
           select t.resident_id, t.street, f.first_on, f.last_on, :shard
           from (select distinct resident_id, street from rollup_touched) t
           cross join lateral (
             select (select occurred_on from decision d
                     where d.resident_id = t.resident_id and d.state = 'credited' and d.journal_id is not null
                     order by occurred_on limit 1) as first_on,
                    (select occurred_on from decision d
                     where d.resident_id = t.resident_id and d.state = 'credited' and d.journal_id is not null
                     order by occurred_on desc limit 1) as last_on
             offset 0
           ) f
           order by 1
           on conflict (resident_id, shard_id) do update
           set street = excluded.street, first_on = excluded.first_on, last_on = excluded.last_on""",
    )
)
# Postings are added as they are: a fund's day of booking is over when the day is.
_SPEND: Final = text("""
insert into rollup_fund as f (fund_id, booked_on, points)
select contra_ref, booked_on, sum(points)
from posting
where journal_id = any(cast(:journals as bigint[])) and shard_id = :shard and contra_kind = any(:granting)
group by 1, 2 having sum(points) <> 0 order by 1, 2
on conflict (fund_id, booked_on) do update set points = f.points + excluded.points
""")
_MOVE_MARK: Final = text("""
insert into rollup_shard as s (shard_id, journal_id, rolled_at) values (:shard, :upto, :now)
on conflict (shard_id) do update set journal_id = excluded.journal_id, rolled_at = excluded.rolled_at
""")


def roll_up(session: Session, shard_id: int, now: datetime, most: int = STEP) -> int:
    """Bring a shard's next journals, about `most` postings, and those who moved, into the rollups.

    The caller holds the shard's lock. Returns how many journals and residents' months were looked at, 0 when none are
    left.
    """
    session.execute(
        text("select set_config('statement_timeout', '60s', true), set_config('jit', 'off', true)")
    )
    after = session.execute(_MARK, {"shard": shard_id}).scalar_one()
    asked = {"shard": shard_id, "after": after, "kinds": KINDS, "most": most}
    found = session.execute(_NEXT, asked).one()
    upto = found.upto if found.journals else max(after, session.execute(_NEWEST).scalar_one())
    touched = _change(session, shard_id, found.journals, after, upto)
    if found.journals:
        spent = {"shard": shard_id, "journals": found.journals, "granting": GRANTING}
        session.execute(_SPEND, spent)
    session.execute(_MOVE_MARK, {"shard": shard_id, "upto": upto, "now": now})
    return touched + len(found.journals)


def forget(session: Session) -> None:
    """Empty the rollups, to be made anew from the first journal on."""
    for table in TABLES:
        session.execute(text(f"delete from {table}"))  # noqa: S608 - constants


def _change(session: Session, shard_id: int, journals: list[int], after: int, upto: int) -> int:
    if session.execute(text("select to_regclass('pg_temp.rollup_change')")).scalar_one() is None:
        session.execute(text(_WORKING_TABLES))
    session.execute(text("delete from rollup_touched"))
    session.execute(text("delete from rollup_change"))
    given: dict[str, Any] = {"shard": shard_id, "journals": journals, "unstated": UNSTATED, "movers": MOVERS}
    given |= {"first": shard_id * SHARD_SIZE + 1, "last": (shard_id + 1) * SHARD_SIZE}
    touched = len(session.execute(_TOUCH, given).all())
    if touched:
        session.execute(_CHANGE, {"shard": shard_id, "after": after, "upto": upto})
        for statement in _APPLY:
            session.execute(statement, {"shard": shard_id} if statement is _APPLY[-1] else {})
    return touched
