"""The floor of a city's day: the same taps, pairs, matches, decisions and balances as bare SQL, decided by nobody.

Every row is kept once with its key, pairs are made by a window over riders, claims and journeys choose each other as the
product's window pass has them choose, and what the matched journeys are worth is written into the product's own tables
of decisions, postings, lots and wallets. One connection, no batches, no methodology, no fund, no partner's signature: no
faster way to the same end is known to us.
"""

import gzip
import io
import time
from collections.abc import Iterable
from typing import Any, Final

from carbon_credits.cli.bench.cityday import CityDay, token
from carbon_credits.cli.bench.ground import Ground
from carbon_credits.core import ids

BLOCK: Final = 1 << 20
# What is known beforehand: whose token is whose, what the phones told, how far it is.
BEFORE: Final = """
create schema floor;
create table floor.rider (token text primary key, resident_id bigint not null, shard_id smallint not null);
create table floor.claim (
  claim_id int primary key, resident_id bigint not null, begins timestamptz not null, ends timestamptz not null,
  distance_m int not null
);
create table floor.distance (origin text, destination text, metres int, primary key (origin, destination));
"""
# (name, statement): the steps, in the order of the day.
STEPS: Final = (
    (
        "keep once",
        """
create table floor.tap (
  transaction_id text primary key, at timestamptz not null, action text not null, stop text not null,
  token text not null, amount numeric not null
);
insert into floor.tap
select transaction_id, event_timestamp::timestamptz, fare_action, stop_id, token_id, amount::numeric from floor.told
on conflict do nothing
""",
    ),
    ("index", "create index on floor.tap (token, at)"),
    (
        "pair",
        """
create table floor.journey as
select row_number() over () as journey_id, token, transaction_id, at as enters, next_at as leaves, stop as origin,
       next_stop as destination
from (
  select *, lead(action) over rider as next_action, lead(at) over rider as next_at, lead(stop) over rider as next_stop
  from floor.tap window rider as (partition by token order by at, action, transaction_id)
) t
where action = 'Enter' and next_action = 'Exit' and next_stop <> stop and next_at - at <= interval '6 hours'
""",
    ),
    (
        "whose",
        """
create table floor.ours as
select j.journey_id, r.resident_id, r.shard_id, j.enters, j.leaves, d.metres
from floor.journey j join floor.rider r using (token) join floor.distance d using (origin, destination)
""",
    ),
    (
        "match",
        """
create table floor.match as
with pair as (
  select c.claim_id, j.journey_id,
         extract(epoch from least(j.leaves, c.ends) - greatest(j.enters, c.begins))
           / extract(epoch from greatest(j.leaves, c.ends) - least(j.enters, c.begins)) as score
  from floor.claim c join floor.ours j using (resident_id)
  where j.enters between c.begins - interval '15 minutes' and c.begins + interval '15 minutes'
    and 2 * extract(epoch from least(j.leaves, c.ends) - greatest(j.enters, c.begins))
        >= extract(epoch from greatest(j.leaves, c.ends) - least(j.enters, c.begins))
), ranked as (
  select *, row_number() over (partition by claim_id order by score desc, journey_id) as of_claim,
         row_number() over (partition by journey_id order by score desc, claim_id) as of_journey
  from pair
)
select claim_id, journey_id from ranked where of_claim = 1 and of_journey = 1
""",
    ),
    (
        "post",
        """
create temp table line as
select *, row_number() over (order by resident_id, enters) as line,
       row_number() over wallet as nth, sum(points) over wallet as balance
from (select *, (467 * metres / 10)::bigint as mg, 467 * metres / 10 / 1000 as points from floor.ours) j
window wallet as (partition by resident_id order by enters);
with journalled as (
  insert into journal (kind, n, points_sum, verified_sum, claimed_sum, removal_sum, shard_id, content_hash)
  select 1, count(*), sum(points), sum(mg), 0, 0, 0, sha256('floor') from line returning journal_id
), posted as (
  insert into posting (journal_id, line, booked_on, resident_id, wallet_seq, balance_after, contra_kind, contra_ref,
    points, verified_mg, lot_on, effective_on, activity_id, generation, shard_id)
  select journal_id, line, %(today)s, resident_id, nth, balance, 1, 1, points, mg, %(lot)s, %(day)s, journey_id, 1,
         shard_id
  from line, journalled order by line
)
insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, counted,
  journal_id, release_id, fund_id, occurred_on, lot_on, methodology, generation, shard_id, evidence_class, pool, motion,
  state)
select journey_id, resident_id, enters, leaves, mg, mg, points, metres, journal_id, 1, 1, %(day)s, %(lot)s, 6, 1,
       shard_id, 'A', 'v', true, 'credited'
from line, journalled order by resident_id, journey_id
""",
    ),
    (
        "wallets",
        """
insert into lot (resident_id, expires_on, fund_id, earned, remaining, shard_id)
select resident_id, %(lot)s, 1, sum(points), sum(points), shard_id from line group by resident_id, shard_id
order by resident_id;
update wallet w
set available = w.available + m.points, verified_mg = w.verified_mg + m.mg, seq = w.seq + m.n
from (select resident_id, shard_id, sum(points) as points, sum(mg) as mg, count(*)::int as n
      from line group by resident_id, shard_id) m
where w.resident_id = m.resident_id and w.shard_id = m.shard_id
""",
    ),
)
TOLD: Final = """
create table floor.told (
  transaction_id text, event_timestamp text, fare_action text, stop_id text, vehicle_id text, token_id text,
  amount text, currency_type text
)
"""


