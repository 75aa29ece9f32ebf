"""A district made set-wise: people as unlike each other as people are, and what they did, without the batch.

Everything follows from the seed: the same district is made wherever the test runs.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import resident_id
from carbon_credits.methodologies.catalogue import BY_CODE
from tests.factories.ledger import months_of

CYCLING: Final = BY_CODE["travel.cycling"][-1].number
METRO: Final = BY_CODE["travel.metro"][-1].number

PEOPLE = text("""
insert into resident (resident_id, shard_id, street, enrolled_at)
select r, (r - 1) / 16384, (array['zumiao', 'shiwan', 'zhangcha', 'nanzhuang', null])[1 + r % 5], :at
from unnest(cast(:people as bigint[])) r
""")
WALLETS = text("""
insert into wallet (resident_id, shard_id) select r, (r - 1) / 16384 from unnest(cast(:people as bigint[])) r
""")
# Somebody's acts are as frequent and as long as they are, within a factor of ten and more; some do nothing at all. A few
# do a hundred times as much as others. Each day and each act is drawn by itself from a hash of who, when and the seed.
ACTS = text("""
with person as materialized (
  select resident_id as r, shard_id,
         (hashint8extended(resident_id, :seed) & 1048575) / 1048576.0 as busy,
         exp(9 + 0.8 * (sqrt(-2 * ln(((hashint8extended(resident_id, :seed + 1) & 1048575) + 1) / 1048577.0))
                        * cos(6.283185307 * (hashint8extended(resident_id, :seed + 2) & 1048575) / 1048576.0))) as size
  from resident
), day as (
  select r, shard_id, busy, size, d::date as d, n, extract(epoch from d)::bigint * 8 + n as which
  from person
  cross join generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 day') d
  cross join generate_series(0, 1) n
), drawn as (
  select *, (hashint8extended(r * 7919 + which, :seed + 3) & 1048575) / 1048576.0 as chance,
         (hashint8extended(r * 7919 + which, :seed + 4) & 1048575) / 1048576.0 as much
  from day
)
insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, counted,
                      release_id, occurred_on, methodology, generation, shard_id, evidence_class, pool, motion, state)
select :number + row_number() over (), r, d + time '01:00' + n * interval '2 hours',
       d + time '01:30' + n * interval '2 hours', mg, mg, 0, 0, 1, d, case n when 0 then :cycling else :metro end, 1,
       shard_id, case n when 0 then 'D' else 'A' end, case n when 0 then 'c' else 'v' end, true, 'credited'
from drawn cross join lateral (select floor(size * (0.5 + much))::bigint as mg) x
where chance < (busy - 0.25) * 0.4
""")
# What a campaign brings about: of each act of its methodologies by those offered, so much again as one more act.
MORE = text("""
insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, counted,
                      release_id, occurred_on, methodology, generation, shard_id, evidence_class, pool, motion, state)
select d.activity_id + 100000000, d.resident_id, d.occurred_from, d.occurred_to, x.mg, x.mg, 0, 0, 1, d.occurred_on,
       d.methodology, 1, d.shard_id, d.evidence_class, d.pool, d.motion, 'credited'
from campaign_audience a
join decision d using (resident_id, shard_id)
cross join lateral (select d.credited_mg * :percent / 100 as mg) x
where a.campaign_id = :campaign and a.side = 'offered' and d.methodology = :methodology
  and d.occurred_on between :first and :last
returning credited_mg
""")
# Acts that wait for their decision, as partners and phones tell of them: at most one ride and one journey a day for each.
# The same seed gives the same acts, moved by so many days.
CLAIMS = text("""
with told as (
  select :number + row_number() over (order by r, d, n) as activity_id, r, d + :moved as d, n,
         2000 + (hashint8extended(r * 7919 + extract(epoch from d)::bigint * 8 + n, :seed + 1) & 8191) as metres
  from unnest(cast(:people as bigint[])) r
  cross join lateral (select d::date as d from generate_series(cast(:first as timestamp), cast(:last as timestamp),
                                                               interval '1 day') d) days
  cross join generate_series(0, 2) n
  where (hashint8extended(r * 7919 + extract(epoch from d)::bigint * 8 + n, :seed) & 1023) < :often
), spans as (
  select *, d + interval '1 hour' * (1 + 3 * n) as began from told
), act as (
  insert into activity (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id,
                        shard_id, evidence_class, monitored, evidence_digest)
  select activity_id, r, began, began + interval '1 second' * (metres / 4), d,
         case n when 2 then :metro else :cycling end, case n when 2 then 900 else 0 end, (r - 1) / 16384,
         case n when 2 then 'A' else 'D' end, jsonb_build_object('distance_m', metres),
         substring(sha256(int8send(activity_id)) for 16)
  from spans
)
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
select activity_id, r, d, 1, (r - 1) / 16384 from spans
""")
AUDIENCE = text("""
insert into campaign_audience (campaign_id, resident_id, shard_id, side, at_launch)
select c.campaign_id, r.resident_id, r.shard_id,
       case when held_out(sha256(int8send(:seed + c.campaign_id)), r.resident_id, :ppm) then 'held_out'
            else 'offered' end, true
from resident r cross join unnest(cast(:campaigns as int[])) as c (campaign_id)
""")


@dataclass(frozen=True)
class District:
    """Who lives in it, and the days of a campaign in the midst of theirs."""

    people: tuple[int, ...]
    since: date
    until: date


def a_district(session: Session, people: int, since: date, days: int, seed: int) -> District:
    """People with acts of cycling and metro on a campaign's days, on as many before it and on 28 before and after."""
    until = since + timedelta(days=days - 1)
    first, last = since - timedelta(days=max(days, 28)), until + timedelta(days=28)
    months_of(session, first, last)
    numbers = [resident_id(n) for n in range(1, people + 1)]
    session.execute(PEOPLE, {"people": numbers, "at": first - timedelta(days=30)})
    given = {"first": first, "last": last, "seed": seed, "number": 1_000_000}
    session.execute(ACTS, given | {"cycling": CYCLING, "metro": METRO})
    return District(tuple(numbers), since, until)


def enrol(session: Session, people: int, since: date) -> list[int]:
    """People with wallets, in eight shards; every fifth named no street."""
    numbers = [resident_id(n) for n in range(1, people + 1)]
    session.execute(PEOPLE, {"people": numbers, "at": since})
    session.execute(WALLETS, {"people": numbers})
    return numbers


def claim_acts(
    session: Session,
    people: list[int],
    first: date,
    last: date,
    *,
    moved: int = 0,
    seed: int = 1,
    often: int = 400,
) -> int:
    """Have people ride and travel between two days, moved by so many; returns how many acts wait."""
    given = {"people": people, "first": first, "last": last, "moved": moved, "seed": seed, "often": often}
    number = 1_000_000 + 10_000_000 * moved
    found = session.execute(CLAIMS, given | {"cycling": CYCLING, "metro": METRO, "number": number})
    return found.rowcount  # type: ignore[attr-defined,no-any-return]


def draw_lots(session: Session, campaigns: list[int], ppm: int, seed: int) -> None:
    """Freeze everybody as the audience of each campaign, each with a salt of its own."""
    session.execute(AUDIENCE, {"campaigns": campaigns, "ppm": ppm, "seed": seed})


def plant(session: Session, campaign: int, first: date, last: date, percent: int) -> int:
    """Have those who were offered a campaign cycle so much more on these days; returns the milligrams planted."""
    given = {"campaign": campaign, "first": first, "last": last, "percent": percent, "methodology": CYCLING}
    return sum(session.execute(MORE, given).scalars())