def prepare(owner: Any, city: CityDay, distances: Iterable[tuple[str, str, int]]) -> None:
    """What is known before the day's files come."""
    owner.execute(BEFORE)
    with owner.cursor().copy("copy floor.rider from stdin") as copy:
        for number in range(1, city.size.residents + 1):
            resident = ids.resident_id(number)
            copy.write_row((token(number), resident, ids.shard_of(resident)))
    with owner.cursor().copy("copy floor.claim from stdin") as copy:
        for number, claim in enumerate(city.claims):
            times = city.at(claim.begins_s), city.at(claim.ends_s)
            copy.write_row((number, ids.resident_id(claim.resident), *times, claim.distance_m))
    with owner.cursor().copy("copy floor.distance from stdin") as copy:
        for origin, destination, metres in distances:
            copy.write_row((origin, destination, metres))
            copy.write_row((destination, origin, metres))
    for table in ("rider", "claim", "distance"):
        owner.execute(f"vacuum (analyze) floor.{table}")


def write(ground: Ground, city: CityDay, files: Iterable[bytes], today: Any) -> dict[str, float]:
    """Do it all with the operator's packed files; the seconds of each step."""
    taken: dict[str, float] = {}
    given = {"today": today, "day": city.day, "lot": city.day.replace(year=city.day.year + 1, day=28)}
    with ground.owner() as owner:
        owner.execute("set statement_timeout = 0")
        began = time.perf_counter()
        owner.execute(TOLD)
        for packed in files:
            _copy(owner, packed)
        owner.execute("analyze floor.told")
        taken["load"] = time.perf_counter() - began
        for name, statements in STEPS:
            began = time.perf_counter()
            for statement in statements.split(";"):
                _client_side(owner, statement, given)
            if name in ("keep once", "pair", "whose"):
                owner.execute(
                    "analyze "
                    + {"keep once": "floor.tap", "pair": "floor.journey", "whose": "floor.ours"}[name]
                )
            taken[name] = time.perf_counter() - began
    return taken


def _copy(owner: Any, packed: bytes) -> None:
    with (
        gzip.open(io.BytesIO(packed)) as plain,
        owner.cursor().copy("copy floor.told from stdin (format csv, header)") as copy,
    ):
        while block := plain.read(BLOCK):
            copy.write(block)


def _client_side(owner: Any, statement: str, given: dict[str, Any]) -> None:
    """DDL takes no parameters from the server's side."""
    from psycopg import ClientCursor  # noqa: PLC0415

    ClientCursor(owner).execute(statement, given)
